#!/bin/sh
# fetch.sh RELEASE PACKAGE...
#
# Reads the package lists anew and downloads the packages, from RELEASE where one is given.
set -eu
release=$1
shift
apt-get --quiet=2 update
apt-get --quiet=2 --yes ${release:+--target-release "$release"} --no-install-recommends --allow-downgrades \
  --allow-change-held-packages --download-only install "$@" >&2
