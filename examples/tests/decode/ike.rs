//! IKEv1 opened with its keys.

use serde_json::Value;
use serde_json::json;

use crate::build::ipv4;
use crate::build::pcap;
use crate::build::udp;
use crate::error;
use crate::last;
use crate::protos;
use crate::rows;
use crate::rows_of;
use crate::run;
use crate::shared;

const RAW_IP: u32 = 101;

/// Every capture of IKEv1.
const CAPTURES: [&str; 11] = [
    "default-strongswan",
    "esp-3des-sha1",
    "esp-aes128-sha1",
    "esp-aes256-sha1",
    "esp-aes256-sha256",
    "esp-aes256gcm",
    "esp-aggressive",
    "natt-3des-sha1",
    "natt-aes256-sha1",
    "natt-aes256-sha256",
    "natt-aes256gcm",
];

/// A file of a capture, among the test data of the IKE crate.
fn file(capture: &str, name: &str) -> String {
    let root = env!("CARGO_MANIFEST_DIR");
    format!("{root}/../crates/ipsec-ike/tests/data/captures/{capture}/{name}")
}

/// The options that open a capture, from what a peer logged.
fn options(capture: &str) -> Vec<String> {
    let log = std::fs::read_to_string(file(capture, "ike-client.keys")).unwrap();
    let mut keys = log.lines().filter(|line| line.starts_with("encryption key Ka "));
    let key = keys.next().unwrap().rsplit_once(" = ").unwrap().1;
    assert!(keys.next().is_none(), "one SA");
    let rows = rows_of(&file(capture, "wire.pcap"), &[]);
    let cookie = rows.iter().find_map(cookie).unwrap();
    vec![String::from("--ikev1-key"), format!("{cookie}:{key}")]
}

fn cookie(row: &Value) -> Option<String> {
    let layers = row["layers"].as_array().unwrap();
    let ike = layers.iter().find(|layer| layer["proto"] == "ike")?;
    Some(ike["initiator_cookie"].as_str().unwrap().into())
}

fn opened(capture: &str) -> Vec<Value> {
    let options = options(capture);
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    rows_of(&file(capture, "wire.pcap"), &options)
}

/// The payload names of each IKE message, whether they were in clear or not.
fn names(rows: &[Value]) -> Vec<Vec<String>> {
    rows.iter()
        .filter(|row| cookie(row).is_some())
        .map(|row| {
            let text = |value: &Value| String::from(value.as_str().unwrap());
            let layer = last(row);
            let payloads = layer["payloads"].as_array().unwrap().iter();
            if layer["proto"] == "ike" {
                payloads.map(text).collect()
            } else {
                payloads.map(|payload| text(&payload["type"])).collect()
            }
        })
        .collect()
}

/// What strongSwan's log calls the payloads of each message.
fn logged(log: &str) -> Vec<Vec<String>> {
    let messages =
        log.lines().filter(|line| line.contains("] parsed ") || line.contains("] generating "));
    let list = |line: &str| {
        let inside = line.rsplit_once("[ ").unwrap().1.trim_end_matches([' ', ']']);
        let name = |word: &str| match word {
            "V" => String::from("VID"),
            "No" => String::from("NONCE"),
            word if word.starts_with("N(") => String::from("N"),
            word => String::from(word),
        };
        inside.split(' ').map(name).collect::<Vec<String>>()
    };
    messages.map(list).collect()
}

#[test]
fn every_message_of_every_capture_opens() {
    for capture in CAPTURES {
        let rows = opened(capture);
        let mut count = 0;
        for row in rows.iter().filter(|row| cookie(row).is_some()) {
            assert_eq!(row["error"], Value::Null, "{capture}: {row}");
            let layers = row["layers"].as_array().unwrap();
            let ike = layers.iter().find(|layer| layer["proto"] == "ike").unwrap();
            let decrypted = last(row)["proto"] == "ike-decrypted";
            assert_eq!(ike["encrypted"], json!(decrypted), "{capture}: {row}");
            count += usize::from(decrypted);
        }
        assert!(count >= 4, "{capture}: {count}");
    }
}

#[test]
fn payloads_are_those_that_the_peers_logged() {
    for capture in CAPTURES {
        let Some(log) = shared(&format!("lab/captures/{capture}/charon-client.log")) else {
            return;
        };
        let logged = logged(&std::fs::read_to_string(log).unwrap());
        let mut expected = logged.clone();
        expected.sort();
        let mut seen = names(&opened(capture));
        seen.sort();
        // A repeated message is logged once.
        expected.dedup();
        seen.dedup();
        assert_eq!(seen, expected, "{capture}");
        assert!(logged.len() >= 6, "{capture}");
    }
}

/// What people see.
#[test]
fn lines_of_ike() {
    let options = options("esp-aes256-sha1");
    let path = file("esp-aes256-sha1", "wire.pcap");
    let args: Vec<&str> =
        [path.as_str()].into_iter().chain(options.iter().map(String::as_str)).collect();
    let text = run(&args).out;
    let line = |at: usize| text.lines().nth(at).unwrap();
    assert!(line(0).ends_with(": SA, VID, VID, VID, VID, VID"), "{}", line(0));
    assert!(line(4).ends_with(" | decrypted: ID 10.77.0.1, HASH"), "{}", line(4));
    let quick = line(6);
    assert!(quick.contains(" | decrypted: HASH, SA ESP "), "{quick}");
    assert!(
        quick.ends_with(" aes256-sha1, NONCE, ID 10.77.0.1 17/1701, ID 10.77.0.2 17/1701"),
        "{quick}"
    );
    assert!(line(8).ends_with(" | decrypted: HASH"), "{}", line(8));
    let without = run(&[&path]).out;
    let line = without.lines().nth(4).unwrap();
    assert!(line.ends_with(": encrypted (keys open it: --ikev1-key)"), "{line}");
}

#[test]
fn a_wrong_key_is_told() {
    let options = options("esp-aes256-sha1");
    let wrong = format!(
        "{}00",
        options[1].strip_suffix(|_: char| true).unwrap().strip_suffix(|_: char| true).unwrap()
    );
    let rows = rows_of(&file("esp-aes256-sha1", "wire.pcap"), &["--ikev1-key", &wrong]);
    assert!(error(&rows[4]).starts_with("IKE message: the key does not open it"), "{}", rows[4]);
    let short = format!("{}:{}", &wrong[..16], "00".repeat(16));
    let rows = rows_of(&file("esp-aes256-sha1", "wire.pcap"), &["--ikev1-key", &short]);
    assert!(error(&rows[4]).contains("does not fit"), "{}", rows[4]);
}

#[test]
fn keys_that_are_none() {
    let key = "00".repeat(32);
    let good = format!("0123456789abcdef:{key}");
    for (given, expected) in [
        (vec!["0123456789abcdef"], "it takes INITIATORCOOKIEHEX:KEYHEX"),
        (vec!["0123456789abcdeg:00"], "it takes INITIATORCOOKIEHEX:KEYHEX"),
        (vec!["0123456789abcde:00"], "it takes INITIATORCOOKIEHEX:KEYHEX"),
        (vec!["0123456789abcd:00"], "a cookie has 8 octets, not 7"),
        (vec!["0123456789abcdef:0001"], "a key has 16, 24 or 32 octets, not 2"),
        (vec![good.as_str(), good.as_str()], "one cookie is given twice"),
    ] {
        let mut args = vec!["FILE"];
        for one in &given {
            args.extend(["--ikev1-key", one]);
        }
        let outcome = run(&args);
        assert_eq!(outcome.status, 2, "{given:?}");
        assert!(outcome.log.contains(expected), "{}", outcome.log);
        assert!(!outcome.log.contains(&key), "{}", outcome.log);
    }
}

/// Fragments of a message in clear: it is shown with the last of them.
#[test]
fn fragments_are_put_together() {
    let mut whole = vec![1; 8];
    whole.extend([0; 8]);
    whole.extend([13, 0x10, 2, 0, 0, 0, 0, 0, 0, 0, 0, 28 + 12]);
    whole.extend([0, 0, 0, 12, 1, 2, 3, 4, 5, 6, 7, 8]);
    let fragment = |number: u8, last: u8, data: &[u8]| {
        let mut octets = whole[..16].to_vec();
        octets.extend([132, 0x10, 2, 0, 0, 0, 0, 0, 0, 0, 0, 36 + data.len() as u8]);
        octets.extend([0, 0, 0, 8 + data.len() as u8, 0, 1, number, last]);
        octets.extend(data);
        ipv4(17, 0, 0, &udp(500, 500, &octets))
    };
    let (second, first) = (fragment(2, 1, &whole[20..]), fragment(1, 0, &whole[..20]));
    let rows = rows(&pcap(RAW_IP, &[&second, &first, &first]));
    assert_eq!(protos(&rows[0]), ["udp", "ike"]);
    assert_eq!(last(&rows[0])["payloads"], json!(["FRAGMENT"]));
    assert_eq!(protos(&rows[1]), ["udp", "ike", "ike"]);
    assert_eq!(last(&rows[1])["payloads"], json!(["VID"]));
    assert_eq!((error(&rows[1]), protos(&rows[2]).len()), ("", 2));
}
