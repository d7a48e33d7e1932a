#!/bin/sh
# seed.sh DIRECTORY DATA SECURE PROBE
#
# Makes the data directory that every new instance of this guest's image begins
# with: copying it takes a twentieth of the time that initialising takes. It
# holds no password, key, certificate or server identity. SECURE and PROBE are
# the texts of secure.sh and probe.sql; DATA is the place where an instance's
# data would lie: a guest that has some needs no seed.
set -eu
seed=$1 data=$2 secure=$3 probe=$4
[ ! -d "$data" ] || exit 0

umask 027
install -d -m 0755 "${seed%/*}"
work=$(mktemp -d "${seed%/*}/.seed-XXXXXX")
trap 'rm -rf "$work"' EXIT
chown mysql:mysql "$work"
server() {
  mysqld --no-defaults --user=mysql --datadir="$work/data" --log-error="$work/error.log" \
    --innodb-redo-log-capacity=8M --performance-schema=OFF --disable-log-bin --mysqlx=OFF \
    --secure-file-priv=NULL \
    --auto-generate-certs=OFF --sha256-password-auto-generate-rsa-keys=OFF \
    --caching-sha2-password-auto-generate-rsa-keys=OFF "$@"
}

server --initialize-insecure || { cat "$work/error.log" >&2; exit 1; }
server --skip-networking --socket="$work/socket" --pid-file="$work/pid" &
until mysqladmin --no-defaults --user=root --socket="$work/socket" ping >/dev/null 2>&1; do
  kill -0 $! || { cat "$work/error.log" >&2; exit 1; }
  sleep 0.1
done
printf '%s\n' "$secure" | sh -s -- '' "$probe" --socket="$work/socket"
mysql --no-defaults --user=root --socket="$work/socket" -e 'SET GLOBAL innodb_fast_shutdown = 0; SHUTDOWN'
wait

# Made anew, and differently, at every instance's first start.
rm -f "$work/data/auto.cnf" "$work/data/"*.pem "$work/data/ib_buffer_pool"
rm -rf "$seed"
cp -a --sparse=always "$work/data" "$seed.new"
sync -f "$seed.new"
mv -T "$seed.new" "$seed"
