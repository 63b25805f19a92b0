#!/bin/sh
# Fill the root file system of the guests. Runs in mount and pid namespaces of its own, so that
# mounts, and whatever a package starts, end with it.
#
# Usage: install.sh ROOT SUITE SERIES PACKAGES
#   SERIES    kernel series, such as "6.1 6.12": each is unpacked to ROOT/kernels/SERIES
#   PACKAGES  of the suite itself
set -eu
root=$1
suite=$2
series=$3
packages=$4
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount --rbind /dev "$root/dev"

exec chroot "$root" /bin/sh -eu -c '
suite=$1
series=$2
packages=$3
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
# What is half installed is not kept, so nothing has to be on the disk at once.
echo force-unsafe-io >/etc/dpkg/dpkg.cfg.d/unsafe-io
apt-get update
apt-get install --yes --no-install-recommends $packages
# Its QEMU emulates a network card with virtual functions, its ip makes netkit pairs.
apt-get install --yes --no-install-recommends --target-release="$suite-backports" qemu-system-x86
mkdir -p /kernels /opt/iproute2
# As the user that apt-get downloads as.
chown _apt /kernels
cd /kernels
apt-get download "iproute2/$suite-backports"
dpkg-deb --extract iproute2_*.deb /opt/iproute2
rm iproute2_*.deb
for each in $series; do
	package=$(apt-cache show linux-image-amd64 |
		sed -n "s/^Depends: \(linux-image-$each\.[^ ,]*\).*/\1/p" | head -n 1)
	if [ -z "$package" ]; then
		echo "no package of a kernel $each in $suite and $suite-backports" >&2
		exit 1
	fi
	apt-get download "$package"
	dpkg-deb --extract linux-image-*.deb "$each"
	rm linux-image-*.deb
	depmod --basedir "$each" "$(ls "$each/lib/modules")"
done
python3 -m venv --without-pip /opt/venv
apt-get clean
rm -rf /var/lib/apt/lists/*
cd /usr/share
rm -rf doc locale man
' sh "$suite" "$series" "$packages"
