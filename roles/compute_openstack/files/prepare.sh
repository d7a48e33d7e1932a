#!/bin/sh
# First contact: the guest gets its own host key, the packages that every guest has, and its volume.
# Arguments: id of the volume, where it is mounted, the public key that may log in, name servers and
# packages (each in one word, separated by blanks). $host_key holds the private host key. Run again it does what is missing.
set -eu
host_key=${host_key:?} volume=$1 directory=$2 login=$3 nameservers=$4 packages=$5

# cloud-init may still be at work, and hold dpkg's lock.
if [ -e /run/cloud-init/enabled ]; then
  timeout 600 cloud-init status --wait > /dev/null 2>&1 || true
fi

if [ -n "$nameservers" ]; then
  rm -f /etc/resolv.conf
  for server in $nameservers; do echo "nameserver $server"; done > /etc/resolv.conf
fi

# Packages change when Coffer says so. Links take less time than asking systemd.
timers=
for unit in apt-daily.timer apt-daily-upgrade.timer unattended-upgrades.service; do
  if [ ! -L "/etc/systemd/system/$unit" ]; then
    ln -s -f /dev/null "/etc/systemd/system/$unit"
    timers="$timers $unit"
  fi
done
# shellcheck disable=SC2086 # one word a unit
if [ -n "$timers" ]; then systemctl stop --quiet $timers 2> /dev/null || true; fi

# shellcheck disable=SC2086 # one word a package
installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $packages 2> /dev/null |
  sed -n 's/^installed //p')
# shellcheck disable=SC2086
missing=$(printf '%s\n' $packages | grep -vxF -e "$installed" || true)
if [ -n "$missing" ]; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  # shellcheck disable=SC2086 # one word a package
  apt-get install -qq --no-install-recommends -o DPkg::Lock::Timeout=300 $missing > /dev/null
fi

# The root file system takes what the flavor gives it.
root=$(findmnt -n -o SOURCE /)
if command -v growpart > /dev/null && [ -e "/sys/class/block/${root##*/}/partition" ]; then
  disk=$(lsblk -n -o PKNAME "$root")
  growpart "/dev/$disk" "$(cat "/sys/class/block/${root##*/}/partition")" > /dev/null 2>&1 || true
fi
if [ "$(findmnt -n -o FSTYPE /)" = ext4 ]; then resize2fs "$root" > /dev/null 2>&1 || true; fi

# Virtio shows the first 20 characters of a volume's id, SCSI all of them.
device=
for try in $(seq 150); do
  for path in "/dev/disk/by-id/"*"$(echo "$volume" | cut -c1-20)"*; do
    if [ -b "$path" ]; then device=$(readlink -f "$path"); break 2; fi
  done
  [ "$try" = 150 ] && { echo "volume $volume does not appear in the guest" >&2; exit 1; }
  sleep 0.2
done
if [ -z "$(blkid -s TYPE -o value "$device")" ]; then
  mkfs.xfs -q -K -L coffer-data "$device"
fi
mkdir -p "$directory"
if ! grep -q '^LABEL=coffer-data ' /etc/fstab; then
  echo "LABEL=coffer-data $directory xfs defaults,noatime 0 0" >> /etc/fstab
fi
# systemd learns of the mount from the kernel, and of the new line when it next reads its units.
mountpoint -q "$directory" || mount "$directory"

# Of our own: what reads metadata on every boot may write root's file anew.
echo "$login" > /etc/ssh/coffer_authorized_keys
cat > /etc/ssh/sshd_config.d/coffer.conf << 'END'
AuthorizedKeysFile /etc/ssh/coffer_authorized_keys
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UseDNS no
END

# Last, since it ends the first contact.
umask 077
printf '%s\n' "$host_key" > /etc/ssh/coffer_host_key
ssh-keygen -y -f /etc/ssh/coffer_host_key > /etc/ssh/coffer_host_key.pub
rm -f /etc/ssh/ssh_host_*
mv /etc/ssh/coffer_host_key.pub /etc/ssh/ssh_host_ed25519_key.pub
mv /etc/ssh/coffer_host_key /etc/ssh/ssh_host_ed25519_key
# cloud-init would make others on the first boot of another server.
if [ -d /etc/cloud/cloud.cfg.d ]; then
  printf 'ssh_deletekeys: false\nssh_genkeytypes: []\n' > /etc/cloud/cloud.cfg.d/99-coffer.cfg
fi
sync
systemctl restart ssh 2> /dev/null || systemctl restart sshd
