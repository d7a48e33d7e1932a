#!/bin/sh
# stale.sh PIDFILE
#
# Prints whether the engine runs on libraries that were replaced since it started: true or false.
# The process's own maps would tell it too, but root of a container may not read them.
set -eu
pidfile=$1 stale=false

libraries() {
  program=$(tr '\0' '\n' <"/proc/$(cat "$pidfile")/cmdline" | head -1)
  ldd "$program" | awk '$3 ~ "^/" {print $3}'
}

if [ -r "$pidfile" ] && [ -n "$(libraries | xargs -r -I{} find -L {} -cnewer "$pidfile")" ]; then
  stale=true
fi
echo $stale
