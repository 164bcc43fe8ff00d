//! The captured exchanges once more, with our endpoint in the place of one of the peers: it draws the
//! cookie, the nonces, the public value and the SPI that this peer had, and must come to the same
//! keys and say the same.
//!
//! What the endpoint receives is what the other peer sent. Only its encryption is made anew, under
//! the captured keys, where a message of ours was not the captured one octet for octet: we say that
//! it is our first contact, strongSwan adds a whole block of padding, and the IVs follow from both
//! sides' messages.
#![allow(clippy::restriction, reason = "a test")]

#[path = "../lab/mod.rs"]
mod lab;
mod scene;
mod script;
mod transcript;

use ipsec_ike::Header;
use lab::AGGRESSIVE;
use lab::MAIN_MODE;
use scene::Scene;
use transcript::Side;
use vpn_core::Handled;

fn every_scene() -> impl Iterator<Item = Scene> {
    let servers = MAIN_MODE.into_iter().chain([AGGRESSIVE]);
    let servers = servers.map(|capture| Scene::new(capture, Side::Server));
    servers.chain(MAIN_MODE.into_iter().map(|capture| Scene::new(capture, Side::Client)))
}

#[test]
fn every_capture_from_either_side() {
    for mut scene in every_scene() {
        scene.play();
        scene.check();
    }
}

/// IKEv1 has no checksum over what is encrypted, so a wrong octet turns into noise that the endpoint
/// may neither answer nor act on (reliability of the decryption oracle kind), and after which the
/// right message must still be understood: the IV has not moved.
#[test]
fn a_wrong_octet_of_ciphertext_does_nothing() {
    for mut scene in every_scene() {
        for step in 0..scene.len() {
            if !scene.is_from_peer(step) {
                scene.play_step(step);
                continue;
            }
            let message = scene.rewritten(step);
            let said = scene.events.len();
            if scene.is_encrypted(step) {
                for at in scene.covered(step) {
                    for bit in [0, 4, 7] {
                        let mut wrong = message.clone();
                        wrong[at] ^= 1 << bit;
                        let handled = scene.deliver(step, &wrong);
                        let name = scene.name(step);
                        assert!(matches!(handled, Handled::Dropped(_)), "{name}, octet {at}");
                        assert!(scene.sent.is_empty(), "{name}, octet {at}");
                        assert_eq!(scene.events.len(), said, "{name}, octet {at}");
                    }
                }
            }
            assert_eq!(scene.deliver(step, &message), Handled::Consumed, "{}", scene.name(step));
        }
        scene.check();
    }
}

/// Every part of a message, and every message with something behind it.
#[test]
fn a_message_cut_short_does_nothing() {
    for mut scene in every_scene() {
        for step in 0..scene.len() {
            if !scene.is_from_peer(step) {
                scene.play_step(step);
                continue;
            }
            let message = scene.rewritten(step);
            let said = scene.events.len();
            for len in 0..message.len() {
                let handled = scene.deliver(step, &message[..len]);
                assert!(matches!(handled, Handled::Dropped(_)), "{}, {len}", scene.name(step));
            }
            if scene.is_encrypted(step) {
                // Cut so that the header agrees with it: whole blocks that decrypt, but not all.
                for len in Header::LEN..scene.covered(step).end {
                    let mut cut = message[..len].to_vec();
                    cut[24..28].copy_from_slice(&u32::try_from(len).unwrap().to_be_bytes());
                    let handled = scene.deliver(step, &cut);
                    assert!(matches!(handled, Handled::Dropped(_)), "{}, {len}", scene.name(step));
                }
            }
            assert!(scene.sent.is_empty() && scene.events.len() == said, "{}", scene.name(step));
            assert_eq!(scene.deliver(step, &message), Handled::Consumed, "{}", scene.name(step));
        }
        scene.check();
    }
}

/// Each message twice: the answer is the same, and nothing happens twice. At the end all of them
/// once more.
#[test]
fn repeated_messages_get_the_same_answer() {
    for mut scene in every_scene() {
        let mut all = Vec::new();
        for step in 0..scene.len() {
            if !scene.is_from_peer(step) {
                scene.play_step(step);
                continue;
            }
            let message = scene.rewritten(step);
            assert_eq!(scene.deliver(step, &message), Handled::Consumed, "{}", scene.name(step));
            let answer: Vec<_> = scene.sent.drain(..).collect();
            let said = scene.events.len();
            let _ = scene.deliver(step, &message);
            let again: Vec<_> = scene.sent.drain(..).collect();
            let name = scene.name(step);
            assert!(again.is_empty() || answer.starts_with(&again), "{name}");
            if scene.transcript.side == Side::Server {
                assert_eq!(again, answer, "{name}: a responder repeats its answer");
            }
            assert_eq!(scene.events.len(), said, "{name}");
            scene.sent.extend(answer);
            all.push((step, message));
        }
        let said = scene.events.len();
        for (step, message) in &all {
            let _ = scene.deliver(*step, message);
        }
        scene.sent.clear();
        assert_eq!(scene.events.len(), said);
        scene.check();
    }
}

/// All that is still to come, and all that was, arrives before each message: nothing of it counts.
#[test]
fn messages_out_of_their_order_do_nothing() {
    for mut scene in every_scene() {
        for step in 0..scene.len() {
            if scene.is_from_peer(step) {
                let (said, waiting) = (scene.events.len(), scene.sent.len());
                for later in step + 1..scene.len() {
                    if scene.is_from_peer(later) {
                        let message = scene.transcript.steps[later].datagram.message.clone();
                        let _ = scene.deliver(later, &message);
                        let name = scene.name(step);
                        assert_eq!(scene.events.len(), said, "{name}: {}", later + 1);
                        assert_eq!(scene.sent.len(), waiting, "{name}: {}", later + 1);
                    }
                }
            }
            scene.play_step(step);
        }
        scene.check();
    }
}
