#!/bin/sh
# verify.sh ADDRESS PORT NAME CA CLIENT
#
# Proves that this server writes and reads, takes clients at ADDRESS, and shows
# them a certificate of CA for NAME. Prints what the probe says.
set -eu
address=$1 port=$2 name=$3 ca=$4 client=$5

secure=$("$client" --no-defaults --user=root --batch --skip-column-names \
  --execute='SELECT @@require_secure_transport AND NOT @@local_infile')
if [ "$secure" != 1 ]; then
  echo 'connections without TLS, or LOAD DATA LOCAL, are allowed' >&2
  exit 1
fi
proven() {
  said=$(openssl s_client "$@" -starttls mysql -CAfile "$ca" \
    -verify_return_error -verify_hostname "$name" 2>&1 </dev/null)
}
if ! proven -connect "$address:$port"; then
  case $said in
  # No account may come from there yet, so the server refuses before TLS. Its socket shows the same.
  *"Only MySQL protocol version 10"*) proven -unix /run/mysqld/mysqld.sock ;;
  *) false ;;
  esac || {
    echo "no TLS at $address:$port that $ca proves to be $name: $said" >&2
    exit 1
  }
fi
exec "$client" --no-defaults --user=root --default-character-set=utf8mb4 \
  --batch --skip-column-names --raw --execute='CALL coffer.probe()'
