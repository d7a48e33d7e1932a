#!/bin/sh
# certificate.sh DIRECTORY OWNER SUBJECT NAMES CA [--check]
#
# Makes the key of an engine where there is none, and prints a request for a
# certificate if the present one does not fit: other names, another authority,
# another key, or less than thirty days left. Prints nothing if it fits.
# NAMES is the subject alternative name as openssl writes it, CA a PEM text.
set -eu
directory=$1 owner=$2 subject=$3 names=$4 ca=$5 check=${6-}
key=$directory/server.key certificate=$directory/server.pem

fits() {
  [ -s "$key" ] && [ -s "$certificate" ] || return 1
  [ "$(cat "$directory/ca.pem" 2>/dev/null)" = "$ca" ] || return 1
  openssl verify -CAfile "$directory/ca.pem" "$certificate" >/dev/null 2>&1 || return 1
  openssl x509 -in "$certificate" -noout -checkend 2592000 >/dev/null || return 1
  [ "$(openssl x509 -in "$certificate" -noout -pubkey)" = "$(openssl pkey -in "$key" -pubout)" ] || return 1
  present=$(openssl x509 -in "$certificate" -noout -ext subjectAltName | sed -n '2s/^ *//p' | sed 's/IP Address:/IP:/g; s/, /,/g')
  [ "$present" = "$names" ]
}

if fits; then exit 0; fi
if [ -n "$check" ]; then
  echo "a certificate would be made for $names"
  exit 0
fi

umask 077
install -d -m 0755 "$directory"
if [ ! -s "$key" ]; then
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$key.new" 2>/dev/null
  chown "$owner:" "$key.new"
  mv "$key.new" "$key"
fi
openssl req -new -key "$key" -subj "/CN=$subject" -addext "subjectAltName=$names"
