#!/bin/sh
# restore.sh VOLUME STRIP KEEP
#
# Puts the copy on its input (a tar archive whose names begin with STRIP
# directories) in the place of this server's data, whole or not at all. The
# set of servers that it was taken from, and that set's log, belong to the old
# instance: the database local is dropped by a server that nobody else can
# reach, and `secure` begins a new set. With a KEEP that is not empty what was
# there is moved aside. private.sh and the role backup's keep.sh come before.
# shellcheck disable=SC2154
set -eu
volume=$1 strip=$2 keep=$3
new=$volume/.restore

systemctl stop mongod
rm -rf "$new"
install -d -m 0700 -o mongodb -g mongodb "$new"
tar --extract --file=- --numeric-owner --strip-components="$strip" --directory="$new"
chown -R mongodb:mongodb "$new"

serve "$new"
PYTHONPATH=/usr/local/lib/coffer/mongodb /usr/bin/python3 -s - "$private/mongod.sock" <<'PROGRAM'
import sys
from urllib.parse import quote

import pymongo

client = pymongo.MongoClient(f"mongodb://{quote(sys.argv[1], safe='')}", directConnection=True)
client.drop_database("local")
client.admin.command("fsync")
PROGRAM
end
rm -rf "$private" "$new/mongod.lock" "$new/diagnostic.data"
sync -f "$new"
[ -z "$keep" ] || keep "$volume" data .logs
rm -rf "$volume/data"
mv -T "$new" "$volume/data"
sync -f "$volume"
