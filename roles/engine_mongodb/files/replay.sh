#!/bin/sh
# replay.sh VOLUME TO POSITION PROGRAM
#
# Follows private.sh. Plays parts of an oplog on its input (tar archives, one
# after the other) into this server's data, without anybody else there. TO is
# the unix second that comes after the last entry's, or nothing for all;
# POSITION is what replay.py (PROGRAM) takes.
set -eu
volume=$1 to=$2 position=$3 program=$4
systemctl stop mongod
serve "$volume/data"
PYTHONPATH=/usr/local/lib/coffer/mongodb /usr/bin/python3 -s -c "$program" \
  "$private/mongod.sock" "$to" "$position"
end
rm -rf "$private" "$volume/data/mongod.lock"
sync -f "$volume"
