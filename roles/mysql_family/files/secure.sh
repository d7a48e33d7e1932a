#!/bin/sh
# secure.sh CHECK CLIENT DIFFERENCES PROBE [client's options]
#
# Closes what a server may have open at first and makes what Coffer needs inside
# it. DIFFERENCES is the text of queries that find statements for what is not as
# it should be, PROBE the one of probe.sql. Prints each statement that was needed,
# and nothing when nothing was; with a CHECK that is not empty it only prints.
set -eu
check=$1 client=$2 differences=$3 probe=$4
shift 4
run() { "$client" --no-defaults --user=root --batch --skip-column-names --raw "$@"; }

needed=$(printf '%s\n' "$differences" | run "$@")
[ -n "$needed" ] || exit 0
printf '%s\n' "$needed"
[ -z "$check" ] || exit 0

# A replica may be closed to everybody; it is opened to its administrators for a moment.
case $(echo "SHOW GLOBAL VARIABLES LIKE 'super_read_only'" | run "$@") in
*ON)
  close() { echo 'SET GLOBAL super_read_only = ON' | run "$@"; }
  trap 'close "$@"' EXIT
  echo 'SET GLOBAL super_read_only = OFF' | run "$@"
  ;;
esac
{
  # Each server has these of its own: nothing of it belongs in the binary log.
  echo 'SET SESSION sql_log_bin = 0;'
  printf '%s\n' "$needed" | grep -v '^source probe$' || true
  if printf '%s\n' "$needed" | grep -q '^source probe$'; then
    printf '%s\n' "$probe"
  fi
} | run "$@"
