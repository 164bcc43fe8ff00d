//! Frames out of a capture file: pcap (either byte order, micro- or nanoseconds) and pcapng.

use core::time::Duration;
use std::io::Read;

use pcap_parser::Block;
use pcap_parser::InterfaceDescriptionBlock;
use pcap_parser::PcapBlockOwned;
use pcap_parser::PcapError;
use pcap_parser::PcapHeader;
use pcap_parser::create_reader;
use pcap_parser::traits::PcapReaderIterator;
use vpn_core::Reader;
use vpn_core::Truncated;

use super::fault::At;
use super::fault::Fault;

const BUFFER: usize = 1 << 18;
/// A record larger than this is taken for damage: the largest snapshot length in use is 256 KiB.
const LARGEST_RECORD: usize = 1 << 24;
/// The Packet Block of early pcapng files, which the Enhanced Packet Block replaced.
const OBSOLETE_PACKET_BLOCK: u32 = 2;

/// One captured packet.
pub(crate) struct Frame {
    /// When it was captured, since 1970, if the file says so.
    pub(crate) time: Option<Duration>,
    /// What the octets begin with (LINKTYPE_ value).
    pub(crate) link_type: u16,
    /// What was captured of it.
    pub(crate) octets: Vec<u8>,
    /// How long it was on the wire, in octets; more than was captured if it was cut.
    pub(crate) wire_len: usize,
}

/// The frames of a capture in file order. Damage to the file is an item of its own; what can still
/// be read goes on.
pub(crate) struct Capture {
    reader: Box<dyn PcapReaderIterator + Send>,
    /// Octets that the reader's buffer holds.
    buffer: usize,
    section: Section,
    ended: bool,
}

/// What the file has said so far about the packets to come.
#[derive(Default)]
struct Section {
    pcapng: bool,
    big_endian: bool,
    interfaces: Vec<Interface>,
}

struct Interface {
    link_type: u16,
    /// At most this many octets of a packet were captured; 0 is no limit.
    snap_len: u32,
    /// Octets of frame check sequence after each packet.
    fcs_len: usize,
    /// Time units in a second.
    resolution: u64,
    /// Seconds to add to each time.
    offset: i64,
}

impl Capture {
    /// Begins to read a file.
    ///
    /// # Errors
    /// A sentence when this is no capture file.
    pub(crate) fn new(file: impl Read + Send + 'static) -> Result<Self, Fault> {
        let reader = create_reader(BUFFER, file).map_err(|error| match error {
            PcapError::Eof => Fault::new("the file is empty"),
            PcapError::ReadError => Fault::new("it can't be read as a file"),
            PcapError::Incomplete(_) => Fault::new("the file ends inside its header"),
            _ => Fault::new("it does not begin with a whole pcap or pcapng header"),
        })?;
        Ok(Self { reader, buffer: BUFFER, section: Section::default(), ended: false })
    }

    /// Passes over a pcapng block that is all there and still can't be read.
    fn skip_damaged_block(&mut self) -> Option<Fault> {
        let length = self.section.whole_block(self.reader.data())?;
        self.reader.consume(length);
        Some(Fault::new(format!(
            "the file is damaged: what is inside a block of {length} octets does not fit it"
        )))
    }

    /// Gets more of the file, if there is more.
    fn go_on(&mut self, stop: &Stop) -> Option<Fault> {
        match stop {
            Stop::NeedsMore => {}
            Stop::NeedsRoom => {
                self.buffer *= 2;
                if self.buffer > LARGEST_RECORD || !self.reader.grow(self.buffer) {
                    return self.end(format!(
                        "the file is damaged: a record claims more than {LARGEST_RECORD} octets"
                    ));
                }
            }
            Stop::CutOff => {
                let left = self.reader.data().len();
                return self
                    .end(format!("the file is cut off: it ends {left} octets into a record"));
            }
            Stop::Damaged => {
                return self.end(String::from("the file is damaged: this is not a record"));
            }
        }
        if self.reader.refill().is_err() {
            return self.end(String::from("the file can't be read any further"));
        }
        None
    }

    fn end(&mut self, why: String) -> Option<Fault> {
        self.ended = true;
        Some(Fault::new(why))
    }
}

/// Why the reader has no block.
enum Stop {
    NeedsMore,
    /// The same, with no room for more.
    NeedsRoom,
    CutOff,
    Damaged,
}

impl Iterator for Capture {
    type Item = Result<Frame, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            let stop = match self.reader.next() {
                Ok((length, block)) => {
                    let frame = self.section.block(block);
                    self.reader.consume(length);
                    match frame {
                        Some(frame) => return Some(frame),
                        None => continue,
                    }
                }
                Err(PcapError::Eof) => return None,
                Err(PcapError::Incomplete(_)) => Stop::NeedsMore,
                Err(PcapError::BufferTooSmall) => Stop::NeedsRoom,
                Err(PcapError::UnexpectedEof) => Stop::CutOff,
                Err(_) => Stop::Damaged,
            };
            let fault = self.skip_damaged_block().or_else(|| self.go_on(&stop));
            if let Some(fault) = fault {
                return Some(Err(fault));
            }
        }
        None
    }
}

impl Section {
    /// Takes one block of the file; a frame if it holds one.
    fn block(&mut self, block: PcapBlockOwned<'_>) -> Option<Result<Frame, Fault>> {
        match block {
            PcapBlockOwned::LegacyHeader(header) => {
                self.interfaces = vec![Interface::of_pcap(&header)];
                None
            }
            PcapBlockOwned::Legacy(packet) => {
                let units = self.interfaces.first().map(|interface| {
                    u64::from(packet.ts_sec) * interface.resolution + u64::from(packet.ts_usec)
                });
                Some(self.frame(0, packet.data, packet.origlen, units))
            }
            PcapBlockOwned::NG(Block::SectionHeader(header)) => {
                let big_endian = header.big_endian();
                *self = Self { pcapng: true, big_endian, interfaces: Vec::new() };
                None
            }
            PcapBlockOwned::NG(Block::InterfaceDescription(interface)) => {
                self.interfaces.push(Interface::of_pcapng(&interface, self.big_endian));
                None
            }
            PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
                let captured = prefix(packet.data, packet.caplen);
                let units = u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low);
                Some(self.frame(packet.if_id, captured, packet.origlen, Some(units)))
            }
            PcapBlockOwned::NG(Block::SimplePacket(packet)) => {
                let limit = self.interfaces.first().map_or(0, |interface| interface.snap_len);
                let limit = if limit == 0 { packet.origlen } else { limit.min(packet.origlen) };
                Some(self.frame(0, prefix(packet.data, limit), packet.origlen, None))
            }
            PcapBlockOwned::NG(Block::Unknown(block)) => {
                // pcap-parser reads the type as little-endian whatever the section is.
                let kind =
                    if self.big_endian { block.block_type.swap_bytes() } else { block.block_type };
                (kind == OBSOLETE_PACKET_BLOCK).then(|| self.obsolete_packet(block.data))
            }
            PcapBlockOwned::NG(_) => None,
        }
    }

    fn frame(
        &self,
        interface: u32,
        captured: &[u8],
        wire_len: u32,
        time: Option<u64>,
    ) -> Result<Frame, Fault> {
        let index = usize::try_from(interface).unwrap_or(usize::MAX);
        let Some(from) = self.interfaces.get(index) else {
            return Err(Fault::new(format!(
                "the packet is from interface {interface}, which the file does not describe"
            )));
        };
        let wire_len = usize::try_from(wire_len).unwrap_or(usize::MAX);
        let whole = captured.len() >= wire_len;
        let fcs_len = if whole { from.fcs_len.min(captured.len()) } else { 0 };
        let octets = captured.get(..captured.len() - fcs_len).unwrap_or_default().to_vec();
        Ok(Frame {
            time: time.and_then(|units| from.time(units)),
            link_type: from.link_type,
            wire_len: if whole { octets.len() } else { wire_len },
            octets,
        })
    }

    /// Interface (2 octets), drops (2), time (8), captured length (4), length (4), then the packet.
    fn obsolete_packet(&self, block: &[u8]) -> Result<Frame, Fault> {
        let mut reader = Reader::new(block);
        let mut number = || self.u32(&mut reader).at("the file's packet block");
        let (ids, high, low) = (number()?, number()?, number()?);
        let (caplen, wire_len) = (number()?, number()?);
        let interface = if self.big_endian { ids >> 16 } else { ids & 0xffff };
        let units = u64::from(high) << 32 | u64::from(low);
        self.frame(interface, prefix(reader.rest(), caplen), wire_len, Some(units))
    }

    /// A number in the section's byte order.
    fn u32(&self, reader: &mut Reader<'_>) -> Result<u32, Truncated> {
        let number = reader.u32()?;
        Ok(if self.big_endian { number } else { number.swap_bytes() })
    }

    /// The length of the pcapng block that `data` begins with, if all of it is there.
    fn whole_block(&self, data: &[u8]) -> Option<usize> {
        let mut reader = Reader::new(data);
        let _kind = self.u32(&mut reader).ok()?;
        let length = usize::try_from(self.u32(&mut reader).ok()?).ok()?;
        (self.pcapng && length >= 12 && length <= data.len()).then_some(length)
    }
}

impl Interface {
    /// The link type field has the type in its low 16 bits; above them the length of the frame
    /// check sequence in units of 2 octets (top 4 bits), valid where bit 26 is set.
    fn of_pcap(header: &PcapHeader) -> Self {
        let [flags, _, high, low] = header.network.0.to_be_bytes();
        Self {
            link_type: u16::from_be_bytes([high, low]),
            snap_len: 0,
            fcs_len: if flags & 0x04 == 0 { 0 } else { usize::from(flags >> 4) * 2 },
            resolution: if header.is_nanosecond_precision() { 1_000_000_000 } else { 1_000_000 },
            offset: 0,
        }
    }

    fn of_pcapng(block: &InterfaceDescriptionBlock<'_>, big_endian: bool) -> Self {
        let [.., high, low] = block.linktype.0.to_be_bytes();
        let exponent = u32::from(block.if_tsresol & 0x7f);
        let base: u64 = if block.if_tsresol & 0x80 == 0 { 10 } else { 2 };
        let offset = block.ts_offset();
        Self {
            link_type: u16::from_be_bytes([high, low]),
            snap_len: block.snaplen,
            fcs_len: 0,
            resolution: base.checked_pow(exponent).unwrap_or(u64::MAX),
            // pcap-parser reads the offset as little-endian whatever the section is.
            offset: if big_endian { offset.swap_bytes() } else { offset },
        }
    }

    fn time(&self, units: u64) -> Option<Duration> {
        let seconds = (units / self.resolution).checked_add_signed(self.offset)?;
        let fraction = u128::from(units % self.resolution) * 1_000_000_000;
        let nanos = u32::try_from(fraction / u128::from(self.resolution)).ok()?;
        Some(Duration::new(seconds, nanos))
    }
}

/// The first `length` octets, or all where there are fewer.
fn prefix(octets: &[u8], length: u32) -> &[u8] {
    usize::try_from(length).ok().and_then(|length| octets.get(..length)).unwrap_or(octets)
}
