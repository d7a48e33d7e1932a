#!/bin/sh
# A mongod that nobody else can reach, for programs that follow.
#
#   serve DIRECTORY  runs it on the data there, listening at $private/mongod.sock
#   end              stops it; the files are whole then
private=/run/coffer-restore

end() {
  pid=$(cat "$private/pid" 2>/dev/null) || return 0
  kill "$pid" 2>/dev/null || true
  while [ -d "/proc/$pid" ]; do sleep 0.1; done
}

serve() {
  rm -rf "$private"
  install -d -m 0700 -o mongodb -g mongodb "$private"
  trap end EXIT
  runuser -u mongodb -- /usr/bin/mongod --dbpath "$1" --bind_ip "$private/mongod.sock" --port 27018 \
    --setParameter disableLogicalSessionCacheRefresh=true --wiredTigerCacheSizeGB 0.25 \
    --logpath "$private/log" --pidfilepath "$private/pid" --fork >/dev/null </dev/null ||
    { tail -n 5 "$private/log" >&2; exit 1; }
}
