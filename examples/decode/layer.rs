//! The layers a packet can have: one tree of types, rendered as text by `Display` and as JSON by
//! serde.

use core::fmt;
use core::net::IpAddr;

use serde::Serialize;

use super::esp::Esp;
use super::ike::Decrypted;
use super::ike::Ike;
use super::l2tp::Control;
use super::l2tp::Data;
use super::ppp::Ppp;
use super::ppp_auth::Chap;
use super::ppp_auth::Eap;
use super::ppp_auth::Pap;
use super::ppp_control::Negotiation;

/// One layer of a packet; `proto` names it in JSON.
#[derive(Serialize)]
#[serde(tag = "proto", rename_all = "lowercase")]
pub(crate) enum Layer {
    /// An Ethernet frame that holds neither IP nor PPPoE.
    Ethernet(Ethernet),
    Vlan(Vlan),
    Pppoe(Pppoe),
    /// An IP header inside another packet; the outermost is the row's `src` and `dst`.
    Ip(Ip),
    Fragment(Fragment),
    Udp(Udp),
    Tcp(Tcp),
    Icmp(Icmp),
    Gre(Gre),
    /// What an IP packet holds where it is none of the above.
    Payload(Payload),
    Ike(Ike),
    /// The payloads of an encrypted IKE message.
    #[serde(rename = "ike-decrypted")]
    IkeDecrypted(Decrypted),
    Esp(Esp),
    /// The octet that keeps a NAT mapping open (RFC 3948 §2.3).
    #[serde(rename = "nat-keepalive")]
    NatKeepalive {},
    #[serde(rename = "l2tp")]
    L2tpControl(Control),
    #[serde(rename = "l2tp")]
    L2tpData(Data),
    Ppp(Ppp),
    Lcp(Negotiation),
    Pap(Pap),
    Chap(Chap),
    Eap(Eap),
    Ipcp(Negotiation),
    Ipv6cp(Negotiation),
    Ccp(Negotiation),
}

#[derive(Serialize)]
pub(crate) struct Ethernet {
    pub(crate) ethertype: u16,
    pub(crate) name: Option<&'static str>,
}

#[derive(Serialize)]
pub(crate) struct Vlan {
    pub(crate) id: u16,
}

#[derive(Serialize)]
pub(crate) struct Pppoe {
    pub(crate) code: String,
    pub(crate) session_id: u16,
}

#[derive(Serialize)]
pub(crate) struct Ip {
    pub(crate) src: IpAddr,
    pub(crate) dst: IpAddr,
    pub(crate) protocol: u8,
    pub(crate) hop_limit: u8,
}

#[derive(Serialize)]
pub(crate) struct Fragment {
    pub(crate) id: u32,
    /// Where its octets belong in the whole packet's payload.
    pub(crate) offset: usize,
    pub(crate) len: usize,
    pub(crate) more: bool,
    /// The frames of all fragments, if this one was the last to arrive.
    pub(crate) completes: Option<Vec<u64>>,
}

#[derive(Serialize)]
pub(crate) struct Udp {
    pub(crate) src_port: u16,
    pub(crate) dst_port: u16,
    /// Octets after the header.
    pub(crate) len: usize,
}

#[derive(Serialize)]
pub(crate) struct Tcp {
    pub(crate) src_port: u16,
    pub(crate) dst_port: u16,
    pub(crate) flags: String,
    pub(crate) seq: u32,
    pub(crate) ack: u32,
    /// Octets after the header.
    pub(crate) len: usize,
}

#[derive(Serialize)]
pub(crate) struct Icmp {
    pub(crate) version: u8,
    #[serde(rename = "type")]
    pub(crate) kind: u8,
    pub(crate) code: u8,
    pub(crate) message: Option<&'static str>,
    #[serde(flatten)]
    pub(crate) echo: Option<Echo>,
}

/// What an ICMP echo message and its reply have in common.
#[derive(Serialize)]
pub(crate) struct Echo {
    pub(crate) id: u16,
    pub(crate) seq: u16,
}

#[derive(Serialize)]
pub(crate) struct Gre {
    pub(crate) version: u8,
    pub(crate) protocol: u16,
    pub(crate) call_id: Option<u16>,
    pub(crate) seq: Option<u32>,
    pub(crate) ack: Option<u32>,
}

#[derive(Serialize)]
pub(crate) struct Payload {
    pub(crate) protocol: u8,
    pub(crate) name: Option<&'static str>,
    pub(crate) len: usize,
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ethernet(ethernet) => ethernet.fmt(f),
            Self::Vlan(vlan) => write!(f, "VLAN {}", vlan.id),
            Self::Pppoe(pppoe) => write!(f, "PPPoE {} {:#06x}", pppoe.code, pppoe.session_id),
            Self::Ip(ip) => write!(f, "IP {} > {}", ip.src, ip.dst),
            Self::Fragment(fragment) => fragment.fmt(f),
            Self::Udp(udp) => {
                write!(f, "UDP {} > {}, {} octets", udp.src_port, udp.dst_port, udp.len)
            }
            Self::Tcp(tcp) => tcp.fmt(f),
            Self::Icmp(icmp) => icmp.fmt(f),
            Self::Gre(gre) => gre.fmt(f),
            Self::Payload(payload) => payload.fmt(f),
            Self::Ike(ike) => ike.fmt(f),
            Self::IkeDecrypted(decrypted) => decrypted.fmt(f),
            Self::Esp(esp) => esp.fmt(f),
            Self::NatKeepalive {} => f.write_str("NAT keepalive"),
            Self::L2tpControl(control) => control.fmt(f),
            Self::L2tpData(data) => data.fmt(f),
            Self::Ppp(ppp) => ppp.fmt(f),
            Self::Lcp(packet) => write!(f, "LCP {packet}"),
            Self::Pap(pap) => pap.fmt(f),
            Self::Chap(chap) => chap.fmt(f),
            Self::Eap(eap) => eap.fmt(f),
            Self::Ipcp(packet) => write!(f, "IPCP {packet}"),
            Self::Ipv6cp(packet) => write!(f, "IPv6CP {packet}"),
            Self::Ccp(packet) => write!(f, "CCP {packet}"),
        }
    }
}

impl fmt::Display for Ethernet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name {
            Some(name) => f.write_str(name),
            None => write!(f, "Ethertype {:#06x}", self.ethertype),
        }
    }
}

impl fmt::Display for Fragment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.offset + self.len;
        write!(f, "IP fragment {:#x}, octets {} to {end}", self.id, self.offset)?;
        match &self.completes {
            Some(frames) => {
                let frames: Vec<_> = frames.iter().map(u64::to_string).collect();
                write!(f, ", completes frames {}", frames.join("+"))
            }
            None => Ok(()),
        }
    }
}

impl fmt::Display for Tcp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { src_port, dst_port, flags, len, .. } = self;
        write!(f, "TCP {src_port} > {dst_port} {flags}, {len} octets")
    }
}

impl fmt::Display for Icmp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.version == 6 { "ICMPv6" } else { "ICMP" })?;
        match self.message {
            Some(message) => write!(f, " {message}")?,
            None => write!(f, " type {} code {}", self.kind, self.code)?,
        }
        match self.echo {
            Some(Echo { id, seq }) => write!(f, " id {id} seq {seq}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Gre {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GRE protocol {:#06x}", self.protocol)?;
        if let Some(call_id) = self.call_id {
            write!(f, " call {call_id}")?;
        }
        if let Some(seq) = self.seq {
            write!(f, " seq {seq}")?;
        }
        match self.ack {
            Some(ack) => write!(f, " ack {ack}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name {
            Some(name) => f.write_str(name)?,
            None => write!(f, "IP protocol {}", self.protocol)?,
        }
        write!(f, ", {} octets", self.len)
    }
}
