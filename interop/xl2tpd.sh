# xl2tpd with pppd and the kernel's L2TP in a guest, as LNS or LAC; sourced, not run.
# shellcheck shell=bash
#
# Reads the case's settings: $AUTH, $SECRET (tunnel secret or empty), $HIDDEN and $USERSPACE (yes or
# empty), $PASSWORD (the peer's).

write_pppd() { # FOLDER server|client
  local etc=$1/etc-ppp wanted=${AUTH/mschapv2/mschap-v2} method
  mkdir -p "$etc"
  printf '"%s" * "%s" *\n' alice "$PASSWORD" '*' "$PASSWORD" >"$etc/chap-secrets"
  cp "$etc/chap-secrets" "$etc/pap-secrets"
  chmod 600 "$etc/chap-secrets" "$etc/pap-secrets"
  : >"$etc/options"
  printf '#!/bin/sh\necho "$4 $5" >/run/ppp/up.$1\n' >"$etc/ip-up"
  printf '#!/bin/sh\nrm -f /run/ppp/up.$1\n' >"$etc/ip-down"
  chmod +x "$etc/ip-up" "$etc/ip-down"
  {
    printf '%s\n' debug 'logfile /run/log/pppd.log' 'mtu 1400' 'mru 1400' nodefaultroute noproxyarp
    if [ "$2" = server ]; then
      printf '%s\n' auth 'name peer-lns' "require-$wanted" 'ms-dns 10.99.0.1' \
        'lcp-echo-interval 20' 'lcp-echo-failure 4'
    else
      printf '%s\n' noauth 'name alice' usepeerdns ipcp-accept-local ipcp-accept-remote
      for method in pap chap mschap mschap-v2 eap; do
        [ "$method" = "$wanted" ] || echo "refuse-$method"
      done
    fi
  } >"$1/options.ppp"
}

write_xl2tpd() { # FOLDER server|client ADDRESS
  local challenge=no
  [ -z "$SECRET" ] || challenge=yes
  printf '* * %s\n' "${SECRET:-unused}" >"$1/l2tp-secrets"
  {
    printf '%s\n' '[global]' 'port = 1701' "listen-addr = $3" 'access control = no' \
      "auth file = $1/l2tp-secrets" 'debug avp = yes' 'debug network = yes' 'debug state = yes' \
      'debug tunnel = yes' ${USERSPACE:+'force userspace = yes'}
    if [ "$2" = server ]; then
      printf '%s\n' '[lns default]' 'ip range = 10.99.0.10-10.99.0.20' 'local ip = 10.99.0.1' \
        'require authentication = yes' 'hostname = peer-lns'
    else
      printf '%s\n' '[lac peer]' 'lns = 10.77.0.2' 'hostname = peer-lac' 'redial = no'
    fi
    printf '%s\n' "pppoptfile = $1/options.ppp" 'ppp debug = yes' 'length bit = yes' \
      "challenge = $challenge" "hidden bit = ${HIDDEN:-no}"
  } >"$1/xl2tpd.conf"
}

# Boots a peer and waits until it listens, or, as a client, until it has dialled or given up.
start_xl2tpd() { # FOLDER server|client NAMESPACE ADDRESS/BITS [GATEWAY]
  local binary=xl2tpd
  [ -z "$HIDDEN" ] || binary=$HIDING_XL2TPD
  mkdir -p "$1"
  write_pppd "$1" "$2"
  write_xl2tpd "$1" "$2" "${4%/*}"
  [ -z "$IPSEC" ] || write_strongswan "$1" "$2" "${4%/*}"
  {
    printf 'binary=%q\nrole=%q\n' "$binary" "$2"
    cat <<'END'
mount --bind "$state/etc-ppp" /etc/ppp
ike_up() { true; }
# shellcheck source=/dev/null
[ ! -e "$state/ipsec.sh" ] || . "$state/ipsec.sh"
"$binary" -D -c "$state/xl2tpd.conf" -s "$state/l2tp-secrets" -p /run/xl2tpd.pid \
  -C /run/xl2tpd/l2tp-control >/run/log/xl2tpd.log 2>&1 &
if ! wait_for 20 test -p /run/xl2tpd/l2tp-control; then
  report failed "xl2tpd did not start"
elif [ "$role" = server ]; then
  report ready listening
elif ! ike_up; then
  report ready 'refused by IKE'
else
  echo "c peer" >/run/xl2tpd/l2tp-control
  given_up() { ! pgrep -x pppd >/dev/null && grep -qE 'closed to|pppd exited' /run/log/xl2tpd.log; }
  over() { [ -e /run/ppp/up.ppp0 ] || given_up; }
  if ! wait_for 45 over; then report failed "no ppp0 after 45 s"
  elif given_up; then report ready 'refused'
  else report ready "$(cat /run/ppp/up.ppp0)"; fi
fi
END
  } >"$1/guest.sh"
  boot_guest "$1" "$3" "$4" "${5:-}"
  await_guest "$1" 75
}
