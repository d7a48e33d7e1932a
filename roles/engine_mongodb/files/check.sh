#!/bin/sh
# check FILE
#
# Whether mongod would take FILE as its settings. It reads options and
# parameters, then looks for a server to stop in an empty directory, and says
# so here rather than in the log of the system.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/data"
# It speaks here, stays in the foreground, and takes a certificate that is there
# before the server's own is.
own=/etc/mongodb/own
sed -e "s|\"path\": \"/[^\"]*\"|\"path\": \"$work/log\"|" -e 's/"fork": true/"fork": false/' \
  -e "s|\"certificateKeyFile\": \"/[^\"]*\"|\"certificateKeyFile\": \"$own/root.pem\"|" \
  -e "s|CAFile\": \"/[^\"]*\"|CAFile\": \"$own/ca.pem\"|" "$1" >"$work/settings"
said=$(/usr/bin/mongod --config "$work/settings" --dbpath "$work/data" --shutdown 2>&1 </dev/null) || true
said=$said$(cat "$work/log" 2>/dev/null || true)
case $said in
*"There doesn't seem to be a server running with dbpath: $work/data"*) exit 0 ;;
esac
reason=$(printf '%s\n' "$said" | sed -n 's/.*"errmsg":"\([^"]*\)".*/\1/p' | head -n 1)
[ -n "$reason" ] || reason=$(printf '%s\n' "$said" | grep -v -e '^{' -e '^try ' | head -n 1)
printf '%s\n' "${reason:-$said}" >&2
exit 1
