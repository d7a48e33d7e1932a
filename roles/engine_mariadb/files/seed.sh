#!/bin/sh
# How to make the seed of this engine's data directories; the role mysql_family's seed.sh follows.
# shellcheck disable=SC2154 # which sets work
server() {
  mariadbd --no-defaults --user=mysql --datadir="$work/data" --log-error="$work/error.log" \
    --innodb-log-file-size=8M --performance-schema=OFF --skip-log-bin "$@"
}
initialise() {
  mariadb-install-db --no-defaults --user=mysql --datadir="$work/data" --skip-test-db \
    --auth-root-authentication-method=socket --auth-root-socket-user=root \
    --innodb-log-file-size=8M --skip-name-resolve >"$work/install.log" 2>&1
}
clean() { rm -f "$work/data/ib_buffer_pool" "$work/data/ddl_recovery"*; }
