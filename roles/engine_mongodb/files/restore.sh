#!/bin/sh
# restore.sh VOLUME STRIP
#
# Puts the copy on its input (a tar archive whose names begin with STRIP
# directories) in the place of this server's data, whole or not at all. The
# set of servers that it was taken from, and that set's log, belong to the old
# instance: the database local is dropped by a server that nobody else can
# reach, and `secure` begins a new set.
set -eu
volume=$1 strip=$2
new=$volume/.restore
private=/run/coffer-restore

systemctl stop mongod
rm -rf "$new" "$private"
install -d -m 0700 -o mongodb -g mongodb "$new" "$private"
tar --extract --file=- --numeric-owner --strip-components="$strip" --directory="$new"
chown -R mongodb:mongodb "$new"

end() {
  pid=$(cat "$private/pid" 2>/dev/null) || return 0
  kill "$pid" 2>/dev/null || true
  while [ -d "/proc/$pid" ]; do sleep 0.1; done
}
trap end EXIT
runuser -u mongodb -- /usr/bin/mongod --dbpath "$new" --bind_ip "$private/mongod.sock" --port 27018 \
  --setParameter disableLogicalSessionCacheRefresh=true --wiredTigerCacheSizeGB 0.25 \
  --logpath "$private/log" --pidfilepath "$private/pid" --fork >/dev/null ||
  { tail -n 5 "$private/log" >&2; exit 1; }
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
rm -rf "$volume/data"
mv -T "$new" "$volume/data"
sync -f "$volume"
