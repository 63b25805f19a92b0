#!/bin/sh
# Make the files of a node private, inside its mount namespace (its first process
# runs already). Usage: node-setup.sh NAME STATE
set -eu
name=$1
state=$2

# Each mount made from here on is seen by the node's containers, and by nobody else.
mount --make-rprivate /
# Kept open: the state folder may lie below one of the folders that are covered next.
exec 9<"$state"

# Mounts that are covered next would stay as copies, and keep what the host removes, such as
# network namespaces, alive.
cat /proc/self/mountinfo | tac | while read -r _ _ _ _ covered _; do
	case $covered in /run/* | /var/lib/*) ;; *) continue ;; esac
	case $state/ in "$covered"/*) continue ;; esac
	# One that is removed elsewhere meanwhile, as other tests' network namespaces are, is gone here, too.
	umount -l "$covered" || [ ! -e "$covered" ]
done

mount -t tmpfs -o mode=755 tmpfs /run
for folder in etc opt var/lib var/log; do
	mkdir -p "/run/testbed/$folder/upper" "/run/testbed/$folder/work"
	# The node sees what the host has, and writes into its own layer, kept in memory.
	mount -t overlay overlay \
		-o "lowerdir=/$folder,upperdir=/run/testbed/$folder/upper,workdir=/run/testbed/$folder/work" \
		"/$folder"
done
mount --bind /proc/self/fd/9 "$state"

# What is large, or cannot lie on an overlay, is kept in the state folder.
for folder in containerd kubelet; do
	mkdir -p "$state/nodes/$name/$folder" "/var/lib/$folder"
	mount --bind "$state/nodes/$name/$folder" "/var/lib/$folder"
done
# host-local keeps its leases in files: shared by all nodes they are the IPAM of the cluster.
mkdir -p "$state/host-local" /var/lib/cni/networks
mount --bind "$state/host-local" /var/lib/cni/networks

# sysfs shows the links of the namespace it was mounted in; cgroups are the machine's.
mkdir -p /run/testbed/cgroup
mount --rbind /sys/fs/cgroup /run/testbed/cgroup
mount -t sysfs sysfs /sys
mount --rbind /run/testbed/cgroup /sys/fs/cgroup
umount -l /run/testbed/cgroup

# kubelet would set these for the whole machine; it finds them as it wants them.
while read -r key value; do
	[ -e "/proc/sys/$key" ] || continue
	file="/run/testbed/$(echo "$key" | tr / .)"
	echo "$value" >"$file"
	mount --bind "$file" "/proc/sys/$key"
done <<-END
	vm/overcommit_memory 1
	vm/panic_on_oom 0
	kernel/panic 10
	kernel/panic_on_oops 1
	kernel/keys/root_maxkeys 1000000
	kernel/keys/root_maxbytes 25000000
END

mkdir -p /run/netns /etc/cni/net.d /etc/cni/multus/net.d /opt/cni/bin /var/log/pods \
	/var/log/containers /etc/kubernetes
echo "nameserver 10.96.0.10" >/run/testbed/resolv.conf
hostname "$name"
# Containers with mount propagation need a shared root; it is shared within the node only.
mount --make-rshared /
