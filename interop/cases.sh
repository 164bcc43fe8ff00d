# The cases: each a name, a function and its settings; sourced, not run.
# shellcheck shell=bash
#
# Settings: pap chap mschapv2 (how PPP authenticates), secret (tunnel authentication), hidden (and
# hidden AVPs), nat (the client stands behind one), userspace (xl2tpd carries PPP itself); ipsec, and
# with it ike= and esp= (what strongSwan offers or takes), encap (ESP in UDP without a NAT),
# rekey-peer and rekey-ours (who replaces keys), cert (RSA certificates instead of a key).
CASES='
client-pap               client               pap
client-chap              client               chap
client-mschapv2          client               mschapv2
client-tunnel-auth       client               chap secret
client-hidden            client               mschapv2 hidden
client-nat               client               chap nat
client-userspace         client               chap userspace
client-l2tpns-pap        client_l2tpns        pap
client-l2tpns-chap       client_l2tpns        chap secret
client-wrong-password    client_refused       mschapv2
client-wrong-pap         client_refused_radius pap
client-wrong-secret      client_wrong_secret  chap secret
client-no-server         client_no_server     chap
client-peer-closes       client_peer_closes   chap
client-peer-killed       client_peer_killed   chap
client-peer-silent       client_peer_silent   chap
server-pap               server               pap
server-chap              server               chap
server-mschapv2          server               mschapv2
server-tunnel-auth       server               chap secret
server-hidden            server               mschapv2 hidden
server-nat               server               chap nat
server-nat-two           server_nat_two       chap nat
server-wrong-password    server_refuses       chap
server-peer-closes       server_peer_closes   chap
server-peer-killed       server_peer_killed   chap
both-ours                both_ours            mschapv2 secret hidden-ours
client-ipsec             client               mschapv2 ipsec
client-ipsec-sha256      client               chap ipsec ike=aes256-sha256-modp2048 esp=aes256-sha256
client-ipsec-3des        client               mschapv2 ipsec ike=3des-sha1-modp2048 esp=3des-sha1
client-ipsec-gcm         client               mschapv2 ipsec ike=aes256-sha256-ecp256 esp=aes256gcm16
client-ipsec-encap       client               mschapv2 ipsec encap
client-ipsec-nat         client               mschapv2 ipsec nat
client-ipsec-rekey-peer  client_rekey         mschapv2 ipsec rekey-peer
client-ipsec-rekey-ours  client_rekey         mschapv2 ipsec rekey-ours
client-ipsec-cert        client_cert          mschapv2 ipsec cert
client-ipsec-keylog      client_keylog        mschapv2 ipsec esp=aes256-sha256
client-ipsec-keylog-gcm  client_keylog        mschapv2 ipsec ike=aes256-sha256-ecp256 esp=aes256gcm16
client-ipsec-dpd         client_dpd           mschapv2 ipsec
client-ipsec-peer-closes client_ike_closes    mschapv2 ipsec
client-ipsec-wrong-psk   client_wrong_psk     mschapv2 ipsec
client-ipsec-no-ike      client_no_ike        mschapv2 ipsec
client-ipsec-no-esp      client_no_esp        mschapv2 ipsec
client-ipsec-password    client_refused       mschapv2 ipsec
server-ipsec             server               mschapv2 ipsec
server-ipsec-sha256      server               chap ipsec ike=aes256-sha256-modp2048 esp=aes256-sha256
server-ipsec-3des        server               mschapv2 ipsec ike=3des-sha1-modp2048 esp=3des-sha1
server-ipsec-gcm         server               mschapv2 ipsec ike=aes256-sha256-ecp256 esp=aes256gcm16
server-ipsec-default     server               mschapv2 ipsec ike=default esp=default
server-ipsec-encap       server               mschapv2 ipsec encap
server-ipsec-nat         server               mschapv2 ipsec nat
server-ipsec-nat-two     server_nat_two       mschapv2 ipsec nat
server-ipsec-rekey-peer  server_rekey         mschapv2 ipsec rekey-peer
server-ipsec-rekey-ours  server_rekey         mschapv2 ipsec rekey-ours
server-ipsec-cert        server_cert          mschapv2 ipsec cert
server-ipsec-dpd         server_dpd           mschapv2 ipsec
server-ipsec-peer-closes server_ike_closes    mschapv2 ipsec
server-ipsec-wrong-psk   server_wrong_psk     mschapv2 ipsec
server-ipsec-no-ike      server_no_proposal   mschapv2 ipsec ike=aes128-md5-modp2048
server-ipsec-no-esp      server_no_proposal   mschapv2 ipsec esp=3des-md5
server-ipsec-password    server_refuses       mschapv2 ipsec
both-ours-ipsec          both_ours            mschapv2 ipsec
both-ours-ipsec-nat      both_ours            mschapv2 ipsec nat
both-ours-ipsec-ipv6     both_ours            mschapv2 ipsec ipv6
both-ours-ipsec-udp      both_ours_unasked    mschapv2 ipsec encap
both-ours-threads        both_ours_threads    mschapv2 ipsec encap
'

# --- our client ---

case_client() {
  add_network "$NAT"
  watch_wire
  start_xl2tpd "$DIR/peer" server "$SRV" 10.77.0.2/24
  start_client --route 10.88.0.0/16
  ip -n "$CLI" route show 10.88.0.0/16 | grep -q "dev $(ready_field client tun) " ||
    fail "--route has set no route"
  guest "$DIR/peer" 'iperf3 -s -D'
  check_traffic 10.99.0.1 "$(ready_field client mtu)" near_ns "$CLI"
  close_ours client "$CLI"
  check_xl2tpd_saw_close "$DIR/peer"
  check_charon_saw_close "$DIR/peer"
  check_wire
  ok "up in $UP s, ping $PING ms, TCP $RATE$WIRE, the peer saw $SAW"
}

case_client_l2tpns() {
  add_network
  start_l2tpns "$DIR/peer" "$SRV"
  start_client
  iperf_server_in_ns "$SRV"
  check_traffic 10.98.0.1 "$(ready_field client mtu)" near_ns "$CLI"
  close_ours client "$CLI"
  local log=$DIR/peer/l2tpns.log told='Received (StopCCN|CDN)'
  wait_for 5 grep -qE "$told" "$log" || fail "l2tpns saw neither CDN nor StopCCN"
  SAW=$(grep -oE "$told" "$log" | cut -d ' ' -f 2 | sort -u | tr '\n' ' ')
  ok "up in $UP s, ping $PING ms, TCP $RATE, the peer saw ${SAW% }"
}

case_client_cert() {
  make_certificates 10.77.0.1 10.77.0.2
  case_client
}

# Keys of both kinds are replaced while packets pass.
case_client_rekey() {
  add_network
  start_xl2tpd "$DIR/peer" server "$SRV" 10.77.0.2/24
  start_client
  check_rekeyed "$CLI" 10.99.0.1
  guest "$DIR/peer" 'iperf3 -s -D'
  check_traffic 10.99.0.1 "$(ready_field client mtu)" near_ns "$CLI"
  close_ours client "$CLI"
  check_xl2tpd_saw_close "$DIR/peer"
  check_charon_saw_close "$DIR/peer"
  ok "$PINGS pings, none lost, $REKEYS; TCP $RATE, the peer saw $SAW"
}
check_rekeyed() { # NAMESPACE FAR-ADDRESS
  local ike esp seconds=45
  [ "$REKEY" = peer ] || seconds=75
  check_nothing_lost "$1" "$2" "$seconds"
  ike=$(charon_count "$DIR/peer" 'IKE_SA l2tp\[[0-9]+\] established')
  esp=$(charon_count "$DIR/peer" 'CHILD_SA l2tp\{[0-9]+\} established')
  [ "$ike" -ge 2 ] && [ "$esp" -ge 2 ] || fail "after $seconds s there were $ike IKE SAs, $esp ESP pairs"
  REKEYS="$ike IKE SAs, $esp ESP pairs"
}

# Wireshark's command line reads what we wrote, with the keys and without.
case_client_keylog() {
  add_network
  watch_wire
  start_xl2tpd "$DIR/peer" server "$SRV" 10.77.0.2/24
  start_client --keylog "$DIR/keys" --pcap "$DIR/ours.pcapng"
  guest "$DIR/peer" 'iperf3 -s -D'
  check_traffic 10.99.0.1 "$(ready_field client mtu)" near_ns "$CLI"
  close_ours client "$CLI"
  local found name
  mkdir -p "$DIR/wireshark/profiles"
  ln -s "$DIR/keys" "$DIR/wireshark/profiles/vpn"
  # Of the wire: quick mode and L2TP, which only the keys show.
  found=$(look_at wire.pcap -C vpn -c 400 -T fields -e frame.protocols)
  [[ $found == *esp:udp:l2tp* ]] || fail "tshark finds no L2TP in ESP: $(sort -u <<<"$found")"
  found=$(look_at wire.pcap -C vpn -c 40 -O isakmp)
  [[ $found == *'Payload: Hash (8)'* ]] || fail "tshark does not decrypt IKE"
  for name in outer decrypted inner; do
    found=$(look_at ours.pcapng -c 2000 -Y "frame.interface_name == $name" -T fields -e frame.protocols |
      sort -u)
    case $name in
      outer) [[ $found == *isakmp* && $found == *esp* ]] ;;
      decrypted) [[ $found == *l2tp:ppp* ]] ;;
      inner) [[ $found == *icmp* ]] ;;
    esac || fail "tshark reads in the interface $name: $found"
  done
  ok "tshark opens IKE and ESP with our keys, and reads three interfaces; TCP $RATE"
}

look_at() { # FILE ARGUMENTS…
  local file=$1
  shift
  XDG_CONFIG_HOME=$DIR tshark -r "$DIR/$file" "$@" 2>>"$DIR/tshark.out"
}

# Runs our client to its end, which must be a failure that says PATTERN.
check_refused() { # SECONDS PATTERN ARGUMENTS…
  local seconds=$1 pattern=$2 since=$EPOCHREALTIME status=0 said
  shift 2
  address_client
  start_ours client "$CLI" --server 10.77.0.2 --user alice "$@"
  wait_for "$seconds" gone "${OURS[client]}" || fail "vpn-client still runs after $seconds s"
  wait "${OURS[client]}" || status=$?
  [ "$status" != 0 ] || fail "vpn-client left with status 0"
  ! ours_said client '^READY' || fail "vpn-client was READY"
  said=$(grep '^vpn-client: ' "$DIR/ours-client.log" | tail -n 1) || fail "vpn-client does not say why"
  grep -qiE "$pattern" <<<"$said" || fail "vpn-client does not say why: $said"
  ok "status $status after $(seconds_since "$since") s: ${said#vpn-client: }"
}
case_client_refused() {
  add_network
  start_xl2tpd "$DIR/peer" server "$SRV" 10.77.0.2/24
  check_refused 20 'password|authenticat' --password looking-glass
}
case_client_refused_radius() {
  add_network
  start_l2tpns "$DIR/peer" "$SRV"
  check_refused 20 'password|authenticat' --password looking-glass
}
case_client_wrong_secret() {
  add_network
  start_xl2tpd "$DIR/peer" server "$SRV" 10.77.0.2/24
  SECRET=other
  check_refused 40 'secret' --password wonderland
}
case_client_wrong_psk() {
  add_network
  start_xl2tpd "$DIR/peer" server "$SRV" 10.77.0.2/24
  OUR_PSK=another
  check_refused 100 'pre-shared key|PSK' --password wonderland
}
case_client_no_ike() {
  add_network
  start_xl2tpd "$DIR/peer" server "$SRV" 10.77.0.2/24
  check_refused 100 'proposal' --password wonderland --ike aes128-sha256-modp3072
}
case_client_no_esp() {
  add_network
  start_xl2tpd "$DIR/peer" server "$SRV" 10.77.0.2/24
  check_refused 100 'proposal' --password wonderland --esp aes128gcm16
}
case_client_no_server() {
  add_network
  ip -n "$SRV" addr add 10.77.0.2/24 dev br0
  check_refused 45 'answer|refused|reach|reply|respon' --password wonderland
}

case_client_peer_closes() {
  add_network
  start_xl2tpd "$DIR/peer" server "$SRV" 10.77.0.2/24
  start_client
  # shellcheck disable=SC2016
  guest "$DIR/peer" 'kill -TERM $(cat /run/xl2tpd.pid)'
  check_disconnected client 5
}
# The tunnel ends without a word: LCP echo notices, then (with echo out of the way) HELLO.
case_client_peer_killed() {
  add_network
  start_xl2tpd "$DIR/peer" server "$SRV" 10.77.0.2/24
  start_client --echo 2
  kill_guest "$DIR/peer"
  check_disconnected client 25
}
case_client_peer_silent() {
  add_network
  start_xl2tpd "$DIR/peer" server "$SRV" 10.77.0.2/24
  start_client --hello 3 --echo 600
  kill_guest "$DIR/peer"
  check_disconnected client 45
}
# IKE notices, with echo and HELLO out of the way; before, we have answered the peer's questions.
case_client_dpd() {
  add_network
  start_xl2tpd "$DIR/peer" server "$SRV" 10.77.0.2/24
  start_client --hello 600 --echo 600
  check_answered_dpd
  kill_guest "$DIR/peer"
  check_disconnected client 75
}
check_answered_dpd() {
  sleep 8
  charon_said "$DIR/peer" 'parsed INFORMATIONAL_V1 .*DPD_ACK' || fail "the peer's DPD had no answer"
}
case_client_ike_closes() {
  add_network
  start_xl2tpd "$DIR/peer" server "$SRV" 10.77.0.2/24
  start_client
  guest "$DIR/peer" 'swanctl --terminate --ike l2tp --timeout 5' >/dev/null
  check_disconnected client 5
}
check_disconnected() { # client|server SECONDS
  local since=$EPOCHREALTIME
  await_event "$1" "$2" '^DISCONNECTED'
  ok "after $(seconds_since "$since") s: $(grep -m 1 '^DISCONNECTED' "$DIR/ours-$1.out")"
}

# --- our server ---

start_peer_client() { # FOLDER [LAST-OCTET]
  if [ -z "$NAT" ]; then
    start_xl2tpd "$1" client "$CLI" "10.77.0.${2:-1}/24"
  else
    start_xl2tpd "$1" client "$CLI" "192.168.77.${2:-2}/24" 192.168.77.1
  fi
}
peer_is_up() { [ "$(<"$1/ready")" != refused ] || fail "the peer was refused"; }

case_server() {
  local since
  add_network "$NAT"
  watch_wire
  start_server
  iperf_server_in_ns "$SRV"
  since=$EPOCHREALTIME
  start_peer_client "$DIR/peer"
  UP=$(seconds_since "$since")
  peer_is_up "$DIR/peer"
  guest_log "$DIR/peer" pppd 'primary +DNS address 10.99.0.1' >/dev/null || fail "the peer got no DNS server"
  check_traffic 10.99.0.1 "$(peer_mtu "$DIR/peer")" guest "$DIR/peer"
  close_ours server "$SRV"
  check_xl2tpd_saw_close "$DIR/peer"
  check_charon_saw_close "$DIR/peer"
  check_wire
  ok "peer booted and up in $UP s, ping $PING ms, TCP $RATE$WIRE, the peer saw $SAW"
}
peer_mtu() { guest "$1" 'cat /sys/class/net/ppp0/mtu'; }

case_server_cert() {
  make_certificates 10.77.0.2 10.77.0.1
  case_server
}

case_server_rekey() {
  add_network
  start_server
  iperf_server_in_ns "$SRV"
  start_peer_client "$DIR/peer"
  peer_is_up "$DIR/peer"
  check_rekeyed "$SRV" "$(cut -d ' ' -f 1 "$DIR/peer/ready")"
  check_traffic 10.99.0.1 "$(peer_mtu "$DIR/peer")" guest "$DIR/peer"
  close_ours server "$SRV"
  check_xl2tpd_saw_close "$DIR/peer"
  check_charon_saw_close "$DIR/peer"
  ok "$PINGS pings, none lost, $REKEYS; TCP $RATE, the peer saw $SAW"
}
case_server_dpd() {
  add_network
  start_server --hello 600 --echo 600
  start_peer_client "$DIR/peer"
  peer_is_up "$DIR/peer"
  check_answered_dpd
  kill_guest "$DIR/peer"
  check_disconnected server 75
}
case_server_ike_closes() {
  add_network
  start_server
  start_peer_client "$DIR/peer"
  peer_is_up "$DIR/peer"
  guest "$DIR/peer" 'swanctl --terminate --ike l2tp --timeout 5' >/dev/null
  # A peer that deletes everything has a minute to come back.
  check_disconnected server 75
}
# What our server says of a peer that gets no further than IKE.
check_server_refuses() { # PATTERN
  start_peer_client "$DIR/peer"
  [[ $(<"$DIR/peer/ready") == refused* ]] || fail "the peer is up"
  ours_said server "^REFUSED.*$1" || fail "vpn-server does not say why: $(grep ^REFUSED "$DIR/ours-server.out")"
  ! gone "${OURS[server]}" || fail "vpn-server ended"
  close_ours server "$SRV"
  ok "$(grep -m 1 "^REFUSED.*$1" "$DIR/ours-server.out")"
}
case_server_wrong_psk() {
  add_network
  start_server
  PSK=another
  check_server_refuses 'pre-shared key'
}
case_server_no_proposal() {
  add_network
  start_server
  check_server_refuses proposal
}

# Two clients behind one address, both from port 1701 on the inside.
case_server_nat_two() {
  add_network nat
  watch_wire
  start_server
  iperf_server_in_ns "$SRV"
  start_peer_client "$DIR/peer" 2
  start_peer_client "$DIR/peer2" 3
  peer_is_up "$DIR/peer"
  peer_is_up "$DIR/peer2"
  local peer addresses
  for peer in "$DIR/peer" "$DIR/peer2"; do
    check_traffic 10.99.0.1 "$(peer_mtu "$peer")" guest "$peer"
  done
  addresses=$(cut -d ' ' -f 1 "$DIR/peer/ready" "$DIR/peer2/ready" | sort -u | wc -l)
  [ "$addresses" = 2 ] || fail "both peers have the same address"
  close_ours server "$SRV"
  check_xl2tpd_saw_close "$DIR/peer"
  check_xl2tpd_saw_close "$DIR/peer2"
  check_wire
  ok "addresses $(cut -d ' ' -f 1 "$DIR/peer/ready") and $(cut -d ' ' -f 1 "$DIR/peer2/ready"), TCP $RATE$WIRE, both peers saw $SAW"
}

case_server_refuses() {
  add_network
  start_server
  PASSWORD=looking-glass
  start_peer_client "$DIR/peer"
  [ "$(<"$DIR/peer/ready")" = refused ] || fail "the peer is up with a wrong password"
  guest_log "$DIR/peer" pppd 'authentication failed' >/dev/null || fail "the peer was not told why"
  ! gone "${OURS[server]}" || fail "vpn-server ended"
  close_ours server "$SRV"
  ok "the peer: $(guest_log "$DIR/peer" pppd 'authentication failed' | tail -n 1)"
}

# The peer hangs up, and dials again.
case_server_peer_closes() {
  add_network
  start_server
  start_peer_client "$DIR/peer"
  peer_is_up "$DIR/peer"
  guest "$DIR/peer" 'echo "d peer" >/run/xl2tpd/l2tp-control'
  await_event server 5 '^DISCONNECTED'
  # shellcheck disable=SC2016
  guest "$DIR/peer" 'until ! ls /run/ppp/up.* >/dev/null 2>&1; do sleep 0.1; done; sleep 1
    echo "c peer" >/run/xl2tpd/l2tp-control
    for i in $(seq 200); do ! ls /run/ppp/up.* >/dev/null 2>&1 || exit 0; sleep 0.1; done; exit 1' ||
    fail "the peer cannot dial again"
  guest "$DIR/peer" 'ping -c 3 -i 0.2 -W 2 10.99.0.1' >/dev/null || fail "ping fails after dialling again"
  ok "$(grep -m 1 '^DISCONNECTED' "$DIR/ours-server.out"); dialled again"
}
case_server_peer_killed() {
  add_network
  start_server --echo 2
  start_peer_client "$DIR/peer"
  peer_is_up "$DIR/peer"
  kill_guest "$DIR/peer"
  check_disconnected server 15
}

# --- both ---

case_both_ours() {
  add_network "$NAT"
  watch_wire
  start_server
  start_client
  iperf_server_in_ns "$SRV"
  check_traffic 10.99.0.1 "$(ready_field client mtu)" near_ns "$CLI"
  close_ours client "$CLI"
  await_event server 5 '^DISCONNECTED'
  close_ours server "$SRV"
  check_wire
  ok "up in $UP s, ping $PING ms, TCP $RATE$WIRE"
}
# Without the right to raw sockets, both go on with ESP in UDP by themselves.
case_both_ours_unasked() {
  ENCAP=auto WITHOUT=net_raw
  add_network
  watch_wire
  start_server
  start_client
  iperf_server_in_ns "$SRV"
  check_traffic 10.99.0.1 "$(ready_field client mtu)" near_ns "$CLI"
  close_ours client "$CLI"
  close_ours server "$SRV"
  ENCAP=force
  check_wire
  grep -q 'no raw socket for ESP' "$DIR/ours-client.log" || fail "vpn-client does not say that it goes without"
  ok "up in $UP s, ping $PING ms, TCP $RATE$WIRE"
}
# The server without a runtime.
case_both_ours_threads() {
  add_network
  watch_wire
  ip -n "$SRV" addr add 10.77.0.2/24 dev br0
  : >"$DIR/ours-server.out"
  into_ns "$SRV" "$BIN/vpn-server-threads" 10.77.0.2 "$OUR_PSK" 10.99.0.0/24 alice:wonderland \
    </dev/null >"$DIR/ours-server.out" 2>"$DIR/ours-server.log" &
  OURS[server]=$!
  on_exit stop_pid "${OURS[server]}"
  await_ours server 10
  start_client
  iperf_server_in_ns "$SRV"
  check_traffic 10.99.0.1 "$(ready_field client mtu)" near_ns "$CLI"
  close_ours client "$CLI"
  check_wire
  ok "up in $UP s, ping $PING ms, TCP $RATE$WIRE"
}
