//! The `decode` example, from files made here to whole captures of real peers.
#![allow(
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::std_instead_of_alloc,
    clippy::unwrap_used
)]

#[allow(dead_code, reason = "the tests call run, not main")]
#[path = "../../decode/main.rs"]
mod decode;

mod build;
mod captures;
mod cli;
mod esp;
mod esp_captures;
mod files;
mod hostile;
mod ike;
mod l2tp;
mod links;
mod packets;
mod ppp;

use std::path::PathBuf;

use serde_json::Value;

/// What the program did.
struct Outcome {
    status: u8,
    out: String,
    log: String,
}

/// Runs the program.
fn run(args: &[&str]) -> Outcome {
    let (mut out, mut log) = (Vec::new(), Vec::new());
    let args = ["decode"].iter().chain(args).map(Into::into);
    let status = decode::run(args, &mut out, &mut log);
    let text = |octets| String::from_utf8(octets).unwrap();
    Outcome { status, out: text(out), log: text(log) }
}

/// The JSON rows of a file that can be read.
fn rows_of(path: &str, options: &[&str]) -> Vec<Value> {
    let outcome = run(&[&[path, "--json"], options].concat());
    assert_eq!((outcome.status, outcome.log.as_str()), (0, ""), "{path}");
    outcome.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The JSON rows of a capture in memory, with the tunnel secret "tsecret". Each row is also put
/// into text, which must be one line.
fn rows(capture: &[u8]) -> Vec<Value> {
    rows_with(capture, &[], 64)
}

/// The same with the keys of SAs.
fn rows_with(capture: &[u8], esp_sas: &[&str], window: u32) -> Vec<Value> {
    let esp_sas: Vec<_> = esp_sas.iter().copied().map(String::from).collect();
    let esp_sas = decode::esp_sas::EspSas::new(&esp_sas, window).unwrap();
    let capture = decode::capture::Capture::new(std::io::Cursor::new(capture.to_vec()));
    let mut decoder =
        decode::walk::Decoder::new(Some(b"tsecret".to_vec()), esp_sas, Default::default());
    let mut lines = decode::row::Lines::default();
    let mut rows = Vec::new();
    for item in capture.unwrap_or_else(|fault| panic!("{fault}")) {
        let row = decoder.row(item);
        let line = lines.line(&row).to_string();
        assert!(!line.contains(['\n', '\r', '\x1b']), "{line:?}");
        rows.push(serde_json::to_value(&row).unwrap());
    }
    rows
}

/// The one row of a frame.
fn row(link_type: u16, frame: &[u8]) -> Value {
    let mut rows = rows(&build::pcap(u32::from(link_type), &[frame]));
    assert_eq!(rows.len(), 1);
    rows.pop().unwrap()
}

/// The layers' names.
fn protos(row: &Value) -> Vec<&str> {
    let layers = row["layers"].as_array().unwrap();
    layers.iter().map(|layer| layer["proto"].as_str().unwrap()).collect()
}

/// The innermost layer.
fn last(row: &Value) -> &Value {
    row["layers"].as_array().unwrap().last().unwrap()
}

fn error(row: &Value) -> &str {
    row["error"].as_str().unwrap_or_default()
}

/// A file that is committed beside the tests.
fn data(name: &str) -> String {
    format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// A file or folder of the reference material beside the project, if it is there.
fn shared(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared").join(name);
    if !path.exists() {
        println!("SKIPPED: {} is not here", path.display());
    }
    path.exists().then_some(path)
}
