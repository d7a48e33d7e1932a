"""Reports over a real connection with TLS."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from guest.config import Config
from guest.transport import Conductor as Client
from guest.transport import RevokedError, SendError
from tests.unit.guest_conductor import Authority, Conductor
from tests.unit.test_guest_config import GOOD


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    (tmp_path / "token").write_text("secret\n")
    return Authority(tmp_path)


@pytest.fixture
def conductor(authority: Authority) -> Iterator[Conductor]:
    made = Conductor(authority)
    yield made
    made.close()


def client(tmp_path: Path, url: str, **changes: object) -> Client:
    own = {"conductor_url": url, "ca_file": f"{tmp_path}/ca.pem", "token_file": f"{tmp_path}/token"}
    return Client(Config({**GOOD, **own, "send_timeout": 0.5, **changes}))


def test_reports_share_a_connection(tmp_path: Path, conductor: Conductor) -> None:
    sender = client(tmp_path, conductor.url)
    for number in range(3):
        sender.send({"number": number, "name": "größe 💩"})
    assert conductor.reports == [{"number": n, "name": "größe 💩"} for n in range(3)]
    assert conductor.connections == 1
    assert set(conductor.tokens) == {"Bearer secret"}
    assert set(conductor.paths) == {"/conductor/v1/reports"}


def test_the_token_is_read_again(tmp_path: Path, conductor: Conductor) -> None:
    sender = client(tmp_path, conductor.url)
    sender.send({})
    (tmp_path / "token").write_text("another")
    sender.send({})
    assert conductor.tokens == ["Bearer secret", "Bearer another"]


@pytest.mark.parametrize("token", ["", "a b\r\nX: y", "ä"])
def test_a_broken_token_is_not_sent(tmp_path: Path, conductor: Conductor, token: str) -> None:
    (tmp_path / "token").write_text(token)
    with pytest.raises(SendError, match="holds no token"):
        client(tmp_path, conductor.url).send({})


def test_a_connection_that_was_closed_is_made_anew(tmp_path: Path, conductor: Conductor) -> None:
    conductor.closes = True
    sender = client(tmp_path, conductor.url)
    sender.send({"number": 1})
    sender.send({"number": 2})
    assert [report["number"] for report in conductor.reports] == [1, 2]
    assert conductor.connections == 2


def test_a_conductor_that_was_restarted_is_found(tmp_path: Path, authority: Authority) -> None:
    first = Conductor(authority)
    sender = client(tmp_path, first.url)
    sender.send({})
    first.close()
    with pytest.raises(SendError):
        sender.send({})
    second = Conductor(authority, port=int(first.url.rpartition(":")[2]))
    sender.send({})
    second.close()
    assert len(second.reports) == 1


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_revoked_token_is_told(tmp_path: Path, conductor: Conductor, status: int) -> None:
    conductor.answer = status
    with pytest.raises(RevokedError, match=str(status)):
        client(tmp_path, conductor.url).send({})


@pytest.mark.parametrize("status", [301, 400, 429, 500, 503])
def test_another_answer_is_an_error(tmp_path: Path, conductor: Conductor, status: int) -> None:
    conductor.answer = status
    sender = client(tmp_path, conductor.url)
    with pytest.raises(SendError, match=str(status)):
        sender.send({})
    conductor.answer = 204
    sender.send({})
    assert conductor.connections == 1


def test_a_stranger_is_not_told_the_token(tmp_path: Path, conductor: Conductor) -> None:
    (tmp_path / "other").mkdir()
    Authority(tmp_path / "other")
    sender = client(tmp_path, conductor.url, ca_file=f"{tmp_path}/other/ca.pem")
    with pytest.raises(SendError, match="CERTIFICATE_VERIFY_FAILED"):
        sender.send({})
    assert not conductor.tokens


def test_a_certificate_for_another_address_is_refused(tmp_path: Path, conductor: Conductor) -> None:
    sender = client(tmp_path, conductor.url.replace("127.0.0.1", "localhost"))
    with pytest.raises(SendError, match="CERTIFICATE_VERIFY_FAILED"):
        sender.send({})
    assert not conductor.tokens


@pytest.mark.parametrize("url", ["https://127.0.0.1:1", "https://[::1]:1", "https://a:b:c"])
def test_nobody_there_is_an_error(tmp_path: Path, authority: Authority, url: str) -> None:
    with pytest.raises(SendError):
        client(tmp_path, url).send({})


def test_a_server_that_says_nothing_is_given_up(tmp_path: Path, authority: Authority) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"https://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(SendError):
            client(tmp_path, url).send({})


def test_a_server_that_speaks_no_tls_is_an_error(tmp_path: Path, authority: Authority) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection = server.accept()[0]
            connection.recv(10)
            connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
            connection.close()

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(SendError):
            client(tmp_path, f"https://127.0.0.1:{server.getsockname()[1]}").send({})
        thread.join()
