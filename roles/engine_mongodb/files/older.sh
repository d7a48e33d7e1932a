#!/bin/sh
# older.sh add|fetch RELEASE MIRROR PACKAGE...
#
# add: lets apt take the packages, and nothing else, from another release of Debian. Without MIRROR
# from where the guest has its security updates.
# fetch: reads the package lists anew and downloads the packages, with a copy of apt's settings.
set -eu
step=$1 release=$2 mirror=$3 etc=/etc/apt
shift 3
if [ "$step" = fetch ]; then
  etc=$(mktemp -d)
  trap 'rm -rf "$etc"' EXIT
  cp -R /etc/apt/. "$etc"
  chmod 0755 "$etc"
fi

if [ "$#" -gt 0 ]; then
  [ -n "$mirror" ] || mirror=$(apt-get --print-uris update | sed -nE "s|^'(.*)/dists/[^/]*-security/.*|\1|p" | head -1)
  [ -n "$mirror" ] || { echo "the guest has no security updates: set engine_mongodb_older_mirror" >&2; exit 1; }
  cat >"$etc/sources.list.d/coffer-mongodb-older.sources" <<END
# Managed by Coffer.
Types: deb
URIs: $mirror
Suites: $release
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
END
  cat >"$etc/preferences.d/coffer-mongodb-older" <<END
Package: $*
Pin: release n=$release
Pin-Priority: 500

Package: *
Pin: release n=$release
Pin-Priority: -1
END
fi

if [ "$step" = fetch ]; then
  apt-get --option "Dir::Etc=$etc" --quiet=2 update
  [ "$#" -eq 0 ] || apt-get --option "Dir::Etc=$etc" --quiet=2 --yes --no-install-recommends --download-only install "$@" >&2
fi
