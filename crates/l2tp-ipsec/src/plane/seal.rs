use l2tp_wire::DataHeader;
use l2tp_wire::Sequence;
use ppp_core::Protocol;
use ppp_core::frame;
use vpn_core::EncapError;
use vpn_core::PacketMut;
use vpn_core::Path;
use vpn_core::Room;

use crate::ip::Ip;
use crate::ip::link_local_id;
use crate::mss;
use crate::plane::Entry;
use crate::plane::SealError;
use crate::plane::Side;

/// The most that goes around an IP packet.
pub(crate) const ROOM: Room = Room { front: DataHeader::MAX_LEN + frame::MAX_HEADER_LEN, back: 0 };

/// Octets of UDP, L2TP and PPP headers around an IP packet inside of ESP.
pub(crate) const fn around_ip(data_length: bool, sequenced: bool) -> usize {
    let sequence = if sequenced { Some(Sequence { ns: 0, nr: 0 }) } else { None };
    let header = DataHeader {
        tunnel_id: 0,
        session_id: 0,
        sequence,
        length: data_length,
        priority: false,
        offset: None,
    };
    8 + header.encoded_len() + frame::MAX_HEADER_LEN
}

/// Seals one IP packet in place and says where it goes.
pub(crate) fn seal(
    entry: &Entry,
    packet: &mut PacketMut<'_>,
    clamp_mss: bool,
) -> Result<Path, SealError> {
    let len = packet.len();
    let protocol = check(entry, packet.payload())?;
    if len > usize::from(entry.mtu) {
        return Err(SealError::TooLarge { len, mtu: entry.mtu });
    }
    if clamp_mss {
        mss::clamp(packet.payload_mut(), entry.mtu);
    }
    frame::Header { protocol, acfc: entry.acfc, pfc: entry.pfc }.prepend(packet)?;
    header(entry).prepend(packet).map_err(|error| match error {
        EncapError::NoRoom(no_room) => SealError::NoRoom(no_room),
        _ => SealError::TooLarge { len, mtu: entry.mtu },
    })?;
    entry.shared.count_tx(len);
    Ok(entry.path)
}

/// The header of the session's next data message, in its negotiated form.
pub(crate) fn header(entry: &Entry) -> DataHeader {
    DataHeader {
        tunnel_id: entry.peer_tunnel_id,
        session_id: entry.peer_session_id,
        sequence: entry.sequence.next_ns().map(|ns| Sequence { ns, nr: 0 }),
        length: entry.data_length,
        priority: false,
        offset: None,
    }
}

/// Checks that this packet may go through the session, and names its PPP protocol.
///
/// A client sends from its own address only; a server forwards from anywhere.
fn check(entry: &Entry, packet: &[u8]) -> Result<Protocol, SealError> {
    let (protocol, own) = match Ip::parse(packet).ok_or(SealError::NotIp)? {
        Ip::V4 { source, .. } => {
            let pair = entry.ipv4.ok_or(SealError::NotOpen)?;
            (Protocol::IPV4, pair.local == source)
        }
        Ip::V6 { source, .. } => {
            let pair = entry.ipv6.ok_or(SealError::NotOpen)?;
            (Protocol::IPV6, link_local_id(source) == Some(pair.local))
        }
    };
    if entry.side == Side::Client && !own {
        return Err(SealError::WrongAddress);
    }
    Ok(protocol)
}
