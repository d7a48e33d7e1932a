#!/bin/sh
# plan.sh WHICH ORIGINS ROOM
#
# Prints the packages that would be patched, and changes nothing but the package lists:
# [{"name", "from", "to", "origin"}]. WHICH: security, all or none; ROOM: MB of the root disk.
# Held packages, which are the engine's own, stay as they are.
set -eu
which=$1 origins=$2 room=$3

free=$(df --output=avail --block-size=1M / | tail -1)
if [ "$free" -lt "$room" ]; then
  echo "the root disk has $((free)) MB free, $room are needed" >&2
  exit 1
fi

newer() {
  [ "$which" != none ] || return 0
  apt-get update -qq
  apt-get --simulate --quiet=2 upgrade >/run/coffer-patch
  sed -nE 's/^Inst ([^ ]+) \[([^]]*)\] \(([^ ]+) (.*) \[[^]]*\]\).*/\1\t\2\t\3\t\4/p' /run/coffer-patch |
    if [ "$which" = security ]; then grep -E "$origins" || true; else cat; fi
}

found=$(newer)
printf '%s' "$found" | awk -F '\t' '
  BEGIN { printf "[" }
  NF == 4 {
    printf "%s{\"name\": \"%s\", \"from\": \"%s\", \"to\": \"%s\", \"origin\": \"%s\"}", comma, $1, $2, $3, $4
    comma = ", "
  }
  END { print "]" }'
