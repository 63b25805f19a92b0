#!/bin/sh
# Run a command in another root, in namespaces of its own: they hold every mount, so that nothing is
# left when the command has ended, however it ended.
#
# Usage: enter.sh ROOT CGROUP BINDS COMMAND...
#   CGROUP  name of a cgroup that exists in every hierarchy; inside it is the root of all
#   BINDS   lines of `source target option`, targets in ROOT
# FRESH_PATH is PATH inside.
set -eu
step=${FRESH_STEP:-cgroup}
root=$1
cgroup=$2
binds=$3

hierarchies() {
	while read -r _ path kind _; do
		case $kind in cgroup | cgroup2) echo "$path" ;; esac
	done </proc/mounts
}

case $step in
cgroup)
	for path in $(hierarchies); do echo $$ >"$path/$cgroup/cgroup.procs"; done
	export FRESH_STEP=leaf
	exec unshare --cgroup sh "$0" "$@"
	;;
leaf)
	# Version 2 has no controllers for the children of a cgroup with processes: make way.
	while read -r _ path kind _; do
		[ "$kind" = cgroup2 ] || continue
		mkdir -p "$path/$cgroup/fresh"
		echo $$ >"$path/$cgroup/fresh/cgroup.procs"
		for controller in $(cat "$path/$cgroup/cgroup.controllers"); do
			echo "+$controller" >"$path/$cgroup/cgroup.subtree_control"
		done
	done </proc/mounts
	export FRESH_STEP=root
	exec unshare --mount --propagation private --pid --ipc --uts --fork --kill-child=KILL \
		sh "$0" "$@"
	;;
esac

unset FRESH_STEP
shift 3
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
for path in $(hierarchies); do
	# Version 1 has its hierarchies side by side, in a folder in memory.
	if [ "$path" != /sys/fs/cgroup ] && ! [ -e "$root/sys/fs/cgroup/.made" ]; then
		mount -t tmpfs -o mode=755 tmpfs "$root/sys/fs/cgroup"
		touch "$root/sys/fs/cgroup/.made"
	fi
	mkdir -p "$root$path"
	mount --bind "$path/$cgroup" "$root$path"
done
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
echo "$binds" | while read -r source target option; do
	[ -n "$source" ] || continue
	mkdir -p "$root$target"
	mount --bind "$source" "$root$target"
	mount -o "remount,bind,$option" "$root$target"
done
hostname fresh

mkdir "$root/.machine"
cd "$root"
pivot_root . .machine
cd /
PATH=$FRESH_PATH
unset FRESH_PATH
umount -l /.machine
rmdir /.machine

# The first process of the namespace: it stays until the last one's end has been seen to.
trap : INT TERM
status=0
"$@" || status=$?
exit $status
