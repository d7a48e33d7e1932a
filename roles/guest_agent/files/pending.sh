#!/bin/sh
# pending HOURS ORIGINS
#
# Counts the packages that a security archive (its origin matches ORIGINS) has newer; the agent
# reports the number. Package lists are read anew when that was HOURS ago.
set -eu
hours=$1 origins=$2 directory=/var/lib/coffer
stamp=$directory/package_lists

install -d -m 0755 "$directory"
if [ -z "$(find "$stamp" -mmin "-$((hours * 60 - 10))" 2>/dev/null)" ]; then
  apt-get update -qq
  touch "$stamp"
fi
count=$(apt-get --simulate --quiet=2 --with-new-pkgs upgrade | grep '^Inst [^ ]* \[' | grep -cE "$origins" || true)
echo "$count" >"$directory/pending_packages.new"
mv "$directory/pending_packages.new" "$directory/pending_packages"
