# strongSwan in a guest: IKEv1 and the kernel's ESP under xl2tpd; sourced, not run.
# shellcheck shell=bash
#
# Reads the case's settings: $IPSEC (yes or empty), $PSK (the peer's), $IKE and $ESP (the peer's, in
# strongSwan's notation), $ENCAP (auto or force), $REKEY (who replaces keys: peer, ours or empty).

write_strongswan() { # FOLDER server|client ADDRESS
  local dir=$1 me=$3 openssl='' remote=%any remote_ts='dynamic[udp]' initial=no encap=no
  local rekey_ike=4h rekey_esp=1h auth=psk x509=''
  # OpenSSL takes long to load, so only where it is needed.
  case $IKE$ESP in *3des* | *ecp*) openssl=openssl ;; esac
  if [ "$2" = client ]; then remote=10.77.0.2 remote_ts='dynamic[udp/1701]' initial=yes; fi
  if [ "$ENCAP" = force ] && [ "$2" = client ]; then encap=yes; fi
  if [ -n "$CERT" ]; then
    auth=pubkey x509='x509 pem pkcs1 pkcs8 pubkey constraints'
    mkdir -p "$dir/x509" "$dir/x509ca" "$dir/private"
    cp "$DIR/peer.pem" "$dir/x509/"
    cp "$DIR/ca.pem" "$dir/x509ca/"
    cp "$DIR/peer.key" "$dir/private/"
  fi
  if [ "$REKEY" = peer ]; then rekey_ike=25s rekey_esp=10s; fi
  cat >"$dir/strongswan.conf" <<END
charon {
  load_modular = no
  load = random nonce $openssl $x509 gmp aes sha1 sha2 md5 hmac kdf gcm curve25519 kernel-netlink socket-default vici
  retransmit_tries = 3
  filelog {
    charon {
      path = /run/log/charon.log
      default = 1
      ike = 2
      cfg = 2
      flush_line = yes
      time_format = %H:%M:%S
    }
  }
}
swanctl {
  load = random $x509 gmp sha1 sha2
}
END
  cat >"$dir/swanctl.conf" <<END
connections {
  l2tp {
    version = 1
    local_addrs = $me
    remote_addrs = $remote
    proposals = $IKE
    encap = $encap
    dpd_delay = 2s
    dpd_timeout = 8s
    reauth_time = 0s
    rekey_time = $rekey_ike
    over_time = 60s
    rand_time = 0s
    local {
      auth = $auth
      id = $me
      ${CERT:+certs = peer.pem}
    }
    remote {
      auth = $auth
      id = %any
    }
    children {
      l2tp {
        mode = transport
        local_ts = dynamic[udp/1701]
        remote_ts = $remote_ts
        esp_proposals = $ESP
        rekey_time = $rekey_esp
        life_time = 2h
        rand_time = 0s
      }
    }
  }
}
secrets {
  ike-l2tp {
    secret = "$PSK"
  }
}
END
  {
    printf 'initial=%q\n' "$initial"
    cat <<'END'
/run/modprobe -a esp4 xfrm_user authenc cbc ctr gcm hmac sha512_generic des_generic ghash-generic \
  drbg seqiv echainiv
# All is loaded: searching for every name of a cipher takes seconds.
: >/run/nothing
echo /run/nothing >/proc/sys/kernel/modprobe
export STRONGSWAN_CONF=$state/strongswan.conf
/usr/lib/ipsec/charon >/run/log/charon.err 2>&1 &
wait_for 20 test -S /run/charon.vici &&
  swanctl --load-all --noprompt --file "$state/swanctl.conf" >/run/log/swanctl.log 2>&1 ||
  report failed "charon did not start: $(tail -n 1 /run/log/charon.err /run/log/swanctl.log)"
ike_up() {
  [ "$initial" = no ] || timeout 40 swanctl --initiate --child l2tp >>/run/log/swanctl.log 2>&1
}
END
  } >"$dir/ipsec.sh"
}

# An authority, and certificates for both ends with their addresses.
make_certificates() { # OUR-ADDRESS PEER-ADDRESS
  local name address
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=lab-ca -keyout "$DIR/ca.key" \
    -out "$DIR/ca.pem" 2>"$DIR/openssl.out" || fail "openssl: $(tail -n 1 "$DIR/openssl.out")"
  while read -r name address; do
    openssl req -newkey rsa:2048 -nodes -subj "/O=lab/CN=$name" -keyout "$DIR/$name.key" 2>>"$DIR/openssl.out" |
      openssl x509 -req -CA "$DIR/ca.pem" -CAkey "$DIR/ca.key" -CAcreateserial -days 2 -sha256 \
        -extfile <(printf '%s\n' "subjectAltName=IP:$address" 'extendedKeyUsage=1.3.6.1.5.5.7.3.17') \
        -out "$DIR/$name.pem" 2>>"$DIR/openssl.out" || fail "openssl: $(tail -n 1 "$DIR/openssl.out")"
  done <<<"ours $1"$'\n'"peer $2"
}

# How many lines of charon's log of a guest match.
charon_count() { # FOLDER PATTERN
  guest "$1" "grep -cE '$2' /run/log/charon.log" || true
}
# After our orderly close: the peer must have been told of both kinds of SA.
check_charon_saw_close() { # FOLDER
  local kind
  [ -n "$IPSEC" ] || return 0
  for kind in 'ESP CHILD_SA' IKE_SA; do
    wait_for 5 charon_said "$1" "received DELETE for $kind" || fail "the peer saw no delete of its $kind"
  done
  SAW="$SAW DELETE"
}
charon_said() { [ "$(charon_count "$1" "$2")" != 0 ]; } # FOLDER PATTERN
