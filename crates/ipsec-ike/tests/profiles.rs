#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

//! What each preset makes of what each client offers.

use ipsec_ike::AuthMethod;
use ipsec_ike::EncapsulationMode;
use ipsec_ike::payload::SecurityAssociation;
use ipsec_ike::profile::ANDROID;
use ipsec_ike::profile::ClientProfile;
use ipsec_ike::proposal::EspPolicy;
use ipsec_ike::proposal::IkePolicy;
use ipsec_ike::proposal::Preset;
use ipsec_ike::proposal::accept_esp;
use ipsec_ike::proposal::accept_ike;
use ipsec_ike::proposal::choose_esp;
use ipsec_ike::proposal::choose_ike;
use ipsec_ike::vendor::Fingerprint;
use ipsec_ike::vendor::VendorId;

const PSK: &[AuthMethod] = &[AuthMethod::PRE_SHARED_KEY];
const UDP: EncapsulationMode = EncapsulationMode::UDP_TRANSPORT;

/// What a server with this preset agrees on with the client: IKE and ESP as text.
fn agreed(client: &ClientProfile, preset: Preset) -> Option<(String, String)> {
    let mut offer = Vec::new();
    client.write_ike_offer(&mut offer);
    let sa = SecurityAssociation::decode(&offer).unwrap();
    let policy = IkePolicy { proposals: &preset.ike(), methods: PSK };
    let ike = choose_ike(&sa, &policy).ok()?;
    assert_eq!(ike.lifetime, client.ike_lifetime, "{}", client.name);
    let mut answer = Vec::new();
    ike.encode(&mut answer);
    let answer = SecurityAssociation::decode(&answer).unwrap();
    assert_eq!(accept_ike(&answer, &client.ike_proposals(), PSK), Ok(ike.clone()));

    let groups: Vec<_> =
        vpn_crypto::provider().ike.groups.iter().map(|group| group.group()).collect();
    let fingerprint = Fingerprint::guess(client.vendor_ids.iter().copied(), &offer);
    let (proposals, udp) = (&preset.esp(), true);
    let policy = EspPolicy { proposals, groups: &groups, udp, fingerprint };
    let mut offer = Vec::new();
    client.write_esp_offer(&mut offer, 0x100, UDP);
    let esp = choose_esp(&SecurityAssociation::decode(&offer).unwrap(), &policy).ok()?;
    assert_eq!((esp.lifetime, esp.proposal.pfs), (client.esp_lifetime, client.pfs));
    let mut answer = Vec::new();
    esp.encode(0x100, &mut answer);
    let answer = SecurityAssociation::decode(&answer).unwrap();
    assert_eq!(accept_esp(&answer, &client.esp_proposals(), UDP), Ok(esp.clone()));
    Some((ike.proposal.to_string(), esp.proposal.to_string()))
}

/// The strictest preset that a client's row names is the strictest that serves it, and each looser
/// one does as well.
#[test]
fn each_client_finds_a_common_proposal_from_its_preset_on() {
    for client in ClientProfile::ALL {
        let mut serves = false;
        for preset in Preset::ALL {
            serves |= *preset == client.preset;
            assert_eq!(agreed(client, *preset).is_some(), serves, "{} {preset}", client.name);
        }
    }
}

#[test]
fn the_default_serves_everything_but_old_android() {
    for client in ClientProfile::ALL {
        let old = client.name.starts_with(ANDROID.name);
        assert_eq!(agreed(client, Preset::default()).is_none(), old, "{}", client.name);
    }
}

/// What is agreed on, client by client, with the preset that its row names.
#[test]
fn what_is_agreed_on() {
    let agreed: Vec<_> = ClientProfile::ALL
        .iter()
        .map(|client| {
            let (ike, esp) = agreed(
                client,
                if client.preset == Preset::Legacy { Preset::Legacy } else { Preset::default() },
            )
            .unwrap();
            format!("{}: {ike} / {esp}", client.name)
        })
        .collect();
    let expected = [
        "Windows 7: aes256-sha1-ecp384 / aes256-sha1",
        "Windows 10: aes256-sha1-ecp384 / aes256-sha1",
        "Windows 11: aes256-sha1-ecp384 / aes256-sha1",
        "macOS and iOS: aes256-sha256-modp2048 / aes256-sha256",
        "macOS and iOS with a group name: aes256-sha256-modp2048 / aes256-sha256",
        "Android up to 11: aes256-sha256-modp1024 / aes256-sha384",
        "Android up to 11 with an IPsec identifier: aes256-sha256-modp1024 / aes256-sha384",
        "NetworkManager-l2tp: aes256-sha256-modp2048 / aes256-sha1",
        "ChromeOS: aes128-sha256-modp3072 / aes128gcm16",
        "MikroTik RouterOS: aes128-sha1-modp2048 / aes256-sha1-modp1024",
        "strongSwan: aes256-sha384-ecp384 / aes256gcm16",
        "Libreswan: aes256-sha256-modp2048 / aes256gcm16",
    ];
    assert_eq!(agreed, expected);
}

/// `features.md` §2.4: with HMAC-SHA-256 no packet of an old kernel would ever verify.
#[test]
fn android_gets_no_sha2_256_in_esp() {
    let mut proposals = Preset::Legacy.esp();
    while let Some((_, esp)) = agreed_with(&proposals) {
        let chosen = proposals.iter().position(|one| one.to_string() == esp).unwrap();
        proposals.remove(chosen);
        let others = proposals.iter().any(|one| {
            let text = one.to_string();
            !text.contains("sha256") && !text.contains("gcm")
        });
        assert!(!esp.contains("sha256") || !others, "{esp}");
    }
    assert!(proposals.iter().all(|one| one.to_string().contains("gcm")));
}

fn agreed_with(proposals: &[ipsec_ike::proposal::EspProposal]) -> Option<(usize, String)> {
    let mut offer = Vec::new();
    ANDROID.write_esp_offer(&mut offer, 0x100, UDP);
    let fingerprint = Fingerprint::Android;
    let policy = EspPolicy { proposals, groups: &[], udp: true, fingerprint };
    let chosen = choose_esp(&SecurityAssociation::decode(&offer).unwrap(), &policy).ok()?;
    Some((proposals.len(), chosen.proposal.to_string()))
}

#[test]
fn each_client_is_recognised() {
    for client in ClientProfile::ALL {
        let mut offer = Vec::new();
        client.write_ike_offer(&mut offer);
        let ids = client.vendor_ids.iter().copied();
        assert!(ids.clone().all(|id| VendorId::recognise(id).is_some()), "{}", client.name);
        assert_eq!(Fingerprint::guess(ids.clone(), &offer), client.fingerprint, "{}", client.name);
        let says = |wanted| ids.clone().any(|id| VendorId::recognise(id) == Some(wanted));
        assert_eq!(says(VendorId::DeadPeerDetection), client.dpd, "{}", client.name);
        assert_eq!(says(VendorId::Fragmentation), client.fragmentation, "{}", client.name);
    }
}

/// One transform with DES stands in no list of what can be used.
#[test]
fn offers_keep_their_number_of_transforms() {
    for client in ClientProfile::ALL {
        let mut offer = Vec::new();
        client.write_ike_offer(&mut offer);
        let sa = SecurityAssociation::decode(&offer).unwrap();
        let counts: Vec<_> = sa.proposals().map(|one| usize::from(one.count())).collect();
        assert_eq!(counts, [client.ike.len()]);
        assert!(client.ike_proposals().len() <= client.ike.len());
        assert!(!client.ike_proposals().is_empty() && !client.esp_proposals().is_empty());
    }
    assert_eq!(ANDROID.ike.len() - ANDROID.ike_proposals().len(), 2);
}
