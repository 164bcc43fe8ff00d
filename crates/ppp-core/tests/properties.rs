//! Codecs read what they write, and the link keeps the contract of `vpn_core::Machine`, whatever
//! comes.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

extern crate alloc;

mod harness;

use harness::driver::CONFIGS;
use harness::driver::Driver;
use harness::driver::Operation;
use harness::driver::PROTOCOLS;
use ppp_core::AuthProtocol;
use ppp_core::ChapAlgorithm;
use ppp_core::InterfaceId;
use ppp_core::IpcpOption;
use ppp_core::Ipv6cpOption;
use ppp_core::LcpOption;
use ppp_core::Maintenance;
use ppp_core::MsChapError;
use ppp_core::MsChapFailure;
use ppp_core::Options;
use ppp_core::Packet;
use ppp_core::Protocol;
use ppp_core::RawOption;
use ppp_core::auth::ChapPacket;
use ppp_core::auth::MsChapV2Response;
use ppp_core::auth::PapPacket;
use ppp_core::frame;
use ppp_core::frame::Header;
use ppp_core::hdlc;
use proptest::collection::vec;
use proptest::prelude::*;
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn the_contract_is_kept(
        which in 0..CONFIGS,
        seed in 1..1_000_u64,
        begun: bool,
        operations in vec(operation(), 1..120),
    ) {
        let mut driver = Driver::new(which, seed);
        if begun {
            // Most runs start with LCP open, or they would rarely get there.
            driver.establish();
        }
        operations.into_iter().for_each(|operation| driver.step(operation));
    }
}
