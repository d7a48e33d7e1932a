#!/usr/bin/env bash
# bare_create.sh IMAGE_TREE PYTHON
#
# What creating a MySQL amounts to when a shell does it and nobody watches: volume, network, guest,
# data directory, certificate, settings, start, database and user, a row over TLS from outside.
# No records, no queue, no agent, no way back. Prints milliseconds by phase as JSON; bench/create.py
# runs it beside the real thing. Leaves nothing behind.
set -euo pipefail
image=$1
python=$2 # with pymysql
# Where the image and its roles keep things (compute_local, engine_mysql).
seed=/var/lib/coffer/seed
mysql_seed=/usr/local/share/coffer/mysql
settings=/etc/mysql/coffer.cnf
name=cofferbare
address=10.96.0.2
work=$(mktemp -d /var/tmp/$name-XXXXXX)
trap cleanup EXIT

cleanup() {
  podman --cgroup-manager cgroupfs rm -f -t 0 $name >/dev/null 2>&1 || true
  ip netns del $name 2>/dev/null || true
  ip link del $name 2>/dev/null || true
  mountpoint -q "$work/root" && umount "$work/root"
  mountpoint -q "$work/data" && umount "$work/data"
  [ -z "${loop:-}" ] || losetup -d "$loop"
  rm -rf "$work"
}

milliseconds() { date +%s%3N; }
began=$(milliseconds)
phase() {
  local now
  now=$(milliseconds)
  printf '"%s": %d, ' "$1" $((now - began))
  began=$now
}

make_certificate_authority() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=bench \
    -keyout "$work/ca.key" -out "$work/ca.pem" 2>/dev/null
  ssh-keygen -q -t ed25519 -N '' -f "$work/login"
  ssh-keygen -q -t ed25519 -N '' -f "$work/host"
}

boot() {
  truncate -s 1G "$work/disk"
  mkfs.xfs -q -K -s size=4096 "$work/disk"
  loop=$(losetup -f --show -b 4096 --direct-io=on "$work/disk")
  mkdir -p "$work"/{data,upper,work,root,seed}
  mount -o nouuid "$loop" "$work/data"
  mount -t overlay overlay -o "lowerdir=$image,upperdir=$work/upper,workdir=$work/work" "$work/root"
  ip netns add $name
  ip link add $name type veth peer name eth0 netns $name
  ip addr add 10.96.0.1/24 dev $name
  ip link set $name up
  ip -n $name addr add $address/24 dev eth0
  ip -n $name link set eth0 up
  ip -n $name link set lo up
  install -m 0600 "$work/host" "$work/seed/ssh_host_ed25519_key"
  install -m 0600 "$work/login.pub" "$work/seed/authorized_keys"
  podman --cgroup-manager cgroupfs --runtime runc run -d --name $name --systemd=always \
    --ulimit "nofile=$(ulimit -Hn):$(ulimit -Hn)" --ulimit nproc=30000:30000 \
    --memory 1g --cpus 1 --pids-limit 2000 --network ns:/run/netns/$name \
    -v "$work/data:/var/lib/mysql" -v "$work/seed:$seed:ro" --rootfs "$work/root" /sbin/init >/dev/null
  echo "$address $(cut -d' ' -f1,2 "$work/host.pub")" >"$work/known_hosts"
}

guest() {
  ssh -i "$work/login" -o UserKnownHostsFile="$work/known_hosts" -o StrictHostKeyChecking=yes \
    -o ControlMaster=auto -o ControlPath="$work/cm" -o ControlPersist=30 -o BatchMode=yes \
    -o ConnectTimeout=1 root@$address "$@"
}

configure() {
  guest sh -s >"$work/request" <<SH
set -e
install -d -m 0755 /etc/mysql/tls
cp -a --sparse=always $mysql_seed /var/lib/mysql/data
install -d -o mysql -g mysql /var/lib/mysql/binlog
cd /etc/mysql/tls
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key \
  -subj /CN=bench -addext subjectAltName=IP:$address 2>/dev/null
chown mysql server.key
SH
  openssl x509 -req -in "$work/request" -CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial \
    -copy_extensions copy -days 1 -out "$work/server.pem" 2>/dev/null
  { printf 'cat >/etc/mysql/tls/ca.pem <<X\n%s\nX\ncat >/etc/mysql/tls/server.pem <<X\n%s\nX\n' \
      "$(cat "$work/ca.pem")" "$(cat "$work/server.pem")"
    printf 'cat >%s <<X\n' "$settings"
    cat <<CNF
[mysqld]
user = mysql
datadir = /var/lib/mysql/data
socket = /run/mysqld/mysqld.sock
pid_file = /run/mysqld/mysqld.pid
log_error = /var/log/mysql/error.log
bind_address = *
mysqlx = OFF
secure_file_priv = NULL
require_secure_transport = ON
ssl_ca = /etc/mysql/tls/ca.pem
ssl_cert = /etc/mysql/tls/server.pem
ssl_key = /etc/mysql/tls/server.key
performance_schema = OFF
log_bin = /var/lib/mysql/binlog/binlog
gtid_mode = ON
enforce_gtid_consistency = ON
CNF
    echo X; } | guest sh -s
}

start() {
  guest sh -s <<SH
set -e
systemctl start mysql || { tail -5 /var/log/mysql/error.log >&2; exit 1; }
mysql --no-defaults --user=root -e "CREATE DATABASE app; CREATE USER app IDENTIFIED BY 'bench-App-1'; GRANT ALL ON app.* TO app"
SH
}

verify() {
  "$python" - <<PY
import ssl, pymysql
connection = pymysql.connect(host="$address", user="app", password="bench-App-1", database="app",
                             ssl=ssl.create_default_context(cafile="$work/ca.pem"))
with connection.cursor() as cursor:
    cursor.execute("CREATE TABLE t (n INT)"); cursor.execute("INSERT INTO t VALUES (1)")
    cursor.execute("SELECT n FROM t"); assert cursor.fetchone() == (1,)
PY
}

make_certificate_authority
began=$(milliseconds)
printf '{'
boot
phase boot
until guest true 2>/dev/null; do sleep 0.05; done
phase ssh
configure
phase configure
start
phase start
verify
phase verify
printf '"done": 1}\n'
