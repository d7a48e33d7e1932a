#!/bin/sh
# prepare.sh CHECK VOLUME REQUIRE AGENT
#
# Gives a new instance its data directory, VOLUME/data, and the identities that
# live in this guest and never leave it, /etc/mongodb/own: the cluster's key,
# and for root and the agent each a key with a certificate. Their authority
# signs these two and is thrown away. All of it is made beside its place and
# renamed, so that a run that was cut short is simply done again.
# Prints {"initialised", "running"}.
set -eu
check=$1 volume=$2 require=$3 agent=$4
own=/etc/mongodb/own
initialised=false running=false

fail() { echo "$1" >&2; exit 1; }
key() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 10950 "$@" 2>/dev/null; }
identity() { # NAME OWNER
  key -CA ca.pem -CAkey ca.key -subj "/O=coffer/OU=guest/CN=$1" -addext extendedKeyUsage=clientAuth \
    -addext basicConstraints=critical,CA:FALSE -keyout "$1.key" -out "$1.crt"
  cat "$1.key" "$1.crt" >"$1.pem"
  rm "$1.key" "$1.crt"
  chown "$2:" "$1.pem"
}

if [ ! -d "$own" ]; then
  initialised=true
  if [ -z "$check" ]; then
    umask 077
    rm -rf "$own-new"
    install -d -m 0755 /etc/mongodb "$own-new"
    cd "$own-new"
    openssl rand -base64 756 >cluster.key
    chmod 0400 cluster.key
    chown mongodb:mongodb cluster.key
    key -subj "/O=coffer/OU=guest/CN=authority" -keyout ca.key -out ca.pem
    identity root root
    identity agent "$agent"
    chmod 0644 ca.pem
    rm ca.key
    cd /
    sync -f "$own-new"
    mv -T "$own-new" "$own"
  fi
fi
if [ ! -d "$volume/data" ]; then
  initialised=true
  [ "$require" != yes ] || mountpoint -q "$volume" || fail "$volume is not a mounted volume"
  if [ -z "$check" ]; then
    install -d -m 0755 "$volume"
    rm -rf "$volume/.data-new"
    install -d -m 0700 -o mongodb -g mongodb "$volume/.data-new"
    mv -T "$volume/.data-new" "$volume/data"
    sync -f "$volume"
  fi
fi
if systemctl is-active --quiet mongod; then running=true; fi
printf '{"initialised": %s, "running": %s}\n' "$initialised" "$running"
