#!/bin/sh
# rotate-logs LIMIT FILE...
#
# Begins each FILE anew that has more than LIMIT bytes; the one before it stays
# as FILE.1. All of it happens as the user that the directory belongs to.
set -eu
limit=$1
shift
moved=

as_owner() { setpriv --reuid "$owner" --regid "$owner" --clear-groups "$@"; }
size() { stat -c %s "$1" 2>/dev/null || echo 0; }

for file; do
  owner=$(stat -c %U "${file%/*}" 2>/dev/null) || continue
  # A server that did not open its log anew goes on with the older one.
  if [ "$(size "$file.1")" -gt $((limit * 2)) ]; then as_owner truncate -s 0 "$file.1"; fi
  if [ "$(size "$file")" -gt "$limit" ]; then
    as_owner mv -f "$file" "$file.1"
    as_owner cp --attributes-only --preserve=mode "$file.1" "$file"
    moved=yes
  fi
done
[ -z "$moved" ] || sh "${0%/*}/reopen-logs"
