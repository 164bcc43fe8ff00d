use alloc::collections::BTreeMap;
use alloc::collections::VecDeque;

use l2tp_wire::AttributeType;
use l2tp_wire::MessageType;
use l2tp_wire::Packet as L2tp;
use ppp_core::ControlCode;
use ppp_core::Options;
use ppp_core::Protocol;
use vpn_core::RandomError;
use vpn_core::RandomSource;
use vpn_core::SecureRandom;
use vpn_netsim::SeededRandom;

use super::Recording;
use super::Side;

/// LCP's Magic-Number option.
const MAGIC: u8 = 5;
/// The length of an MS-CHAPv2 Response, in front of which it stands.
const MS_CHAP_V2: u8 = 49;

/// Gives out what one side of a recording drew, known by its length; other octets at random.
#[derive(Debug)]
pub struct Script {
    drawn: BTreeMap<usize, VecDeque<Vec<u8>>>,
    rest: SeededRandom,
}

impl Script {
    fn new() -> Self {
        Self { drawn: BTreeMap::new(), rest: SeededRandom::new(1) }
    }

    fn push(&mut self, octets: &[u8]) {
        self.drawn.entry(octets.len()).or_default().push_back(octets.to_vec());
    }

    /// What the control connection and its call took: IDs and the challenge.
    fn of_endpoint(recording: &Recording, side: Side) -> Self {
        let mut script = Self::new();
        let mut ids = (0, 0);
        for sent in recording.from(side.other()) {
            match L2tp::decode(&sent.payload).unwrap() {
                L2tp::Control(control) if control.tunnel_id != 0 => ids.0 = control.tunnel_id,
                L2tp::Control(_) => {}
                L2tp::Data(data) => ids.1 = data.header.session_id,
            }
        }
        for id in [ids.0, ids.1] {
            // An ID, and the step to the next one where it is taken.
            let [a, b] = u16::to_be_bytes(id);
            script.push(&[a, b, 0, 0]);
        }
        for control in recording.control(side) {
            let hello = [Some(MessageType::SCCRQ), Some(MessageType::SCCRP)];
            if !hello.contains(&control.message_type()) {
                continue;
            }
            let avps = control.avps().map(Result::unwrap);
            let challenge = avps.filter(|avp| avp.attribute_type == AttributeType::CHALLENGE);
            challenge.for_each(|avp| script.push(avp.value));
        }
        script
    }

    /// What PPP took: magic number, challenges and their Identifiers, interface identifier.
    fn of_link(recording: &Recording, side: Side) -> Self {
        let mut script = Self::new();
        // The first one is the keep-alive's.
        script.push(&[0]);
        for (protocol, packet) in recording.ppp(side) {
            match (protocol, packet.code) {
                (Protocol::LCP, 1) => {
                    let options = Options::new(packet.data).map(Result::unwrap);
                    let magic = options.filter(|option| option.kind == MAGIC);
                    magic.for_each(|option| script.push(option.data));
                }
                (Protocol::IPV6CP, code) if ControlCode(code) == ControlCode::CONFIGURE_REQUEST => {
                    script.push(&packet.data[2..10]);
                }
                (Protocol::CHAP, 1) => {
                    // pppd's challenges have any length, ours 16 octets.
                    script.push(&packet.data[1..17]);
                    script.push(&[packet.identifier]);
                }
                (Protocol::CHAP, 2) if packet.data[0] == MS_CHAP_V2 => {
                    script.push(&packet.data[1..17]);
                }
                _ => {}
            }
        }
        script
    }
}

impl SecureRandom for Script {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        match self.drawn.get_mut(&out.len()).and_then(VecDeque::pop_front) {
            Some(octets) => out.copy_from_slice(&octets),
            None => self.rest.fill(out)?,
        }
        Ok(())
    }
}

/// The generators of a client or server in the order of their making.
#[derive(Debug)]
pub struct Source(VecDeque<Script>);

impl Source {
    pub fn of(recording: &Recording, side: Side) -> Self {
        let scripts = [Script::of_endpoint(recording, side), Script::of_link(recording, side)];
        Self(scripts.into())
    }
}

impl RandomSource for Source {
    fn generator(&mut self) -> Box<dyn SecureRandom + Send> {
        Box::new(self.0.pop_front().unwrap())
    }
}
