#!/bin/sh
# restore.sh UNIT VOLUME METHOD STRIP KEEP
#
# Puts the backup on its input in the place of this server's data, whole or not
# at all: a copy of files is received beside its place and renamed, a dump is
# read by the running server. STRIP is how many directories an archive's names
# begin with. With a KEEP that is not empty what was there is moved aside.
#
# The engine's role puts these before it:
#   receive DIRECTORY STRIP  makes a data directory of a copy on the input
#   load                     reads a dump on the input into the server
# and the role backup its keep.sh.
set -eu
unit=$1 volume=$2 method=$3 strip=$4 keep=$5

if [ "$method" = logical ]; then
  systemctl start "$unit"
  load
  exit 0
fi
systemctl stop "$unit"
rm -rf "$volume/.restore"
install -d -m 0750 -o mysql -g mysql "$volume/.restore"
receive "$volume/.restore" "$strip"
chown -R mysql:mysql "$volume/.restore"
sync -f "$volume/.restore"
if [ -n "$keep" ]; then
  keep "$volume" data binlog .logs
  install -d -m 0750 -o mysql -g mysql "$volume/binlog"
fi
# What the old data logged is no history of the new ones.
find "$volume/binlog" -mindepth 1 -delete
rm -rf "$volume/data"
mv -T "$volume/.restore" "$volume/data"
sync -f "$volume"
