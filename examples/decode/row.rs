//! What `decode` says of one packet, in its two forms.

use core::fmt;
use core::time::Duration;

use serde::Serialize;
use serde::Serializer;

use super::layer::Layer;

/// The widest that the column of addresses gets.
const WIDEST: usize = 60;

/// One packet, explained. Its JSON form is what serde makes of it.
#[derive(Serialize)]
pub(crate) struct Row {
    /// Its number in the file, from 1.
    pub(crate) frame: u64,
    /// When it was captured, in seconds since 1970.
    #[serde(serialize_with = "seconds")]
    pub(crate) time: Option<Duration>,
    /// Where it came from: the outermost IP address, or else the Ethernet address.
    pub(crate) src: Option<String>,
    /// Where it went.
    pub(crate) dst: Option<String>,
    /// What is in it, from the outside in.
    pub(crate) layers: Vec<Layer>,
    /// The first thing that is wrong with it.
    pub(crate) error: Option<String>,
}

fn seconds<S: Serializer>(time: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    time.map(|time| time.as_secs_f64()).serialize(serializer)
}

/// A row as a line of text.
pub(crate) struct Line<'a> {
    row: &'a Row,
    /// Since the file's first packet.
    time: String,
    /// Source and destination, with the ports if there are any.
    ends: String,
    /// How wide that column is.
    width: usize,
    has_ports: bool,
}

/// Makes rows into lines whose columns stand one below the other.
#[derive(Default)]
pub(crate) struct Lines {
    start: Option<Duration>,
    width: usize,
}

impl Lines {
    /// The next line.
    pub(crate) fn line<'a>(&mut self, row: &'a Row) -> Line<'a> {
        self.start = self.start.or(row.time);
        let time = match (row.time, self.start) {
            (Some(time), Some(start)) => {
                let sign = if time < start { "-" } else { "" };
                format!("{sign}{:.6}", time.abs_diff(start).as_secs_f64())
            }
            _ => String::new(),
        };
        let ports = outer_ports(&row.layers);
        let ends = match (&row.src, &row.dst, ports) {
            (Some(src), Some(dst), Some((from, to))) => {
                format!("{} > {}", with_port(src, from), with_port(dst, to))
            }
            (Some(src), Some(dst), None) => format!("{src} > {dst}"),
            _ => String::new(),
        };
        self.width = self.width.max(ends.len()).min(WIDEST);
        Line { row, time, ends, width: self.width, has_ports: ports.is_some() }
    }
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { row, time, ends, width, has_ports } = self;
        write!(f, "{:>5} {time:>11}  {ends:<width$}", row.frame)?;
        let mut gap = "  ";
        let mut ports_shown = *has_ports;
        for (at, layer) in row.layers.iter().enumerate() {
            // What the line says elsewhere, or what the next layer makes plain, is left out.
            let plain = match layer {
                Layer::Udp(_) => core::mem::take(&mut ports_shown),
                Layer::Ppp(_) => true,
                _ => false,
            };
            let innermost = at + 1 == row.layers.len();
            if innermost || !plain {
                write!(f, "{gap}{layer}")?;
                gap = " | ";
            }
        }
        match &row.error {
            Some(error) => write!(f, "  ERROR {error}"),
            None => Ok(()),
        }
    }
}

/// The ports that belong to the row's addresses: those before any inner IP header
/// and outside ESP.
fn outer_ports(layers: &[Layer]) -> Option<(u16, u16)> {
    layers.iter().find_map(|layer| match layer {
        Layer::Ip(_) | Layer::Esp(_) => Some(None),
        Layer::Udp(udp) => Some(Some((udp.src_port, udp.dst_port))),
        _ => None,
    })?
}

fn with_port(address: &str, port: u16) -> String {
    if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
}
