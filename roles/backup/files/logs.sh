#!/bin/sh
# logs.sh CHANGED
#
# Begins a chain of logs if there is none, and lets the timer send them. Says
# so if anything was to be done.
set -eu
changed=$1
[ -z "$changed" ] || systemctl daemon-reload
python3 -s /usr/local/lib/coffer/logs/logs.py begin
if [ -n "$changed" ] || ! systemctl is-active --quiet coffer-logs.timer; then
  systemctl enable --quiet coffer-logs.timer
  systemctl restart coffer-logs.timer
  echo sending
fi
