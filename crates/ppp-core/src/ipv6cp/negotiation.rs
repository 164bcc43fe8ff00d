use alloc::vec::Vec;

use super::InterfaceId;
use super::Ipv6cpOption;
use super::Ipv6cpOptionType;
use crate::Ipv6Settings;
use crate::Protocol;
use crate::RawOption;
use crate::context::Context;
use crate::control::Negotiation;
use crate::control::Verdict;
use crate::option::SeenTypes;

/// The option of IPv6CP (RFC 5072 §4.1).
pub(crate) struct Ipv6cp {
    configured: Option<InterfaceId>,
    /// `None` once the peer has rejected the option.
    own: Option<InterfaceId>,
    peer: Option<InterfaceId>,
    /// What we suggested in the last Configure-Nak.
    suggested: Option<InterfaceId>,
    /// The peer was told to ask for an identifier. It is told once (RFC 5072 §4.1).
    prompted: bool,
}

impl Ipv6cp {
    pub(crate) const fn new(configured: Option<InterfaceId>) -> Self {
        Self { configured, own: None, peer: None, suggested: None, prompted: false }
    }

    /// What was agreed on; `None` when an end is without an identifier.
    pub(crate) fn settings(&self) -> Option<Ipv6Settings> {
        Some(Ipv6Settings { local: self.own?, peer: self.peer? })
    }

    /// An identifier for the peer, different from ours.
    fn suggest(&mut self, nak: &mut Vec<u8>, context: &mut Context) {
        let mut id = InterfaceId::from_random(context.random());
        if Some(id) == self.own {
            id = InterfaceId(id.0 ^ 1).max(InterfaceId(2));
        }
        self.suggested = Some(id);
        Ipv6cpOption::InterfaceIdentifier(id).encode(nak);
    }
}

impl Negotiation for Ipv6cp {
    const PROTOCOL: Protocol = Protocol::IPV6CP;
    type Peer = Option<InterfaceId>;

    fn restart(&mut self, context: &mut Context) {
        let configured = self.configured.filter(|id| *id != InterfaceId::ZERO);
        *self = Self::new(self.configured);
        self.own = Some(match configured {
            Some(id) => id,
            None => InterfaceId::from_random(context.random()),
        });
    }

    fn request(&self, out: &mut Vec<u8>) {
        if let Some(id) = self.own {
            Ipv6cpOption::InterfaceIdentifier(id).encode(out);
        }
    }

    fn judge(
        &mut self,
        option: &RawOption<'_>,
        peer: &mut Self::Peer,
        nak: &mut Vec<u8>,
        context: &mut Context,
    ) -> Verdict {
        let wanted = match Ipv6cpOption::decode(option) {
            Ok(Ipv6cpOption::InterfaceIdentifier(id)) => Some(id),
            Err(_) if option.kind == Ipv6cpOptionType::INTERFACE_IDENTIFIER.0 => None,
            _ => return Verdict::Reject,
        };
        match wanted {
            Some(id) if id != InterfaceId::ZERO && Some(id) != self.own => {
                *peer = Some(id);
                Verdict::Ack
            }
            // Zero, the same as ours, or of a wrong length.
            _ => {
                self.suggest(nak, context);
                Verdict::Nak
            }
        }
    }

    fn prompt(&mut self, seen: SeenTypes, nak: &mut Vec<u8>, context: &mut Context) {
        if !self.prompted && !seen.contains(Ipv6cpOptionType::INTERFACE_IDENTIFIER.0) {
            self.prompted = true;
            self.suggest(nak, context);
        }
    }

    fn granted(&mut self, peer: Self::Peer) {
        self.peer = peer;
    }

    fn nak(&mut self, option: &RawOption<'_>, context: &mut Context) {
        let Ok(Ipv6cpOption::InterfaceIdentifier(id)) = Ipv6cpOption::decode(option) else {
            return;
        };
        if self.own.is_none() {
            return;
        }
        let usable = id != InterfaceId::ZERO && Some(id) != self.suggested && Some(id) != self.peer;
        self.own = Some(if usable { id } else { InterfaceId::from_random(context.random()) });
    }

    fn reject(&mut self, _option: &RawOption<'_>, _context: &mut Context) {
        self.own = None;
    }

    fn has_failed(&self) -> bool {
        self.own.is_none()
    }

    fn opened(&mut self) {
        self.prompted = false;
    }
}
