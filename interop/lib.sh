# Shared by the suite's scripts; sourced, not run.
# shellcheck shell=bash
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PATH=$PATH:/usr/sbin:/sbin

# --- what must be undone at the end, last first, whatever happens ---
CLEAN=()
on_exit() { CLEAN+=("$(printf '%q ' "$@")"); }
clean_up() {
  local i
  trap '' TERM INT
  set +e
  for ((i = ${#CLEAN[@]} - 1; i >= 0; i--)); do eval "${CLEAN[i]}" >/dev/null 2>&1; done
  CLEAN=()
}

# Ends a process that this script started: asks, waits up to SECONDS (5), then kills.
stop_pid() { # PID [SECONDS]
  kill "$1" 2>/dev/null || return 0
  wait_for "${2:-5}" gone "$1" || kill -9 "$1" 2>/dev/null || true
}
gone() { ! kill -0 "$1" 2>/dev/null; }

wait_for() { # SECONDS COMMAND…: until it succeeds
  local tries=$(($1 * 20))
  shift
  until "$@"; do
    ((tries-- > 0)) || return 1
    sleep 0.05
  done
  return 0
}

seconds_since() { awk -v from="$1" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.1f", to - from }'; }

# --- network namespaces ---
in_ns() { # NAMESPACE COMMAND…
  local ns=$1
  shift
  nsenter --net="/run/netns/$ns" "$@"
}
# For the background: the shell becomes the command, so that $! is the command's own PID; in a
# session of its own, because some daemons end their whole process group with them.
into_ns() { # NAMESPACE COMMAND…
  local ns=$1
  shift
  exec setsid nsenter --net="/run/netns/$ns" "$@"
}
# Each has a bridge br0: guests join it by a tap, programs on the host use br0 itself.
add_ns() { # NAMESPACE
  ip netns add "$1"
  on_exit ip netns del "$1"
  ip -n "$1" link set lo up
  ip -n "$1" link add br0 type bridge forward_delay 0
  ip -n "$1" link set br0 up
}
# A cable between two namespaces. An end named w0 joins br0; any other stays by itself.
add_cable() { # NAMESPACE END NAMESPACE END
  local ns end
  ip -n "$1" link add "$2" type veth peer name "$4" netns "$3"
  while read -r ns end; do
    if [ "$end" = w0 ]; then ip -n "$ns" link set w0 master br0; fi
    in_ns "$ns" ethtool -K "$end" tx off >/dev/null 2>&1 || true # real checksums on the wire
    ip -n "$ns" link set "$end" up
  done <<<"$1 $2"$'\n'"$3 $4"
}
# $SRV and $CLI, joined straight (10.77.0.0/24), or with a masquerading router between, so that
# $CLI is 192.168.77.0/24 and $SRV sees 10.77.0.254.
add_network() { # [nat]
  SRV=l2i$$-s CLI=l2i$$-c
  add_ns "$SRV"
  add_ns "$CLI"
  if [ "${1:-}" != nat ]; then
    add_cable "$SRV" w0 "$CLI" w0
    return
  fi
  local router=l2i$$-r
  add_ns "$router"
  add_cable "$SRV" w0 "$router" out
  add_cable "$CLI" w0 "$router" in
  ip -n "$router" addr add 10.77.0.254/24 dev out
  ip -n "$router" addr add 192.168.77.1/24 dev in
  in_ns "$router" sysctl -qw net.ipv4.ip_forward=1
  in_ns "$router" iptables -t nat -A POSTROUTING -o out -j MASQUERADE
}
