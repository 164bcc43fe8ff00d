# What goes through a tunnel, and what the peer saw; sourced, not run.
# shellcheck shell=bash

# Ping, the largest packet that the tunnel takes, and a TCP transfer in each direction. RUN… runs a
# command line at the near end.
check_traffic() { # FAR-ADDRESS MTU RUN…
  local far=$1 mtu=$2 out loss forth back
  shift 2
  out=$("$@" "ping -c 5 -i 0.2 -W 2 $far") || true
  loss=$(sed -n 's/.* \([0-9.]*\)% packet loss.*/\1/p' <<<"$out")
  [ "$loss" = 0 ] || fail "ping $far: ${loss:-100}% lost"
  PING=$(sed -n 's/^rtt.*= [^/]*\/\([^/]*\).*/\1/p' <<<"$out")
  "$@" "ping -M do -c 2 -i 0.2 -W 2 -s $((mtu - 28)) $far" >/dev/null ||
    fail "a ping of the MTU ($mtu octets) is not answered"
  forth=$(transfer "$far" '' "$@") || fail "iperf3 to the peer: $forth"
  back=$(transfer "$far" -R "$@") || fail "iperf3 from the peer: $back"
  RATE="$forth/$back Mbit/s"
}

transfer() { # FAR-ADDRESS DIRECTION RUN…: Mbit/s; at least one, or what iperf3 said
  local far=$1 direction=$2 out rate try
  shift 2
  for try in 1 2 3; do
    out=$("$@" "timeout 20 iperf3 -f m -t 2 $direction -c $far 2>&1") && break
    [ "$try" != 3 ] || { tail -n 1 <<<"$out"; return 1; }
    sleep 0.5 # the server is not listening yet
  done
  rate=$(awk '/receiver/ { printf "%.0f", $7 }' <<<"$out")
  echo "${rate:-0}"
  [ "${rate:-0}" -ge 1 ]
}

# Many small packets, one after the other, for so long; none may be lost. FAR answers pings.
check_nothing_lost() { # NAMESPACE FAR-ADDRESS SECONDS
  local out sent received
  out=$(in_ns "$1" ping -q -i 0.02 -c $(($3 * 50)) -W 2 "$2") || true
  read -r sent received < <(sed -n 's/^\([0-9]*\) packets transmitted, \([0-9]*\) received.*/\1 \2/p' <<<"$out")
  [ -n "$sent" ] && [ "$sent" = "$received" ] ||
    fail "$((${sent:-1} - ${received:-0})) of ${sent:-all} pings were lost while keys were replaced"
  PINGS=$sent
}

# What goes over the cable at the server's end.
watch_wire() {
  local pid
  into_ns "$SRV" tcpdump -Z root -U -n -s 2000 -i w0 -w "$DIR/wire.pcap" ip or ip6 >"$DIR/tcpdump.out" 2>&1 &
  pid=$!
  on_exit stop_pid "$pid"
  wait_for 10 grep -q 'listening on' "$DIR/tcpdump.out" || fail "tcpdump does not listen"
}
wire_count() { tcpdump -nr "$DIR/wire.pcap" "$1" 2>/dev/null | wc -l; }
# With IPsec: all of it is ESP, in UDP where it must be, and nothing goes in clear.
check_wire() {
  local esp natt clear
  [ -n "$IPSEC" ] || return 0
  sleep 0.2
  esp=$(wire_count 'ip proto 50 or ip6 proto 50') natt=$(wire_count 'udp port 4500') clear=$(wire_count 'udp port 1701')
  [ "$clear" = 0 ] || fail "$clear packets went in clear"
  if [ -n "$NAT" ] || [ "$ENCAP" = force ]; then
    [ "$esp" = 0 ] && [ "$natt" -gt 100 ] || fail "on the wire: $esp ESP, $natt udp/4500"
    WIRE=', ESP in UDP'
  else
    [ "$natt" = 0 ] && [ "$esp" -gt 100 ] || fail "on the wire: $esp ESP, $natt udp/4500"
    WIRE=', ESP on IP'
  fi
}

iperf_server_in_ns() { # NAMESPACE
  local pid
  into_ns "$1" iperf3 -s >"$DIR/iperf.out" 2>&1 &
  pid=$!
  on_exit stop_pid "$pid"
}

near_ns() { # NAMESPACE COMMAND-LINE
  in_ns "$1" bash -c "$2"
}

# The lines of a guest's log that match; fails when there are none.
guest_log() { # FOLDER xl2tpd|pppd PATTERN
  guest "$1" "grep -E '$3' /run/log/$2.log"
}

# After our orderly close: which of the peer's log lines say so. L2TP must have been told; PPP is
# told on the way where there is time.
check_xl2tpd_saw_close() { # FOLDER
  local told='Stop-Control-Connection-Notification|Call-Disconnect-Notify' saw
  wait_for 5 guest_log "$1" xl2tpd "message type is ($told)" >/dev/null ||
    fail "the peer saw neither CDN nor StopCCN"
  saw=$(guest_log "$1" xl2tpd "message type is ($told)" |
    sed -n 's/.*Call-Disconnect.*/CDN/p; s/.*Stop-Control.*/StopCCN/p' | sort -u | tr '\n' ' ')
  if guest_log "$1" pppd 'rcvd \[LCP TermReq' >/dev/null; then saw="TermReq $saw"; fi
  SAW=${saw% }
}
