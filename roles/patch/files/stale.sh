#!/bin/sh
# stale.sh PIDFILE
#
# Prints whether the engine runs on libraries that were replaced under it: true or false.
set -eu
if [ -r "$1" ] && grep -Eq '\.so[^ ]* \(deleted\)$' "/proc/$(cat "$1")/maps"; then
  echo true
else
  echo false
fi
