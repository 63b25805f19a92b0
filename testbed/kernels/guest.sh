#!/bin/sh
# Runs as the first process of a guest: prepare what a booted Debian has, run the command that the
# host left in /results, and power off.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root LANG=C.UTF-8
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lock /run/netns /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /tmp
# Named network namespaces are seen by every mount namespace, as where systemd mounts the root.
mount --make-rshared /
hostname guest
ip link set lo up
# kubeadm wants to know by which address a machine is reached; this way leads nowhere.
ip link add nowhere type dummy
ip addr add 192.0.2.1/24 dev nowhere
ip link set nowhere up
ip route add default via 192.0.2.2
cd /src || exit 1
echo "guest: Linux $(uname -r)"
sh /results/command </dev/null 2>&1
echo $? >/results/status
sync
echo o >/proc/sysrq-trigger
# The first process must not end before the power is off.
while :; do sleep 1; done
