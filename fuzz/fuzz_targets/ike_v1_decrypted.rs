//! Made-up payloads where only who has the keys can put them: messages that decrypt and whose hash
//! is right, in every state of phase 1 and of quick mode.
#![no_main]

#[path = "../../crates/ipsec-ike/tests/support/no_security.rs"]
mod no_security;
#[allow(dead_code, reason = "the crate's own tests use more of it")]
#[path = "../../crates/ipsec-ike/tests/support/operations.rs"]
mod operations;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use operations::Driver;
use operations::Forgery;
use operations::Operation;

#[derive(Arbitrary, Debug)]
struct Input {
    which: u8,
    /// How many datagrams of the exchange arrive before.
    delivered: u8,
    messages: Vec<Message>,
}

#[derive(Arbitrary, Debug)]
struct Message {
    to_server: bool,
    sa: u8,
    exchange: u8,
    first: u8,
    message_id: u8,
    hash: bool,
    encrypted: bool,
    octets: Vec<u8>,
    /// Whether the real exchange goes on afterwards.
    goes_on: bool,
}

fuzz_target!(|input: Input| {
    let mut driver = Driver::new(input.which, 1);
    driver.step(Operation::Connect { end: 0 });
    for _ in 0..input.delivered % 12 {
        driver.step(Operation::Deliver { place: 0 });
        driver.step(Operation::Answer { end: 1, accept: true });
    }
    for message in input.messages.into_iter().take(16) {
        driver.step(Operation::Forge(Forgery {
            end: usize::from(message.to_server),
            stranger: false,
            sa: message.sa,
            exchange: message.exchange,
            first: message.first,
            message_id: message.message_id,
            hash: message.hash,
            encrypted: message.encrypted,
            octets: message.octets,
        }));
        if message.goes_on {
            driver.step(Operation::Deliver { place: 0 });
        }
    }
    driver.quiesce();
    driver.finish();
});
