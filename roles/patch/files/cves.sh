#!/bin/sh
# cves.sh NAME=FROM=TO...
#
# Prints {"NAME": ["CVE-…"]}: what the changelogs in the fetched packages name between the version
# FROM, which the guest has, and TO.
set -eu

news() { # FILE FROM
  dpkg-deb --fsys-tarfile "$1" | tar -xO --wildcards './usr/share/doc/*/changelog.Debian.gz' 2>/dev/null |
    gzip -dc 2>/dev/null | while IFS= read -r line; do
    case $line in
    [a-z0-9]*\ \(*\)*)
      version=${line#*\(}
      dpkg --compare-versions "${version%%\)*}" gt "$2" || break
      ;;
    *CVE-*) printf '%s\n' "$line" ;;
    esac
  done
}

comma=
printf '{'
for each; do
  name=${each%%=*} to=${each##*=} from=${each#*=}
  file=/var/cache/apt/archives/${name}_$(printf %s "$to" | sed 's/:/%3a/g')_$(dpkg --print-architecture).deb
  [ -r "$file" ] || file=${file%_*}_all.deb
  [ -r "$file" ] || continue
  found=$(news "$file" "${from%=*}" | grep -oE 'CVE-[0-9]{4}-[0-9]{4,}' | sort -u | sed 's/.*/"&"/' | paste -sd, -)
  if [ -n "$found" ]; then
    printf '%s"%s": [%s]' "$comma" "$name" "$found"
    comma=', '
  fi
done
printf '}\n'
