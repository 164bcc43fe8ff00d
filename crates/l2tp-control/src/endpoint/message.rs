use alloc::collections::VecDeque;
use alloc::vec::Vec;

use l2tp_wire::AttributeType;
use l2tp_wire::ControlMessage;
use l2tp_wire::Leniencies;
use l2tp_wire::Message;
use l2tp_wire::RawAvp;
use l2tp_wire::VendorId;
use l2tp_wire::hidden::HidingKey;
use l2tp_wire::hidden::unhide;
use l2tp_wire::message::DecodeContext;
use l2tp_wire::message::MessageError;
use l2tp_wire::message::MessageErrorKind;
use l2tp_wire::message::Observer;
use zeroize::Zeroize;

use super::opening::assigned_id;

use crate::Endpoint;
use crate::Event;
use crate::Trace;
use crate::TunnelConfig;
use crate::TunnelHandle;

/// Octets of the longest AVP value.
const LONGEST_HIDDEN: usize = 1017;

impl Endpoint {
    /// Decodes a message as `config` wants it. `room` takes what was hidden.
    pub(super) fn decode<'a>(
        &mut self,
        tunnel: Option<TunnelHandle>,
        control: &ControlMessage<'a>,
        config: &TunnelConfig,
        room: &'a mut Vec<u8>,
    ) -> Result<Message<'a>, MessageError> {
        let mut context = DecodeContext::new().leniencies(config.leniencies);
        if let Some(secret) = &config.secret {
            let octets = control.avps().rest().len();
            if room.len() < octets {
                room.resize(octets, 0);
            }
            context = context.secret(self.tools.md5(), secret.expose(), room);
        }
        match tunnel.filter(|_| self.config.trace) {
            Some(tunnel) => {
                let mut watch = Watch { tunnel, events: &mut self.events };
                Message::decode(control, context.observer(&mut watch))
            }
            None => Message::decode(control, context),
        }
    }

    /// The Assigned Session ID of a message that may not decode otherwise, hidden or not.
    pub(super) fn assigned_session_id(
        &self,
        tunnel: TunnelHandle,
        control: &ControlMessage<'_>,
    ) -> Option<u16> {
        const ATTRIBUTE: AttributeType = AttributeType::ASSIGNED_SESSION_ID;
        if let Some(id) = assigned_id(control, ATTRIBUTE) {
            return Some(id);
        }
        let secret = self.tunnels.get(tunnel.0)?.config.secret.as_ref()?.expose();
        let mut random_vector = None;
        let avps = control.avps().map_while(Result::ok);
        for avp in avps.filter(|avp| avp.vendor_id == VendorId::IETF) {
            if avp.attribute_type == AttributeType::RANDOM_VECTOR {
                random_vector = Some(avp.value);
            } else if avp.attribute_type == ATTRIBUTE && avp.hidden {
                let random_vector = random_vector?;
                let key = HidingKey { md5: self.tools.md5(), secret, random_vector };
                let mut scratch = [0; LONGEST_HIDDEN];
                let plain = unhide(&key, ATTRIBUTE, avp.value, &mut scratch).ok()?;
                let id = u16::from_be_bytes(plain.value.try_into().ok()?);
                return Some(id).filter(|id| *id != 0);
            }
        }
        None
    }

    /// Puts the room for hidden values back, without what was in it: the subscriber's password,
    /// say.
    pub(super) fn put_back(&mut self, mut room: Vec<u8>) {
        room.zeroize();
        self.unhidden = room;
    }
}

/// Reports what was unusual about a message.
struct Watch<'e> {
    tunnel: TunnelHandle,
    events: &'e mut VecDeque<Event>,
}

impl Observer for Watch<'_> {
    fn ignored(&mut self, avp: &RawAvp<'_>, reason: MessageErrorKind) {
        self.events.push_back(Event::Trace(Trace::Ignored {
            tunnel: self.tunnel,
            vendor: avp.vendor_id,
            attribute: avp.attribute_type,
            reason,
        }));
    }

    fn lenient(&mut self, leniency: Leniencies, attribute: Option<AttributeType>) {
        let tunnel = self.tunnel;
        self.events.push_back(Event::Trace(Trace::Lenient { tunnel, leniency, attribute }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::boxed::Box;
    use alloc::format;

    #[test]
    fn what_was_hidden_is_wiped_and_never_shown() {
        let config = crate::EndpointConfig::new(TunnelConfig::new("host.example"));
        let random = Box::new(vpn_netsim::SeededRandom::new(1));
        let mut endpoint = Endpoint::new(config, vpn_crypto::provider(), random);
        endpoint.put_back(b"hunter2".to_vec());
        assert!(endpoint.unhidden.is_empty());
        endpoint.unhidden = b"hunter2".to_vec();
        let octets = format!("{:?}", b"hunter2");
        assert!(!format!("{endpoint:?}").contains(&octets[1..octets.len() - 1]));
    }
}
