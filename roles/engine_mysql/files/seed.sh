#!/bin/sh
# How to make the seed of this engine's data directories; the role mysql_family's seed.sh follows.
# shellcheck disable=SC2154 # which sets work
server() {
  mysqld --no-defaults --user=mysql --datadir="$work/data" --log-error="$work/error.log" \
    --innodb-redo-log-capacity=8M --performance-schema=OFF --disable-log-bin --mysqlx=OFF \
    --secure-file-priv=NULL \
    --auto-generate-certs=OFF --sha256-password-auto-generate-rsa-keys=OFF \
    --caching-sha2-password-auto-generate-rsa-keys=OFF "$@"
}
initialise() { server --initialize-insecure; }
clean() { rm -f "$work/data/auto.cnf" "$work/data/"*.pem "$work/data/ib_buffer_pool"; }
