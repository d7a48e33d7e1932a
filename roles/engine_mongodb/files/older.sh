#!/bin/sh
# older.sh RELEASE MIRROR PACKAGE...
#
# Lets apt take the packages, and nothing else, from another release of Debian. Without MIRROR from
# where the guest has its security updates.
set -eu
release=$1 mirror=$2
shift 2
[ -n "$mirror" ] || mirror=$(apt-get --print-uris update | sed -nE "s|^'(.*)/dists/[^/]*-security/.*|\1|p" | head -1)
[ -n "$mirror" ] || { echo "the guest has no security updates: set engine_mongodb_older_mirror" >&2; exit 1; }

cat >/etc/apt/sources.list.d/coffer-mongodb-older.sources <<END
# Managed by Coffer.
Types: deb
URIs: $mirror
Suites: $release
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
END
cat >/etc/apt/preferences.d/coffer-mongodb-older <<END
Package: $*
Pin: release n=$release
Pin-Priority: 500

Package: *
Pin: release n=$release
Pin-Priority: -1
END
