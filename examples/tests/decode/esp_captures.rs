//! Captures of ESP, opened with their keys.

use std::path::PathBuf;

use serde_json::Value;
use serde_json::json;

use crate::build::ipv4;
use crate::build::pcap;
use crate::build::udp;
use crate::captures::messages;
use crate::data;
use crate::error;
use crate::esp::octets;
use crate::esp::statuses;
use crate::last;
use crate::protos;
use crate::rows_of;
use crate::rows_with;
use crate::run;
use crate::shared;

const RAW_IP: u32 = 101;

/// The generated set, and the SA that it is for.
fn generated() -> (Value, String) {
    let set = std::fs::read(esp_data("esp-aes256cbc-sha1.json")).unwrap();
    let set: Value = serde_json::from_slice(&set).unwrap();
    let text = |name: &str| set[name].as_str().unwrap();
    let sa = format!("0x{}:aes256-sha1:{}:{}", text("spi"), text("encr_key"), text("integ_key"));
    (set, sa)
}

/// The generated set has a verdict for each frame.
#[test]
fn the_generated_set_is_judged_as_it_says() {
    let (set, sa) = generated();
    let frames = set["frames"].as_array().unwrap();
    let status = |verdict: &str| match verdict {
        _ if verdict.starts_with("accept") => "ok",
        _ if verdict.contains("not UDP") => "ok",
        _ if verdict.contains("bad ICV") => "bad_icv",
        _ if verdict.contains("unknown SPI") => "unknown_spi",
        _ if verdict.contains("sequence 0") || verdict.contains("outside") => "too_old",
        _ if verdict.contains("replay") => "replay",
        _ if verdict.contains("cut short") || verdict.contains("only a header") => "malformed",
        _ if verdict.contains("pad") => "bad_padding",
        _ => panic!("{verdict}"),
    };
    let from_file = rows_of(&data("esp-aes256cbc-sha1.pcap"), &["--esp-sa", &sa]);
    let in_udp: Vec<_> = frames
        .iter()
        .map(|frame| ipv4(17, 0, 0, &udp(4500, 4500, &octets(frame["esp"].as_str().unwrap()))))
        .collect();
    let in_udp: Vec<_> = in_udp.iter().map(Vec::as_slice).collect();
    for rows in [from_file, rows_with(&pcap(RAW_IP, &in_udp), &[&sa], 64)] {
        assert_eq!(rows.len(), 21);
        for (row, frame) in rows.iter().zip(frames) {
            let verdict = frame["verdict"].as_str().unwrap();
            assert_eq!(statuses(std::slice::from_ref(row)), [status(verdict)], "{verdict}");
            let protos = protos(row);
            let inside = protos.split(|proto| *proto == "esp").next_back().unwrap();
            match frame.get("plaintext_udp") {
                Some(_) => assert_eq!(inside, ["udp", "l2tp", "ppp", "ip", "udp"]),
                None if verdict.contains("dummy") => assert_eq!(inside, ["payload"]),
                None if verdict.contains("not UDP") => assert_eq!(inside, ["tcp"]),
                None => assert_eq!(inside, [""; 0]),
            }
        }
    }
    // A wider window still has what fell out of the narrow one.
    let wide = rows_of(&data("esp-aes256cbc-sha1.pcap"), &["--esp-sa", &sa, "--esp-window", "128"]);
    let differ: Vec<_> = wide
        .iter()
        .zip(frames)
        .filter(|(row, frame)| {
            row["layers"][0]["status"] != status(frame["verdict"].as_str().unwrap())
        })
        .map(|(row, _)| (row["frame"].as_u64().unwrap(), &row["layers"][0]["status"]))
        .collect();
    assert_eq!(differ, [(13, &json!("replay"))]);
}

/// A file among the test data of the ESP crate.
fn esp_data(name: &str) -> String {
    format!("{}/../crates/ipsec-esp/tests/data/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// The options that open a capture, from what `ip xfrm state` printed.
fn options_of(xfrm: &str) -> Vec<String> {
    let mut options = Vec::new();
    let (mut spi, mut integrity) = ("", None);
    for line in xfrm.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (suite, keys) = match *words.as_slice() {
            ["proto", "esp", "spi", number, ..] => {
                spi = number;
                continue;
            }
            ["auth-trunc", "hmac(sha1)", key, "96"] => {
                integrity = Some(("sha1", key));
                continue;
            }
            ["auth-trunc", "hmac(sha256)", key, "128"] => {
                integrity = Some(("sha256", key));
                continue;
            }
            ["enc", name, key] => {
                let (mac, mac_key) = integrity.take().unwrap();
                let cipher = match (name, key.len()) {
                    ("cbc(aes)", 34) => "aes128",
                    ("cbc(aes)", 66) => "aes256",
                    ("cbc(des3_ede)", 50) => "3des",
                    other => panic!("{other:?}"),
                };
                (format!("{cipher}-{mac}"), format!("{key}:{mac_key}"))
            }
            ["aead", "rfc4106(gcm(aes))", key, "128"] => (String::from("aes256gcm16"), key.into()),
            _ => continue,
        };
        options.extend([String::from("--esp-sa"), format!("{spi}:{suite}:{keys}")]);
    }
    options
}

/// The rows of a capture with its keys.
pub(crate) fn rows_with_keys(capture: &str, xfrm: &str) -> Vec<Value> {
    let options = options_of(&std::fs::read_to_string(xfrm).unwrap());
    assert_eq!(options.len(), 4, "{xfrm}");
    rows_of(capture, &options.iter().map(String::as_str).collect::<Vec<_>>())
}

/// What Linux kernels sent each other: all of it opens, and has a whole session inside.
#[test]
fn kernels_packets_open_and_hold_sessions() {
    let (mut captures, mut packets) = (0, 0);
    for entry in std::fs::read_dir(esp_data("captures")).unwrap() {
        let folder = entry.unwrap().path();
        let file = |file: &str| folder.join(file).to_str().unwrap().to_string();
        let name = folder.display();
        let closed = rows_of(&file("wire.pcap"), &[]);
        let rows = rows_with_keys(&file("wire.pcap"), &file("xfrm-server.txt"));
        assert_eq!(statuses(&rows), vec!["ok"; statuses(&closed).len()], "{name}");
        let esp: Vec<_> = rows.iter().filter(|row| protos(row).contains(&"esp")).collect();
        for row in &esp {
            assert_eq!(error(row), "", "{name}");
            let at = usize::from(file("").contains("natt"));
            assert_eq!(protos(row)[at..at + 3], ["esp", "udp", "l2tp"], "{name}");
        }
        let count = |proto: &str| esp.iter().filter(|row| protos(row).contains(&proto)).count();
        assert!(count("lcp") >= 4 && count("chap") == 3 && count("ipcp") >= 4, "{name}");
        let echoes =
            esp.iter().filter(|row| last(row)["proto"] == "icmp" && last(row)["id"].is_u64());
        assert_eq!(echoes.count(), 8, "{name}");
        let messages = messages(&rows);
        assert_eq!((messages[0], messages.last()), ("SCCRQ", Some(&"StopCCN")), "{name}");
        captures += 1;
        packets += esp.len();
    }
    assert_eq!((captures, packets), (14, 622));
}

/// Captures of other projects, with keys that they published.
#[test]
fn foreign_captures_open() {
    const KLIPS: &str = "4043434545464649494a4a4c4c4f4f515152525454575758";
    let tunnel = |path: &str, keys: &[String], packets: usize| -> Option<Vec<Value>> {
        let path: PathBuf = shared(&format!("vectors/pcap/{path}"))?;
        let options: Vec<_> = keys.iter().flat_map(|key| ["--esp-sa", key]).collect();
        let rows = rows_of(path.to_str().unwrap(), &options);
        let opened: Vec<_> =
            rows.into_iter().filter(|row| protos(row) == ["esp", "ip", "icmp"]).collect();
        assert_eq!(statuses(&opened), vec!["ok"; packets], "{}", path.display());
        assert!(opened.iter().all(|row| error(row).is_empty()));
        Some(opened)
    };
    // Its description has SHA-1; the packets have MD5, under the key of the same test bed.
    let md5 = format!("0x12345678:3des-md5:0x{KLIPS}:{}", "87658765".repeat(4));
    let sha1 = format!("3508749671:aes256-sha1:0xaaaabbbbccccdddd{KLIPS}:{}", "87658765".repeat(5));
    for (file, key, listing) in [
        ("tcpdump/02-sunrise-sunset-esp.pcap", md5, "esp1.out"),
        ("tcpdump/08-sunrise-sunset-aes.pcap", sha1, "esp5.out"),
    ] {
        let Some(rows) = tunnel(file, &[key], 8) else { return };
        let Some(listing) = shared(&format!("vectors/pcap/tcpdump/{listing}")) else { return };
        let listing = std::fs::read_to_string(listing).unwrap();
        for (row, line) in rows.iter().zip(listing.lines()) {
            let [esp, ip, echo] = row["layers"].as_array().unwrap().as_slice() else { panic!() };
            let expected = format!(
                "ESP(spi={:#x},seq={:#x}), length 1",
                esp["spi"].as_u64().unwrap(),
                esp["seq"].as_u64().unwrap()
            );
            assert!(line.contains(&expected), "{line}");
            let (src, dst) = (ip["src"].as_str().unwrap(), ip["dst"].as_str().unwrap());
            let expected = format!(
                "IP {src} > {dst}: ICMP echo request, id {}, seq {},",
                echo["id"], echo["seq"]
            );
            assert!(line.contains(&expected), "{line}");
        }
    }
    let keys = [
        "0x070883c2:aes128-sha1:5de1a4c2c72662c9fda7a7c78cd25623:51c9213c18232f8f26c70c4dee6e0e6d56e31e8a",
        "0xc254fe64:aes128-sha1:88e1dad7140af03b8d4f3d734d21be4b:3e00d517c1220d4b7d2950fcc02edd4b6023d278",
    ];
    tunnel("wireshark/esp-bug-12671.pcapng", &keys.map(String::from), 6);
}

/// ESP over IPv6 of many SAs, without keys.
#[test]
fn without_keys_spis_and_numbers_are_shown() {
    let Some(path) = shared("vectors/pcap/zeek/ip6_esp.pcap") else { return };
    let rows = rows_of(path.to_str().unwrap(), &[]);
    let statuses = statuses(&rows);
    assert!(statuses.len() > 50 && statuses.iter().all(|status| *status == "unknown_spi"));
}

/// The ESP packets behind the generated IKE exchange.
#[test]
fn a_generated_exchange_opens() {
    let Some(folder) = shared("vectors/synth") else { return };
    let file = |ending: &str| folder.join(format!("ikev1-psk-aes256-sha1-g2{ending}"));
    let set: Value = serde_json::from_slice(&std::fs::read(file(".json")).unwrap()).unwrap();
    let quick_mode = &set["qm"];
    let sa = |spi: &str, direction: &str| {
        let key = |name: &str| quick_mode[direction][name].as_str().unwrap();
        let spi = quick_mode[spi].as_str().unwrap();
        format!("0x{spi}:aes256-sha1:{}:{}", key("encr"), key("integ"))
    };
    let there = sa("spi_r", "initiator_to_responder");
    let back = sa("spi_i", "responder_to_initiator");
    let path = file(".pcap");
    let rows = rows_of(path.to_str().unwrap(), &["--esp-sa", &there, "--esp-sa", &back]);
    let statuses = statuses(&rows);
    assert!(statuses.len() >= 2 && statuses.iter().all(|status| *status == "ok"), "{statuses:?}");
}

/// What people see.
#[test]
fn lines_of_esp() {
    let (_, sa) = generated();
    let path = data("esp-aes256cbc-sha1.pcap");
    let with = run(&[&path, "--esp-sa", &sa]).out;
    let without = run(&[&path]).out;
    for (text, line, expected) in [
        (
            &with,
            0,
            " ESP SPI 0x10203040 seq 1 aes256-sha1 | UDP 1701 > 1701, 52 octets | L2TP data tunnel 7 \
             session 9 | IP 10.9.0.77 > 10.9.0.1 | UDP 4000 > 9, 12 octets",
        ),
        (
            &with,
            6,
            " ESP SPI 0x10203040 seq 3 aes256-sha1, 100 octets, replay  ERROR ESP packet: the \
             sequence number was received before",
        ),
        (
            &with,
            15,
            " seq 72 aes256-sha1, 8 octets, malformed  ERROR ESP packet: it can't have 8 octets",
        ),
        (&with, 19, " ESP SPI 0x10203040 seq 76 aes256-sha1 | dummy packet, 0 octets"),
        (&without, 0, " ESP SPI 0x10203040 seq 1, 100 octets (keys open it: --esp-sa)"),
    ] {
        let line = text.lines().nth(line).unwrap();
        assert!(line.ends_with(expected), "{line}");
    }
}
