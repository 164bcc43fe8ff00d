//! What capture files may look like.

use crate::build;
use crate::build::block;
use crate::build::enhanced;
use crate::build::interface;
use crate::build::ipv4;
use crate::build::pcap;
use crate::build::section;
use crate::build::udp;
use crate::error;
use crate::protos;
use crate::rows;
use crate::run;

type Order = (fn(u32) -> [u8; 4], fn(u16) -> [u8; 2]);
const LITTLE: Order = (u32::to_le_bytes, u16::to_le_bytes);
const BIG: Order = (u32::to_be_bytes, u16::to_be_bytes);

/// An IP packet that makes one `udp` layer.
fn packet() -> Vec<u8> {
    ipv4(17, 0, 0, &udp(5000, 6000, b"hello"))
}

#[test]
fn pcap_in_either_byte_order_and_resolution() {
    for (magic, fraction) in [(0xa1b2_c3d4, 0.25), (0xa1b2_3c4d, 0.000_25)] {
        for (u32_in, u16_in) in [LITTLE, BIG] {
            let file = build::pcap_in(magic, u32_in, u16_in, 101, &[&packet(), &packet()]);
            let rows = rows(&file);
            assert_eq!(rows.len(), 2);
            for (n, row) in rows.iter().enumerate() {
                assert_eq!(row["frame"], n as u64 + 1);
                assert_eq!(row["time"], 1_000_000.0 + n as f64 + fraction);
                assert_eq!((protos(row), error(row)), (vec!["udp"], ""));
            }
        }
    }
}

#[test]
fn the_link_type_is_the_low_half_of_its_field() {
    // Bit 28 up: 4 octets of frame check sequence, valid since bit 26 is set.
    let with_fcs = [packet(), vec![1, 2, 3, 4]].concat();
    for (field, frame) in [(0x0123_0065, packet()), (0x2400_0065, with_fcs)] {
        let rows = rows(&pcap(field, &[&frame]));
        assert_eq!((protos(&rows[0]), error(&rows[0])), (vec!["udp"], ""), "{field:#x}");
    }
}

#[test]
fn pcapng_with_several_interfaces_and_sections() {
    for (first, second) in [(LITTLE, BIG), (BIG, LITTLE)] {
        let mut file = Vec::new();
        for (u32_in, u16_in) in [first, second] {
            file.extend(section(u32_in, u16_in));
            file.extend(interface(1, 0, 6, u32_in, u16_in));
            // Unknown blocks, custom ones and statistics are no packets.
            file.extend(block(0x0bad, &[1; 20], u32_in));
            file.extend(interface(101, 0, 9, u32_in, u16_in));
            let frame = build::ethernet(0x0800, &packet());
            file.extend(enhanced(0, 5_000_000, &frame, u32_in));
            file.extend(enhanced(1, 6_500_000_000, &packet(), u32_in));
            file.extend(enhanced(2, 0, &packet(), u32_in));
        }
        let rows = rows(&file);
        assert_eq!(rows.len(), 6);
        for rows in rows.chunks(3) {
            assert_eq!(
                (rows[0]["time"].as_f64(), rows[1]["time"].as_f64()),
                (Some(5.0), Some(6.5))
            );
            assert_eq!((protos(&rows[0]), protos(&rows[1])), (vec!["udp"], vec!["udp"]));
            assert!(error(&rows[2]).contains("interface 2"), "{}", rows[2]);
        }
    }
}

#[test]
fn simple_and_obsolete_packet_blocks() {
    for (u32_in, u16_in) in [LITTLE, BIG] {
        let mut file = section(u32_in, u16_in);
        file.extend(interface(101, 30, 6, u32_in, u16_in));
        let simple = |frame: &[u8]| {
            let frame_len = u32_in(frame.len() as u32);
            block(3, &[&frame_len[..], &frame[..frame.len().min(30)]].concat(), u32_in)
        };
        file.extend(simple(&packet()[..29]));
        file.extend(simple(&packet()));
        let mut old = [u16_in(0), u16_in(9)].concat();
        for field in [0, 7_000_000, packet().len() as u32, packet().len() as u32] {
            old.extend(u32_in(field));
        }
        file.extend(block(2, &[old, packet()].concat(), u32_in));
        let rows = rows(&file);
        assert_eq!(rows.len(), 3);
        assert!(error(&rows[0]).contains("13 octets needed, 9 left"), "{}", rows[0]);
        // Cut by the snapshot length: that is told apart from a malformed packet.
        assert!(error(&rows[1]).contains("only 30 of the packet's 33 octets"), "{}", rows[1]);
        assert_eq!(rows[1]["time"], serde_json::Value::Null);
        assert_eq!((protos(&rows[2]), error(&rows[2])), (vec!["udp"], ""));
        assert_eq!(rows[2]["time"], 7.0);
    }
}

#[test]
fn time_resolutions_of_pcapng() {
    // Powers of 10 and of 2, and those that no number can hold.
    for (option, units, expected) in [
        (0, 12, Some(12.0)),
        (3, 12_500, Some(12.5)),
        (0x80 | 10, 1536, Some(1.5)),
        (0x80 | 63, 1 << 62, Some(0.5)),
        (200, 12, Some(0.0)),
        (99, u64::MAX, Some(1.0)),
    ] {
        let (u32_in, u16_in) = LITTLE;
        let mut file = section(u32_in, u16_in);
        file.extend(interface(101, 0, option, u32_in, u16_in));
        file.extend(enhanced(0, units, &packet(), u32_in));
        assert_eq!(rows(&file)[0]["time"].as_f64(), expected, "{option}");
    }
}

#[test]
fn a_damaged_block_is_a_row_and_reading_goes_on() {
    let (u32_in, u16_in) = LITTLE;
    let mut file = section(u32_in, u16_in);
    file.extend(interface(101, 0, 6, u32_in, u16_in));
    let mut damaged = enhanced(0, 1, &packet(), u32_in);
    damaged[20..24].copy_from_slice(&4000_u32.to_le_bytes());
    file.extend(&damaged);
    file.extend(enhanced(0, 2, &packet(), u32_in));
    file.extend(&damaged);
    file.extend(&damaged);
    let rows = rows(&file);
    assert_eq!(rows.len(), 4);
    for at in [0, 2, 3] {
        assert!(error(&rows[at]).starts_with("the file is damaged"), "{}", rows[at]);
    }
    assert_eq!((protos(&rows[1]), error(&rows[1])), (vec!["udp"], ""));
}

#[test]
fn a_record_that_claims_too_much_ends_the_file() {
    let mut file = pcap(101, &[&packet()]);
    for field in [0, 0, 0xffff_fff0_u32, 60] {
        file.extend(field.to_le_bytes());
    }
    // Enough that the file does not simply end first.
    file.extend(vec![0; 1 << 25]);
    let rows = rows(&file);
    assert_eq!(rows.len(), 2);
    assert!(error(&rows[1]).contains("claims more than"), "{}", rows[1]);
}

#[test]
fn records_larger_than_the_buffer_are_read() {
    let large = ipv4(17, 0, 0, &udp(5000, 6000, &[7; 60_000]));
    let padded = [large.clone(), vec![0; 1 << 20]].concat();
    let rows = rows(&pcap(101, &[&large, &padded, &large, &packet()]));
    assert_eq!(rows.len(), 4);
    assert!(rows.iter().all(|row| (protos(row), error(row)) == (vec!["udp"], "")));
}

/// A buffer that has grown must not make a small rest look like more than it is.
#[test]
fn a_large_record_cut_off_behind_another_large_one() {
    let large = [packet(), vec![0; 1 << 20]].concat();
    let larger = [packet(), vec![0; 3 << 20]].concat();
    for kept in [30, 2 << 20] {
        let file = pcap(101, &[&large, &packet(), &larger]);
        let rows = rows(&file[..file.len() - larger.len() + kept]);
        assert_eq!(rows.len(), 3);
        assert!(error(&rows[2]).contains("cut off"), "{}", rows[2]);
    }
    assert_eq!(rows(&pcap(101, &[&large, &packet(), &larger])).len(), 3);
}

/// Every length that a file can be cut to: nothing but whole rows, and at most one error behind
/// them.
#[test]
fn a_file_cut_anywhere() {
    let (u32_in, u16_in) = LITTLE;
    let mut pcapng = section(u32_in, u16_in);
    pcapng.extend(interface(101, 0, 6, u32_in, u16_in));
    let header_of_pcapng = pcapng.len();
    pcapng.extend(enhanced(0, 1, &packet(), u32_in));
    pcapng.extend(enhanced(0, 2, &packet(), u32_in));
    let record = 32 + packet().len().next_multiple_of(4);
    let pcap = pcap(101, &[&packet(), &packet()]);
    for (file, header, record) in [(pcapng, header_of_pcapng, record), (pcap, 24, 49)] {
        for cut in header..=file.len() {
            let (whole, rest) = ((cut - header) / record, (cut - header) % record);
            let rows = rows(&file[..cut]);
            assert_eq!(rows.len(), whole + usize::from(rest > 0), "{cut}");
            assert!(rows[..whole].iter().all(|row| row["error"].is_null()));
            if let Some(last) = rows.get(whole) {
                assert!(error(last).contains("cut off"), "{last}");
            }
        }
    }
}

#[test]
fn what_is_no_capture_is_refused_with_a_sentence() {
    let folder = std::env::temp_dir();
    let whole = pcap(101, &[]);
    for (name, content, expected) in [
        ("empty", &[][..], "the file is empty"),
        ("text", b"Frame 1: 190 octets on wire", "does not begin with a whole pcap"),
        ("short", &whole[..20], "the file ends inside its header"),
        ("pcapng", &section(LITTLE.0, LITTLE.1)[..20], "does not begin with a whole pcap"),
    ] {
        let path = folder.join(format!("decode-test-{}-{name}", std::process::id()));
        std::fs::write(&path, content).unwrap();
        let outcome = run(&[path.to_str().unwrap()]);
        std::fs::remove_file(&path).unwrap();
        assert_eq!((outcome.status, outcome.out.as_str()), (1, ""), "{name}");
        assert!(outcome.log.contains(expected), "{}", outcome.log);
        assert!(outcome.log.contains(name) && outcome.log.lines().count() == 1);
    }
    let missing = run(&["/nowhere/at.all"]);
    assert_eq!((missing.status, missing.out.as_str()), (1, ""));
    assert!(missing.log.starts_with("decode: /nowhere/at.all: No such file"), "{}", missing.log);
    assert_eq!(run(&[folder.to_str().unwrap()]).status, 1);
}
