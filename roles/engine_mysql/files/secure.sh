#!/bin/sh
# secure.sh CHECK PROBE [mysql's options]
#
# Closes what a MySQL may have open at first and makes what Coffer needs inside
# it. PROBE is the text of probe.sql. Prints each statement that was needed, and
# nothing when nothing was; with a CHECK that is not empty it only prints.
set -eu
check=$1 probe=$2
shift 2
run() { mysql --no-defaults --user=root --batch --skip-column-names --raw "$@"; }

sum=$(printf %s "$probe" | sha256sum | cut -c1-16)

# Statements for what is not as it should be. A superuser that was asked for
# bears a mark (library/mysql_accounts.py) and stays. A database named test is left
# alone: nothing of ours makes one, so it is somebody's data.
differences() {
  cat <<SQL
SELECT 'INSTALL PLUGIN auth_socket SONAME ''auth_socket.so'';' FROM DUAL WHERE NOT EXISTS
  (SELECT 1 FROM information_schema.plugins WHERE plugin_name = 'auth_socket');
SELECT 'ALTER USER root@localhost IDENTIFIED WITH auth_socket;' FROM mysql.user
  WHERE user = 'root' AND host = 'localhost' AND plugin <> 'auth_socket';
SELECT CONCAT('DROP USER ', QUOTE(user), '@', QUOTE(host), ';') FROM mysql.user
  WHERE user = '' OR (user = 'root' AND host <> 'localhost'
    AND COALESCE(user_attributes->>'\$.metadata.coffer', '') <> 'root');
SELECT 'CREATE USER \`coffer-agent\`@localhost IDENTIFIED WITH auth_socket;' FROM DUAL WHERE NOT EXISTS
  (SELECT 1 FROM mysql.user WHERE user = 'coffer-agent' AND host = 'localhost');
SELECT 'source probe' FROM DUAL WHERE NOT EXISTS
  (SELECT 1 FROM information_schema.routines AS routine JOIN mysql.procs_priv AS granted
      ON granted.db = routine.routine_schema AND granted.routine_name = routine.routine_name
   WHERE routine.routine_schema = 'coffer' AND routine.routine_name = 'probe'
     AND routine.routine_comment = '$sum' AND granted.user = 'coffer-agent');
SQL
}

needed=$(differences | run "$@")
[ -n "$needed" ] || exit 0
printf '%s\n' "$needed"
[ -z "$check" ] || exit 0
{
  # Each server has these of its own: nothing of it belongs in the binary log.
  echo 'SET SESSION sql_log_bin = 0;'
  printf '%s\n' "$needed" | grep -v '^source probe$' || true
  if printf '%s\n' "$needed" | grep -q '^source probe$'; then
    printf '%s\n' "$probe" | sed "s/@SUM@/$sum/"
  fi
} | run "$@"
