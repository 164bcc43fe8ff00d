//! Captures of real peers and of other projects, against what other programs say of them.

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;

use ppp_core::Protocol;
use ppp_core::code_name;
use serde_json::Value;
use serde_json::json;

use crate::data;
use crate::error;
use crate::esp_captures::rows_with_keys;
use crate::rows;
use crate::rows_of;
use crate::shared;

const COMMITTED: [&str; 6] = [
    "plain-pap.pcap",
    "plain-chap.pcap",
    "plain-mschapv2.pcap",
    "plain-tunnel-auth.pcap",
    "plain-hidden.pcap",
    "l2tp-chap-full.pcap",
];

/// The order of control messages in a row that carry one.
pub(crate) fn messages(rows: &[Value]) -> Vec<&str> {
    let layers = rows.iter().flat_map(|row| row["layers"].as_array().unwrap());
    layers
        .filter_map(|layer| layer.get("message").filter(|_| layer["proto"] == "l2tp"))
        .map(|message| message.as_str().unwrap())
        .filter(|message| *message != "ZLB")
        .collect()
}

#[test]
fn committed_captures_decode_whole() {
    for name in COMMITTED {
        let rows = rows_of(&data(name), &["--tunnel-secret", "tsecret"]);
        for row in &rows {
            assert_eq!(error(row), "", "{name}");
            let layers = row["layers"].as_array().unwrap();
            assert!(layers.iter().all(|layer| layer.get("note").is_none()));
        }
        let messages = messages(&rows);
        let set_up = ["SCCRQ", "SCCRP", "SCCCN", "ICRQ", "ICRP", "ICCN"];
        assert_eq!(messages[..6], set_up, "{name}");
        assert_eq!(*messages.last().unwrap(), "StopCCN", "{name}");
    }
}

#[test]
fn hidden_session_ids_are_those_that_are_used() {
    let rows = rows_of(&data("plain-hidden.pcap"), &["--tunnel-secret", "tsecret"]);
    let assigned = |frame: usize| {
        let avps = rows[frame - 1]["layers"][1]["avps"].as_array().unwrap();
        let avp = avps.iter().find(|avp| avp["type"] == 14).unwrap();
        assert_eq!(avp["hidden"], true);
        avp["value"].clone()
    };
    // ICRQ and ICRP name the IDs; the first data message each way uses them.
    assert_eq!((assigned(4), assigned(6)), (json!(56140), json!(52334)));
    assert_eq!(rows[9]["layers"][1]["session_id"], assigned(6));
    assert_eq!(rows[10]["layers"][1]["session_id"], assigned(4));
    // Without the secret they stay closed, and the note says what opens them.
    let closed = rows_of(&data("plain-hidden.pcap"), &[]);
    let avp = &closed[3]["layers"][1]["avps"][2];
    assert_eq!(
        (&avp["type"], &avp["value"]),
        (&json!(14), &json!("893d444ee2989355324d4e0ca60009d2"))
    );
    assert!(avp["note"].as_str().unwrap().contains("--tunnel-secret"));
}

/// What another decoder says of a frame, in the lines of its full listing.
#[derive(Default, PartialEq, Debug)]
struct Facts {
    /// Tunnel ID, Session ID.
    ids: Vec<u64>,
    /// Ns, Nr.
    numbers: Vec<u64>,
    /// Attribute, mandatory.
    avps: Vec<(u64, bool)>,
    /// The PPP control packet: protocol, code, identifier.
    ppp: Option<(u16, String, u64)>,
}

/// No identifier yet.
const UNREAD: u64 = u64::MAX;

/// Reads the listing: by frame, what lies between its heading and the next.
fn listed(text: &str) -> BTreeMap<u64, Facts> {
    let mut frames = BTreeMap::<u64, Facts>::new();
    let mut frame = 0;
    let mut protocol = 0;
    let mut mandatory = false;
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("Frame ") {
            frame = rest.split(':').next().unwrap().parse().unwrap();
            frames.insert(frame, Facts::default());
            protocol = 0;
            continue;
        }
        let Some(facts) = frames.get_mut(&frame) else { continue };
        let number = |text: &str| text.split([' ', ')']).next().unwrap().parse().unwrap();
        let line = line.trim();
        let (key, value) = line.split_once(": ").unwrap_or((line, ""));
        match key {
            // Only what is inside the L2TP and PPP parts uses these words.
            "Tunnel ID" | "Session ID" => facts.ids.push(number(value)),
            "Ns" | "Nr" => facts.numbers.push(number(value)),
            _ if key.ends_with("= Mandatory") => mandatory = value == "True",
            "AVP Type" => {
                let attribute = number(value.rsplit_once('(').unwrap().1);
                facts.avps.push((attribute, mandatory));
            }
            "PPP Link Control Protocol" => protocol = 0xc021,
            "PPP Password Authentication Protocol" => protocol = 0xc023,
            "PPP Challenge Handshake Authentication Protocol" => protocol = 0xc223,
            "PPP IP Control Protocol" => protocol = 0x8021,
            "PPP IPv6 Control Protocol" => protocol = 0x8057,
            // Inside a Protocol-Reject it goes on with the packet that was rejected.
            "Code" if protocol != 0 && facts.ppp.is_none() => {
                let code = number(value.rsplit_once('(').unwrap().1);
                let code = u8::try_from(code).unwrap();
                let name = code_name(Protocol(protocol), code).unwrap();
                facts.ppp = Some((protocol, name.to_string(), UNREAD));
            }
            "Identifier" if protocol != 0 => {
                let (.., identifier) = facts.ppp.as_mut().unwrap();
                if *identifier == UNREAD {
                    *identifier = number(value);
                }
                protocol = 0;
            }
            _ => {}
        }
    }
    frames
}

/// The same facts out of our rows.
fn found(row: &Value) -> Facts {
    let mut facts = Facts::default();
    let number = |value: &Value| value.as_u64().unwrap();
    let mut inside = false;
    for layer in row["layers"].as_array().unwrap() {
        match layer["proto"].as_str().unwrap() {
            "l2tp" => {
                facts.ids = vec![number(&layer["tunnel_id"]), number(&layer["session_id"])];
                if !layer["ns"].is_null() {
                    facts.numbers = vec![number(&layer["ns"]), number(&layer["nr"])];
                }
                for avp in layer["avps"].as_array().unwrap_or(&Vec::new()) {
                    // The listing leaves out the attribute of what is hidden.
                    if avp["hidden"] == false {
                        facts.avps.push((number(&avp["type"]), avp["mandatory"] == true));
                    }
                }
            }
            "ppp" => inside = true,
            name if inside && layer.get("code").is_some_and(Value::is_string) => {
                let protocol = match name {
                    "lcp" => 0xc021,
                    "pap" => 0xc023,
                    "chap" => 0xc223,
                    "ipcp" => 0x8021,
                    _ => 0x8057,
                };
                let code = layer["code"].as_str().unwrap().to_string();
                facts.ppp = Some((protocol, code, number(&layer["id"])));
            }
            _ => {}
        }
    }
    facts
}

#[test]
fn lab_captures_are_as_another_decoder_has_them() {
    let Some(lab) = shared("lab/captures") else { return };
    let mut compared = 0;
    for entry in std::fs::read_dir(lab).unwrap() {
        let folder = entry.unwrap().path();
        let name = folder.file_name().unwrap().to_str().unwrap();
        let file = |file: &str| folder.join(file).to_str().unwrap().to_string();
        let rows = if folder.join("xfrm-server.txt").exists() {
            rows_with_keys(&file("wire.pcap"), &file("xfrm-server.txt"))
        } else {
            rows_of(&file("wire.pcap"), &[])
        };
        let listing = listed(&std::fs::read_to_string(folder.join("decoded.txt")).unwrap());
        for row in &rows {
            assert_eq!(error(row), "", "{name}");
        }
        for (frame, facts) in &listing {
            let row = &rows[usize::try_from(*frame).unwrap() - 1];
            assert_eq!(&found(row), facts, "{name} frame {frame}");
        }
        assert!(listing.values().filter(|facts| !facts.ids.is_empty()).count() > 25, "{name}");
        compared += 1;
    }
    assert_eq!(compared, 22);
}

/// The generated session against the tree of another decoder.
#[test]
fn the_generated_session_is_as_another_decoder_has_it() {
    let Some(path) = shared("vectors/expected/synth/l2tp-chap-full.pcap.json") else { return };
    let expected: Vec<Value> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let rows = rows_of(&data("l2tp-chap-full.pcap"), &["--tunnel-secret", "s3cret"]);
    assert_eq!(rows.len(), expected.len());
    let mut avps = 0;
    for (row, expected) in rows.iter().zip(&expected) {
        let layers = &expected["_source"]["layers"];
        let l2tp = &layers["l2tp"];
        let ours = &row["layers"][1];
        for (ours_key, key) in [
            ("tunnel_id", "l2tp.tunnel"),
            ("session_id", "l2tp.session"),
            ("ns", "l2tp.Ns"),
            ("nr", "l2tp.Nr"),
        ] {
            let number = l2tp.get(key).map(|text| text.as_str().unwrap().parse::<u64>().unwrap());
            assert_eq!(ours[ours_key].as_u64(), number, "{key} {row}");
        }
        // Of several IP headers its JSON keeps the last.
        let inner = row["layers"].as_array().unwrap().iter().find(|layer| layer["proto"] == "ip");
        assert_eq!(inner.unwrap_or(row)["src"], layers["ip"]["ip.src"]);
        for (_, theirs) in l2tp.as_object().unwrap().iter().filter(|(k, _)| k.ends_with(" AVP")) {
            let kind: u64 = theirs["l2tp.avp.type"].as_str().unwrap().parse().unwrap();
            let avp =
                ours["avps"].as_array().unwrap().iter().find(|avp| avp["type"] == kind).unwrap();
            assert_eq!(avp["mandatory"], theirs["l2tp.avp.mandatory"] == "1");
            assert_eq!(avp["hidden"], theirs["l2tp.avp.hidden"] == "1");
            let value = match &avp["value"] {
                Value::Number(number) => number.to_string(),
                Value::String(text) => text.clone(),
                _ => continue,
            };
            for key in [
                "message_type",
                "host_name",
                "vendor_name",
                "assigned_tunnel_id",
                "assigned_session_id",
                "receive_window_size",
                "firmware_revision",
                "call_serial_number",
                "chap_challenge",
                "chap_challenge_response",
            ] {
                if let Some(theirs) = theirs.get(format!("l2tp.avp.{key}")) {
                    assert_eq!(value, theirs.as_str().unwrap().replace(':', ""), "{row}");
                    avps += 1;
                }
            }
        }
    }
    assert!(avps > 25, "{avps}");
}

fn captures_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            captures_below(&path, found);
        } else if path.extension().is_some_and(|ext| ext == "pcap" || ext == "pcapng") {
            found.push(path);
        }
    }
}

/// How many packets a capture has, counted without the decoder.
fn packets(file: &[u8]) -> usize {
    let (header, big, legacy) = match file[..4] {
        [0xd4, 0xc3, 0xb2, 0xa1] => (24, false, true),
        [0xa1, 0xb2, 0xc3, 0xd4] => (24, true, true),
        _ => (0, false, false),
    };
    let number = |at: usize| {
        let octets = file[at..at + 4].try_into().unwrap();
        let number = if big { u32::from_be_bytes(octets) } else { u32::from_le_bytes(octets) };
        number as usize
    };
    let (mut at, mut count) = (header, 0);
    while at < file.len() {
        if legacy {
            at += 16 + number(at + 8);
            count += 1;
        } else {
            count += usize::from(number(at) == 6);
            at += number(at + 4);
        }
    }
    count
}

/// Everything at hand, malformed packets included: a row a packet and no failure; an error only
/// where a packet is known to be malformed.
#[test]
fn every_capture_at_hand_has_a_row_a_packet() {
    const MALFORMED: [&str; 5] = [
        "isakmp-pointer-loop.pcap",
        "isakmp-delete-segfault.pcap",
        "isakmp-identification-segfault.pcap",
        "ppp_error_hexdump.pcap",
        "ppp_ip_udp_dns.pcap",
    ];
    let mut found = Vec::new();
    for folder in ["vectors/pcap", "vectors/synth", "lab/captures"] {
        if let Some(folder) = shared(folder) {
            captures_below(&folder, &mut found);
        }
    }
    for path in &found {
        let name = path.file_name().unwrap().to_str().unwrap();
        let rows = rows_of(path.to_str().unwrap(), &[]);
        assert_eq!(rows.len(), packets(&std::fs::read(path).unwrap()), "{}", path.display());
        let faults: Vec<_> = rows.iter().map(error).filter(|fault| !fault.is_empty()).collect();
        assert!(faults.is_empty() || MALFORMED.contains(&name), "{}: {faults:?}", path.display());
        println!("{}: {} packets, errors: {faults:?}", path.display(), rows.len());
    }
}

/// Datagrams that fuzzers and other projects found interesting, as payload of UDP.
#[test]
fn seeds_of_fuzzers_are_rows() {
    for (folder, port) in [("l2tp", 1701), ("ike", 500), ("esp", 4500)] {
        let Some(folder) = shared(&format!("vectors/corpus/{folder}")) else { return };
        for entry in std::fs::read_dir(folder).unwrap() {
            let seed = std::fs::read(entry.unwrap().path()).unwrap();
            let packet = crate::build::ipv4(17, 0, 0, &crate::build::udp(port, port, &seed));
            assert_eq!(rows(&crate::build::pcap(101, &[&packet])).len(), 1);
        }
    }
}
