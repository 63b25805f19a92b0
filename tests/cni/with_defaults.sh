#!/bin/sh
# Usage: with_defaults.sh FILE COMMAND...: runs the command where FILE is the node's defaults file,
# in a mount namespace of its own, so that the machine keeps its /var/lib.
set -eu
defaults=$1
shift
exec unshare --mount --propagation private sh -eu -c '
    defaults=$(cat "$0")
    mount -t tmpfs tmpfs /var/lib
    mkdir /var/lib/spidercoordinator
    printf "%s" "$defaults" >/var/lib/spidercoordinator/defaults.json
    exec "$@"
' "$defaults" "$@"
