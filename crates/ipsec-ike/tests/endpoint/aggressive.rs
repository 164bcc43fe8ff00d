//! Aggressive mode (RFC 2409 §5.4): an initiator put together by hand, since there is none in the
//! crate, against an endpoint that answers it.

use core::net::SocketAddr;

use ipsec_ike::AuthMethod;
use ipsec_ike::Chain;
use ipsec_ike::ChildCloseReason;
use ipsec_ike::CloseReason;
use ipsec_ike::Cookies;
use ipsec_ike::Endpoint;
use ipsec_ike::Event;
use ipsec_ike::ExchangeType;
use ipsec_ike::Header;
use ipsec_ike::IdType;
use ipsec_ike::MessageBuilder;
use ipsec_ike::NotifyType;
use ipsec_ike::PayloadType;
use ipsec_ike::ProtocolId;
use ipsec_ike::Selectors;
use ipsec_ike::payload::Identification;
use ipsec_ike::payload::Notification;
use ipsec_ike::proposal::IkeProposal;
use ipsec_ike::proposal::Lifetime;
use ipsec_ike::proposal::write_ike_offer;
use ipsec_ike::v1::cipher::Iv;
use ipsec_ike::v1::cipher::MessageCipher;
use ipsec_ike::v1::hash::hash_1;
use ipsec_ike::v1::hash::hash_2;
use ipsec_ike::v1::hash::hash_i;
use ipsec_ike::v1::hash::hash_r;
use ipsec_ike::v1::keys::Exchanged;
use ipsec_ike::v1::keys::Nonces;
use ipsec_ike::v1::keys::PublicValues;
use ipsec_ike::v1::keys::SkeyId;
use vpn_core::DropReason;
use vpn_core::Handled;
use vpn_core::Instant;
use vpn_core::Path;
use vpn_core::Socket;
use vpn_core::crypto::DhGroup;
use vpn_core::crypto::Digest;
use vpn_core::crypto::EspCipher;
use vpn_core::crypto::HashAlgorithm;
use vpn_core::crypto::IkeHash;
use vpn_netsim::SeededRandom;

use crate::network::*;

const NOW: Instant = Instant::ZERO;
const PROPOSAL: &str = "aes256-sha256-x25519";

fn server() -> Endpoint {
    endpoint(server_config().aggressive_psk_responder_weak(true), 1)
}

fn path() -> Path {
    let (local, remote) = (SocketAddr::new(SERVER, 500), SocketAddr::new(CLIENT, 500));
    Path { socket: Socket::Ike, local, remote }
}

fn prf() -> &'static dyn IkeHash {
    vpn_crypto::provider().ike.hash(HashAlgorithm::Sha2_256).unwrap()
}

/// An initiator that has made its message 1.
struct Initiator {
    cookies: Cookies,
    offer: Vec<u8>,
    private: Vec<u8>,
    public: Vec<u8>,
    nonce: [u8; 16],
    identification: Vec<u8>,
    first: Vec<u8>,
}

impl Initiator {
    fn new(seed: u8, name: &[u8]) -> Self {
        let mut offer = Vec::new();
        let proposals = IkeProposal::list(PROPOSAL).unwrap();
        let methods = [AuthMethod::PRE_SHARED_KEY];
        write_ike_offer(&mut offer, &proposals, &methods, Lifetime::seconds(3_600));
        let (mut private, mut public) = (vec![0; 32], vec![0; 32]);
        let group = vpn_crypto::provider().ike.group(DhGroup::CURVE_25519).unwrap();
        let mut random = SeededRandom::new(u64::from(seed));
        group.generate(&mut random, &mut private, &mut public).unwrap();
        let mut identification = Vec::new();
        let id_type = IdType::KEY_ID;
        Identification { id_type, protocol: 0, port: 0, data: name }.encode(&mut identification);
        let (cookies, nonce) = (Cookies::first([seed; 8]), [seed; 16]);
        let mut first = Vec::new();
        let header = Header::new(cookies, ExchangeType::AGGRESSIVE, 0);
        let mut builder = MessageBuilder::new(&mut first, header);
        builder.raw(PayloadType::SECURITY_ASSOCIATION, &offer);
        builder.raw(PayloadType::KEY_EXCHANGE, &public).raw(PayloadType::NONCE, &nonce);
        builder.raw(PayloadType::IDENTIFICATION, &identification);
        builder.finish().unwrap();
        Self { cookies, offer, private, public, nonce, identification, first }
    }

    /// Takes message 2, and answers with message 3.
    fn third(mut self, second: &[u8], encrypted: bool, initial_contact: bool) -> (Vec<u8>, Sa) {
        let header = Header::decode(second).unwrap();
        self.cookies = header.cookies;
        let body = |kind| {
            let mut chain = Chain::new(header.next_payload, &second[Header::LEN..]);
            chain.find_map(|one| one.ok().filter(|one| one.kind == kind)).unwrap().body
        };
        let theirs = body(PayloadType::KEY_EXCHANGE);
        let mut shared = [0; 32];
        let group = vpn_crypto::provider().ike.group(DhGroup::CURVE_25519).unwrap();
        group.agree(&self.private, theirs, &mut shared).unwrap();
        let public_values = PublicValues { initiator: &self.public, responder: theirs };
        let exchanged = Exchanged {
            prf: prf(),
            cookies: self.cookies,
            nonces: Nonces { initiator: &self.nonce, responder: body(PayloadType::NONCE) },
            public_values,
            offer: &self.offer,
            shared_secret: &shared,
        };
        let keys = SkeyId::derive_psk(&exchanged, PSK.as_bytes());
        let proof = hash_r(&exchanged, &keys, body(PayloadType::IDENTIFICATION));
        assert!(proof.ct_eq(body(PayloadType::HASH)));
        let crypto = vpn_crypto::provider().ike.cipher(EspCipher::Aes256Cbc).unwrap();
        let cipher = MessageCipher::new(crypto, prf(), &keys);
        let mut iv = Iv::phase_1(prf(), EspCipher::Aes256Cbc, public_values);

        let mut third = Vec::new();
        let header = Header::new(self.cookies, ExchangeType::AGGRESSIVE, 0);
        let mut builder = MessageBuilder::new(&mut third, header);
        let hash = hash_i(&exchanged, &keys, &self.identification);
        builder.raw(PayloadType::HASH, hash.expose());
        if initial_contact {
            write_initial_contact(&mut builder, self.cookies);
        }
        builder.finish().unwrap();
        if encrypted {
            iv = cipher.encrypt(&iv, &mut third).unwrap();
        }
        (third, Sa { cookies: self.cookies, keys, cipher, iv })
    }
}

fn write_initial_contact(builder: &mut MessageBuilder<'_>, cookies: Cookies) {
    let spi = cookies.spi();
    let notify_type = NotifyType::INITIAL_CONTACT;
    let notification =
        Notification { protocol: ProtocolId::ISAKMP, notify_type, spi: &spi, data: &[] };
    builder.payload(PayloadType::NOTIFICATION, |out| notification.encode(out));
}

/// An IKE SA, as the initiator has it.
struct Sa {
    cookies: Cookies,
    keys: SkeyId,
    cipher: MessageCipher,
    iv: Iv,
}

impl Sa {
    /// INITIAL-CONTACT in an informational exchange of its own.
    fn initial_contact(&self, message_id: u32) -> Vec<u8> {
        let iv = self.iv.phase_2(prf(), message_id);
        let hash = |covered: &[u8]| hash_1(prf(), &self.keys, message_id, covered);
        self.seal(ExchangeType::INFORMATIONAL, message_id, &iv, hash, |builder| {
            write_initial_contact(builder, self.cookies);
        })
    }

    /// An answer to a quick mode that has a right hash, and no SA payload.
    fn nonsense(&self, mut first: Vec<u8>) -> Vec<u8> {
        let header = Header::decode(&first).unwrap();
        let mid = header.message_id;
        let mut body = first.split_off(Header::LEN);
        let iv = self.cipher.decrypt(&self.iv.phase_2(prf(), mid), &mut body).unwrap();
        let mut chain = Chain::new(header.next_payload, &body).map(Result::unwrap);
        let nonce = chain.find(|one| one.kind == PayloadType::NONCE).unwrap().body;
        let hash = |covered: &[u8]| hash_2(prf(), &self.keys, mid, nonce, covered);
        self.seal(ExchangeType::QUICK_MODE, mid, &iv, hash, |builder| {
            builder.raw(PayloadType::NONCE, &[1; 32]);
        })
    }

    fn seal(
        &self,
        kind: ExchangeType,
        message_id: u32,
        iv: &Iv,
        hash: impl FnOnce(&[u8]) -> Digest,
        write: impl FnOnce(&mut MessageBuilder<'_>),
    ) -> Vec<u8> {
        const HASH: core::ops::Range<usize> = Header::LEN + 4..Header::LEN + 4 + 32;
        let mut message = Vec::new();
        let header = Header::new(self.cookies, kind, message_id);
        let mut builder = MessageBuilder::new(&mut message, header);
        builder.raw(PayloadType::HASH, &[0; 32]);
        write(&mut builder);
        builder.finish().unwrap();
        let hash = hash(&message[HASH.end..]);
        message[HASH].copy_from_slice(hash.expose());
        self.cipher.encrypt(iv, &mut message).unwrap();
        message
    }
}

/// The whole exchange.
fn negotiate(server: &mut Endpoint, seed: u8, encrypted: bool, initial_contact: bool) -> Sa {
    let initiator = Initiator::new(seed, b"group");
    assert_eq!(server.handle_datagram(NOW, path(), &initiator.first), Handled::Consumed);
    let mut second = Vec::new();
    let _ = server.poll_transmit(NOW, &mut second).unwrap();
    let (third, sa) = initiator.third(&second, encrypted, initial_contact);
    assert_eq!(server.handle_datagram(NOW, path(), &third), Handled::Consumed);
    sa
}

/// How often a peer that was there was replaced.
fn replaced(server: &mut Endpoint) -> usize {
    let events = core::iter::from_fn(|| server.poll_event());
    let replaced =
        |event: &Event| matches!(event, Event::PeerClosed { reason: CloseReason::Replaced, .. });
    events.filter(replaced).count()
}

#[test]
fn message_3_may_be_encrypted_or_not() {
    for encrypted in [false, true] {
        let mut server = server();
        negotiate(&mut server, 2, encrypted, false);
        let Some(Event::PeerUp { info, .. }) = server.poll_event() else { panic!() };
        assert_eq!(info.remote_id.to_string(), "@#67726f7570");
        assert_eq!(server.counts().half_open, 0);
    }
}

/// No hash covers it: in clear, anybody on the path could end what was before.
#[test]
fn initial_contact_counts_only_where_it_is_encrypted() {
    for encrypted in [false, true] {
        let mut server = server();
        negotiate(&mut server, 2, true, false);
        negotiate(&mut server, 3, encrypted, true);
        assert_eq!(replaced(&mut server), usize::from(encrypted));
        assert_eq!(server.counts().peers, 1);
    }
}

/// It is about what was before the IKE SA that it comes under, and not about what came since.
#[test]
fn initial_contact_under_an_old_ike_sa_spares_newer_ones() {
    let mut server = server();
    let old = negotiate(&mut server, 2, true, false);
    server.handle_timeout(NOW + secs(1));
    let new = negotiate(&mut server, 3, true, false);
    assert_eq!(server.counts().ike_sas, 2);
    for (sa, left) in [(&old, 2), (&new, 1)] {
        let message = sa.initial_contact(7);
        assert_eq!(server.handle_datagram(NOW, path(), &message), Handled::Consumed);
        assert_eq!(server.counts().ike_sas, left);
    }
}

/// Nobody has shown to be at the address until message 3.
#[test]
fn no_fragments_before_message_3() {
    let mut server = server();
    let initiator = Initiator::new(2, b"group");
    assert_eq!(server.handle_datagram(NOW, path(), &initiator.first), Handled::Consumed);
    let mut second = Vec::new();
    let _ = server.poll_transmit(NOW, &mut second).unwrap();
    for cookies in [initiator.cookies, Header::decode(&second).unwrap().cookies] {
        let mut datagram = Vec::new();
        let header = Header::new(cookies, ExchangeType::AGGRESSIVE, 0);
        let mut builder = MessageBuilder::new(&mut datagram, header);
        builder.raw(PayloadType::FRAGMENT, &[0, 1, 1, 0, 9]);
        builder.finish().unwrap();
        let handled = server.handle_datagram(NOW, path(), &datagram);
        assert_eq!(handled, Handled::Dropped(DropReason::NotAllowed));
    }
}

#[test]
fn an_identity_of_any_length_is_not_kept() {
    let mut server = server();
    let too_large = Handled::Dropped(DropReason::TooLarge);
    for (seed, len, handled) in [(2, 1_020, Handled::Consumed), (3, 1_021, too_large)] {
        let initiator = Initiator::new(seed, &vec![b'a'; len]);
        assert_eq!(server.handle_datagram(NOW, path(), &initiator.first), handled);
    }
}

/// The peer has proven that it is the peer: it would answer the same for ever.
#[test]
fn a_quick_mode_that_is_answered_with_nonsense_is_over() {
    let mut server = server();
    let sa = negotiate(&mut server, 2, true, false);
    let Some(Event::PeerUp { peer, .. }) = server.poll_event() else { panic!() };
    let wanted = server.request_child(NOW, peer, Selectors::l2tp()).unwrap();
    let mut first = Vec::new();
    let _ = server.poll_transmit(NOW, &mut first).unwrap();
    let handled = server.handle_datagram(NOW, path(), &sa.nonsense(first));
    assert_eq!(handled, Handled::Dropped(DropReason::Malformed));
    let Some(Event::ChildClosed { child, reason }) = server.poll_event() else { panic!() };
    let failed = ChildCloseReason::Failed(CloseReason::Malformed("its choice is missing"));
    assert_eq!((child, reason), (wanted, failed));
    assert_eq!(server.counts().ike_sas, 1);
}
