# Precedes a command that writes a copy of the server's data to its output.
set -eu
work=$(mktemp -d /var/tmp/coffer-copy.XXXXXX)
trap 'rm -rf "$work"' EXIT
set -- "$work"
