//! Octets of heap that a server holds for each idle session, at 100,000 sessions.
//!
//! No timing, so no criterion: it counts what the allocator has handed out and prints one line.

mod pair;

use pair::Pair;

const SESSIONS: u32 = 100_000;

fn main() {
    let mut pair = Pair::new();
    let info = allocation_counter::measure(|| {
        for _ in 0..SESSIONS {
            drop(pair.set_up());
        }
    });
    let each = info.bytes_current / i64::from(SESSIONS);
    println!("{SESSIONS} idle sessions hold {each} octets of heap each");
}
