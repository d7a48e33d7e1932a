"""A conductor with TLS for tests, and the authority that it is trusted by."""

import contextlib
import datetime
import http.server
import ipaddress
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

UNUSED = [
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "encipher_only",
    "decipher_only",
]
DAY = datetime.timedelta(days=1)


class Authority:
    """A certificate authority in a directory: ca.pem and ca.key."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.certificate_path = folder / "ca.pem"
        self.key_path = folder / "ca.key"
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
        usage = dict.fromkeys(UNUSED, False)
        identifier = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        builder = (
            self._builder(self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(True, 0), True)
            .add_extension(x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage), True)
            .add_extension(identifier, False)
        )
        _write(self.certificate_path, builder.sign(self._key, hashes.SHA256()))
        _write_key(self.key_path, self._key)

    def issue(self, address: str) -> tuple[Path, Path]:
        """Certificate and key for a server at an address."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, address)])
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = self._builder(name, key.public_key())
        builder = builder.add_extension(names, False).add_extension(issuer, False)
        certificate_path, key_path = self.folder / "server.pem", self.folder / "server.key"
        _write(certificate_path, builder.sign(self._key, hashes.SHA256()))
        _write_key(key_path, key)
        return certificate_path, key_path

    def _builder(self, name: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return x509.CertificateBuilder(
            issuer_name=self._name,
            subject_name=name,
            public_key=key,
            serial_number=x509.random_serial_number(),
            not_valid_before=now - DAY,
            not_valid_after=now + 100 * DAY,
        )


def _write(path: Path, certificate: x509.Certificate) -> None:
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    form = serialization.PrivateFormat.PKCS8
    plain = serialization.NoEncryption()
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))


class Conductor:
    """Takes reports and keeps them; `answer` is the status that it gives."""

    def __init__(self, authority: Authority, address: str = "127.0.0.1", port: int = 0) -> None:
        self.answer = 204
        self.closes = False
        """Whether it ends every connection after an answer."""
        self.connections = 0
        self.reports: list[dict[str, Any]] = []
        self.tokens: list[str] = []
        self.paths: list[str] = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*authority.issue(address))
        self._server = _Server((address, port), _handler(self))
        self._server.context = context
        self.url = f"https://{address}:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        """Stop, connections included."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._server.close_all()

    def wait_for(
        self, fits: Callable[[dict[str, Any]], bool], seconds: float, after: int = 0
    ) -> dict[str, Any]:
        """The first report from number `after` on that fits.

        Raises:
            TimeoutError: none came in time.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for report in self.reports[after:]:
                if fits(report):
                    return report
            time.sleep(0.02)
        raise TimeoutError(f"no such report among {self.reports[after:]}")


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    context: ssl.SSLContext

    def __init__(self, *arguments: Any) -> None:
        self.sockets: list[Any] = []
        super().__init__(*arguments)

    def get_request(self) -> tuple[Any, Any]:
        plain, address = self.socket.accept()
        secure = self.context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
        self.sockets.append(secure)
        return secure, address

    def handle_error(self, *_: Any) -> None:
        """Clients that go away are part of the tests."""

    def close_all(self) -> None:
        for each in self.sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


def _handler(conductor: Conductor) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            conductor.connections += 1

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            conductor.paths.append(self.path)
            conductor.tokens.append(self.headers["Authorization"])
            if conductor.answer == 204:
                conductor.reports.append(json.loads(body))
            self.send_response(conductor.answer)
            if conductor.answer != 204:
                self.send_header("Content-Length", "2")
            if conductor.closes:
                self.send_header("Connection", "close")
                self.close_connection = True
            self.end_headers()
            self.wfile.write(b"" if conductor.answer == 204 else b"no")

        def log_message(self, *_: Any) -> None:
            """Be quiet."""

    return Handler
