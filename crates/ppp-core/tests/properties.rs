//! Codecs read what they write, and the link keeps the contract of `vpn_core::Machine`, whatever
//! comes.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

extern crate alloc;

mod harness;

use core::time::Duration;

use harness::assign;
use harness::client;
use harness::link;
use harness::server;
use ppp_core::AddressAnswer;
use ppp_core::AuthMethod;
use ppp_core::AuthProtocol;
use ppp_core::ChapAlgorithm;
use ppp_core::Event;
use ppp_core::InterfaceId;
use ppp_core::IpcpOption;
use ppp_core::Ipv6cpOption;
use ppp_core::KeepAlive;
use ppp_core::LcpOption;
use ppp_core::Link;
use ppp_core::LinkConfig;
use ppp_core::Maintenance;
use ppp_core::MsChapError;
use ppp_core::MsChapFailure;
use ppp_core::Options;
use ppp_core::Packet;
use ppp_core::Phase;
use ppp_core::Protocol;
use ppp_core::RawOption;
use ppp_core::auth::AuthVerdict;
use ppp_core::auth::ChapPacket;
use ppp_core::auth::MsChapV2Response;
use ppp_core::auth::PapPacket;
use ppp_core::frame;
use ppp_core::frame::Header;
use ppp_core::hdlc;
use proptest::collection::vec;
use proptest::prelude::*;
use vpn_core::Handled;
use vpn_core::Instant;
use vpn_core::Machine;
use vpn_core::Writer;

fn octets(max: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..=max)
}

/// Writes options, reads them, and writes them again.
fn options_survive<T>(
    data: &[u8],
    decode: impl for<'a> Fn(&RawOption<'a>, &mut Vec<u8>) -> Option<T>,
) -> Result<(), TestCaseError> {
    let mut raw = Vec::new();
    let mut steps = 0;
    for option in Options::new(data) {
        steps += 1;
        let Ok(option) = option else { break };
        let mut again = Vec::new();
        option.encode(&mut again);
        prop_assert_eq!(Options::new(&again).next().unwrap().unwrap(), option);
        raw.extend_from_slice(&again);
        let mut typed = Vec::new();
        if decode(&option, &mut typed).is_some() {
            prop_assert_eq!(&typed, &again);
        }
    }
    prop_assert!(steps <= data.len() / 2 + 1);
    prop_assert!(data.starts_with(&raw));
    Ok(())
}

proptest! {
    #[test]
    fn any_frame_header_reads_back(number: u16, acfc: bool, pfc: bool) {
        // A valid number, as every assigned one is (RFC 1661 §2).
        let protocol = Protocol(number & 0xfeff | 1);
        let header = Header { protocol, acfc, pfc };
        let mut room = [0; frame::MAX_HEADER_LEN];
        let mut writer = Writer::new(&mut room);
        header.encode(&mut writer).unwrap();
        prop_assert_eq!(writer.len(), header.encoded_len());
        // FF would be taken for the Address; it is reserved for that reason.
        if protocol != Protocol(0x00ff) {
            prop_assert_eq!(frame::protocol(writer.written()), Ok((protocol, header.encoded_len())));
        }
    }

    #[test]
    fn any_octets_are_a_frame_or_not(frame in octets(8)) {
        if let Ok((protocol, at)) = frame::protocol(&frame) {
            prop_assert!(at <= frame.len() && at >= 1);
            let low = protocol.0.to_be_bytes()[1];
            prop_assert_eq!(frame[at - 1], low);
        }
    }

    #[test]
    fn any_packet_reads_back(code: u8, identifier: u8, data in octets(300), padding in octets(9)) {
        let packet = Packet { code, identifier, data: &data };
        let mut out = Vec::new();
        packet.encode(&mut out).unwrap();
        prop_assert_eq!(out.len(), packet.encoded_len());
        out.extend_from_slice(&padding);
        prop_assert_eq!(Packet::decode(&out), Ok(packet));
    }

    #[test]
    fn any_frame_comes_through_a_line(frame in vec(any::<u8>(), 2..300), accm: u32, cut: usize) {
        let mut line = Vec::new();
        hdlc::encode(&frame, accm, &mut line);
        let (first, second) = line.split_at(cut % line.len());
        let mut decoder = hdlc::Decoder::new(300);
        decoder.set_accm(accm);
        let (mut first, mut second) = (first, second);
        prop_assert_eq!(decoder.next_frame(&mut first), None);
        prop_assert_eq!(decoder.next_frame(&mut second), Some(&frame[..]));
    }

    #[test]
    fn any_line_is_survived(mut line in octets(300)) {
        line.iter_mut().filter(|octet| **octet < 40).for_each(|octet| *octet = 0x7e);
        let mut decoder = hdlc::Decoder::new(128);
        let mut rest = &line[..];
        while let Some(frame) = decoder.next_frame(&mut rest) {
            prop_assert!((2..=132).contains(&frame.len()));
        }
        prop_assert!(rest.is_empty());
    }

    #[test]
    fn any_octets_are_a_packet_or_not(information in octets(64)) {
        let Ok(packet) = Packet::decode(&information) else { return Ok(()) };
        let mut again = Vec::new();
        packet.encode(&mut again).unwrap();
        prop_assert!(information.starts_with(&again));
        let mut data = Vec::new();
        if let Ok(maintenance) = Maintenance::decode(&packet) {
            maintenance.encode_data(&mut data);
            prop_assert_eq!(&data, packet.data);
            prop_assert_eq!(maintenance.code().0, packet.code);
        }
        if let Ok(chap) = ChapPacket::decode(&packet) {
            data.clear();
            chap.encode_data(&mut data);
            prop_assert_eq!(&data, packet.data);
        }
        if let Ok(pap) = PapPacket::decode(&packet) {
            data.clear();
            pap.encode_data(&mut data);
            let again = Packet { data: &data, ..packet };
            prop_assert_eq!(PapPacket::decode(&again), Ok(pap));
        }
    }

    #[test]
    fn any_options_read_back(data in octets(200)) {
        options_survive(&data, |option, out| {
            LcpOption::decode(option).ok().map(|value| value.encode(out))
        })?;
        options_survive(&data, |option, out| {
            IpcpOption::decode(option).ok().map(|value| value.encode(out))
        })?;
        options_survive(&data, |option, out| {
            Ipv6cpOption::decode(option).ok().map(|value| value.encode(out))
        })?;
    }

    #[test]
    fn lcp_values_read_back(mru: u16, n: u32, algorithm: u8, data in octets(200)) {
        for value in [
            LcpOption::Mru(mru),
            LcpOption::Accm(n),
            LcpOption::Auth(AuthProtocol::Chap(ChapAlgorithm(algorithm))),
            LcpOption::Magic(n),
            LcpOption::Quality { protocol: Protocol(mru), data: &data },
            LcpOption::Callback { operation: algorithm, message: &data },
            LcpOption::EndpointDiscriminator { class: algorithm, address: &data },
        ] {
            let mut out = Vec::new();
            value.encode(&mut out);
            let raw = Options::new(&out).next().unwrap().unwrap();
            prop_assert_eq!(LcpOption::decode(&raw), Ok(value));
        }
        let id = Ipv6cpOption::InterfaceIdentifier(InterfaceId(u64::from(n)));
        let mut out = Vec::new();
        id.encode(&mut out);
        let raw = Options::new(&out).next().unwrap().unwrap();
        prop_assert_eq!(Ipv6cpOption::decode(&raw), Ok(id));
    }

    #[test]
    fn failure_texts_read_back(
        error: u32,
        retry: bool,
        challenge: [u8; 16],
        version: u32,
        message in "[ -~&&[^ ]]{0,60}",
    ) {
        let (error, challenge) = (MsChapError(error), Some(challenge));
        let failure = MsChapFailure { error, retry, challenge, version, message };
        prop_assert_eq!(MsChapFailure::parse(failure.encode().as_bytes()), Some(failure));
    }

    #[test]
    fn any_failure_text_is_survived(text in octets(80), words in "([ERCVMX]=[0-9A-Fa-f]{0,34} ?){0,8}") {
        for text in [&text[..], words.as_bytes()] {
            if let Some(failure) = MsChapFailure::parse(text) {
                prop_assert!(failure.message.chars().count() <= 200);
            }
        }
    }

    #[test]
    fn response_values_read_back(peer_challenge: [u8; 16], half: [u8; 12]) {
        let nt_response = [half, half].concat().try_into().unwrap();
        let response = MsChapV2Response { peer_challenge, nt_response };
        prop_assert_eq!(MsChapV2Response::decode(&response.encode()), Some(response));
    }
}

/// What a driver and a network may do to a link.
#[derive(Clone, Debug)]
enum Operation {
    Open,
    Close,
    Renegotiate,
    LowerDown,
    /// A control packet of some sense.
    Packet {
        protocol: usize,
        code: u8,
        identifier: u8,
        data: Vec<u8>,
    },
    /// The link's own last frames, answered: an Ack, or the frame itself.
    Acknowledge(usize),
    Mirror(usize),
    Octets(Vec<u8>),
    /// Time passes, or seems to run backwards.
    Wait(u32),
    Backwards,
    Timeout,
    Traffic,
    AnswerAuth(bool),
    AnswerAddress(bool),
}

const PROTOCOLS: [Protocol; 9] = [
    Protocol::LCP,
    Protocol::LCP,
    Protocol::PAP,
    Protocol::CHAP,
    Protocol::IPCP,
    Protocol::IPV6CP,
    Protocol::CCP,
    Protocol::IPV4,
    Protocol(0x1234),
];

/// Data that get past the first checks now and then.
fn data() -> impl Strategy<Value = Vec<u8>> {
    let option = prop_oneof![
        Just(vec![1, 4, 5, 0x78]),
        Just(vec![3, 5, 0xc2, 0x23, 0x81]),
        Just(vec![3, 4, 0xc0, 0x23]),
        Just(vec![3, 6, 10, 99, 0, 10]),
        Just(vec![3, 6, 0, 0, 0, 0]),
        Just(vec![5, 6, 1, 2, 3, 4]),
        Just(vec![7, 2, 8, 2]),
        Just(vec![1, 10, 0, 0, 0, 0, 0, 0, 0, 9]),
        Just(vec![0xc2, 0x23]),
        Just(vec![0x80, 0x21]),
        Just(vec![16; 17]),
        Just(b"\x05alice\x0awonderland".to_vec()),
        octets(12),
    ];
    vec(option, 0..4).prop_map(|parts| parts.concat())
}

fn operation() -> impl Strategy<Value = Operation> {
    let packet = (0..PROTOCOLS.len(), 0..16_u8, 0..6_u8, data()).prop_map(
        |(protocol, code, identifier, data)| Operation::Packet { protocol, code, identifier, data },
    );
    prop_oneof![
        1 => Just(Operation::Open),
        1 => Just(Operation::Close),
        1 => Just(Operation::Renegotiate),
        1 => Just(Operation::LowerDown),
        20 => packet,
        20 => (0..4_usize).prop_map(Operation::Acknowledge),
        4 => (0..4_usize).prop_map(Operation::Mirror),
        4 => octets(40).prop_map(Operation::Octets),
        4 => (0..40_000_000_u32).prop_map(Operation::Wait),
        2 => Just(Operation::Backwards),
        8 => Just(Operation::Timeout),
        1 => Just(Operation::Traffic),
        6 => any::<bool>().prop_map(Operation::AnswerAuth),
        6 => any::<bool>().prop_map(Operation::AnswerAddress),
    ]
}

/// A driver that checks the contract at every step.
struct Driver {
    link: Link,
    now: Instant,
    sent: Vec<Vec<u8>>,
    auth: Option<ppp_core::AuthRequest>,
    address: Option<ppp_core::Ticket>,
    closed: bool,
    ipv4: bool,
    ipv6: bool,
}

impl Driver {
    fn apply(&mut self, operation: Operation) {
        let now = self.now;
        let link = &mut self.link;
        match operation {
            Operation::Open => link.open(now),
            Operation::Close => link.close(now, "bye"),
            Operation::Renegotiate => link.renegotiate(now),
            Operation::LowerDown => link.lower_down(now),
            Operation::Packet { protocol, code, identifier, data } => {
                let mut frame = Vec::from(PROTOCOLS[protocol].0.to_be_bytes());
                Packet { code, identifier, data: &data }.encode(&mut frame).unwrap();
                let _: Handled = link.handle_frame(now, &frame);
            }
            Operation::Acknowledge(back) => {
                let Some(frame) = self.sent.iter().rev().nth(back) else { return };
                let mut frame = frame.clone();
                let at = if frame.starts_with(&[0xff, 3]) { 4 } else { 2 };
                frame[at] = frame[at].wrapping_add(1);
                let _: Handled = link.handle_frame(now, &frame);
            }
            Operation::Mirror(back) => {
                let Some(frame) = self.sent.iter().rev().nth(back) else { return };
                let _: Handled = link.handle_frame(now, frame);
            }
            Operation::Octets(octets) => {
                let _: Handled = link.handle_frame(now, &octets);
            }
            Operation::Wait(micros) => self.now = now + Duration::from_micros(u64::from(micros)),
            Operation::Backwards => {
                let earlier = Instant::from_micros(now.as_micros() / 2);
                link.handle_timeout(earlier);
                link.note_traffic(earlier);
            }
            Operation::Timeout => {
                self.now = now.max(Machine::poll_timeout(link).unwrap_or(now));
                Machine::handle_timeout(link, self.now);
            }
            Operation::Traffic => link.note_traffic(now),
            Operation::AnswerAuth(right) => {
                let Some(request) = self.auth.take() else { return };
                let verdict = if right {
                    let accepted = ppp_core::auth::Acceptance {
                        authenticator_response: Some([7; 20]),
                        message: String::new(),
                    };
                    AuthVerdict::Accept(accepted)
                } else {
                    AuthVerdict::wrong_password()
                };
                let _ = link.answer_auth(now, request.ticket, verdict);
            }
            Operation::AnswerAddress(some) => {
                let Some(ticket) = self.address.take() else { return };
                let answer = if some { assign() } else { AddressAnswer::Refuse };
                let _ = link.answer_address(now, ticket, answer);
            }
        }
    }

    fn drain(&mut self) {
        let mut frames = 0;
        let mut frame = Vec::new();
        while let Some(len) = self.link.poll_frame(self.now, &mut frame) {
            assert_eq!(len, frame.len());
            assert!(!self.closed, "a frame after the last event");
            frame::protocol(&frame).unwrap();
            self.sent.push(core::mem::take(&mut frame));
            frames += 1;
        }
        assert!(frames <= 8, "{frames} frames for one call");
        while let Some(event) = Machine::poll_event(&mut self.link) {
            assert!(!self.closed, "{event:?} after the last event");
            match event {
                Event::AuthRequest(request) => self.auth = Some(request),
                Event::AddressRequest(request) => self.address = Some(request.ticket),
                Event::Ipv4Up(_) => self.ipv4 = true,
                Event::Ipv6Up(_) => self.ipv6 = true,
                Event::Ipv4Down => assert!(core::mem::take(&mut self.ipv4)),
                Event::Ipv6Down => assert!(core::mem::take(&mut self.ipv6)),
                Event::Closed { .. } => {
                    assert!(!self.ipv4 && !self.ipv6, "closed with a protocol still up");
                    self.closed = true;
                }
                _ => {}
            }
        }
        // What was told and what is agree.
        let form = self.link.form();
        assert_eq!((form.ipv4.is_some(), form.ipv6.is_some()), (self.ipv4, self.ipv6));
        assert_eq!(self.link.phase() == Phase::Closed, self.closed);
        if self.closed {
            assert_eq!(self.link.poll_timeout(), None);
        }
    }
}

fn configs() -> [LinkConfig; 4] {
    let fast = KeepAlive { interval: Duration::from_secs(5), max_missed: 2 };
    [
        client(),
        server().keep_alive(Some(fast)),
        server().authenticate_with(&[AuthMethod::Pap, AuthMethod::ChapMd5]).acfc(true).pfc(true),
        client()
            .prove_with(&[AuthMethod::Pap, AuthMethod::ChapMd5])
            .authenticate_with(&[AuthMethod::ChapMd5])
            .rechallenge(Some(Duration::from_secs(9)))
            .keep_alive(None),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn the_contract_is_kept(
        which in 0..4_usize,
        seed in 1..1_000_u64,
        begun: bool,
        operations in vec(operation(), 1..120),
    ) {
        let mut driver = Driver {
            link: link(configs()[which].clone(), seed),
            now: Instant::from_micros(1_000),
            sent: Vec::new(),
            auth: None,
            address: None,
            closed: false,
            ipv4: false,
            ipv6: false,
        };
        if begun {
            // Most runs start with LCP open, or they would rarely get there.
            driver.apply(Operation::Open);
            driver.drain();
            driver.apply(Operation::Acknowledge(0));
            driver.drain();
            let data = vec![];
            driver.apply(Operation::Packet { protocol: 0, code: 1, identifier: 1, data });
            driver.drain();
        }
        for operation in operations {
            let timed = matches!(operation, Operation::Timeout);
            driver.apply(operation);
            driver.drain();
            if timed {
                prop_assert!(driver.link.poll_timeout().is_none_or(|next| next > driver.now));
            }
        }
    }
}
