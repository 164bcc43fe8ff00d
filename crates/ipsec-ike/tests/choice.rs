#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::expect_used)]

//! The choice between our lists and an offer, on the wire and back.

use ipsec_ike::AuthMethod;
use ipsec_ike::EncapsulationMode;
use ipsec_ike::ProtocolId;
use ipsec_ike::attribute::put_basic;
use ipsec_ike::attribute::put_number;
use ipsec_ike::payload::Proposal;
use ipsec_ike::payload::SecurityAssociation;
use ipsec_ike::payload::Transform;
use ipsec_ike::payload::encode_proposal;
use ipsec_ike::payload::encode_transform;
use ipsec_ike::proposal::BadChoice;
use ipsec_ike::proposal::ChosenEsp;
use ipsec_ike::proposal::EspPolicy;
use ipsec_ike::proposal::EspProposal;
use ipsec_ike::proposal::IkePolicy;
use ipsec_ike::proposal::IkeProposal;
use ipsec_ike::proposal::Lifetime;
use ipsec_ike::proposal::NoProposal;
use ipsec_ike::proposal::OfferedEsp;
use ipsec_ike::proposal::OfferedIke;
use ipsec_ike::proposal::Unsupported;
use ipsec_ike::proposal::accept_esp;
use ipsec_ike::proposal::accept_ike;
use ipsec_ike::proposal::choose_esp;
use ipsec_ike::proposal::choose_ike;
use ipsec_ike::proposal::write_esp_offer;
use ipsec_ike::proposal::write_ike_offer;
use ipsec_ike::vendor::Fingerprint;
use vpn_core::crypto::DhGroup;

const PSK: &[AuthMethod] = &[AuthMethod::PRE_SHARED_KEY];

fn ike_offer(list: &str) -> Vec<u8> {
    let mut body = Vec::new();
    let proposals = IkeProposal::list(list).unwrap();
    write_ike_offer(&mut body, &proposals, PSK, Lifetime::seconds(28_800));
    body
}

fn esp_offer(list: &str, mode: EncapsulationMode) -> Vec<u8> {
    let mut body = Vec::new();
    let lifetime = Lifetime::seconds(3600).with_kilobytes(250_000);
    write_esp_offer(&mut body, 0x1234, &EspProposal::list(list).unwrap(), mode, lifetime);
    body
}

fn esp_choice(
    body: &[u8],
    ours: &str,
    udp: bool,
    fingerprint: Fingerprint,
) -> Result<ChosenEsp, NoProposal<EspProposal, OfferedEsp>> {
    let proposals = EspProposal::list(ours).unwrap();
    let groups = &[DhGroup::MODP_2048];
    let policy = EspPolicy { proposals: &proposals, groups, udp, fingerprint };
    choose_esp(&SecurityAssociation::decode(body).unwrap(), &policy)
}

fn chosen(body: &[u8], ours: &str, fingerprint: Fingerprint) -> String {
    esp_choice(body, ours, false, fingerprint).unwrap().proposal.to_string()
}

/// RFC 2408 §4.2. strongSwan and Libreswan number from 0.
#[test]
fn the_number_of_the_proposal_comes_back() {
    /// Behind DOI, situation and the payload's header.
    const NUMBER: usize = 12;
    let ours = IkeProposal::list("aes256-sha256-modp2048").unwrap();
    for number in [0, 1, 7] {
        let mut offer = ike_offer("aes256-sha256-modp2048");
        offer[NUMBER] = number;
        let sa = SecurityAssociation::decode(&offer).unwrap();
        let mut answer = Vec::new();
        let policy = IkePolicy { proposals: &ours, methods: PSK };
        choose_ike(&sa, &policy).unwrap().encode(&mut answer);
        assert_eq!(answer, offer);
    }
}

#[test]
fn the_responder_prefers_its_own_order_and_echoes_the_octets() {
    let theirs = "3des-sha1-modp1024,aes128-sha1-modp2048,aes256-sha256-modp2048";
    let offer = ike_offer(theirs);
    let sa = SecurityAssociation::decode(&offer).unwrap();
    let ours = IkeProposal::list("aes256-sha256-modp2048,aes128-sha1-modp2048").unwrap();
    let policy = IkePolicy { proposals: &ours, methods: PSK };
    let choice = choose_ike(&sa, &policy).unwrap();
    assert_eq!(choice.proposal.to_string(), "aes256-sha256-modp2048");
    assert_eq!(choice.lifetime, Lifetime::seconds(28_800));

    let mut answer = Vec::new();
    choice.encode(&mut answer);
    let answered = SecurityAssociation::decode(&answer).unwrap();
    let transform = answered.proposals().next().unwrap().transforms().next().unwrap();
    let offered = sa.proposals().next().unwrap().transforms().nth(2).unwrap();
    assert_eq!(transform.octets, offered.octets);

    let accepted = accept_ike(&answered, &IkeProposal::list(theirs).unwrap(), PSK).unwrap();
    assert_eq!(accepted, choice);
}

#[test]
fn the_initiator_refuses_what_it_did_not_offer() {
    let offered = IkeProposal::list("aes256-sha256-modp2048").unwrap();
    let answer = ike_offer("aes256-sha1-modp2048");
    let sa = SecurityAssociation::decode(&answer).unwrap();
    assert_eq!(accept_ike(&sa, &offered, PSK), Err(BadChoice::NotOffered));
    let same = ike_offer("aes256-sha256-modp2048");
    let same = SecurityAssociation::decode(&same).unwrap();
    assert!(accept_ike(&same, &offered, PSK).is_ok());
    let rsa = &[AuthMethod::RSA_SIGNATURES];
    assert_eq!(accept_ike(&same, &offered, rsa), Err(BadChoice::NotOffered));
    let two = ike_offer("aes256-sha256-modp2048,aes256-sha256-modp2048");
    let two = SecurityAssociation::decode(&two).unwrap();
    assert_eq!(accept_ike(&two, &offered, PSK), Err(BadChoice::NotOne));

    let offered = EspProposal::list("aes256-sha256,aes128gcm16-modp2048").unwrap();
    let (plain, udp) = (EncapsulationMode::TRANSPORT, EncapsulationMode::UDP_TRANSPORT);
    for (answer, mode, expected) in [
        ("aes256-sha256", plain, Ok(())),
        ("aes128gcm16-modp2048", plain, Ok(())),
        ("aes128gcm16", plain, Err(BadChoice::NotOffered)),
        ("aes256-sha256-modp2048", plain, Err(BadChoice::NotOffered)),
        ("aes256-sha1", plain, Err(BadChoice::NotOffered)),
        ("aes256-sha256", udp, Err(BadChoice::Unsupported(Unsupported::WrongTransport(udp)))),
        (
            "aes256-sha256",
            EncapsulationMode::TUNNEL,
            Err(BadChoice::Unsupported(Unsupported::NotTransport(EncapsulationMode::TUNNEL))),
        ),
    ] {
        let body = esp_offer(answer, mode);
        let sa = SecurityAssociation::decode(&body).unwrap();
        let result = accept_esp(&sa, &offered, plain).map(|chosen| assert_eq!(chosen.spi, 0x1234));
        assert_eq!(result, expected, "{answer} {mode}");
    }
    let draft = EncapsulationMode::UDP_TRANSPORT_DRAFT;
    let body = esp_offer("aes256-sha256", draft);
    let sa = SecurityAssociation::decode(&body).unwrap();
    assert!(accept_esp(&sa, &offered, draft).is_ok());
    assert_eq!(accept_esp(&sa, &offered, udp), Err(BadChoice::NotOffered));
}

#[test]
fn the_esp_choice_keeps_number_lifetimes_and_octets() {
    let body = esp_offer("aes256-sha1,aes128-sha1", EncapsulationMode::UDP_TRANSPORT);
    let choice = esp_choice(&body, "aes128-sha1", true, Fingerprint::Unknown).unwrap();
    assert_eq!((choice.spi, choice.mode), (0x1234, EncapsulationMode::UDP_TRANSPORT));
    assert_eq!(choice.lifetime, Lifetime::seconds(3600).with_kilobytes(250_000));
    let mut answer = Vec::new();
    choice.encode(0xabcd, &mut answer);
    let answer = SecurityAssociation::decode(&answer).unwrap();
    let proposal = answer.proposals().next().unwrap();
    assert_eq!((proposal.number, proposal.esp_spi()), (1, Some(0xabcd)));
    assert_eq!(proposal.transforms().next().unwrap().number, 2);
}

#[test]
fn tunnel_mode_is_refused_by_name() {
    let body = esp_offer("aes256-sha1", EncapsulationMode::TUNNEL);
    let refused = esp_choice(&body, "aes256-sha1", false, Fingerprint::Unknown).unwrap_err();
    let fault = Unsupported::NotTransport(EncapsulationMode::TUNNEL);
    assert_eq!(refused.theirs[0].fault, Some(fault));
    assert_eq!(refused.theirs[0].to_string(), "AES-CBC 256-HMAC-SHA-1 (tunnel)");
    assert_eq!(refused.nearest.unwrap().differs, ["encapsulation"]);
}

#[test]
fn transport_in_udp_only_behind_a_nat() {
    for (mode, udp) in [
        (EncapsulationMode::TRANSPORT, false),
        (EncapsulationMode::UDP_TRANSPORT, true),
        (EncapsulationMode::UDP_TRANSPORT_DRAFT, true),
    ] {
        let body = esp_offer("aes256-sha1", mode);
        for wanted in [false, true] {
            let choice = esp_choice(&body, "aes256-sha1", wanted, Fingerprint::Unknown);
            assert_eq!(choice.is_ok(), wanted == udp, "{mode}");
        }
    }
}

#[test]
fn a_group_is_given_where_asked_for_and_wanted_where_listed() {
    let plain = esp_offer("aes256-sha1", EncapsulationMode::TRANSPORT);
    let pfs = esp_offer("aes256-sha1-modp2048", EncapsulationMode::TRANSPORT);
    let unknown = esp_offer("aes256-sha1-modp1024", EncapsulationMode::TRANSPORT);
    assert_eq!(chosen(&plain, "aes256-sha1", Fingerprint::Unknown), "aes256-sha1");
    assert_eq!(chosen(&pfs, "aes256-sha1", Fingerprint::Unknown), "aes256-sha1-modp2048");
    assert!(esp_choice(&unknown, "aes256-sha1", false, Fingerprint::Unknown).is_err());
    assert!(esp_choice(&plain, "aes256-sha1-modp2048", false, Fingerprint::Unknown).is_err());
    let ours = "aes256-sha1-modp1024";
    assert_eq!(chosen(&unknown, ours, Fingerprint::Unknown), ours);
}

#[test]
fn fingerprints_change_the_order_only() {
    let ours = "aes256-sha256,aes256-sha512,aes256-sha1,aes128gcm16";
    let theirs = esp_offer(ours, EncapsulationMode::TRANSPORT);
    assert_eq!(chosen(&theirs, ours, Fingerprint::Unknown), "aes256-sha256");
    assert_eq!(chosen(&theirs, ours, Fingerprint::Android), "aes256-sha512");
    assert_eq!(chosen(&theirs, ours, Fingerprint::ChromeOs), "aes128gcm16");
    let only = esp_offer("aes256-sha256", EncapsulationMode::TRANSPORT);
    assert_eq!(chosen(&only, ours, Fingerprint::Android), "aes256-sha256");
}

#[test]
fn the_short_hmac_goes_by_the_number_of_the_long_one() {
    let theirs = esp_offer("aes256-sha256", EncapsulationMode::TRANSPORT);
    let ours = "aes256-sha256_96";
    assert_eq!(chosen(&theirs, ours, Fingerprint::Android), "aes256-sha256_96");
    assert_eq!(theirs, esp_offer("aes256-sha256_96", EncapsulationMode::TRANSPORT));
}

#[test]
fn no_common_proposal_tells_both_lists_and_the_nearest_pair() {
    let offer = ike_offer("3des-md5-modp1024,aes256-sha256-modp1024");
    let ours = IkeProposal::list("aes256-sha256-modp2048,aes128-sha1-ecp256").unwrap();
    let policy = IkePolicy { proposals: &ours, methods: PSK };
    let sa = SecurityAssociation::decode(&offer).unwrap();
    let refused = choose_ike(&sa, &policy).unwrap_err();
    assert_eq!(refused.ours, ours);
    let theirs: Vec<String> = refused.theirs.iter().map(ToString::to_string).collect();
    assert_eq!(theirs, ["3des-md5-modp1024", "aes256-sha256-modp1024"]);
    let nearest = refused.nearest.unwrap();
    assert_eq!(nearest.offered.to_string(), "aes256-sha256-modp1024");
    assert_eq!(nearest.ours, ours[0]);
    assert_eq!(nearest.differs, ["Diffie-Hellman group"]);

    let rsa = IkePolicy { proposals: &ours, methods: &[AuthMethod::RSA_SIGNATURES] };
    let offer = ike_offer("aes256-sha256-modp2048");
    let refused = choose_ike(&SecurityAssociation::decode(&offer).unwrap(), &rsa).unwrap_err();
    assert_eq!(refused.nearest.unwrap().differs, ["authentication method"]);
}

/// RFC 2409 §5: the methods that encrypt nonces are not spoken, whatever else fits.
#[test]
fn encryption_with_rsa_is_refused() {
    let proposals = IkeProposal::list("aes256-sha256-modp2048").unwrap();
    for method in [AuthMethod::RSA_ENCRYPTION, AuthMethod::REVISED_RSA_ENCRYPTION] {
        let mut offer = Vec::new();
        write_ike_offer(&mut offer, &proposals, &[method], Lifetime::default());
        let methods = &[AuthMethod::PRE_SHARED_KEY, AuthMethod::RSA_SIGNATURES];
        let policy = IkePolicy { proposals: &proposals, methods };
        let sa = SecurityAssociation::decode(&offer).unwrap();
        assert!(choose_ike(&sa, &policy).is_err());
    }
}

/// One transform with these attributes, each in the short form or, by `long`, in the long one.
fn transform(id: u8, attributes: &[(u16, u64)], long: bool) -> Vec<u8> {
    let mut out = Vec::new();
    encode_transform(&mut out, 1, id, |out| {
        for (class, value) in attributes {
            match u16::try_from(*value) {
                Ok(value) if !long => put_basic(out, *class, value),
                _ => put_number(out, *class, *value),
            }
        }
    });
    out
}

fn offered_ike(attributes: &[(u16, u64)], long: bool) -> OfferedIke {
    OfferedIke::read(&Transform::decode(&transform(1, attributes, long)).unwrap())
}

fn offered_esp(id: u8, spi: &[u8], attributes: &[(u16, u64)]) -> OfferedEsp {
    let mut body = Vec::new();
    let transforms = [transform(id, attributes, false)];
    encode_proposal(&mut body, 1, ProtocolId::ESP, spi, &transforms);
    let proposal = Proposal::decode(&body).unwrap();
    OfferedEsp::read(&proposal, &proposal.transforms().next().unwrap())
}

/// RFC 2409 appendix A: either form; and no order but that a duration follows its unit.
#[test]
fn attributes_in_any_order_and_form() {
    let mut attributes = [(1, 7), (14, 256), (2, 4), (4, 14), (3, 1)];
    for long in [false, true] {
        for rotation in 0..attributes.len() {
            attributes.rotate_left(1);
            for place in 0..=attributes.len() {
                let mut all = attributes.to_vec();
                all.splice(place..place, [(11, 1), (12, 86_400), (11, 2), (12, 50_000)]);
                let offered = offered_ike(&all, long);
                let name = offered.proposal().map(|proposal| proposal.to_string());
                assert_eq!(name.as_deref(), Ok("aes256-sha256-modp2048"), "{rotation} {place}");
                let lifetime = Lifetime::seconds(86_400).with_kilobytes(50_000);
                assert_eq!((offered.lifetime, offered.auth), (lifetime, Some(PSK[0])));
            }
        }
    }
}

#[test]
fn transforms_of_phase_1_that_cannot_be_used_say_why() {
    let aes = [(1, 7), (14, 256), (2, 2), (4, 14), (3, 1)];
    let without = |class| aes.into_iter().filter(|one| one.0 != class).collect::<Vec<_>>();
    let with = |class, value| [without(class), vec![(class, value)]].concat();
    for (attributes, expected) in [
        (without(1), Unsupported::Missing("cipher")),
        (without(14), Unsupported::Missing("Key Length")),
        (without(2), Unsupported::Missing("hash function")),
        (without(4), Unsupported::Missing("Diffie-Hellman group")),
        (with(1, 1), Unsupported::Unknown("cipher")),
        (with(1, 5), Unsupported::KeyLength(256)),
        (with(14, 129), Unsupported::KeyLength(129)),
        (with(2, 3), Unsupported::Unknown("hash function")),
        (with(13, 1), Unsupported::Attribute(13)),
        (with(16_384, 1), Unsupported::Attribute(16_384)),
        ([aes.to_vec(), vec![(4, 2)]].concat(), Unsupported::Conflicting("Group Description")),
        (vec![(12, 5), (12, 6)], Unsupported::Conflicting("Life Duration")),
    ] {
        let offered = offered_ike(&attributes, false);
        assert_eq!(offered.proposal(), Err(expected), "{attributes:?}");
        assert!(!offered.to_string().is_empty());
    }
    let twice = [aes.to_vec(), vec![(4, 14), (5, 1)]].concat();
    assert!(offered_ike(&twice, false).proposal().is_ok(), "said twice alike, and a Group Type");
    let triple_des = [(1, 5), (14, 192), (2, 2), (4, 2), (3, 1)];
    assert_eq!(offered_ike(&triple_des, false).to_string(), "3des-sha1-modp1024");
    let unknown = [(1, 1), (2, 1), (4, 1), (3, 3)];
    let text = offered_ike(&unknown, false).to_string();
    assert_eq!(text, "DES-CBC-MD5-group 1 (RSA signatures)");
}

#[test]
fn transforms_of_esp_that_cannot_be_used_say_why() {
    let spi = [0, 0, 1, 0];
    for (id, attributes, expected) in [
        (12, &[(6, 256), (5, 2)][..], Ok("aes256-sha1")),
        (12, &[(6, 192), (5, 7), (3, 19)], Ok("aes192-sha512-ecp256")),
        (3, &[(5, 2)], Ok("3des-sha1")),
        (11, &[(5, 5)], Ok("null-sha256")),
        (20, &[(6, 128)], Ok("aes128gcm16")),
        (12, &[(5, 2)], Err(Unsupported::Missing("Key Length"))),
        (12, &[(6, 256)], Err(Unsupported::Missing("integrity algorithm"))),
        (12, &[(6, 512), (5, 2)], Err(Unsupported::KeyLength(512))),
        (12, &[(6, 256), (5, 9)], Err(Unsupported::Unknown("integrity algorithm"))),
        (2, &[(5, 2)], Err(Unsupported::Unknown("cipher"))),
        (20, &[], Err(Unsupported::Missing("Key Length"))),
        (20, &[(6, 64)], Err(Unsupported::KeyLength(64))),
        (20, &[(6, 128), (5, 2)], Err(Unsupported::Conflicting("cipher and integrity algorithm"))),
        (12, &[(6, 256), (5, 2), (11, 1)], Err(Unsupported::Attribute(11))),
    ] {
        let offered = offered_esp(id, &spi, attributes);
        let name = offered.proposal().map(|proposal| proposal.to_string());
        assert_eq!(name.as_deref().map_err(|error| *error), expected, "{id} {attributes:?}");
    }
    for spi in [&[0, 0, 0, 255][..], &[0, 0, 0, 0], &[1, 2, 3]] {
        let offered = offered_esp(3, spi, &[(5, 2)]);
        assert_eq!(offered.proposal(), Err(Unsupported::Spi), "{spi:?}");
    }
    let no_mode = offered_esp(3, &spi, &[(5, 2)]).transport_mode(false);
    assert_eq!(no_mode, Err(Unsupported::Missing("Encapsulation Mode")));
}

/// RFC 2408 §4.2: proposals with one number are meant together, and we do only ESP.
#[test]
fn combined_protocols_are_passed_over() {
    let attributes = [(6, 256), (5, 2), (4, 2)];
    let body = |numbers: [u8; 2], protocol| {
        let (mut first, mut second, mut out) = (Vec::new(), Vec::new(), Vec::new());
        let (spi, transforms) = ([0, 0, 2, 0], [transform(12, &attributes, false)]);
        encode_proposal(&mut first, numbers[0], protocol, &spi, &transforms);
        encode_proposal(&mut second, numbers[1], ProtocolId::ESP, &spi, &transforms);
        SecurityAssociation::encode(&mut out, &[first, second]);
        out
    };
    let choose = |body: &[u8]| esp_choice(body, "aes256-sha1", false, Fingerprint::Unknown);
    let together = choose(&body([1, 1], ProtocolId::AH)).unwrap_err();
    let faults: Vec<_> = together.theirs.iter().map(|one| one.fault).collect();
    assert_eq!(faults, [Some(Unsupported::Combined); 2]);
    let chosen = choose(&body([1, 2], ProtocolId::AH)).unwrap();
    let mut answer = Vec::new();
    chosen.encode(0x300, &mut answer);
    let answer = SecurityAssociation::decode(&answer).unwrap();
    assert_eq!(answer.proposals().next().unwrap().number, 2);
    assert!(choose(&body([1, 2], ProtocolId::ESP)).is_ok());
}
