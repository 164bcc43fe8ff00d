use vpn_core::DropReason;
use vpn_core::Handled;
use vpn_core::Instant;
use vpn_core::Path;
use vpn_core::Socket;

use super::Endpoint;
use super::output::KEEPALIVE;
use super::output::NON_ESP_MARKER;
use super::sa::Phase;
use crate::ExchangeType;
use crate::Header;
use crate::Message;
use crate::PayloadType;
use crate::fragment::Fragment;
use crate::fragment::Reassembled;
use crate::handle::SaId;

/// What came on the port of NAT traversal (RFC 3948 §2.2, §2.3).
enum OnNatT<'a> {
    Ike(&'a [u8]),
    Keepalive,
    Other,
}

fn classify(datagram: &[u8]) -> OnNatT<'_> {
    match datagram {
        [KEEPALIVE] => OnNatT::Keepalive,
        _ => datagram.strip_prefix(&NON_ESP_MARKER).map_or(OnNatT::Other, OnNatT::Ike),
    }
}

impl Endpoint {
    /// Takes a datagram from the socket that `path` names.
    pub fn handle_datagram(&mut self, now: Instant, path: Path, datagram: &[u8]) -> Handled {
        self.advance(now);
        let message = match path.socket {
            Socket::Ike => datagram,
            Socket::NatT => match classify(datagram) {
                OnNatT::Ike(message) => message,
                OnNatT::Keepalive => {
                    self.keepalives += 1;
                    return Handled::Consumed;
                }
                OnNatT::Other => return self.drops.drop(DropReason::Malformed),
            },
            Socket::L2tp | Socket::Esp => return self.drops.drop(DropReason::NotAllowed),
        };
        match self.handle_message(path, message) {
            Ok(()) => Handled::Consumed,
            Err(reason) => self.drops.drop(reason),
        }
    }

    fn handle_message(&mut self, path: Path, octets: &[u8]) -> Result<(), DropReason> {
        let message = Message::decode(octets)?;
        let header = message.header;
        let whole = octets.get(..Header::LEN + message.body.len()).unwrap_or(octets);
        if let Some(id) = self.find(&header, path) {
            self.hear(id, path, whole.len());
            if header.next_payload == PayloadType::FRAGMENT && !header.is_encrypted() {
                let result = self.on_fragment(id, path, &message);
                self.settle_sa(id);
                return result;
            }
            return self.on_message(id, path, whole);
        }
        if let Some(id) = self.probes.get(&header.cookies.initiator).copied() {
            // Whatever it says: the port is reached.
            self.hear(id, path, 0);
            return Ok(());
        }
        let first = header.cookies.is_first()
            && header.cookies.initiator != [0; 8]
            && header.message_id == 0
            && !header.is_encrypted()
            // Our own first message that somebody sent back.
            && !self.by_cookie.contains_key(&header.cookies.initiator);
        match header.exchange_type {
            ExchangeType::MAIN_MODE | ExchangeType::AGGRESSIVE if first => {
                let mark = self.events.len();
                let result = self.on_first_message(path, whole);
                let id = self.by_first.get(&(header.cookies.initiator, path.remote));
                let state = id.and_then(|id| self.sas.get(id)).map_or("refused", |sa| sa.state());
                self.trace_received(mark, path, whole, state);
                result
            }
            _ => Err(DropReason::UnknownTunnel),
        }
    }

    /// Puts a message together that came in pieces.
    fn on_fragment(
        &mut self,
        id: SaId,
        path: Path,
        message: &Message<'_>,
    ) -> Result<(), DropReason> {
        let now = self.now;
        let sa = self.sas.get_mut(&id).ok_or(DropReason::UnknownTunnel)?;
        if message.header.cookies.is_first() || !sa.takes_fragments() {
            return Err(DropReason::NotAllowed);
        }
        let Some(fragment) = Fragment::of_message(message)? else {
            return Err(DropReason::Malformed);
        };
        let whole = match sa.reassembly.insert(now, &message.header, &fragment) {
            Reassembled::Whole(whole) => whole,
            Reassembled::Pending => return Ok(()),
            Reassembled::Refused => return Err(DropReason::Malformed),
        };
        // It has to be a message of the SA that its fragments named, and no fragment itself.
        let inner = Message::decode(&whole)?;
        if inner.header.next_payload == PayloadType::FRAGMENT
            || self.find(&inner.header, path) != Some(id)
        {
            return Err(DropReason::Malformed);
        }
        let whole = whole.get(..Header::LEN + inner.body.len()).unwrap_or(&whole);
        self.on_message(id, path, whole)
    }

    /// The SA that a message is of: our own cookie must be known, and the other one right as far
    /// as we know it.
    fn find(&self, header: &Header, path: Path) -> Option<SaId> {
        let cookies = header.cookies;
        // A notification about our first message may lack the responder's cookie.
        let hint = header.exchange_type == ExchangeType::INFORMATIONAL;
        if cookies.is_first() && !hint {
            return self.by_first.get(&(cookies.initiator, path.remote)).copied();
        }
        let of = |cookie| self.by_cookie.get(&cookie).copied();
        let id = of(cookies.initiator).or_else(|| of(cookies.responder))?;
        let known = self.sas.get(&id)?.cookies();
        let fits = known == cookies || (known.is_first() && known.initiator == cookies.initiator);
        fits.then_some(id)
    }

    /// More may be sent where more came from.
    fn hear(&mut self, id: SaId, path: Path, octets: usize) {
        if let Some(sa) = self.sas.get_mut(&id) {
            sa.credit.received(octets);
            sa.heard_on_nat_t |= path.socket == Socket::NatT;
        }
    }

    fn on_message(&mut self, id: SaId, path: Path, octets: &[u8]) -> Result<(), DropReason> {
        let message = Message::decode(octets)?;
        let header = message.header;
        let sa = self.sas.get(&id).ok_or(DropReason::UnknownTunnel)?;
        let established = matches!(sa.phase, Phase::Established(_));
        let state = sa.state();
        let mark = self.events.len();
        let result = match header.exchange_type {
            ExchangeType::MAIN_MODE | ExchangeType::AGGRESSIVE => {
                self.on_phase_1(id, path, octets, &message)
            }
            ExchangeType::INFORMATIONAL if !header.is_encrypted() => self.on_hint(id, &message),
            // No exchange of phase 2 begins in clear, or with the message id of phase 1
            // (RFC 2408 §3.1).
            _ if !header.is_encrypted() || header.message_id == 0 => Err(DropReason::Malformed),
            ExchangeType::QUICK_MODE if established => self.on_quick_mode(id, path, octets),
            ExchangeType::INFORMATIONAL if established => self.on_informational(id, path, octets),
            ExchangeType::INFORMATIONAL => self.on_early_informational(id, path, octets),
            ExchangeType::QUICK_MODE => Err(DropReason::UnexpectedState),
            // New group mode, Mode Config and XAUTH are not spoken.
            _ => Err(DropReason::NotAllowed),
        };
        if self.config.trace {
            let state = self.sas.get(&id).map_or(state, |sa| sa.state());
            self.trace_received(mark, path, octets, state);
        }
        self.settle_sa(id);
        result
    }
}
