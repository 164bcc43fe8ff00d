use alloc::collections::VecDeque;
use alloc::vec::Vec;

use l2tp_wire::AttributeType;
use l2tp_wire::ControlMessage;
use l2tp_wire::Leniencies;
use l2tp_wire::Message;
use l2tp_wire::RawAvp;
use l2tp_wire::message::DecodeContext;
use l2tp_wire::message::MessageError;
use l2tp_wire::message::MessageErrorKind;
use l2tp_wire::message::Observer;
use zeroize::Zeroize;

use crate::Endpoint;
use crate::Event;
use crate::Trace;
use crate::TunnelConfig;
use crate::TunnelHandle;

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
