#!/bin/bash
# open.sh STORAGE REPOSITORY CA
#
# Makes the repository if there is none, through the gateway, to which its files then belong; where
# there is one, takes away the locks of a guest that was stopped in the middle of something. Who
# restores or verifies needs none: nothing is deleted meanwhile.
#
# No guest makes its repository: of two programs that did at once, each would leave a key, one of
# which opens nothing and cannot be taken away by a guest. What was cut short is begun anew, as long
# as no data lies there.
set -euo pipefail
place=$1/$2 ca=$3

list() { # of a directory that need not be there
  rclone lsf "$@" || [ $? -eq 3 ]
}

there=$(list "$place")
if grep -qx config <<<"$there"; then
  rclone delete "$place/locks" || [ $? -eq 3 ]
  exit 0
fi
if [ -n "$(list --recursive --files-only "$place/data")" ]; then
  echo "the repository $2 holds data and has lost its config: bring that back from a copy" >&2
  exit 1
fi
rclone purge "$place/keys" 2>/dev/null || true
restic --cacert "$ca" --no-cache init --quiet
echo made
