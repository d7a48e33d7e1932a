#!/bin/sh
# keep VOLUME NAME...: moves these of the volume aside, to .before, from where rewind.sh brings them
# back. It comes before an engine's restore.sh.
keep() {
  volume=$1
  shift
  mkdir -p "$volume/.before"
  for name in "$@"; do
    [ ! -e "$volume/$name" ] || mv -T "$volume/$name" "$volume/.before/$name"
  done
  sync -f "$volume"
}
