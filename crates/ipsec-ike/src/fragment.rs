//! Fragments of messages, Cisco's and Microsoft's way: payload 132, which no RFC has.
//!
//! A sender cuts a whole message, header included, and puts each piece into a message of its own whose
//! only payload is a fragment: a Fragment ID that all pieces share, a number that counts from 1, and a
//! flag on the last. Nothing about it is authenticated; what comes out is handled like any datagram.

use alloc::vec::Vec;
use core::time::Duration;

use vpn_core::Instant;
use vpn_core::Reader;

use crate::Chain;
use crate::Cookies;
use crate::DecodeError;
use crate::EncodeError;
use crate::Flags;
use crate::Header;
use crate::Message;
use crate::MessageBuilder;
use crate::PayloadType;
use crate::message::MAX_MESSAGE_LEN;

/// The most fragments of one message.
pub const MAX_FRAGMENTS: usize = 64;

/// How long the fragments of a message are waited for.
pub const MAX_AGE: Duration = Duration::from_secs(30);

/// Of how many messages fragments are kept at once, for one peer.
const MAX_SETS: usize = 2;

/// Set in the flags of the last fragment.
const LAST: u8 = 1;

/// Octets that a fragment adds to its piece: a header, a generic header and its own fields.
const OVERHEAD: usize = Header::LEN + 4 + 4;

/// One fragment: the body of payload 132.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fragment<'a> {
    /// The same for all fragments of a message.
    pub id: u16,
    /// 1 for the first.
    pub number: u8,
    /// Whether it is the last.
    pub last: bool,
    /// The piece of the message.
    pub data: &'a [u8],
}

impl<'a> Fragment<'a> {
    /// Reads a body.
    ///
    /// # Errors
    /// [`DecodeError::Malformed`]: cut short, empty, or with a number outside 1 to
    /// [`MAX_FRAGMENTS`].
    pub fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let malformed = |what| DecodeError::Malformed { kind: PayloadType::FRAGMENT, what };
        let cut = |_| malformed("it is cut short");
        let mut reader = Reader::new(body);
        let id = reader.u16().map_err(cut)?;
        let number = reader.u8().map_err(cut)?;
        let flags = reader.u8().map_err(cut)?;
        if number == 0 || usize::from(number) > MAX_FRAGMENTS {
            return Err(malformed("its number is not 1 to 64"));
        }
        if reader.is_empty() {
            return Err(malformed("there is nothing in it"));
        }
        Ok(Self { id, number, last: flags & LAST != 0, data: reader.rest() })
    }

    /// The fragment that a message is, if it is one: not encrypted, with a fragment as its first and
    /// only payload.
    ///
    /// # Errors
    /// [`DecodeError`], as [`Fragment::decode`]; also when more payloads follow.
    pub fn of_message(message: &Message<'a>) -> Result<Option<Self>, DecodeError> {
        let kind = PayloadType::FRAGMENT;
        if message.header.next_payload != kind {
            return Ok(None);
        }
        let mut chain = Chain::new(kind, message.body);
        let Some(payload) = chain.next().transpose()? else { return Ok(None) };
        if chain.next().is_some() {
            return Err(DecodeError::Malformed { kind, what: "another payload follows it" });
        }
        Self::decode(payload.body).map(Some)
    }

    /// Appends the body.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.id.to_be_bytes());
        out.extend_from_slice(&[self.number, if self.last { LAST } else { 0 }]);
        out.extend_from_slice(self.data);
    }
}

/// Cuts a message into datagrams of at most `max_len` octets, each a message with one fragment. The
/// caller sends it whole where it fits.
///
/// # Errors
/// [`EncodeError::MessageTooLong`] when it would take more than [`MAX_FRAGMENTS`];
/// [`DecodeError`] can't happen with a message of our own, and counts as the same.
pub fn split(message: &[u8], id: u16, max_len: usize) -> Result<Vec<Vec<u8>>, EncodeError> {
    let too_long = EncodeError::MessageTooLong(message.len());
    let header = Header::decode(message).map_err(|_| too_long)?;
    let piece_len = max_len.checked_sub(OVERHEAD).filter(|len| *len > 0).ok_or(too_long)?;
    let count = message.len().div_ceil(piece_len);
    if count > MAX_FRAGMENTS || message.len() > MAX_MESSAGE_LEN {
        return Err(too_long);
    }
    let fragments = (1..).zip(message.chunks(piece_len)).map(|(number, data)| {
        let last = usize::from(number) == count;
        let mut out = Vec::with_capacity(data.len() + OVERHEAD);
        // Peers find the exchange by the header, and look at its flags only in the whole message.
        let header = Header { flags: Flags::empty(), ..header };
        let mut builder = MessageBuilder::new(&mut out, header);
        builder.payload(PayloadType::FRAGMENT, |out| {
            Fragment { id, number, last, data }.encode(out);
        });
        builder.finish()?;
        Ok(out)
    });
    fragments.collect()
}

/// The fragments of one peer's messages, until they are whole.
///
/// Bounded: two messages at once, [`MAX_FRAGMENTS`] each and as many octets as a datagram carries, for
/// [`MAX_AGE`].
#[derive(Debug, Default)]
pub struct Reassembly {
    sets: Vec<Set>,
}

/// What became of a fragment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reassembled {
    /// More are needed.
    Pending,
    /// It was the last that was missing: the message, as if it had come in one datagram.
    Whole(Vec<u8>),
    /// It contradicts an earlier one, or is too much: it was dropped, and nothing else.
    Refused,
}

/// Cookies, message ID and Fragment ID.
type Name = (Cookies, u32, u16);

#[derive(Debug)]
struct Set {
    name: Name,
    since: Instant,
    /// By number, from 1.
    pieces: Vec<Option<Vec<u8>>>,
    /// The number of the last fragment, once it came.
    count: Option<usize>,
    len: usize,
}

impl Reassembly {
    /// Nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { sets: Vec::new() }
    }

    /// Takes a fragment that came in a message with this header. Some senders give all their messages
    /// the same Fragment ID, so cookies and message ID count as well.
    pub fn insert(
        &mut self,
        now: Instant,
        header: &Header,
        fragment: &Fragment<'_>,
    ) -> Reassembled {
        self.expire(now);
        let name = (header.cookies, header.message_id, fragment.id);
        let wanted = |set: &Set| set.name == name;
        let at = match self.sets.iter().position(wanted) {
            Some(at) => at,
            None => {
                if self.sets.len() == MAX_SETS {
                    self.sets.remove(0);
                }
                self.sets.push(Set::new(now, name));
                self.sets.len() - 1
            }
        };
        let Some(set) = self.sets.get_mut(at) else { return Reassembled::Refused };
        if !set.insert(fragment) {
            return Reassembled::Refused;
        }
        match set.whole() {
            Some(message) => {
                self.sets.remove(at);
                Reassembled::Whole(message)
            }
            None => Reassembled::Pending,
        }
    }

    /// When the oldest fragments are given up.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.sets.iter().map(|set| set.since + MAX_AGE).min()
    }

    /// Gives up what is too old.
    pub fn expire(&mut self, now: Instant) {
        self.sets.retain(|set| now < set.since + MAX_AGE);
    }

    /// Whether no fragments are kept.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.sets.is_empty()
    }
}

impl Set {
    const fn new(since: Instant, name: Name) -> Self {
        Self { name, since, pieces: Vec::new(), count: None, len: 0 }
    }

    /// Says whether the fragment fits to those before it.
    fn insert(&mut self, fragment: &Fragment<'_>) -> bool {
        let number = usize::from(fragment.number);
        let Some(index) = number.checked_sub(1) else { return false };
        let fits = match self.count {
            Some(count) => number <= count && fragment.last == (number == count),
            None => !fragment.last || number >= self.pieces.len(),
        };
        if !fits || number > MAX_FRAGMENTS {
            return false;
        }
        if let Some(Some(before)) = self.pieces.get(index) {
            return before == fragment.data;
        }
        let len = self.len + fragment.data.len();
        if len > MAX_MESSAGE_LEN {
            return false;
        }
        if self.pieces.len() < number {
            self.pieces.resize(number, None);
        }
        if let Some(place) = self.pieces.get_mut(index) {
            *place = Some(fragment.data.to_vec());
        }
        self.len = len;
        if fragment.last {
            self.count = Some(number);
        }
        true
    }

    fn whole(&mut self) -> Option<Vec<u8>> {
        let complete =
            self.count == Some(self.pieces.len()) && self.pieces.iter().all(Option::is_some);
        complete.then(|| self.pieces.drain(..).flatten().flatten().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ExchangeType;
    use alloc::vec;

    const COOKIES: Cookies = Cookies::first([3; 8]);
    const HEADER: Header = Header::new(COOKIES, ExchangeType::MAIN_MODE, 0);

    fn message(len: usize) -> Vec<u8> {
        let mut out = Vec::new();
        let header = Header { flags: Flags::ENCRYPTION, ..HEADER };
        let mut builder = MessageBuilder::new(&mut out, header);
        builder.payload(PayloadType::CERTIFICATE, |out| {
            out.extend((0..=u8::MAX).cycle().take(len - 32));
        });
        builder.finish().unwrap();
        out
    }

    fn fragments(datagrams: &[Vec<u8>]) -> Vec<Fragment<'_>> {
        datagrams
            .iter()
            .map(|datagram| {
                let message = Message::decode(datagram).unwrap();
                assert!(!message.header.is_encrypted());
                Fragment::of_message(&message).unwrap().unwrap()
            })
            .collect()
    }

    #[test]
    fn any_order_and_repetition_give_the_message_once() {
        for (len, max_len) in [(100, 60), (1_000, 576), (5_000, 1_280), (100, 1_000), (64, 37)] {
            let original = message(len);
            let datagrams = split(&original, 7, max_len).unwrap();
            assert!(datagrams.iter().all(|datagram| datagram.len() <= max_len));
            let pieces = fragments(&datagrams);
            for rotation in 0..pieces.len() {
                let mut order = pieces.clone();
                order.rotate_left(rotation);
                let mut reassembly = Reassembly::new();
                let (last, others) = order.split_last().unwrap();
                for fragment in others.iter().chain(others) {
                    let pending = reassembly.insert(Instant::ZERO, &HEADER, fragment);
                    assert_eq!(pending, Reassembled::Pending);
                }
                let whole = reassembly.insert(Instant::ZERO, &HEADER, last);
                assert_eq!(whole, Reassembled::Whole(original.clone()));
                assert!(reassembly.is_empty());
            }
        }
    }

    #[test]
    fn contradictions_are_refused_and_lose_nothing() {
        let original = message(300);
        let datagrams = split(&original, 7, 136).unwrap();
        let pieces = fragments(&datagrams);
        let [first, second, third] = pieces.as_slice() else { panic!("three pieces") };
        let mut reassembly = Reassembly::new();
        let mut insert =
            |fragment: &Fragment<'_>| reassembly.insert(Instant::ZERO, &HEADER, fragment);
        assert_eq!(insert(third), Reassembled::Pending);
        for wrong in [
            Fragment { data: b"other", ..*third },
            Fragment { last: false, ..*third },
            Fragment { last: true, ..*first },
            Fragment { number: 4, last: true, ..*third },
            Fragment { number: 4, last: false, ..*third },
        ] {
            assert_eq!(insert(&wrong), Reassembled::Refused, "{wrong:?}");
        }
        assert_eq!(insert(first), Reassembled::Pending);
        assert_eq!(insert(second), Reassembled::Whole(original));
    }

    #[test]
    fn time_number_and_size_are_bounded() {
        let data = vec![0; 32_752];
        let piece = |id, number| Fragment { id, number, last: false, data: &data };
        let mut reassembly = Reassembly::new();
        let mut insert = |now, fragment: &Fragment<'_>| reassembly.insert(now, &HEADER, fragment);
        let later = Instant::ZERO + MAX_AGE;
        assert_eq!(insert(Instant::ZERO, &piece(1, 1)), Reassembled::Pending);
        assert_eq!(insert(Instant::ZERO, &piece(1, 2)), Reassembled::Refused, "64 KiB");
        // Two more messages push the first out.
        assert_eq!(insert(Instant::ZERO, &piece(2, 1)), Reassembled::Pending);
        assert_eq!(insert(Instant::ZERO, &piece(3, 1)), Reassembled::Pending);
        assert_eq!(insert(Instant::ZERO, &piece(1, 2)), Reassembled::Pending, "a new set");
        assert_eq!(reassembly.sets.len(), MAX_SETS);
        assert_eq!(reassembly.poll_timeout(), Some(later));
        reassembly.expire(later);
        assert!(reassembly.is_empty() && reassembly.poll_timeout().is_none());
    }

    #[test]
    fn what_is_no_fragment() {
        for body in [&[0, 1, 1][..], &[0, 1, 1, 1], &[0, 1, 0, 1, 9], &[0, 1, 65, 1, 9]] {
            assert!(Fragment::decode(body).is_err(), "{body:?}");
        }
        assert!(Fragment::decode(&[0, 1, 64, 0, 9]).is_ok());
        let whole = message(100);
        assert_eq!(Fragment::of_message(&Message::decode(&whole).unwrap()), Ok(None));
        let mut out = Vec::new();
        let mut builder = MessageBuilder::new(&mut out, HEADER);
        builder.raw(PayloadType::FRAGMENT, &[0, 1, 1, 1, 9]).raw(PayloadType::HASH, &[1]);
        builder.finish().unwrap();
        assert!(Fragment::of_message(&Message::decode(&out).unwrap()).is_err());
    }

    #[test]
    fn messages_that_take_too_many_fragments() {
        let original = message(MAX_FRAGMENTS * 10);
        assert_eq!(split(&original, 1, OVERHEAD + 10).unwrap().len(), MAX_FRAGMENTS);
        let too_long = Err(EncodeError::MessageTooLong(original.len()));
        assert_eq!(split(&original, 1, OVERHEAD + 9), too_long);
        assert_eq!(split(&original, 1, OVERHEAD), too_long);
    }
}
