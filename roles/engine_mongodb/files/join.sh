#!/bin/sh
# Puts together what mongod wants in one file: its key with its certificate, and
# the authorities of clients, which are this guest's own and the installation's
# (other members of a replica set). Runs as mongodb before every start.
set -eu
umask 077
cd /run/mongodb
cat /etc/mongodb/tls/server.key /etc/mongodb/tls/server.pem >server.pem.new
cat /etc/mongodb/own/ca.pem /etc/mongodb/tls/ca.pem >clients.pem.new
mv server.pem.new server.pem
mv clients.pem.new clients.pem
