#!/bin/sh
# services.sh PIDFILE
#
# Restarts services that run on libraries which were replaced under them, and prints their names.
# Not the engine, of which PIDFILE is, nor what a guest does not bear: logins and the bus.
set -eu
engine=$(cat "$1" 2>/dev/null || echo 0)

stale() { # PID
  user=$(stat -c %U "/proc/$1" 2>/dev/null) || return 1
  # Root of a container may not read the maps of others, but they themselves may.
  runuser -u "$user" -- grep -q '[.]so.* (deleted)$' "/proc/$1/maps" 2>/dev/null
}

systemctl list-units --type=service --state=running --plain --no-legend | while read -r unit _; do
  case $unit in dbus* | systemd-logind* | user@* | *getty@*) continue ;; esac
  pid=$(systemctl show --property MainPID --value "$unit")
  [ "$pid" != 0 ] && [ "$pid" != "$engine" ] || continue
  if stale "$pid"; then
    # One that is slow to stop is not waited for: systemd goes on by itself.
    timeout 15 systemctl try-restart "$unit" >&2 || [ "$?" -eq 124 ]
    echo "$unit"
  fi
done
