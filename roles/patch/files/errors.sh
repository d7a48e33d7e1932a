#!/bin/sh
# errors.sh LOG PATTERN [SIZE]
#
# Without SIZE prints the size of LOG. With it, fails when LOG has lines of errors (PATTERN) after
# its first SIZE bytes of a kind that it did not have before: what an engine says at every start is
# none of the patch's doing. Lines that differ in their numbers alone are of one kind.
set -eu
log=$1 pattern=$2 since=${3:-}
size=$(stat -c %s "$log" 2>/dev/null || echo 0)
[ -n "$since" ] || { echo "$size"; exit 0; }

kinds() { { grep -E -e "$pattern" || true; } | sed -E 's/[0-9]+/N/g'; }
known=$(mktemp)
trap 'rm -f "$known"' EXIT
if [ "$size" -lt "$since" ]; then since=0; fi # begun anew since
{ cat "$log.1" 2>/dev/null || true; head -c "$since" "$log"; } | kinds >"$known"
found=$(tail -c "+$((since + 1))" "$log" | { grep -E -e "$pattern" || true; } | while IFS= read -r line; do
  printf '%s\n' "$line" | kinds | grep -q -F -x -f "$known" || printf '%s\n' "$line"
done | head -3 | cut -c -300)
[ -z "$found" ] || { printf 'the engine complains: %s\n' "$found" >&2; exit 1; }
