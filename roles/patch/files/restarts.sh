#!/bin/sh
# restarts.sh PIDFILE [NAME...]
#
# Prints what has to be started anew, {"stale", "needed", "reboot"}: the engine, for it runs on
# libraries that were replaced since it started; the engine, for the packages NAME would replace
# some; the guest, for it was asked for by a package, or has or would get (NAME) a newer kernel.
set -eu
pidfile=$1 stale=false needed=false reboot=false
shift

# The process's own maps would tell it too, but root of a container may not read them.
libraries() {
  program=$(tr '\0' '\n' <"/proc/$(cat "$pidfile")/cmdline" | head -1)
  ldd "$program" | awk '$3 ~ "^/" {print $3}'
}

newer_kernel() {
  find /boot -maxdepth 1 -name 'vmlinuz-*' -newerct "@$(sed -n 's/^btime //p' /proc/stat)" 2>/dev/null | grep -q .
}

if [ -r "$pidfile" ]; then
  loaded=$(libraries)
  [ -z "$(printf '%s\n' "$loaded" | xargs -r -I{} find -L {} -cnewer "$pidfile")" ] || stale=true
  # By their names alone: /lib is a link to where packages put them.
  names=$(printf '%s\n' "$loaded" | sed 's|.*/|/|')
  if [ "$#" -gt 0 ] && dpkg-query --listfiles "$@" | grep -qF "$names"; then needed=true; fi
fi

if [ -e /run/reboot-required ] || newer_kernel; then reboot=true; fi
for name in "$@"; do
  case $name in linux-image-*) reboot=true ;; esac
done
printf '{"stale": %s, "needed": %s, "reboot": %s}\n' "$stale" "$needed" "$reboot"
