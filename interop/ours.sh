# The programs under test, vpn-client and vpn-server; sourced, not run.
# shellcheck shell=bash

declare -A OURS=() # client|server -> PID

# Options that both programs take for the case's settings.
ours_options() {
  printf '%s\n' --auth "$AUTH"
  if [ -z "$IPSEC" ]; then
    echo --plain
  else
    if [ -n "$CERT" ]; then
      printf '%s\n' --cert "$DIR/ours.pem" --key "$DIR/ours.key" --ca "$DIR/ca.pem"
    else
      printf '%s\n' --psk "$OUR_PSK"
    fi
    printf '%s\n' --encap "$ENCAP"
    # What it takes is more than the default.
    case $IKE$ESP in *3des* | *modp1024*) printf '%s\n' --preset legacy ;; esac
    [ "$REKEY" != ours ] || printf '%s\n' --ike-lifetime 60 --esp-lifetime 60
  fi
  [ -z "$SECRET" ] || printf '%s\n' --tunnel-secret "$SECRET"
  [ -z "$HIDDEN" ] || printf '%s\n' --hide-avps
}

start_ours() { # client|server NAMESPACE ARGUMENTS…: in the background; output in $DIR/ours-ROLE.*
  local role=$1 ns=$2 options
  shift 2
  mapfile -t options < <(ours_options)
  : >"$DIR/ours-$role.out"
  RUST_LOG=debug into_ns "$ns" ${WITHOUT:+setpriv "--bounding-set=-$WITHOUT"} "$BIN/vpn-$role" \
    "${options[@]}" "$@" \
    </dev/null >"$DIR/ours-$role.out" 2>"$DIR/ours-$role.log" &
  OURS[$role]=$!
  on_exit stop_pid "${OURS[$role]}"
}

ours_said() { grep -q "$2" "$DIR/ours-$1.out"; } # client|server PATTERN
ours_settled() { ours_said "$1" '^READY ' || gone "${OURS[$1]}"; }
await_ours() { # client|server SECONDS
  local since=$EPOCHREALTIME
  wait_for "$2" ours_settled "$1" || fail "no READY after $2 s"
  ours_said "$1" '^READY ' || fail "vpn-$1 ended: $(tail -n 1 "$DIR/ours-$1.log")"
  UP=$(seconds_since "$since")
}
await_event() { # client|server SECONDS PATTERN
  wait_for "$2" ours_said "$1" "$3" || fail "vpn-$1 printed no $3 within $2 s"
}

# KEY of our READY line.
ready_field() { sed -n "s/^READY.* $2=\([^ ]*\).*/\1/p" "$DIR/ours-$1.out"; } # client|server KEY

# Ends our program as an operator does: it must close what is open, leave with status 0 and remove
# its interfaces.
close_ours() { # client|server NAMESPACE
  local pid=${OURS[$1]} status=0
  kill -TERM "$pid" 2>/dev/null || fail "vpn-$1 ended by itself: $(tail -n 1 "$DIR/ours-$1.log")"
  wait_for 10 gone "$pid" || fail "vpn-$1 still runs 10 s after SIGTERM"
  wait "$pid" || status=$?
  [ "$status" = 0 ] || fail "vpn-$1 left with status $status after SIGTERM"
  unset "OURS[$1]"
  ! ip -n "$2" -o link show type tun | grep -q . || fail "vpn-$1 left its interface behind"
}

start_server() { # ARGUMENTS…: ours, in $SRV
  add_address "$SRV" "$SERVER"
  start_ours server "$SRV" --listen "$SERVER" --user alice:wonderland --pool 10.99.0.0/24 \
    --dns 10.99.0.1 "$@"
  await_ours server 10
}

# Ours, in $CLI, dialling $SERVER with the right password.
start_client() { # ARGUMENTS…
  address_client
  start_ours client "$CLI" --server "$SERVER" --user alice --password wonderland "$@"
  await_ours client 45
}
add_address() { # NAMESPACE ADDRESS
  case $2 in
    *:*) ip -n "$1" addr add "$2/64" dev br0 nodad ;;
    *) ip -n "$1" addr add "$2/24" dev br0 ;;
  esac
}
address_client() {
  if [ -z "$NAT" ]; then
    add_address "$CLI" "$CLIENT"
  else
    ip -n "$CLI" addr add 192.168.77.2/24 dev br0
    ip -n "$CLI" route add default via 192.168.77.1
  fi
}
