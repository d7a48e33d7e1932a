"""Signs a guest's request for a certificate, on the control host and without a process more."""

from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

CLOCKS_DIFFER = datetime.timedelta(hours=1)


class ActionModule(ActionBase):  # type: ignore[misc]
    """See library/guest_certificate.py for the options."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Refuse a request for anything but the given names, else sign it."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, options = self.validate_argument_spec(
            argument_spec={
                "request": {"type": "str", "required": True},
                "subject": {"type": "str", "required": True},
                "names": {"type": "list", "elements": "str", "required": True},
                "authority_path": {"type": "path", "required": True},
                "authority_key_path": {"type": "path", "required": True},
                "directory": {"type": "str", "required": True},
                "days": {"type": "int", "required": True},
            }
        )
        try:
            request = x509.load_pem_x509_csr(options["request"].encode())
        except ValueError as error:
            raise AnsibleActionFail(f"the guest's request cannot be read: {error}") from None
        _check(request, options["subject"], options["names"])
        authority = Path(options["authority_path"]).read_text()
        files = {"server.pem": _sign(request, authority, options), "ca.pem": authority}
        placed = {f"{options['directory']}/{name}": text for name, text in files.items()}
        return {**result, "changed": True, "files": placed}


def _check(request: x509.CertificateSigningRequest, subject: str, names: list[str]) -> None:
    """A request comes from the guest: it must not ask for more than the guest is."""
    asked = [str(name.value) for name in _names(request)]
    problems = (
        ("its signature is not valid", not request.is_signature_valid),
        ("its subject is another", request.subject != _subject(subject)),
        ("it asks for more than names", len(request.extensions) != 1),
        (f"it asks for {', '.join(asked)}", set(_names(request)) != set(map(_general, names))),
    )
    for problem, is_so in problems:
        if is_so:
            raise AnsibleActionFail(f"the guest's request is refused: {problem}")


def _names(request: x509.CertificateSigningRequest) -> list[x509.GeneralName]:
    try:
        extension = request.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return list(extension.value)


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _general(name: str) -> x509.GeneralName:
    """A name as openssl writes it, `IP:192.0.2.1` or `DNS:db1`."""
    kind, _, value = name.partition(":")
    if kind == "IP":
        return x509.IPAddress(ipaddress.ip_address(value))
    return x509.DNSName(value)


def _sign(request: x509.CertificateSigningRequest, pem: str, options: dict[str, Any]) -> str:
    authority = x509.load_pem_x509_certificate(pem.encode())
    key = serialization.load_pem_private_key(Path(options["authority_key_path"]).read_bytes(), None)
    now = datetime.datetime.now(datetime.UTC)
    public = request.public_key()
    own = x509.SubjectKeyIdentifier.from_public_key(public)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key())
    builder = x509.CertificateBuilder(
        issuer_name=authority.subject,
        subject_name=request.subject,
        public_key=public,
        serial_number=x509.random_serial_number(),
        not_valid_before=now - CLOCKS_DIFFER,
        not_valid_after=now + datetime.timedelta(days=options["days"]),
        extensions=list(request.extensions),
    )
    builder = builder.add_extension(own, False).add_extension(issuer, False)
    signed = builder.sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()
