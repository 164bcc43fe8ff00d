//! Octets of heap that a server holds for each idle session, with as many tunnels as one link has
//! and one session in each: a tunnel's share is in the figure.
//!
//! No timing, so no criterion: it counts what the allocator has handed out and prints one line.

mod pair;

use pair::CAPACITY;
use pair::Pair;

fn main() {
    let mut pair = Pair::new();
    let info = allocation_counter::measure(|| {
        for _ in 0..CAPACITY {
            drop(pair.set_up());
        }
    });
    let each = info.bytes_current / i64::from(CAPACITY);
    println!("{CAPACITY} idle sessions hold {each} octets of heap each");
}
