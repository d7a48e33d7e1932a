"""Where playbooks, roles and plugins lie: beside the code in a checkout, inside the wheel else."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
DATA = _PACKAGE / "_data" if (_PACKAGE / "_data").is_dir() else _PACKAGE.parent
PLAYBOOKS = DATA / "playbooks"
ROLES = DATA / "roles"
ANSIBLE_CONFIG = DATA / "ansible.cfg"
MIGRATIONS = _PACKAGE / "migrations"
