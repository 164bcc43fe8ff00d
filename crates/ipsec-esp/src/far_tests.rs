//! SAs far from their beginning, where no test could get by sealing packets.

use alloc::vec::Vec;

use vpn_core::PacketMut;

use crate::InboundSa;
use crate::Local;
use crate::NextHeader;
use crate::OpenFailure;
use crate::OutboundSa;
use crate::SaConfig;
use crate::SealError;
use crate::Sealed;
use crate::Spi;
use crate::sequence::LAST_EXTENDED;
use crate::testing::inbound;
use crate::testing::outbound;

const SUBSPACE: u64 = 1 << 32;
const SUITES: [&str; 4] = ["aes128-sha1", "null-sha512", "aes256gcm16", "chacha20poly1305"];

fn sas(suite: &str, extended: bool) -> (OutboundSa<Local>, InboundSa<Local>) {
    let config = SaConfig::new(Spi(300)).extended_sequence_numbers(extended);
    (outbound(suite, config), inbound(suite, config))
}

fn seal(sa: &OutboundSa<Local>) -> Result<(Sealed, Vec<u8>), SealError> {
    let mut storage = [0x77; 200];
    let mut packet = PacketMut::new(&mut storage, 50..90).unwrap();
    let sealed = sa.seal(&mut packet, NextHeader::TCP)?;
    Ok((sealed, packet.payload().to_vec()))
}

fn open(sa: &InboundSa<Local>, packet: &[u8]) -> Result<u64, OpenFailure> {
    let mut storage = packet.to_vec();
    sa.open_explained(&mut PacketMut::whole(&mut storage)).map(|opened| opened.sequence)
}

/// The counter goes through 2^32, packets are lost and reordered across it.
#[test]
fn extended_numbers_go_on_across_a_subspace() {
    for suite in SUITES {
        for start in [SUBSPACE - 50, 7 * SUBSPACE - 50] {
            let (out, inbound) = sas(suite, true);
            out.start_at(start);
            inbound.window().raise(start);
            let packets: Vec<_> = (0..100).map(|_| seal(&out).unwrap().1).collect();
            for at in (0..100).rev() {
                let want = if at == 99 || at > 99 - 64 {
                    Ok(start + 1 + at as u64)
                } else {
                    Err(OpenFailure::BadIcv)
                };
                assert_eq!(open(&inbound, &packets[at]), want, "{suite} {at}");
            }
            assert_eq!(open(&inbound, &packets[99]), Err(OpenFailure::Replay));
            assert_eq!(open(&inbound, &packets[40]), Err(OpenFailure::Replay));
        }
    }
}

/// Without extended numbers the 2^32nd packet is never sent (RFC 4303 §3.3.3), however often it is
/// tried, and the warning comes long before.
#[test]
fn short_numbers_end() {
    let (out, inbound) = sas("aes128-sha1", false);
    out.start_at(0xf000_0000 - 2);
    let soft: Vec<bool> = (0..4).map(|_| seal(&out).unwrap().0.soft_limit).collect();
    assert_eq!(soft, [false, true, false, false]);
    out.start_at(SUBSPACE - 3);
    inbound.window().raise(SUBSPACE - 3);
    for sequence in [SUBSPACE - 2, SUBSPACE - 1] {
        let (sealed, packet) = seal(&out).unwrap();
        assert_eq!((sealed.sequence, open(&inbound, &packet)), (sequence, Ok(sequence)));
    }
    for _ in 0..1000 {
        assert_eq!(seal(&out).err(), Some(SealError::Exhausted));
    }
    assert_eq!(out.usage().packets, SUBSPACE - 1);
    let (zero, first) = sas("aes128-sha1", false);
    zero.start_at(u64::MAX);
    let refused = zero.seal(&mut PacketMut::new(&mut [0; 200], 50..90).unwrap(), NextHeader::TCP);
    assert_eq!(refused, Err(SealError::Exhausted));
    assert_eq!(open(&first, &[0, 0, 1, 44, 0, 0, 0, 0].repeat(7)[..52]), Err(OpenFailure::TooOld));
}

/// Extended numbers end too, and the counter never comes round, even if it stood at the very end.
#[test]
fn extended_numbers_end() {
    let (out, _) = sas("aes256gcm16", true);
    out.start_at(LAST_EXTENDED - 1);
    assert_eq!(seal(&out).unwrap().0.sequence, LAST_EXTENDED);
    for extended in [false, true] {
        let (beyond, _) = sas("aes256gcm16", extended);
        beyond.start_at(u64::MAX - 2);
        for tried in [&out, &beyond] {
            for _ in 0..100 {
                assert_eq!(seal(tried).err(), Some(SealError::Exhausted));
            }
        }
    }
}

/// So much was lost that the high half is wrong (RFC 4303 appendix A3): packets fail until the
/// receiver is told to look further.
#[test]
fn synchronization_is_found_again() {
    for suite in SUITES {
        let (out, inbound) = sas(suite, true);
        let (_, first) = seal(&out).unwrap();
        assert_eq!(open(&inbound, &first), Ok(1));
        out.start_at(5 * SUBSPACE + 77);
        let packets: Vec<_> = (0..5).map(|_| seal(&out).unwrap().1).collect();
        for (packet, failed) in packets[..4].iter().zip(1..) {
            assert_eq!(open(&inbound, packet), Err(OpenFailure::BadIcv));
            assert_eq!(inbound.forged_in_a_row(), failed);
        }
        let mut scratch = [0; 500];
        assert!(!inbound.resynchronize(&packets[3], &mut scratch, 4), "not far enough");
        assert_eq!((inbound.usage().packets, inbound.forged_in_a_row()), (1, 4));
        let mut forged = packets[3].clone();
        forged[20] ^= 1;
        assert!(!inbound.resynchronize(&forged, &mut scratch, 1024));
        assert!(inbound.resynchronize(&packets[3], &mut scratch, 5), "{suite}");
        assert_eq!(inbound.forged_in_a_row(), 0);
        assert_eq!(open(&inbound, &packets[4]), Ok(5 * SUBSPACE + 82));
        assert_eq!(open(&inbound, &packets[2]), Ok(5 * SUBSPACE + 80));
        assert_eq!(open(&inbound, &packets[3]), Err(OpenFailure::Replay));
    }
    let (out, short) = sas("aes128-sha1", false);
    let (_, packet) = seal(&out).unwrap();
    assert!(!short.resynchronize(&packet, &mut [0; 500], 1024), "nothing to infer");
}

/// A valid packet ends a row of forged ones.
#[test]
fn a_row_of_forged_packets_ends() {
    let (out, inbound) = sas("aes256gcm16", true);
    let (_, good) = seal(&out).unwrap();
    let mut forged = good.clone();
    forged[30] ^= 1;
    for failed in 1..4 {
        assert!(open(&inbound, &forged).is_err());
        assert_eq!(inbound.forged_in_a_row(), failed);
    }
    assert_eq!(open(&inbound, &good), Ok(1));
    assert_eq!(inbound.forged_in_a_row(), 0);
}
