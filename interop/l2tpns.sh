# l2tpns, an LNS in user space, with FreeRADIUS behind it; sourced, not run.
# shellcheck shell=bash
#
# It needs no guest. Clients get 10.98.0.17 and on; it is 10.98.0.1 itself. Reads $AUTH (pap or
# chap), $SECRET and $PASSWORD.

start_l2tpns() { # FOLDER NAMESPACE
  local dir=$1 ns=$2 pid
  mkdir -p "$dir/etc" "$dir/run" "$dir/raddb"
  write_freeradius "$dir"
  ip -n "$ns" addr add 10.77.0.2/24 dev br0
  ip -n "$ns" route add 224.0.0.0/4 dev br0 # for its cluster's heartbeat
  echo 10.98.0.16/28 >"$dir/etc/ip_pool"
  echo admin:admin >"$dir/etc/users"
  cat >"$dir/etc/startup-config" <<END
set debug 4
set log_file "$dir/l2tpns.log"
set pid_file "$dir/run/l2tpns.pid"
set hostname "peer-l2tpns"
set l2tp_secret "${SECRET:-unused}"
set bind_address 10.77.0.2
set iftun_address 10.98.0.1
set peer_address 10.98.0.1
set primary_dns 10.98.0.1
set primary_radius 127.0.0.1
set primary_radius_port 1812
set radius_secret "interop"
set radius_authtypes "$AUTH"
set cluster_interface "br0"
set cluster_hb_interval 1
set cluster_hb_timeout 5
set cli_bind_address 127.0.0.1
END
  into_ns "$ns" freeradius -d "$dir/raddb" -f -l "$dir/radius.log" >"$dir/freeradius.out" 2>&1 &
  pid=$!
  on_exit stop_pid "$pid"
  # It insists on /etc/l2tpns and on writing to /run: give it its own.
  # shellcheck disable=SC2016
  into_ns "$ns" unshare -m --propagation private bash -ec '
    mount --bind "$0/etc" /etc/l2tpns
    mount --bind "$0/run" /run
    exec l2tpns -c /etc/l2tpns/startup-config' "$dir" </dev/null >"$dir/l2tpns.out" 2>&1 &
  pid=$!
  on_exit stop_pid "$pid"
  # Before its first heartbeat, as master of a cluster of one, it answers nothing.
  wait_for 20 grep -qs 'Sending v.*heartbeat' "$dir/l2tpns.log" ||
    fail "l2tpns did not start: $(tail -n 1 "$dir/l2tpns.out")"
}

write_freeradius() { # FOLDER
  cat >"$1/raddb/radiusd.conf" <<END
prefix = /usr
logdir = $1
run_dir = $1/run
libdir = /usr/lib/freeradius
name = radiusd
log { destination = files
      file = $1/radius.log
      auth = yes }
security { allow_vulnerable_openssl = yes }
client l2tpns { ipaddr = 127.0.0.1
                secret = interop }
modules { pap { }
          chap { }
          files { usersfile = $1/raddb/users } }
server default {
  listen { type = auth
           ipaddr = 127.0.0.1
           port = 1812 }
  authorize {
    files
    chap
    pap
  }
  authenticate {
    Auth-Type PAP {
      pap
    }
    Auth-Type CHAP {
      chap
    }
  }
}
END
  printf 'alice Cleartext-Password := "%s"\n\tService-Type = Framed-User, Framed-Protocol = PPP\n' \
    "$PASSWORD" >"$1/raddb/users"
  echo "\$INCLUDE /usr/share/freeradius/dictionary" >"$1/raddb/dictionary"
}
