//! The key exchanges of IKE: `vpn-crypto` beside crypto-bigint, OpenSSL, ring and aws-lc-rs.

use core::hint::black_box;

use vpn_core::crypto::DhGroup;
use vpn_core::crypto::KeyExchange;

use crate::fixture::Counting;
use crate::race::Effort;
use crate::race::Repeated;
use crate::race::median;
use crate::race::ratio;
use crate::table::digits;

mod bigint;
mod curves;
mod openssl;

/// Something that is timed, in the row and column of a table; several there are parts of a whole.
struct Entry {
    row: String,
    column: &'static str,
    work: Box<dyn FnMut()>,
}

/// A group of numbers, with an exponent length.
#[derive(Clone)]
struct Modp {
    group: DhGroup,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
    /// The peer's public value.
    peer: Vec<u8>,
}

const OURS: &str = "ours";

/// The tables, in Markdown.
pub(crate) fn race(effort: Effort) -> String {
    let mut entries = Vec::new();
    for group in [DhGroup::MODP_1024, DhGroup::MODP_2048, DhGroup::MODP_3072] {
        entries.extend(modp(group));
    }
    let numbers = measure(entries, effort);
    let mut entries = Vec::new();
    for group in [DhGroup::CURVE_25519, DhGroup::ECP_256] {
        if let Some(ours) = ours(group) {
            entries.push(Entry { row: group.to_string(), column: OURS, work: exchange(ours) });
        }
        entries.extend(curves::entries(group));
    }
    let curves = measure(entries, effort);
    format!(
        "### Key exchanges over numbers\n\nMicroseconds of an exchange (times ours): of the public \
         value, which is a power of 2, and of the shared secret.\n\n{}\n\
         ### Key exchanges over curves\n\nMicroseconds of an exchange: key pair and shared secret \
         (times ours).\n\n{}",
        numbers.table("modulus, exponent"),
        curves.table("group")
    )
}

fn ours(group: DhGroup) -> Option<&'static dyn KeyExchange> {
    vpn_crypto::provider().ike.group(group)
}

/// A key pair, then the shared secret with the same peer each time.
fn exchange(group: &'static dyn KeyExchange) -> Box<dyn FnMut()> {
    let mut rng = Counting(3);
    let (mut private, mut peer) = (vec![0; group.private_len()], vec![0; group.public_len()]);
    group.generate(&mut rng, &mut private, &mut peer).unwrap();
    let (mut public, mut shared) = (vec![0; group.public_len()], vec![0; group.shared_len()]);
    Box::new(move || {
        group.generate(&mut rng, &mut private, &mut public).unwrap();
        group.agree(&private, &peer, &mut shared).unwrap();
        black_box((&public, &shared));
    })
}

/// All that is timed of a group of numbers: short exponents, then those of the modulus' length.
fn modp(group: DhGroup) -> Vec<Entry> {
    let mut entries = Vec::new();
    let modulus = openssl::modulus(group);
    let mut peer = modulus.clone();
    peer.iter_mut().step_by(3).for_each(|octet| *octet ^= 0x5a);
    peer[0] &= 0x7f;
    let random = |len: usize| {
        let mut octets = vec![0; len];
        vpn_core::SecureRandom::fill(&mut Counting(11), &mut octets).unwrap();
        octets[0] |= 0x80;
        octets
    };
    let short = ours(group).map_or(32, |group| group.private_len());
    for len in [short, modulus.len()] {
        let row = format!("{group}, {} bits", len * 8);
        let mut push = |column, work| entries.push(Entry { row: row.clone(), column, work });
        let (modulus, peer) = (modulus.clone(), peer.clone());
        let group_of = Modp { group, modulus, exponent: random(len), peer };
        if let Some(group) = ours(group).filter(|group| group.private_len() == len) {
            let (mut private, mut value) = (vec![0; len], vec![0; group.public_len()]);
            let mut rng = Counting(3);
            group.generate(&mut rng, &mut private, &mut value).unwrap();
            let (secret, peer) = (private.clone(), group_of.peer.clone());
            let same = Modp { exponent: secret.clone(), ..group_of.clone() };
            let mut two = vec![0; same.modulus.len()];
            two[same.modulus.len() - 1] = 2;
            let of_two = Modp { peer: two, ..same.clone() };
            assert_eq!(value, bigint::shared(&of_two), "{row}: crypto-bigint finds another");
            push(
                OURS,
                Box::new(move || {
                    group.generate(&mut rng, &mut private, &mut value).unwrap();
                    black_box(&value);
                }),
            );
            let mut value = vec![0; group.shared_len()];
            group.agree(&secret, &peer, &mut value).unwrap();
            assert_eq!(value, bigint::shared(&same), "{row}: crypto-bigint finds another");
            push(
                OURS,
                Box::new(move || {
                    group.agree(&secret, &peer, &mut value).unwrap();
                    black_box(&value);
                }),
            );
        }
        let [of_two, of_peer] = bigint::powers(&group_of);
        push("crypto-bigint", of_two);
        push("crypto-bigint", of_peer);
        assert_eq!(
            openssl::shared(&group_of),
            bigint::shared(&group_of),
            "{row}: OpenSSL and crypto-bigint differ"
        );
        let [of_two, of_peer] = openssl::powers(&group_of);
        push("OpenSSL BN", of_two);
        push("OpenSSL BN", of_peer);
    }
    entries
}

/// Microseconds of each entry in each round.
struct Measured(Vec<(String, &'static str, Vec<f64>)>);

/// Entries in turn, as the suites are measured.
fn measure(mut entries: Vec<Entry>, effort: Effort) -> Measured {
    let mut repeated: Vec<_> = entries.iter().map(|_| Repeated::new()).collect();
    let mut samples = vec![Vec::new(); entries.len()];
    for round in 0..=effort.rounds {
        crate::progress(&format!("key exchanges, round {round} of {}", effort.rounds));
        for ((entry, repeated), samples) in entries.iter_mut().zip(&mut repeated).zip(&mut samples)
        {
            let ns = repeated.run(effort.slot, &mut entry.work);
            if round > 0 {
                samples.push(ns / 1000.0);
            }
        }
    }
    let timed = entries.into_iter().zip(samples);
    Measured(timed.map(|(entry, samples)| (entry.row, entry.column, samples)).collect())
}

impl Measured {
    /// What each round took, and the medians of the parts.
    fn whole(&self, row: &str, column: &str) -> Option<(Vec<f64>, Vec<f64>)> {
        let parts = self.0.iter().filter(|entry| entry.0 == row && entry.1 == column);
        let parts: Vec<&[f64]> = parts.map(|entry| &entry.2[..]).collect();
        let rounds = parts.first()?.len();
        let whole = (0..rounds).map(|round| parts.iter().map(|part| part[round]).sum()).collect();
        Some((whole, parts.iter().map(|part| median(part.to_vec())).collect()))
    }

    fn table(&self, corner: &str) -> String {
        let (mut rows, mut columns) = (Vec::new(), Vec::new());
        for (row, column, _) in &self.0 {
            if !rows.contains(row) {
                rows.push(row.clone());
            }
            if !columns.contains(column) {
                columns.push(column);
            }
        }
        let rule = "---:|".repeat(columns.len());
        let mut text = format!("| {corner} | {} |\n|---|{rule}\n", columns.join(" | "));
        for row in rows {
            text += &format!("| {row} |");
            let ours = self.whole(&row, OURS).map(|(whole, _)| whole);
            for column in &columns {
                let Some((whole, parts)) = self.whole(&row, column) else {
                    text += " – |";
                    continue;
                };
                let time = digits(median(whole.clone()));
                text += &match &ours {
                    Some(_) if *column == OURS => format!(" **{time}**"),
                    Some(ours) => format!(" {time} ({})", digits(ratio(&whole, ours))),
                    None => format!(" {time}"),
                };
                if parts.len() > 1 {
                    let parts: Vec<_> = parts.into_iter().map(digits).collect();
                    text += &format!(": {}", parts.join(" + "));
                }
                text += " |";
            }
            text.push('\n');
        }
        text
    }
}
