//! The command line, and what comes out.

use crate::data;
use crate::rows_of;
use crate::run;

#[test]
fn help_names_every_option_and_is_a_success() {
    let help = run(&["--help"]);
    assert_eq!((help.status, help.log.as_str()), (0, ""));
    for word in [
        "--json",
        "--tunnel-secret",
        "--esp-sa",
        "--esp-window",
        "<FILE>",
        "pcapng",
        "passwords",
        "Exit status",
    ] {
        assert!(help.out.contains(word), "{word}");
    }
}

#[test]
fn a_wrong_command_line_is_refused_by_name() {
    for (args, expected) in [
        (&[][..], "<FILE>"),
        (&["a.pcap", "--jsno"], "--jsno"),
        (&["a.pcap", "b.pcap"], "b.pcap"),
        (&["a.pcap", "--tunnel-secret"], "--tunnel-secret"),
        (
            &["a.pcap", "--tunnel-secret", ""],
            "'--tunnel-secret <SECRET>': it takes a secret of one character or more",
        ),
    ] {
        let outcome = run(args);
        assert_eq!((outcome.status, outcome.out.as_str()), (2, ""), "{args:?}");
        assert!(outcome.log.contains(expected), "{}", outcome.log);
    }
}

#[test]
fn a_line_or_an_object_a_packet() {
    let path = data("plain-pap.pcap");
    let text = run(&[&path]);
    let rows = rows_of(&path, &[]);
    assert_eq!(text.status, 0);
    assert_eq!(text.out.lines().count(), rows.len());
    for (n, (line, row)) in text.out.lines().zip(&rows).enumerate() {
        assert_eq!(row["frame"], n as u64 + 1);
        assert!(line.trim_start().starts_with(&(n + 1).to_string()));
        let mut keys: Vec<_> = row.as_object().unwrap().keys().map(String::as_str).collect();
        keys.sort_unstable();
        assert_eq!(keys, ["dst", "error", "frame", "layers", "src", "time"]);
    }
}

/// The lines of a whole session, as people see them.
#[test]
fn lines_are_as_committed() {
    let text = run(&[&data("plain-hidden.pcap"), "--tunnel-secret", "tsecret"]);
    let expected = std::fs::read_to_string(data("plain-hidden.txt")).unwrap();
    for (line, expected) in text.out.lines().zip(expected.lines()) {
        assert_eq!(line, expected);
    }
    assert_eq!(text.out.lines().count(), expected.lines().count());
}

/// Output that nobody reads to its end, as with `decode FILE | head`.
struct Closed;

impl std::io::Write for Closed {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let args = ["decode".into(), data("plain-pap.pcap").into()];
    let mut log = Vec::new();
    assert_eq!(crate::decode::run(args, Closed, &mut log), 0);
    assert!(log.is_empty());
}

#[test]
fn wrong_sas_are_refused_in_words() {
    let gcm = "ab".repeat(36);
    let enc = "cd".repeat(32);
    let mac = "ef".repeat(20);
    let sa = |text: &str| vec![String::from("--esp-sa"), String::from(text)];
    for (options, expected) in [
        (sa("1000"), "--esp-sa: it takes SPI:SUITE:ENCKEYHEX[:AUTHKEYHEX]"),
        (sa(&format!("1000:aes256-sha1:{enc}:{mac}:")), "it takes SPI:SUITE:"),
        (
            sa(&format!("255:aes256-sha1:{enc}:{mac}")),
            "a number from 256 to 0xffffffff, not \"255\"",
        ),
        (sa(&format!("0xff:aes256-sha1:{enc}:{mac}")), "not \"0xff\""),
        (sa(&format!("0x100000000:aes256-sha1:{enc}:{mac}")), "not \"0x100000000\""),
        (sa(&format!("c001:aes256-sha1:{enc}:{mac}")), "not \"c001\""),
        (
            sa(&format!("1000:aes257-sha1:{enc}:{mac}")),
            "there is no suite \"aes257-sha1\": it takes aes128gcm16",
        ),
        (sa(&format!("1000:aes256:{enc}:{mac}")), "CIPHER-INTEGRITY of null, 3des, aes128"),
        (
            sa(&format!("1000:aes256-sha1:{enc}")),
            "the integrity key of aes256-sha1 has 20 octets, which are 40 hexadecimal digits, not 0",
        ),
        (
            sa(&format!("1000:aes256-sha1:{mac}:{enc}")),
            "the encryption key of aes256-sha1 has 32 octets, which are 64 hexadecimal digits, not 40",
        ),
        (
            sa(&format!("1000:aes256gcm16:{enc}")),
            "the encryption key, with its salt, of aes256gcm16 has 36 octets",
        ),
        (
            sa(&format!("1000:aes256gcm16:{gcm}:{mac}")),
            "the integrity key of aes256gcm16 has 0 octets",
        ),
        (
            sa(&format!("1000:null-sha1:{enc}:{mac}")),
            "the encryption key of null-sha1 has 0 octets",
        ),
        (
            sa(&format!("1000:aes256-sha1:{}xy:{mac}", "cd".repeat(31))),
            "is not all hexadecimal digits",
        ),
        (
            sa(&format!("1000:aes256-sha1:{enc}:+{}", "ef".repeat(20).split_off(1))),
            "is not all hexadecimal digits",
        ),
        (
            sa(&format!("1000:aes256-sha1:{enc}:{}", "é".repeat(20))),
            "is not all hexadecimal digits",
        ),
        (sa(&format!("1000:3des-sha1:{}:{mac}", "cd".repeat(24))), "the key is weak"),
        (
            [sa(&format!("1000:aes256gcm16:{gcm}")), sa(&format!("0x3e8:aes256-sha1:{enc}:{mac}"))]
                .concat(),
            "--esp-sa: SPI 0x000003e8 is given twice",
        ),
        (
            ["--esp-window", "63"].map(String::from).to_vec(),
            "'63' for '--esp-window <N>': 63 is not in 64..=4096",
        ),
        (["--esp-window", "4097"].map(String::from).to_vec(), "4097 is not in 64..=4096"),
        (["--esp-window", "wide"].map(String::from).to_vec(), "'wide' for '--esp-window <N>'"),
    ] {
        let args: Vec<_> = options.iter().map(String::as_str).collect();
        let outcome = run(&[&["a.pcap"], args.as_slice()].concat());
        assert_eq!((outcome.status, outcome.out.as_str()), (2, ""), "{options:?}");
        assert!(outcome.log.contains(expected), "{expected}: {}", outcome.log);
        assert!(!outcome.log.contains(&enc) && !outcome.log.contains(&gcm), "it shows a key");
    }
}
