#!/bin/sh
# guest_files.sh CHECK DIFF
#
# Functions for what guest_files.py puts behind them, one `stage` for each file, then `finish`.
# Every file is brought into a private directory and compared; only when all that differ are
# found valid are they renamed into place. Prints a line for each that differs.
set -eu
umask 077
check=$1 diff=$2
stage=$(mktemp -d /run/coffer-files.XXXXXX)
trap 'rm -rf "$stage"' EXIT

# stage NUMBER PATH OWNER MODE <base64: 0 if the file in place is another
stage() {
  number=$1 path=$2 owner=$3 mode=$4
  # The shell forgets `set -e` in a function that `if` calls.
  base64 -d >"$stage/$number" || exit 1
  ids=$(id -u "$owner"):$(id -g "$owner") || exit 1
  wanted=$ids:$mode:regular
  if [ "$(stat -c '%u:%g:%a:%F' "$path" 2>/dev/null | cut -d' ' -f1)" = "$wanted" ] &&
    cmp -s "$stage/$number" "$path"; then
    return 1
  fi
  echo "differs $number"
  if [ -n "$diff" ] && [ "$mode" != 600 ] && [ -e "$path" ]; then
    echo "before $number $(base64 -w 0 "$path")"
  fi
}

# valid NUMBER COMMAND...: the command's words %s stand for the new file
valid() {
  number=$1
  shift
  for word in "$@"; do
    shift
    case $word in *%s*) word=${word%%\%s*}$stage/$number${word#*%s} ;; esac
    set -- "$@" "$word"
  done
  "$@" >"$stage/said" 2>&1 </dev/null || {
    echo "invalid $number"
    cat "$stage/said" >&2
    exit 1
  }
}

# place NUMBER PATH OWNER MODE
place() {
  number=$1 path=$2 owner=$3 mode=$4
  [ -z "$check" ] || return 0
  directory=$(dirname "$path")
  (umask 022 && mkdir -p "$directory")
  new=$(mktemp "$directory/.coffer-XXXXXX")
  cat "$stage/$number" >"$new"
  chown "$owner:" "$new"
  chmod "$mode" "$new"
  sync "$new"
  mv -T "$new" "$path"
}
