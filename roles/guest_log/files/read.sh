#!/bin/sh
# read.sh PATH FILE POSITION LIMIT MATCH
#
# Prints what was written to the log at PATH since POSITION of the file with
# the number FILE: lines with MATCH, the last LIMIT bytes of them, packed. Before
# it stand the number, the position to go on from, and the size of the file.
set -eu
path=$1 file=$2 position=$3 limit=$4 match=$5
owner=$(stat -c %U "${path%/*}" 2>/dev/null) || owner=nobody

as_owner() { setpriv --reuid "$owner" --regid "$owner" --clear-groups "$@"; }
look() { as_owner stat -c '%i %s' "$1" 2>/dev/null || echo '0 0'; }
matching() { if [ -n "$match" ]; then grep -aF -e "$match" || true; else cat; fi; }
written() { # from the older file, then from the present one
  if [ "$from_older" -ge 0 ]; then as_owner tail -c "+$((from_older + 1))" "$path.1"; fi
  if [ "$number" != 0 ]; then as_owner tail -c "+$((from + 1))" "$path" | head -c "$((size - from))"; fi
}

for _ in 1 2 3; do
  seen=$(look "$path")
  number=${seen% *} size=${seen#* }
  seen=$(look "$path.1")
  older=${seen% *} older_size=${seen#* }
  from=0 from_older=-1
  if [ "$file" = "$number" ] && [ "$position" -le "$size" ]; then
    from=$position
  elif [ "$older" != 0 ]; then
    from_older=0
    if [ "$file" = "$older" ] && [ "$position" -le "$older_size" ]; then from_older=$position; fi
  fi
  packed=$(written | matching | tail -c "$limit" | gzip -c | base64 -w 0)
  # It may have been begun anew meanwhile.
  if [ "$(look "$path" | cut -d ' ' -f 1)" = "$number" ]; then break; fi
done
echo "$number $size $size"
echo "$packed"
