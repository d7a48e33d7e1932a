#!/bin/sh
# How to take this engine's backups; the role mysql_family's restore.sh follows.
receive() {
  mbstream --extract --directory="$1"
  mariadb-backup --prepare --target-dir="$1"
  rm -f "$1"/xtrabackup_info "$1"/backup-my.cnf
}
load() { mariadb --no-defaults --user=root --default-character-set=utf8mb4; }
