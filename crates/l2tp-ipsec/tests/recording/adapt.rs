use alloc::collections::BTreeMap;

use l2tp_wire::AttributeType;
use l2tp_wire::DataMessage;
use l2tp_wire::MessageType;
use l2tp_wire::Packet as L2tp;
use l2tp_wire::auth::challenge_response;
use l2tp_wire::set_ns_nr;
use ppp_core::ControlCode;
use ppp_core::Options;
use ppp_core::Packet;
use ppp_core::Protocol;
use ppp_core::auth::chap_md5_response;

use super::PASSWORD;
use super::Recording;
use super::Side;
use super::packet;

/// The length of a CHAP-MD5 Response, in front of which it stands.
const MD5_LEN: u8 = 16;
/// The length of our CHAP challenges.
const OUR_CHALLENGE: u8 = 16;

/// Lets a recorded side answer the machine that plays the other one, where that may rightly differ
/// from the one that was recorded.
///
/// A recording can't answer: it has other Identifiers, and acknowledges more or fewer messages. So
/// what it sends is changed where it refers to what was sent to it, and only there:
/// - Nr is at most what the machine has sent;
/// - an answer to a Configure-Request or PAP request gets the Identifier of the machine's last
///   one, loses the options that this one has not, and is left out where nothing was asked;
/// - a Configure-Request loses the options that the machine has rejected, and is left out where
///   the machine has agreed to the rest before;
/// - a response to a challenge that has another length here than in the recording, or was not
///   there, is made anew.
#[derive(Debug, Default)]
pub struct Adapter {
    secret: Vec<u8>,
    /// How many messages the machine has numbered.
    numbered: u16,
    /// The challenge to the tunnel's peer.
    challenge: Vec<u8>,
    /// The CHAP challenge, with its Identifier, where the recorded response does not answer it.
    chap: Option<(u8, Vec<u8>)>,
    /// Whether the machine's CHAP challenge is the recorded one.
    challenge_recorded: bool,
    /// The Identifier and option types of the last request that is not acknowledged.
    asked: BTreeMap<u16, (u8, Vec<u8>)>,
    /// The option types that the machine has rejected.
    rejected: BTreeMap<u16, Vec<u8>>,
    /// The options that the machine has agreed to.
    agreed: BTreeMap<u16, Vec<u8>>,
}

impl Adapter {
    /// For a machine that plays `side`.
    pub fn new(recording: &Recording, side: Side) -> Self {
        let secret = recording.secret.unwrap_or_default().into();
        let mut recorded = recording.ppp(side).filter(|(protocol, _)| *protocol == Protocol::CHAP);
        let challenge_recorded = recorded.any(|(_, packet)| packet.data[0] == OUR_CHALLENGE);
        Self { secret, challenge_recorded, ..Self::default() }
    }

    /// Sees what the machine sends.
    pub fn machine_sends(&mut self, datagram: &[u8]) {
        match L2tp::decode(datagram).unwrap() {
            L2tp::Control(control) if control.is_zlb() => {}
            L2tp::Control(control) => {
                self.numbered = self.numbered.max(control.ns + 1);
                let avps = control.avps().map(Result::unwrap);
                for avp in avps.filter(|avp| avp.attribute_type == AttributeType::CHALLENGE) {
                    self.challenge = avp.value.to_vec();
                }
            }
            L2tp::Data(data) => {
                if let Some((protocol, packet)) = packet(data.payload) {
                    self.machine_says(protocol, packet);
                }
            }
        }
    }

    fn machine_says(&mut self, protocol: Protocol, packet: Packet<'_>) {
        let is_request = packet.code == 1;
        match protocol {
            Protocol::PAP if is_request => {
                self.asked.insert(protocol.0, (packet.identifier, Vec::new()));
            }
            Protocol::CHAP if is_request && !self.challenge_recorded => {
                let len = usize::from(packet.data[0]);
                self.chap = Some((packet.identifier, packet.data[1..=len].to_vec()));
            }
            Protocol::LCP | Protocol::IPCP | Protocol::IPV6CP => match ControlCode(packet.code) {
                ControlCode::CONFIGURE_REQUEST => {
                    self.asked.insert(protocol.0, (packet.identifier, kinds(packet.data)));
                }
                ControlCode::CONFIGURE_ACK => {
                    self.agreed.insert(protocol.0, packet.data.to_vec());
                }
                ControlCode::CONFIGURE_REJECT => {
                    self.rejected.entry(protocol.0).or_default().extend(kinds(packet.data));
                }
                _ => {}
            },
            _ => {}
        }
    }

    /// What the recorded side sends in place of `datagram`, if anything.
    pub fn adapt(&mut self, datagram: &[u8]) -> Option<Vec<u8>> {
        match L2tp::decode(datagram).unwrap() {
            L2tp::Control(control) => {
                let has = |wanted| {
                    let mut avps = control.avps().map(Result::unwrap);
                    avps.any(|avp| avp.attribute_type == wanted)
                };
                let mut adapted = datagram.to_vec();
                let unanswered = control.message_type() == Some(MessageType::SCCCN)
                    && !self.challenge.is_empty()
                    && !has(AttributeType::CHALLENGE_RESPONSE);
                if unanswered {
                    self.answer_challenge(&mut adapted);
                }
                set_ns_nr(&mut adapted, control.ns, control.nr.min(self.numbered));
                Some(adapted)
            }
            L2tp::Data(data) => {
                let Some((protocol, packet)) = packet(data.payload) else {
                    return Some(datagram.to_vec());
                };
                let (identifier, content) = self.adapt_packet(protocol, packet)?;
                let packet = Packet { identifier, data: &content, ..packet };
                Some(rebuild(&data, protocol, packet))
            }
        }
    }

    fn answer_challenge(&self, scccn: &mut Vec<u8>) {
        let md5 = vpn_crypto::provider().legacy.md5;
        let response = challenge_response(md5, MessageType::SCCCN, &self.secret, &self.challenge);
        scccn.extend_from_slice(&[0x80, 22, 0, 0, 0, 13]);
        scccn.extend_from_slice(&response);
        let len = u16::try_from(scccn.len()).unwrap();
        scccn[2..4].copy_from_slice(&len.to_be_bytes());
    }

    fn adapt_packet(&mut self, protocol: Protocol, packet: Packet<'_>) -> Option<(u8, Vec<u8>)> {
        let same = (packet.identifier, packet.data.to_vec());
        match protocol {
            Protocol::LCP | Protocol::IPCP | Protocol::IPV6CP => match ControlCode(packet.code) {
                ControlCode::CONFIGURE_REQUEST => {
                    let rejected = self.rejected.get(&protocol.0).cloned().unwrap_or_default();
                    let left = only(packet.data, |kind| !rejected.contains(&kind));
                    let news = left == packet.data || self.agreed.get(&protocol.0) != Some(&left);
                    news.then_some((packet.identifier, left))
                }
                ControlCode::CONFIGURE_ACK => {
                    let (identifier, asked) = self.asked.remove(&protocol.0)?;
                    Some((identifier, only(packet.data, |kind| asked.contains(&kind))))
                }
                ControlCode::CONFIGURE_NAK | ControlCode::CONFIGURE_REJECT => {
                    let (identifier, asked) = self.asked.get(&protocol.0)?;
                    let left = only(packet.data, |kind| asked.contains(&kind));
                    (!left.is_empty()).then_some((*identifier, left))
                }
                _ => Some(same),
            },
            Protocol::PAP if packet.code != 1 => {
                self.asked.get(&protocol.0).map(|(identifier, _)| (*identifier, same.1))
            }
            Protocol::CHAP if packet.code == 2 && packet.data[0] == MD5_LEN => {
                Some(self.respond(packet).unwrap_or(same))
            }
            _ => Some(same),
        }
    }

    /// A CHAP response that is made anew, where it must be.
    fn respond(&self, packet: Packet<'_>) -> Option<(u8, Vec<u8>)> {
        let (identifier, challenge) = self.chap.as_ref()?;
        let provider = vpn_crypto::provider();
        let right = chap_md5_response(provider, *identifier, PASSWORD.as_bytes(), challenge);
        let mut data = packet.data.to_vec();
        data[1..17].copy_from_slice(&right);
        Some((*identifier, data))
    }
}

fn kinds(options: &[u8]) -> Vec<u8> {
    Options::new(options).map(|option| option.unwrap().kind).collect()
}

/// The options of the types that are `wanted`.
fn only(options: &[u8], wanted: impl Fn(u8) -> bool) -> Vec<u8> {
    let mut left = Vec::new();
    let options = Options::new(options).map(Result::unwrap);
    options.filter(|option| wanted(option.kind)).for_each(|option| option.encode(&mut left));
    left
}

fn rebuild(data: &DataMessage<'_>, protocol: Protocol, packet: Packet<'_>) -> Vec<u8> {
    let [high, low] = protocol.0.to_be_bytes();
    let mut frame = vec![0xff, 0x03, high, low];
    packet.encode(&mut frame).unwrap();
    let mut datagram = vec![0; data.header.encoded_len()];
    data.header.encode(frame.len(), &mut datagram).unwrap();
    datagram.extend_from_slice(&frame);
    datagram
}
