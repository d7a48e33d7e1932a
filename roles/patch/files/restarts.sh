#!/bin/sh
# restarts.sh PIDFILE [NAME...]
#
# Prints what has to be started anew, {"stale", "needed", "services", "reboot"}: whether the engine,
# for it runs on libraries that were replaced under it; whether the engine, for the packages NAME
# would replace some; which services, as the engine; whether the guest, for a package asked for it,
# or it has or would get (NAME) a newer kernel. Nothing here remembers: whoever replaced them, and
# whenever, it is seen in what runs.
set -eu
pidfile=$1 stale=false needed=false reboot=false
shift

maps() { # PID
  # Root of a container may not read the maps of others, but they themselves may.
  user=$(stat -c %U "/proc/$1" 2>/dev/null) || return 0
  runuser -u "$user" -- cat "/proc/$1/maps" 2>/dev/null || true
}

is_stale() { maps "$1" | grep -q '[.]so.* (deleted)$'; }

newer_kernel() {
  find /boot -maxdepth 1 -name 'vmlinuz-*' -newerct "@$(sed -n 's/^btime //p' /proc/stat)" 2>/dev/null | grep -q .
}

# Not the engine, nor what a guest or the service itself does not bear: logins and the bus.
services() { # PID_OF_ENGINE
  systemctl list-units --type=service --state=running --plain --no-legend | while read -r unit _; do
    case $unit in dbus* | systemd-logind* | user@* | *getty@*) continue ;; esac
    shown=$(systemctl show --property MainPID,RefuseManualStop "$unit")
    case $shown in *RefuseManualStop=yes*) continue ;; esac
    pid=$(printf '%s\n' "$shown" | sed -n 's/^MainPID=//p')
    [ "$pid" != 0 ] && [ "$pid" != "$1" ] || continue
    if is_stale "$pid"; then printf '"%s"\n' "$unit"; fi
  done | paste -sd, -
}

engine=$(cat "$pidfile" 2>/dev/null || echo 0)
if [ "$engine" != 0 ]; then
  if is_stale "$engine"; then stale=true; fi
  # By their names alone: /lib is a link to where packages put them.
  names=$(maps "$engine" | sed -nE 's|^.* /.*(/[^/]*[.]so[^/]*)$|\1|p' | sort -u)
  if [ "$#" -gt 0 ] && [ -n "$names" ] && dpkg-query --listfiles "$@" | grep -qF "$names"; then needed=true; fi
fi

if [ -e /run/reboot-required ] || newer_kernel; then reboot=true; fi
for name in "$@"; do
  case $name in linux-image-*) reboot=true ;; esac
done
printf '{"stale": %s, "needed": %s, "services": [%s], "reboot": %s}\n' \
  "$stale" "$needed" "$(services "$engine")" "$reboot"
