#!/bin/sh
# install.sh fetch|install NAME=VERSION...
#
# Exactly these versions of packages that are installed; nothing is removed for them. What an
# earlier run left half configured is finished first.
set -eu
step=$1
shift
export DEBIAN_FRONTEND=noninteractive
if [ "$step" = fetch ]; then
  set -- --download-only "$@"
else
  dpkg --force-confdef --force-confold --configure --pending </dev/null >&2
fi
code=0
apt-get --quiet=2 --yes --no-remove --only-upgrade --no-install-recommends \
  --option Dpkg::Options::=--force-confdef --option Dpkg::Options::=--force-confold \
  --option Dpkg::Use-Pty=false install "$@" </dev/null >&2 || code=$?
if [ "$code" = 137 ]; then # killed, as the kernel does
  echo "the guest has too little memory to install packages: give it a larger flavor" >&2
fi
[ "$code" = 0 ] || exit "$code"
[ "$step" = fetch ] || apt-get clean
[ "$step" = fetch ] || systemctl start --no-block coffer-pending.service 2>/dev/null || true
