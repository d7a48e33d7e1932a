#!/bin/sh
# services.sh NAME...
#
# Restarts services.
set -eu
for unit; do
  # One that is slow to stop is not waited for: systemd goes on by itself.
  timeout 15 systemctl try-restart "$unit" >&2 || [ "$?" -eq 124 ]
done
