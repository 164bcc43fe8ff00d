//! Octets of heap that a server holds for each idle session with a tunnel of its own, whose share is
//! in the figure: in clear, with as many as one link has, and over IPsec, where the peer's IKE SA and
//! its pair of ESP SAs come on top.
//!
//! No timing, so no criterion: it counts what the allocator has handed out and prints a line for each.

mod pair;

use pair::CAPACITY;
use pair::Carrier;
use pair::Pair;

fn main() {
    measure("in clear", Carrier::Clear, CAPACITY);
    for (ike, esp) in [
        ("aes256-sha256-curve25519", "aes256gcm16"),
        ("aes256-sha256-curve25519", "aes256-sha256"),
        ("aes256-sha1-modp2048", "aes256-sha1"),
    ] {
        let carrier = Carrier::Ipsec { ike, esp: esp.into(), checksum: true };
        measure(&format!("over {ike} and {esp}"), carrier, 1_000);
    }
}

fn measure(name: &str, carrier: Carrier, sessions: u32) {
    let mut pair = Pair::new(carrier);
    // What is made once, for the first, is no session's.
    drop(pair.set_up());
    let info = allocation_counter::measure(|| {
        for _ in 1..sessions {
            drop(pair.set_up());
        }
    });
    let each = info.bytes_current / i64::from(sessions - 1);
    println!("{sessions} idle sessions {name} hold {each} octets of heap each");
}
