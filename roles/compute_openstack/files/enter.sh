#!/bin/sh
# The tree of a stock image, as if it were a guest: an SSH server in it, at a port of this host's own
# address. Runs in namespaces of its own, so what it mounts and starts ends with it.
# Arguments: the disk; where its file system begins and how long that is (bytes); an empty directory
# to mount it; the directory with host_key and login_key.pub; the port.
set -eu
disk=$1 offset=$2 length=$3 tree=$4 keys=$5 port=$6

device=$(losetup --find --show --offset "$offset" --sizelimit "$length" "$disk")
trap 'losetup --detach "$device"' EXIT
[ "$(blkid -p -s TYPE -o value "$device")" = ext4 ] || { echo "its root file system is not ext4" >&2; exit 1; }
e2fsck -f -p "$device" || [ $? = 1 ]
resize2fs "$device"
mount "$device" "$tree"
# From now on it is freed when nobody has it mounted any more.
losetup --detach "$device"
trap - EXIT

mount -t proc proc "$tree/proc"
mount -t tmpfs -o mode=0755 tmpfs "$tree/run"
mount -t tmpfs -o mode=0755 tmpfs "$tree/dev"
mkdir "$tree/dev/pts" "$tree/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$tree/dev/pts"
ln -s pts/ptmx "$tree/dev/ptmx"
ln -s /proc/self/fd "$tree/dev/fd"
for node in null zero full random urandom tty; do
  : > "$tree/dev/$node"
  mount --bind "/dev/$node" "$tree/dev/$node"
done
chmod 1777 "$tree/dev/shm"

own=$tree/run/coffer-builder
mkdir -m 0755 "$tree/run/sshd" "$own" "$own/bin"
install -m 0600 "$keys/host_key" "$keys/login_key.pub" "$own/"
# Name servers are the host's, wherever the image wants to have them.
if [ -L "$tree/etc/resolv.conf" ]; then
  # shellcheck disable=SC2016 # in the tree
  chroot "$tree" sh -c 'mkdir -p "$(dirname "$(readlink -m /etc/resolv.conf)")" && cat > /etc/resolv.conf' \
    < /etc/resolv.conf
else
  : >> "$tree/etc/resolv.conf"
  cp /etc/resolv.conf "$own/resolv.conf"
  mount --bind "$own/resolv.conf" "$tree/etc/resolv.conf"
fi
# Packages start their services with it; here nothing starts.
printf '#!/bin/sh\n' > "$own/bin/invoke-rc.d"
chmod 0755 "$own/bin/invoke-rc.d"

inside=${own#"$tree"}
exec chroot "$tree" /usr/sbin/sshd -D -e -f /dev/null -p "$port" -h "$inside/host_key" \
  -o ListenAddress=127.0.0.1 -o AuthorizedKeysFile="$inside/login_key.pub" -o PidFile=none \
  -o PermitRootLogin=prohibit-password -o PasswordAuthentication=no -o UsePAM=no -o UseDNS=no \
  -o 'Subsystem=sftp internal-sftp' \
  -o "SetEnv=SYSTEMD_OFFLINE=1 debian_chroot=builder PATH=$inside/bin:/usr/sbin:/usr/bin:/sbin:/bin"
