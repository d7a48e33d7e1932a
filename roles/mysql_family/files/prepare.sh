#!/bin/sh
# prepare.sh CHECK UNIT VOLUME REQUIRE SEED
#
# Gives a new instance its data directory, VOLUME/data, whole or not at all: it
# is copied beside its place and renamed, so that a run that was cut short is
# simply done again. VOLUME itself stays root's. Prints {"initialised", "running"}.
set -eu
check=$1 unit=$2 volume=$3 require=$4 seed=$5
initialised=false running=false

fail() { echo "$1" >&2; exit 1; }

if [ ! -d "$volume/data" ]; then
  initialised=true
  [ "$require" != yes ] || mountpoint -q "$volume" || fail "$volume is not a mounted volume"
  [ -d "$seed" ] || fail "$seed is missing: the engine is not installed"
  if [ -z "$check" ]; then
    install -d -m 0755 "$volume"
    install -d -m 0750 -o mysql -g mysql "$volume/binlog"
    rm -rf "$volume/.data-new"
    cp -a --sparse=always "$seed" "$volume/.data-new"
    sync -f "$volume/.data-new"
    mv -T "$volume/.data-new" "$volume/data"
    sync -f "$volume"
  fi
fi
if systemctl is-active --quiet "$unit"; then running=true; fi
printf '{"initialised": %s, "running": %s}\n' "$initialised" "$running"
