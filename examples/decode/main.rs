//! Explains the packets of a capture file: ESP, L2TP, PPP and what surrounds them.
//!
//! `decode FILE` prints a line a packet for people, `decode FILE --json` an object a packet for
//! programs. Both are forms of one tree: [`capture`] reads frames, [`walk`] goes through the layers
//! of each ([`link`], [`ip`], [`transport`], [`l2tp`], [`ppp`], …), and the result is a
//! [`row::Row`].
#![allow(clippy::std_instead_of_alloc, reason = "a program for an operating system, not a library")]

pub(crate) mod capture;
mod esp;
pub(crate) mod esp_sas;
mod fault;
mod fragments;
mod ike;
mod ike_payloads;
pub(crate) mod ike_sas;
mod ip;
mod l2tp;
mod l2tp_ends;
mod l2tp_values;
mod layer;
mod link;
mod ppp;
mod ppp_auth;
mod ppp_control;
mod ppp_options;
pub(crate) mod row;
mod shown;
mod transport;
pub(crate) mod walk;

use core::fmt;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::io::BufWriter;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::CommandFactory;
use clap::Parser;
use clap::error::ErrorKind;

use self::capture::Capture;
use self::esp_sas::EspSas;
use self::ike_sas::IkeSas;
use self::row::Lines;
use self::walk::Decoder;

/// Explain the packets of a capture file, one line a packet.
///
/// Shows L2TP control messages with their AVPs, what the PPP frames inside L2TP, PPPoE, PPTP or on
/// a serial line say (LCP, PAP, CHAP, IPCP, IPv6CP, CCP), and the IP packets in them. Opens ESP, in
/// UDP or without, and IKEv1 where it is given the keys. A packet that is malformed is shown as far as it goes,
/// with an error that names what is wrong.
#[derive(Parser)]
#[command(name = "decode", after_help = AFTER_HELP)]
struct Options {
    /// The capture: pcap or pcapng, of Ethernet, Linux cooked, raw IP, loopback, PPP or PPPoE.
    file: PathBuf,

    /// Print one JSON object a packet: frame, time, src, dst, layers, error.
    #[arg(long)]
    json: bool,

    /// The secret shared by both ends of the L2TP tunnels; it opens hidden AVPs.
    #[arg(long, value_name = "SECRET", value_parser = secret)]
    tunnel_secret: Option<String>,

    /// The keys of an ESP security association; once for each.
    ///
    /// SPI is decimal or 0x and hexadecimal. SUITE is CIPHER-INTEGRITY, as aes256-sha1, aes128-sha256
    /// or 3des-sha1 (null and md5 too), or one of aes128gcm16, aes192gcm16, aes256gcm16 and
    /// chacha20poly1305, whose ENCKEYHEX is the key with its salt of 4 octets and which have no
    /// AUTHKEYHEX. These are the keys that `ip xfrm state` prints.
    ///
    /// The frames go to the SA in the order of the file, as they would to a receiver. What it does
    /// not accept is not shown, but why: bad_icv, bad_padding, replay, too_old or malformed.
    #[arg(long, value_name = "SPI:SUITE:ENCKEYHEX[:AUTHKEYHEX]")]
    esp_sa: Vec<String>,

    /// How many sequence numbers the replay window of each SA spans, 64 to 4096.
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(64..=4096))]
    esp_window: u32,

    /// The encryption key of an ISAKMP SA of IKEv1; repeat it for each.
    ///
    /// As in Wireshark's IKEv1 decryption table: the initiator's cookie and the key, both in
    /// hexadecimal. The file must have the exchange from its first message on.
    #[arg(long, value_name = "INITIATORCOOKIEHEX:KEYHEX")]
    ikev1_key: Vec<String>,
}

/// The SAs that the command line gives the keys of.
struct Keys {
    esp: EspSas,
    ike: IkeSas,
}

impl Options {
    /// What the command line says, if it says it right.
    fn parsed(args: impl IntoIterator<Item = OsString>) -> Result<(Self, Keys), clap::Error> {
        let options = Self::try_parse_from(args)?;
        let wrong = |sentence| Self::command().error(ErrorKind::ValueValidation, sentence);
        let esp = EspSas::new(&options.esp_sa, options.esp_window).map_err(wrong)?;
        let ike = IkeSas::new(&options.ikev1_key).map_err(wrong)?;
        Ok((options, Keys { esp, ike }))
    }
}

fn secret(text: &str) -> Result<String, &'static str> {
    if text.is_empty() {
        Err("it takes a secret of one character or more")
    } else {
        Ok(text.into())
    }
}

const AFTER_HELP: &str = "\
Everything is printed as it is on the wire, passwords of PAP included: mind who reads the output.

Exit status: 0 if the file could be read, whatever is in it; 1 if not; 2 for a wrong command line.";

fn main() -> ExitCode {
    let out = BufWriter::new(io::stdout().lock());
    ExitCode::from(run(std::env::args_os(), out, io::stderr().lock()))
}

/// Does what the command line says and returns the exit status.
pub(crate) fn run(
    args: impl IntoIterator<Item = OsString>,
    mut out: impl Write,
    mut log: impl Write,
) -> u8 {
    let (options, keys) = match Options::parsed(args) {
        Ok(parsed) => parsed,
        Err(error) => {
            let text = error.render();
            let (status, _) = if error.use_stderr() {
                (2, write!(log, "{text}"))
            } else {
                (0, write!(out, "{text}").and_then(|()| out.flush()))
            };
            return status;
        }
    };
    match explain(&options, keys, &mut out) {
        Ok(()) => 0,
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => 0,
        Err(failure) => {
            let _ = writeln!(log, "decode: {}: {failure}", options.file.display());
            1
        }
    }
}

/// Why there is no output, or no more of it.
enum Failure {
    Input(String),
    Output(io::Error),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(sentence) => f.write_str(sentence),
            Self::Output(error) => write!(f, "the output can't be written: {error}"),
        }
    }
}

fn explain(options: &Options, keys: Keys, out: &mut impl Write) -> Result<(), Failure> {
    let file = File::open(&options.file).map_err(|error| Failure::Input(error.to_string()))?;
    let capture = Capture::new(file).map_err(|fault| Failure::Input(fault.to_string()))?;
    let secret = options.tunnel_secret.as_ref().map(|secret| secret.clone().into_bytes());
    let mut decoder = Decoder::new(secret, keys.esp, keys.ike);
    let mut lines = Lines::default();
    for item in capture {
        let row = decoder.row(item);
        let written = if options.json {
            serde_json::to_writer(&mut *out, &row).map_err(io::Error::from)
        } else {
            write!(out, "{}", lines.line(&row))
        };
        written.and_then(|()| writeln!(out)).map_err(Failure::Output)?;
    }
    out.flush().map_err(Failure::Output)
}
