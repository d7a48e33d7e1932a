"""What a guest is told on its first boot, and how it proves itself until then.

Anything in a guest may read user data for ever, at the metadata service or on the config drive.
So it holds a host key for one use: it proves the guest at the first contact, which replaces it by
the instance's own key. Later it opens nothing and proves nothing.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

_SCRIPT = """#!/bin/sh
set -eu
umask 077
mkdir -p /root/.ssh
echo '{login}' > /root/.ssh/authorized_keys
rm -f /etc/ssh/ssh_host_*
cat > /etc/ssh/ssh_host_ed25519_key <<'KEY'
{private}KEY
echo '{public}' > /etc/ssh/ssh_host_ed25519_key.pub
systemctl restart ssh
"""


@dataclass(frozen=True)
class OnceKey:
    """A host key for the first contact, in OpenSSH's format."""

    private: str
    public: str

    @classmethod
    def make(cls) -> OnceKey:
        key = Ed25519PrivateKey.generate()
        private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
        public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
        return cls(private.decode(), public.decode())


def user_data(kind: str, login: str, key: OnceKey) -> str:
    """In base64. login: the public key that may log in as root."""
    if kind == "script":
        text = _SCRIPT.format(login=login.strip(), private=key.private, public=key.public)
    else:
        # JSON is YAML, and quotes everything.
        text = "#cloud-config\n" + json.dumps(_cloud_config(login.strip(), key))
    return base64.b64encode(text.encode()).decode()


def _cloud_config(login: str, key: OnceKey) -> dict[str, object]:
    return {
        "disable_root": False,
        "ssh_pwauth": False,
        # Not as a user of the list: cloud-init would lock its account, and then sshd without PAM
        # lets nobody in.
        "users": [],
        "ssh_authorized_keys": [login],
        "ssh_deletekeys": True,
        "ssh_genkeytypes": [],
        "ssh_keys": {"ed25519_private": key.private, "ed25519_public": key.public},
        "package_update": False,
        "package_upgrade": False,
    }
