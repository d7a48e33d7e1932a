#!/bin/sh
# forget.sh SNAPSHOTS
#
# Deletes the snapshots (their ids, with blanks between) of restic's repository, and the data that
# no other one needs. Those that are gone already are no error. Prints the ids that were there.
set -eu
restic unlock --quiet --remove-all
there=$(restic snapshots --json --no-lock)
found=
for id in $1; do
  case $there in *"\"id\":\"$id"*) found="$found $id" ;; esac
done
[ -n "$found" ] || exit 0
# shellcheck disable=SC2086 # one argument each
restic forget --quiet --prune $found >&2
printf '%s\n' "$found"
