#!/bin/sh
# Usage: without_ipv6.sh NETNS... -- COMMAND...: runs the command where these network namespaces have no
# /proc/sys/net/ipv6, as with ipv6.disable=1, in a mount namespace of its own.
set -eu
exec unshare --mount --propagation private sh -eu -c '
    mount -t tmpfs none /mnt
    while [ "$1" != -- ]; do
        nsenter --net="$1" mount --bind /mnt /proc/sys/net/ipv6
        shift
    done
    shift
    exec "$@"
' sh "$@"
