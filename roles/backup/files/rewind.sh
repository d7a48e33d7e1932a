#!/bin/sh
# rewind.sh STEP VOLUME OPERATION [ARGUMENT]
#
# Steps of a restore in place. What was there lies in .before until the end, whose one moment is
# that it gets another name; .rewound then names the operation, which is not done again. What is
# known of the safety backup lies in a file too: an attempt that died has made it for the next.
#
#   begin   ARGUMENT bytes must be free. Prints {"done", "backup"}
#   quiet   ARGUMENT is what is known of the safety backup, if it was made now. Sends the last logs,
#           and then no more
#   commit  what was there before goes
#   look    prints {"before", "backup"}: whether anything is to be brought back
#   back    brings it back, while the engine is stopped
set -eu
step=$1 volume=$2 operation=$3 argument=${4:-}
before=$volume/.before gone=$volume/.gone-$operation
facts=$volume/.rewind-$operation.json end=$volume/.rewound

told() { if [ -e "$facts" ]; then cat "$facts"; else echo null; fi; }
tidy() { rm -rf "$volume/.restore" "$volume/.replay"; }
put() { # FILE <text: whole or not at all
  cat >"$1.new"
  sync "$1.new"
  mv "$1.new" "$1"
  sync -f "$volume"
}
finish() {
  printf '%s\n' "$operation" | put "$end"
  rm -rf "$gone"
  python3 -s /usr/local/lib/coffer/logs/logs.py begin
  systemctl start coffer-logs.timer
}

case $step in
begin)
  if [ -e "$gone" ] || [ "$(cat "$end" 2>/dev/null)" = "$operation" ]; then
    finish
    printf '{"done": true, "backup": %s}\n' "$(told)"
    exit 0
  fi
  for path in "$volume"/.gone-* "$volume"/.rewind-*; do
    [ "$path" = "$facts" ] || rm -rf "$path"
  done
  # One that is asked for again later gets a safety backup of its own.
  find "$volume" -maxdepth 1 -name '.rewind-*' -mmin +10 -delete
  tidy
  free=$(df --block-size=1 --output=avail "$volume" | tail -n 1)
  if [ "$free" -lt "$argument" ]; then
    echo "a restore in place needs $((argument >> 20)) MiB on the volume beside the data, and" \
      "$((free >> 20)) MiB are free: grow the volume, or restore into a new instance" >&2
    exit 1
  fi
  printf '{"done": false, "backup": %s}\n' "$(told)"
  ;;
quiet)
  [ -z "$argument" ] || printf '%s\n' "$argument" | put "$facts"
  systemctl start coffer-logs.service
  systemctl stop coffer-logs.timer coffer-logs.service
  ;;
commit)
  mv -T "$before" "$gone"
  sync -f "$volume"
  finish
  ;;
look)
  if [ -e "$before" ]; then there=true; else there=false; fi
  printf '{"before": %s, "backup": %s}\n' "$there" "$(told)"
  ;;
back)
  for path in "$before"/* "$before"/.[!.]*; do
    [ -e "$path" ] || continue
    name=${path##*/}
    rm -rf "${volume:?}/$name"
    mv -T "$path" "$volume/$name"
  done
  sync -f "$volume"
  rm -rf "$before"
  tidy
  ;;
esac
