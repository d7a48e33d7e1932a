#!/bin/sh
# Before an image is made of a builder: what must not be the same in two guests, what belongs to the
# builder alone, and what only takes room. The one argument: where its volume is mounted.
set -eu
umount "$1" 2> /dev/null || true
sed -i '/^LABEL=coffer-data /d' /etc/fstab
rm -rf "${1:?}"/* /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/apt/archives/*.deb
rm -rf /root/.ssh /root/.ansible /root/.bash_history /tmp/* /var/tmp/*
rm -f /etc/ssh/ssh_host_* /etc/ssh/coffer_* /etc/ssh/sshd_config.d/coffer.conf /var/lib/systemd/random-seed
if command -v cloud-init > /dev/null; then
  rm -f /etc/cloud/cloud.cfg.d/99-coffer.cfg
  cloud-init clean --logs > /dev/null 2>&1 || true
fi
: > /etc/machine-id
find /var/log -type f -exec truncate -s 0 {} +
# What was deleted does not become part of the image.
fstrim / 2> /dev/null || true
sync
