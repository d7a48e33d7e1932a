#!/bin/bash
# stream.sh SNAPSHOT KIND PATH KEY OPTIONS LOGIN RECEIVE
#
# Streams what lies at PATH of a snapshot (a directory as a tar archive, or a file) through SSH to
# the command RECEIVE in a guest. The guest gets no key of the repository; nothing lies between.
set -euo pipefail
snapshot=$1 kind=$2 path=$3 key=$4 options=$5 login=$6 receive=$7
archive=()
[ "$kind" != directory ] || archive=(--archive tar)
# shellcheck disable=SC2086 # options are words
restic dump --quiet --no-lock "${archive[@]}" "$snapshot" "$path" |
  ssh -i "$key" -o BatchMode=yes -o ServerAliveInterval=15 -o ServerAliveCountMax=4 \
    $options "$login" "$receive" >&2
