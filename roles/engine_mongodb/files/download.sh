#!/bin/sh
# download.sh DIRECTORY PACKAGE VERSION SHA256 PLATFORM PYTHON PIP...
#
# Downloads a wheel for PLATFORM and PYTHON and prints its path; one that is there and whole is taken as
# it is. Two runs may want the same one at once.
set -eu
directory=$1 package=$2 version=$3 sum=$4 platform=$5 python=$6
shift 6
wheel=$directory/$package-$version-$(printf %.16s "$sum").whl
whole() { printf '%s  %s\n' "$sum" "$1" | sha256sum --check --status 2>/dev/null; }

if ! whole "$wheel"; then
  # A virtual environment need not have a pip of its own.
  "$@" --version >/dev/null 2>&1 || set -- pip3
  install -d -m 0755 "$directory"
  work=$(mktemp -d "$directory/.wheel-XXXXXX")
  trap 'rm -rf "$work"' EXIT
  "$@" download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
    --platform "$platform" --python-version "$python" --dest "$work" "$package==$version" >&2
  set -- "$work"/*.whl
  whole "$1" || { echo "$package $version is not the file with the checksum $sum" >&2; exit 1; }
  mv -f "$1" "$wheel"
fi
printf '%s\n' "$wheel"
