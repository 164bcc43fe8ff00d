//! The command line, and what comes out.

use crate::data;
use crate::rows_of;
use crate::run;

#[test]
fn help_names_every_option_and_is_a_success() {
    let help = run(&["--help"]);
    assert_eq!((help.status, help.log.as_str()), (0, ""));
    for word in ["--json", "--tunnel-secret", "<FILE>", "pcapng", "passwords", "Exit status"] {
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
