//! L2TP messages (RFC 2661 §3) and their AVPs.

use core::fmt;
use core::net::SocketAddr;

use l2tp_wire::Avp;
use l2tp_wire::ControlMessage;
use l2tp_wire::MessageType;
use l2tp_wire::Packet;
use l2tp_wire::RawAvp;
use l2tp_wire::VendorId;
use l2tp_wire::hidden;
use serde::Serialize;

use super::fault::At;
use super::fault::Fault;
use super::l2tp_values::avp_value;
use super::layer::Layer;
use super::shown::Shown;
use super::walk::Walk;

#[derive(Serialize)]
pub(crate) struct Control {
    pub(crate) message: String,
    pub(crate) tunnel_id: u16,
    pub(crate) session_id: u16,
    pub(crate) ns: u16,
    pub(crate) nr: u16,
    pub(crate) avps: Vec<ShownAvp>,
}

#[derive(Serialize)]
pub(crate) struct Data {
    pub(crate) tunnel_id: u16,
    pub(crate) session_id: u16,
    pub(crate) ns: Option<u16>,
    pub(crate) nr: Option<u16>,
    pub(crate) priority: bool,
    pub(crate) offset: Option<u16>,
}

#[derive(Serialize)]
pub(crate) struct ShownAvp {
    #[serde(rename = "type")]
    pub(crate) attribute: u16,
    pub(crate) vendor: u16,
    pub(crate) name: String,
    pub(crate) mandatory: bool,
    pub(crate) hidden: bool,
    /// What it says; of one that stays hidden, the octets.
    pub(crate) value: Shown,
    /// Why the value is not shown in full.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
}

impl Walk<'_> {
    /// What goes to or from port 1701.
    pub(crate) fn l2tp(&mut self, src: SocketAddr, octets: &[u8]) -> Result<(), Fault> {
        match Packet::decode(octets).at("L2TP header")? {
            Packet::Control(control) => {
                if control.message_type() == Some(MessageType::SCCRQ) {
                    self.decoder.l2tp_ends.learn(src);
                }
                self.control(&control)
            }
            Packet::Data(data) => {
                let header = data.header;
                self.push(Layer::L2tpData(Data {
                    tunnel_id: header.tunnel_id,
                    session_id: header.session_id,
                    ns: header.sequence.map(|sequence| sequence.ns),
                    nr: header.sequence.map(|sequence| sequence.nr),
                    priority: header.priority,
                    offset: header.offset,
                }));
                self.ppp(data.payload)
            }
        }
    }

    /// What goes to or from an initiator's own port, which may be anything.
    pub(crate) fn perhaps_l2tp(&mut self, src: SocketAddr, octets: &[u8]) -> Result<(), Fault> {
        if Packet::decode(octets).is_ok() { self.l2tp(src, octets) } else { Ok(()) }
    }

    fn control(&mut self, control: &ControlMessage<'_>) -> Result<(), Fault> {
        let message = match control.message_type() {
            Some(message) => message.to_string(),
            None if control.is_zlb() => String::from("ZLB"),
            None => String::from("unknown"),
        };
        let no_type = control.message_type().is_none() && !control.is_zlb();
        let (avps, faults) = self.avps(control);
        self.push(Layer::L2tpControl(Control {
            message,
            tunnel_id: control.tunnel_id,
            session_id: control.session_id,
            ns: control.ns,
            nr: control.nr,
            avps,
        }));
        for fault in faults {
            self.fault(&fault);
        }
        if no_type {
            return Err(Fault::new("L2TP control message: its first AVP is not a Message Type"));
        }
        Ok(())
    }

    fn avps(&self, control: &ControlMessage<'_>) -> (Vec<ShownAvp>, Vec<Fault>) {
        let mut shown = Vec::new();
        let mut faults = Vec::new();
        let mut random_vector = None;
        let mut avps = control.avps();
        let all = avps.rest().len();
        loop {
            let at = ControlMessage::HEADER_LEN + all - avps.rest().len();
            match avps.next() {
                None => return (shown, faults),
                Some(Err(error)) => {
                    faults.push(Fault::new(format!("L2TP AVPs, octet {at}: {error}")));
                }
                Some(Ok(raw)) => {
                    let (avp, decoded) = self.avp(control, &raw, random_vector);
                    if let Err(error) = decoded.at(format!("L2TP {} AVP, octet {at}", avp.name)) {
                        faults.push(error);
                    }
                    if let Ok(Avp::RandomVector(vector)) = Avp::decode(&raw) {
                        random_vector = Some(vector);
                    }
                    shown.push(avp);
                }
            }
        }
    }

    /// An AVP, opened if it is hidden and the secret is known; and whether its value is as it must
    /// be.
    fn avp(
        &self,
        control: &ControlMessage<'_>,
        raw: &RawAvp<'_>,
        random_vector: Option<&[u8]>,
    ) -> (ShownAvp, Result<(), l2tp_wire::ValueError>) {
        let mut scratch = vec![0; raw.value.len()];
        let opened = raw.hidden.then(|| self.unhide(raw, random_vector, &mut scratch));
        let (plain, note) = match opened {
            None => (*raw, None),
            Some(Ok(value)) => (RawAvp { hidden: false, value, ..*raw }, None),
            Some(Err(why)) => (*raw, Some(why)),
        };
        let (value, decoded) = match Avp::decode(&plain) {
            Ok(avp) => (avp_value(&avp, control.message_type()), Ok(())),
            Err(error) => (Shown::octets(plain.value), Err(error)),
        };
        let name = raw.name().map_or_else(
            || match raw.vendor_id {
                VendorId::IETF => raw.attribute_type.to_string(),
                vendor => format!("{vendor} {}", raw.attribute_type.0),
            },
            String::from,
        );
        let avp = ShownAvp {
            attribute: raw.attribute_type.0,
            vendor: raw.vendor_id.0,
            name,
            mandatory: raw.mandatory,
            hidden: raw.hidden,
            value,
            note,
        };
        (avp, decoded)
    }

    fn unhide<'s>(
        &self,
        raw: &RawAvp<'_>,
        random_vector: Option<&[u8]>,
        scratch: &'s mut [u8],
    ) -> Result<&'s [u8], String> {
        let Some(secret) = &self.decoder.tunnel_secret else {
            return Err(String::from("hidden: --tunnel-secret opens it"));
        };
        let random_vector = random_vector.ok_or(hidden::UnhideError::NoRandomVector);
        let md5 = vpn_crypto::provider().legacy.md5;
        random_vector
            .and_then(|random_vector| {
                let key = hidden::HidingKey { md5, secret, random_vector };
                hidden::unhide(&key, raw.attribute_type, raw.value, scratch)
            })
            .map(|unhidden| unhidden.value)
            .map_err(|error| format!("hidden: {error}"))
    }
}

impl fmt::Display for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { message, tunnel_id, session_id, ns, nr, avps } = self;
        write!(f, "L2TP {message} tunnel {tunnel_id} session {session_id} Ns {ns} Nr {nr}")?;
        // The message's name is its type's already.
        let is_type = |avp: &&ShownAvp| (avp.vendor, avp.attribute) == (0, 0);
        let mut gap = ": ";
        for avp in avps.iter().filter(|avp| !is_type(avp)) {
            write!(f, "{gap}{avp}")?;
            gap = ", ";
        }
        Ok(())
    }
}

impl fmt::Display for ShownAvp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.name, self.value.behind(" "))?;
        match &self.note {
            Some(note) => write!(f, " ({note})"),
            None if self.hidden => f.write_str(" (was hidden)"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "L2TP data tunnel {} session {}", self.tunnel_id, self.session_id)?;
        if let Some(ns) = self.ns {
            write!(f, " Ns {ns}")?;
        }
        if self.priority {
            f.write_str(" priority")?;
        }
        match self.offset {
            Some(offset) => write!(f, " offset {offset}"),
            None => Ok(()),
        }
    }
}
