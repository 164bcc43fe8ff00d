#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::expect_used)]

//! The choice between our lists and an offer, on the wire and back.

use ipsec_ike::AuthMethod;
use ipsec_ike::EncapsulationMode;
use ipsec_ike::payload::SecurityAssociation;
use ipsec_ike::proposal::BadChoice;
use ipsec_ike::proposal::ChosenEsp;
use ipsec_ike::proposal::EspPolicy;
use ipsec_ike::proposal::EspProposal;
use ipsec_ike::proposal::IkePolicy;
use ipsec_ike::proposal::IkeProposal;
use ipsec_ike::proposal::Lifetime;
use ipsec_ike::proposal::NoProposal;
use ipsec_ike::proposal::OfferedEsp;
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
