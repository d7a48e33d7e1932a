#!/bin/sh
# plan.sh WHICH ORIGINS ROOM DATA DATA_ROOM
#
# Prints the packages that would be patched, and changes nothing but the package lists:
# [{"name", "from", "to", "origin"}]. WHICH: security, all or none; ROOM: MB of the root disk;
# DATA_ROOM: MB of the file system of DATA.
# Held packages, which are the engine's own, stay as they are. New packages that a newer one needs,
# such as a kernel, come with it and are not listed. What an installation that died left unfinished
# is (TO is FROM then), whatever WHICH says; one that still runs in the guest is waited for.
set -eu
which=$1 origins=$2

room() { # NAME DIRECTORY MB
  free=$(df --output=avail --block-size=1M "$2" | tail -1)
  [ "$free" -ge "$3" ] || { echo "$1 has $((free)) MB free, $3 are needed" >&2; exit 1; }
}
apt-get --quiet=2 --option DPkg::Lock::Timeout=300 check
room "the root disk" / "$3"
room "the data volume" "$4" "$5"

newer() {
  [ "$which" != none ] || return 0
  apt-get update -qq
  apt-get --simulate --quiet=2 --with-new-pkgs upgrade >/run/coffer-patch
  # The agent reports how many there are; it counts them now and then itself.
  if install -d /var/lib/coffer 2>/dev/null; then
    { grep '^Inst [^ ]* \[' /run/coffer-patch || true; } | { grep -cE "$origins" || true; } >/var/lib/coffer/pending_packages
    touch /var/lib/coffer/package_lists
  fi
  sed -nE 's/^Inst ([^ ]+) \[([^]]*)\] \(([^ ]+) (.*) \[[^]]*\]\).*/\1\t\2\t\3\t\4/p' /run/coffer-patch |
    if [ "$which" = security ]; then grep -E "$origins" || true; else cat; fi
}

unfinished() {
  dpkg-query --show --showformat='${db:Status-Status}\t${Package}\t${Version}\n' |
    sed -nE 's/^(unpacked|half-configured|triggers-.*)\t(.*)\t(.*)/\2\t\3\t\3\tunfinished/p'
}

found=$(newer; unfinished)
printf '%s' "$found" | awk -F '\t' '
  BEGIN { printf "[" }
  NF == 4 && !($1 in seen) {
    seen[$1]
    printf "%s{\"name\": \"%s\", \"from\": \"%s\", \"to\": \"%s\", \"origin\": \"%s\"}", comma, $1, $2, $3, $4
    comma = ", "
  }
  END { print "]" }'
