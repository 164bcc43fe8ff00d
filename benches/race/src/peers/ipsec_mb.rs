//! intel-ipsec-mb. Its 3DES, in constant time by looking at whole tables, is a thousand times
//! slower than the others' and is left out.

use std::cell::RefCell;
use std::rc::Rc;

use race_ipsec_mb::Code;
use race_ipsec_mb::How;
use race_ipsec_mb::Key;
use race_ipsec_mb::Manager;
use race_ipsec_mb::Packet;
use race_ipsec_mb::Suite;
pub(crate) use race_ipsec_mb::version;
use vpn_core::crypto::EspCipher;
use vpn_core::crypto::EspIntegrity;
use vpn_core::crypto::EspSuite;

use crate::contender::Column;
use crate::contender::Contender;
use crate::contender::Task;
use crate::packets::Shape;
use crate::packets::Way;

pub(crate) fn contenders(task: Task) -> Vec<Contender> {
    let suite = match task.suite {
        EspSuite::Combined(_) => Suite::Gcm,
        EspSuite::Separate(EspCipher::TripleDesCbc, _) => return Vec::new(),
        EspSuite::Separate(_, EspIntegrity::HmacSha1_96) => Suite::CbcSha1,
        EspSuite::Separate(..) => Suite::CbcSha256,
    };
    let mut all = Vec::new();
    let fastest = if task.avx2 { (Code::Avx2, AVX2) } else { (Code::Auto, AUTO) };
    for (code, variants) in [fastest, (Code::Sse, SSE)] {
        let Some(mut manager) = Manager::new(code) else { continue };
        let keys: Rc<Vec<Key>> =
            Rc::new(task.keys().iter().map(|(key, mac)| manager.key(suite, key, mac)).collect());
        let manager = Rc::new(RefCell::new(manager));
        for (how, variant) in variants {
            let possible = match how {
                How::OneByOne => task.shape == Shape::One,
                How::Queue | How::Burst => task.shape != Shape::One,
                How::Direct => suite == Suite::Gcm,
            };
            if possible {
                let (manager, keys) = (Rc::clone(&manager), Rc::clone(&keys));
                all.push(contender(task.way, manager, keys, *how, variant));
            }
        }
    }
    all
}

const AUTO: &[(How, &str)] = &[
    (How::OneByOne, "one job"),
    (How::Queue, "jobs"),
    (How::Burst, "burst"),
    (How::Direct, "direct call"),
];
const AVX2: &[(How, &str)] = &[
    (How::OneByOne, "one job, AVX2"),
    (How::Queue, "jobs, AVX2"),
    (How::Burst, "burst, AVX2"),
    (How::Direct, "direct call, AVX2"),
];
const SSE: &[(How, &str)] = &[
    (How::OneByOne, "one job, SSE"),
    (How::Queue, "jobs, SSE"),
    (How::Burst, "burst, SSE"),
    (How::Direct, "direct call, SSE"),
];

fn contender(
    way: Way,
    manager: Rc<RefCell<Manager>>,
    keys: Rc<Vec<Key>>,
    how: How,
    variant: &'static str,
) -> Contender {
    let work = Box::new(move |packets: &mut crate::packets::Packets| {
        let mut packets: Vec<Packet<'_>> = packets
            .each()
            .zip(keys.iter().cycle())
            .map(|(packet, key)| Packet::new(key, packet))
            .collect();
        match way {
            Way::Seal => manager.borrow_mut().seal(&mut packets, how),
            Way::Open => manager.borrow_mut().open(&mut packets, how),
        }
    });
    Contender { column: Column::IpsecMb, variant, work }
}
