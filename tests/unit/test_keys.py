"""Keys rotate while services that read them earlier go on."""

from pathlib import Path

import pytest
from cryptography.fernet import InvalidToken

from coffer import keys
from coffer.models import Instance, Secret
from coffer.secrets import Vault


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "fernet.keys"
    keys.add(made)
    return made


def test_services_go_on(file: Path, instance: Instance) -> None:
    service = Vault.from_file(str(file))
    service.put(instance, "old", "a")
    copy = Secret.get().value

    # given a new key, then who read the file before takes it into use by itself
    keys.add(file)
    service.put(instance, "new", "b")
    assert service.is_newest(Secret.get(Secret.name == "new").value)
    assert not service.is_newest(copy)

    # when everything is encrypted with it, then once is enough, and all can be read
    assert keys.reseal(Vault.from_file(str(file))) == 1
    assert keys.reseal(service) == 0
    assert service.all(instance) == {"old": "a", "new": "b"}

    # the key before stays for older copies of the records, one before that does not
    assert keys.drop_older(file) == 0
    assert service.unseal(copy) == "a"
    keys.add(file)
    assert (keys.reseal(service), keys.drop_older(file)) == (2, 1)
    assert service.all(instance) == {"old": "a", "new": "b"}
    with pytest.raises(InvalidToken):
        service.unseal(copy)


def test_the_file_stays_private(file: Path) -> None:
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o640)
    keys.add(file)
    assert file.stat().st_mode & 0o777 == 0o640
    assert len(file.read_text().split()) == 2
    assert [path.name for path in file.parent.iterdir()] == [file.name]
