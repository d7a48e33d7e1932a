#!/bin/sh
# Tells the condition of this MySQL as one JSON object. The agent runs it as its
# own user, which has an account of the same name that may call coffer.probe().
pidfile=/run/mysqld/mysqld.pid

if said=$(mysql --no-defaults --user="$(id -un)" --socket=/run/mysqld/mysqld.sock \
  --default-character-set=utf8mb4 --connect-timeout=3 \
  --batch --skip-column-names --raw --execute='CALL coffer.probe()' 2>&1); then
  printf '%s\n' "$said"
  exit 0
fi

state=FAILED
case $said in
*"ERROR 2002"* | *"ERROR 2003"* | *"ERROR 2013"* | *"ERROR 1053"*)
  if [ ! -e "$pidfile" ]; then
    state=SHUTDOWN
  elif [ -d "/proc/$(cat "$pidfile")" ]; then
    state=BLOCKED
  fi
  ;;
*"ERROR 1040"* | *"ERROR 1205"*) state=BLOCKED ;;
esac
message=$(printf %s "$said" | tr -d '\\"' | tr -s '[:cntrl:]' ' ' | cut -c1-300)
printf '{"state": "%s", "message": "%s"}\n' "$state" "$message"
