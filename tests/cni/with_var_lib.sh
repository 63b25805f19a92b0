#!/bin/sh
# Usage: with_var_lib.sh DIRECTORY COMMAND...: runs the command where DIRECTORY is /var/lib, in a mount
# namespace of its own, so that the machine keeps its /var/lib.
set -eu
directory=$1
shift
exec unshare --mount --propagation private sh -eu -c '
    directory=$0
    mount --bind "$directory" /var/lib
    exec "$@"
' "$directory" "$@"
