#!/bin/bash
# Runs the blocks of one page in one shell, so that later ones see the variables of earlier ones.
#
# usage: run.sh FOLDER COUNT   with 1.sh to COUNT.sh in FOLDER
#
# Leaves N.out, what block N and the servers that it started print, and N.done when it has worked.
set -eu

page_folder=$1 page_count=$2

# The loopback interface of a network namespace is down at first.
page_loopback_up() {
    python3 - <<'PYTHON'
import fcntl, socket, struct

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
with socket.socket() as any_socket:
    request = struct.pack("16sh14x", b"lo", 0)
    flags = struct.unpack("16sh14x", fcntl.ioctl(any_socket, SIOCGIFFLAGS, request))[1]
    if not flags & IFF_UP:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))
PYTHON
}

# Tells whether a process has a listening socket.
page_listens() {
    local sockets
    sockets=$(readlink "/proc/$1"/fd/* 2>/dev/null | sed -n 's/^socket:\[\(.*\)\]$/\1/p') || true
    [ -n "$sockets" ] || return 1
    # The fields of these files: 4 is the state, 0A for one that listens, 10 the inode.
    awk '$4 == "0A" { print $10 }' /proc/net/tcp /proc/net/tcp6 | grep -qxF "$sockets"
}

# A person needs a moment to paste the next block; a server is up by then.
page_wait_for_servers() {
    local pid turn
    for pid in $(jobs -pr); do
        for ((turn = 0; turn < 600; turn++)); do
            kill -0 "$pid" 2>/dev/null || break
            ! page_listens "$pid" || break
            sleep 0.05
        done
    done
}

if [ -e /proc/net/tcp ]; then page_loopback_up; fi
for ((page_block = 1; page_block <= page_count; page_block++)); do
    # shellcheck source=/dev/null
    . "$page_folder/$page_block.sh" >"$page_folder/$page_block.out" 2>&1 </dev/null
    page_wait_for_servers
    : >"$page_folder/$page_block.done"
done
