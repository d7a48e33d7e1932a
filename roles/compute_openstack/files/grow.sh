#!/bin/sh
# The file system takes what the volume has. Prints "grown" if that was more than before.
# Arguments: where it is mounted, and GiB that the device must have by now.
set -eu
device=$(findmnt -n -o SOURCE "$1")
for try in $(seq 100); do
  [ "$(blockdev --getsize64 "$device")" -ge "$(($2 * 1024 * 1024 * 1024))" ] && break
  [ "$try" = 100 ] && { echo "the guest does not see that the volume grew" >&2; exit 1; }
  sleep 0.2
done
before=$(stat -f -c %b "$1")
xfs_growfs "$1" > /dev/null
[ "$(stat -f -c %b "$1")" = "$before" ] || echo grown
