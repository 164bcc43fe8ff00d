//! What holds for any octets at all. The fuzz targets and the tests over stored inputs call it.

use ipsec_ike::AuthMethod;
use ipsec_ike::Chain;
use ipsec_ike::Message;
use ipsec_ike::MessageBuilder;
use ipsec_ike::Payload;
use ipsec_ike::PayloadType;
use ipsec_ike::attribute::Attributes;
use ipsec_ike::chain::MAX_PAYLOADS;
use ipsec_ike::fragment::Fragment;
use ipsec_ike::fragment::Reassembled;
use ipsec_ike::fragment::Reassembly;
use ipsec_ike::fragment::split;
use ipsec_ike::identity::Identity;
use ipsec_ike::payload::Certificate;
use ipsec_ike::payload::CertificateRequest;
use ipsec_ike::payload::Delete;
use ipsec_ike::payload::Hash;
use ipsec_ike::payload::Identification;
use ipsec_ike::payload::KeyExchange;
use ipsec_ike::payload::NatOriginalAddress;
use ipsec_ike::payload::Nonce;
use ipsec_ike::payload::Notification;
use ipsec_ike::payload::SecurityAssociation;
use ipsec_ike::payload::Signature;
use ipsec_ike::payload::encode_proposal;
use ipsec_ike::proposal::EspPolicy;
use ipsec_ike::proposal::IkePolicy;
use ipsec_ike::proposal::Lifetime;
use ipsec_ike::proposal::Preset;
use ipsec_ike::proposal::accept_esp;
use ipsec_ike::proposal::accept_ike;
use ipsec_ike::proposal::choose_esp;
use ipsec_ike::proposal::choose_ike;
use ipsec_ike::vendor::Fingerprint;
use ipsec_ike::vendor::VendorId;
use vpn_core::Instant;
use vpn_core::crypto::DhGroup;

/// A datagram on port 500.
pub(crate) fn message(octets: &[u8]) {
    let message = match Message::decode(octets) {
        Ok(message) => message,
        Err(error) => {
            let _ = (error.to_string(), error.notify_type().to_string());
            return;
        }
    };
    let _ = format!("{:?}", message.header);
    assert!(message.body.len() + 28 <= octets.len());
    if let Ok(Some(fragment)) = Fragment::of_message(&message) {
        let mut reassembly = Reassembly::new();
        match reassembly.insert(Instant::ZERO, &message.header, &fragment) {
            Reassembled::Whole(whole) => assert_eq!(whole, fragment.data),
            _ => assert!(!fragment.last || fragment.number > 1),
        }
    }
    let all: Result<Vec<Payload<'_>>, _> = message.payloads().collect();
    let Ok(all) = all else { return };
    assert!(all.len() <= MAX_PAYLOADS);

    // Written again it says the same, and the second time the same octets.
    let mut out = Vec::new();
    let mut builder = MessageBuilder::new(&mut out, message.header);
    for payload in &all {
        builder.raw(payload.kind, payload.body);
    }
    let len = builder.finish().expect("it is no longer than it was");
    assert_eq!(len, 28 + message.payloads().octets().expect("it was walked").len());
    let again = Message::decode(&out).expect("it was just written");
    let read: Result<Vec<_>, _> = again.payloads().collect();
    assert_eq!(read.as_ref(), Ok(&all));

    if let Ok(pieces) = split(&out, 1, out.len().div_ceil(3) + 40) {
        let mut reassembly = Reassembly::new();
        let last = pieces.iter().rev().map(|piece| {
            let message = Message::decode(piece).expect("a fragment is a message");
            let fragment =
                Fragment::of_message(&message).expect("well-formed").expect("a fragment");
            reassembly.insert(Instant::ZERO, &message.header, &fragment)
        });
        assert_eq!(last.last(), Some(Reassembled::Whole(out)));
    }

    let ids = all.iter().filter(|one| one.kind == PayloadType::VENDOR_ID).map(|one| one.body);
    let offer = all.iter().find(|one| one.kind == PayloadType::SECURITY_ASSOCIATION);
    let offer = offer.map_or(&[][..], |payload| payload.body);
    let fingerprint = Fingerprint::guess(ids.clone(), offer);
    let _ = fingerprint.to_string();
    ids.filter_map(VendorId::recognise).for_each(|id| drop(id.to_string()));
    for payload in &all {
        body(*payload, fingerprint);
    }
}

/// What a decryption brought: a chain that begins with a payload of kind `first`, and padding.
pub(crate) fn decrypted(first: u8, octets: &[u8]) {
    for payload in Chain::new(PayloadType(first), octets) {
        match payload {
            Ok(payload) => body(payload, Fingerprint::Unknown),
            Err(error) => drop(error.to_string()),
        }
    }
}

/// The body of a payload of any kind.
fn body(payload: Payload<'_>, fingerprint: Fingerprint) {
    let octets = payload.body;
    let mut again = Vec::new();
    let same = match payload.kind {
        PayloadType::SECURITY_ASSOCIATION => {
            return security_association(octets, fingerprint);
        }
        PayloadType::KEY_EXCHANGE => {
            KeyExchange::decode(octets).map(|view| view.encode(&mut again))
        }
        PayloadType::IDENTIFICATION => Identification::decode(octets).map(|view| {
            view.encode(&mut again);
            let identity = Identity::from_payload(&view);
            let mut body = Vec::new();
            identity.encode_with_port(view.protocol, view.port, &mut body);
            assert_eq!(body, octets);
            assert!(!identity.to_string().chars().any(char::is_control));
        }),
        PayloadType::CERTIFICATE => Certificate::decode(octets).map(|view| view.encode(&mut again)),
        PayloadType::CERTIFICATE_REQUEST => {
            CertificateRequest::decode(octets).map(|view| view.encode(&mut again))
        }
        PayloadType::HASH => Hash::decode(octets).map(|view| view.encode(&mut again)),
        PayloadType::SIGNATURE => Signature::decode(octets).map(|view| view.encode(&mut again)),
        PayloadType::NONCE => Nonce::decode(octets).map(|view| view.encode(&mut again)),
        PayloadType::NOTIFICATION => {
            return notification(octets);
        }
        PayloadType::DELETE => {
            if let Ok(delete) = Delete::decode(octets) {
                assert!(delete.spis().count() * 2 <= octets.len());
            }
            return;
        }
        kind if kind.is_nat_oa() => {
            if let Ok(original) = NatOriginalAddress::decode(octets) {
                original.encode(&mut again);
                assert_eq!(NatOriginalAddress::decode(&again), Ok(original));
            }
            return;
        }
        _ => return,
    };
    match same {
        Ok(()) => assert_eq!(again, octets, "{}", payload.kind),
        Err(error) => drop(error.to_string()),
    }
}

fn notification(octets: &[u8]) {
    let Ok(view) = Notification::decode(octets) else { return };
    let mut again = Vec::new();
    view.encode(&mut again);
    assert_eq!(Notification::decode(&again), Ok(view));
    if let Ok(attributes) = Attributes::decode(PayloadType::NOTIFICATION, view.data) {
        assert!(attributes.iter().count() * 4 <= view.data.len());
        let _ = Lifetime::from_notification(&attributes).map(|lifetime| lifetime.to_string());
    }
}

/// An offer: written again it is the same, and whatever is chosen from it was in it.
fn security_association(octets: &[u8], fingerprint: Fingerprint) {
    let sa = match SecurityAssociation::decode(octets) {
        Ok(sa) => sa,
        Err(error) => return drop(error.to_string()),
    };
    let proposals: Vec<Vec<u8>> = sa
        .proposals()
        .map(|proposal| {
            let transforms: Vec<&[u8]> = proposal.transforms().map(|one| one.octets).collect();
            assert_eq!(transforms.len(), usize::from(proposal.count()));
            let mut out = Vec::new();
            let (number, protocol) = (proposal.number, proposal.protocol);
            encode_proposal(&mut out, number, protocol, proposal.spi, &transforms);
            out
        })
        .collect();
    assert!(!proposals.is_empty());
    let mut again = Vec::new();
    SecurityAssociation::encode(&mut again, &proposals);
    assert_eq!(again.len(), octets.len());
    let mut twice = Vec::new();
    let sa_again = SecurityAssociation::decode(&again).expect("it was just written");
    assert!(sa.proposals().zip(sa_again.proposals()).all(|(one, other)| one.spi == other.spi));
    SecurityAssociation::encode(&mut twice, &proposals);
    assert_eq!(twice, again);

    let methods = &[AuthMethod::PRE_SHARED_KEY, AuthMethod::RSA_SIGNATURES];
    let offered = |chosen: &[u8]| {
        let chosen = SecurityAssociation::decode(chosen).expect("an answer is an SA");
        let one = chosen.proposals().next().expect("with a proposal");
        let transform = one.transforms().next().expect("with a transform");
        let mut all = sa.proposals().flat_map(|proposal| proposal.transforms());
        assert!(all.any(|known| known.octets == transform.octets));
    };
    let ike = Preset::Legacy.ike();
    let mut answer = Vec::new();
    match choose_ike(&sa, &IkePolicy { proposals: &ike, methods }) {
        Ok(chosen) => {
            chosen.encode(&mut answer);
            offered(&answer);
            let read = SecurityAssociation::decode(&answer).expect("an answer is an SA");
            assert_eq!(accept_ike(&read, &ike, methods), Ok(chosen));
        }
        Err(refused) => refused.theirs.iter().for_each(|one| drop(one.to_string())),
    }
    let esp = Preset::Legacy.esp();
    let groups = &[DhGroup::MODP_2048];
    for udp in [false, true] {
        let policy = EspPolicy { proposals: &esp, groups, udp, fingerprint };
        let mut answer = Vec::new();
        match choose_esp(&sa, &policy) {
            Ok(chosen) => {
                chosen.encode(0x1000, &mut answer);
                offered(&answer);
                let read = SecurityAssociation::decode(&answer).expect("an answer is an SA");
                let accepted = accept_esp(&read, &[chosen.proposal], chosen.mode);
                assert_eq!(accepted.map(|one| one.proposal), Ok(chosen.proposal));
            }
            Err(refused) => refused.theirs.iter().for_each(|one| drop(one.to_string())),
        }
    }
}
