#!/bin/bash
# relay.sh KEY SOURCE_OPTIONS SOURCE_LOGIN SEND OPTIONS LOGIN RECEIVE
#
# Streams what the command SEND writes in one guest to the command RECEIVE in another.
set -euo pipefail
key=$1 source_options=$2 source=$3 send=$4 options=$5 login=$6 receive=$7
enter() { ssh -i "$key" -o BatchMode=yes -o ServerAliveInterval=15 -o ServerAliveCountMax=4 "$@"; }
# shellcheck disable=SC2086 # options are words
enter $source_options "$source" "$send" </dev/null | enter $options "$login" "$receive" >&2
