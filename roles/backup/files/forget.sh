#!/bin/sh
# forget.sh SNAPSHOTS PATIENCE GONE
#
# Deletes the snapshots (their ids, with blanks between) of restic's repository, and the data that
# no other one needs. Those that are gone already are no error. Prints the ids that were there.
#
# Who deletes data must be alone: the guest may be sending logs, which takes seconds, and is waited
# for up to PATIENCE seconds. Locks of the dead are taken away: of programs of this host that are no
# more, those that nobody renewed for half an hour, and with a GONE that is not empty all of them.
#
# In a directory it works as the owner of that: whatever else wrote there, the gateway could not add
# to later.
set -eu
snapshots=$1 patience=$2 gone=$3
place=${RESTIC_REPOSITORY#rclone:}
owner=root
if [ -d "$place" ]; then owner=$(stat --format=%U "$place"); fi
restic() {
  if [ "$owner" != root ] && [ "$(id -u)" = 0 ]; then
    runuser -u "$owner" -- restic --no-cache "$@"
  else
    command restic "$@"
  fi
}

if [ -n "$gone" ]; then restic unlock --quiet --remove-all; else restic unlock --quiet; fi
there=$(restic snapshots --json --no-lock)
found=
for id in $snapshots; do
  case $there in *"\"id\":\"$id"*) found="$found $id" ;; esac
done
[ -n "$found" ] || exit 0
ends=$(($(date +%s) + patience))
# shellcheck disable=SC2086 # one argument each
until said=$(restic forget --quiet --prune $found 2>&1); do
  case $said in *"already locked"*) ;; *) ends=0 ;; esac
  if [ "$(date +%s)" -ge "$ends" ]; then
    printf '%s\n' "$said" >&2
    exit 1
  fi
  sleep 1
  restic unlock --quiet
done
printf '%s\n' "$found"
