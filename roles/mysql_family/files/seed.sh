#!/bin/sh
# seed.sh DIRECTORY DATA CLIENT SECURE DIFFERENCES PROBE
#
# Makes the data directory that every new instance of this guest's image begins
# with: copying it takes a twentieth of the time that initialising takes. It
# holds no password, key, certificate or server identity. SECURE is the text of
# secure.sh, DIFFERENCES and PROBE what that takes; DATA is the place where an
# instance's data would lie: a guest that has some needs no seed.
#
# The engine's role puts these before it, all with the directory $work:
#   initialise  makes $work/data
#   server      runs a server on it with the options given
#   clean       removes what must be made anew at every instance's first start
set -eu
seed=$1 data=$2 client=$3 secure=$4 differences=$5 probe=$6
[ ! -d "$data" ] || exit 0

umask 027
install -d -m 0755 "${seed%/*}"
work=$(mktemp -d "${seed%/*}/.seed-XXXXXX")
trap 'rm -rf "$work"' EXIT
chown mysql:mysql "$work"
fail() { cat "$work"/*.log >&2; exit 1; }

initialise || fail
server --skip-networking --socket="$work/socket" --pid-file="$work/pid" &
until "$client" --no-defaults --user=root --socket="$work/socket" -e 'DO 0' >/dev/null 2>&1; do
  kill -0 $! || fail
  sleep 0.1
done
printf '%s\n' "$secure" |
  sh -s -- '' "$client" "$differences" "$probe" --socket="$work/socket"
"$client" --no-defaults --user=root --socket="$work/socket" \
  -e 'SET GLOBAL innodb_fast_shutdown = 0; SHUTDOWN'
wait

clean
rm -rf "$seed"
cp -a --sparse=always "$work/data" "$seed.new"
sync -f "$seed.new"
mv -T "$seed.new" "$seed"
