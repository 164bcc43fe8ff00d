# User Mode Linux guests: the peers' kernels; sourced, not run.
# shellcheck shell=bash
#
# A guest is an ordinary process: its root is the host's file system, read-only, and its network a
# tap on br0 of a namespace. Its state is a folder: guest.env and guest.sh (what it starts) go in,
# `ready` or `failed` comes out, and commands are exchanged as files in cmd/.

declare -A GUEST=() # folder -> PID

boot_guest() { # FOLDER NAMESPACE ADDRESS/BITS [GATEWAY]
  local dir=$1 ns=$2 tap="t$BASHPID-${#GUEST[@]}" memory=/dev/shm
  ip -n "$ns" tuntap add dev "$tap" mode tap
  on_exit ip -n "$ns" link del "$tap"
  ip -n "$ns" link set "$tap" master br0 up
  mkdir -p "$dir/cmd" "$dir/log" "$dir/uml"
  printf '%s=%q\n' ADDRESS "$3" GATEWAY "${4:-}" >"$dir/guest.env"
  # The guest's memory is a file; containers often have a tiny /dev/shm.
  [ "$(df --output=avail -k $memory 2>/dev/null | tail -n 1)" -gt 1000000 ] || memory=/tmp
  TMPDIR=$memory setsid nsenter --net="/run/netns/$ns" linux.uml \
    mem=256M rootfstype=hostfs rootflags=/ ro quiet "init=$HERE/guest-init" \
    "vec0:transport=tap,ifname=$tap,depth=128,gro=0" con=null con0=null,fd:1 \
    "umid=$tap" "uml_dir=$dir/uml/" "GUEST_STATE=$dir" </dev/null >"$dir/console.log" 2>&1 &
  GUEST[$dir]=$!
  disown $! # bash need not say when it is killed
  on_exit kill_guest "$dir"
  on_exit stop_guest "$dir"
}

stop_guest() { # FOLDER: orderly; its logs are in FOLDER/log afterwards
  [ -n "${GUEST[$1]:-}" ] || return 0
  : >"$1/cmd/off.sh"
  wait_for 8 gone "${GUEST[$1]}"
}
kill_guest() { # FOLDER: as a power cut. A guest is a session of its own, so this ends all of it.
  [ -n "${GUEST[$1]:-}" ] || return 0
  kill -9 -- "-${GUEST[$1]}" 2>/dev/null || true
  unset "GUEST[$1]"
}

guest_is_ready() { [ -e "$1/ready" ] || [ -e "$1/failed" ] || gone "${GUEST[$1]}"; }
await_guest() { # FOLDER SECONDS
  wait_for "$2" guest_is_ready "$1" || fail "the peer is not ready after $2 s"
  [ ! -e "$1/failed" ] || fail "the peer: $(<"$1/failed")"
  [ -e "$1/ready" ] || fail "the peer's guest stopped: $(tail -n 1 "$1/console.log")"
}

guest() { # FOLDER COMMAND-LINE: runs it in the guest; its output and exit status
  local dir=$1 name=$BASHPID-$RANDOM status
  printf '%s\n' "$2" >"$dir/cmd/$name.new"
  mv "$dir/cmd/$name.new" "$dir/cmd/$name.sh"
  wait_for 30 test -e "$dir/cmd/$name.status" || return 124
  cat "$dir/cmd/$name.out"
  status=$(<"$dir/cmd/$name.status")
  rm -f "$dir/cmd/$name".*
  return "$status"
}
