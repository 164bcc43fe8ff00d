use alloc::vec::Vec;

use vpn_core::Reader;

use super::proposal::Proposal;
use super::transform::nested;
use super::transform::put_nested;
use crate::DecodeError;
use crate::PayloadType;

/// The Domain of Interpretation of IPsec (RFC 2407 §4.6.1).
pub const DOI_IPSEC: u32 = 1;

/// The Situation without labels (RFC 2407 §4.2.1).
pub const SIT_IDENTITY_ONLY: u32 = 1;

/// Security Association: what an initiator offers, or what a responder chose (RFC 2408 §3.4, RFC
/// 2407 §4.6.1).
///
/// ```
/// use ipsec_ike::ProtocolId;
/// use ipsec_ike::payload::SecurityAssociation;
/// use ipsec_ike::payload::encode_proposal;
/// use ipsec_ike::payload::encode_transform;
///
/// let (mut transform, mut proposal, mut body) = (Vec::new(), Vec::new(), Vec::new());
/// encode_transform(&mut transform, 1, 12, |_| ());
/// encode_proposal(&mut proposal, 1, ProtocolId::ESP, &[0, 0, 1, 0], &[transform]);
/// SecurityAssociation::encode(&mut body, &[proposal]);
///
/// let sa = SecurityAssociation::decode(&body)?;
/// let proposal = sa.proposals().next().ok_or("there is always one")?;
/// assert_eq!(proposal.esp_spi(), Some(256));
/// assert_eq!(proposal.transforms().count(), 1);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SecurityAssociation<'a> {
    proposals: &'a [u8],
}

impl<'a> SecurityAssociation<'a> {
    /// Reads a body with all proposals and transforms in it.
    ///
    /// # Errors
    /// [`DecodeError`]: for another Domain of Interpretation or Situation, or when any length or
    /// count inside is wrong.
    pub fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let kind = PayloadType::SECURITY_ASSOCIATION;
        let cut = |_| DecodeError::Malformed { kind, what: "it is cut short" };
        let mut reader = Reader::new(body);
        let doi = reader.u32().map_err(cut)?;
        if doi != DOI_IPSEC {
            return Err(DecodeError::UnsupportedDoi(doi));
        }
        let situation = reader.u32().map_err(cut)?;
        if situation != SIT_IDENTITY_ONLY {
            return Err(DecodeError::UnsupportedSituation(situation));
        }
        let proposals = reader.rest();
        let mut more = true;
        while more {
            let body;
            (body, more) = nested(PayloadType::PROPOSAL, &mut reader)?;
            Proposal::decode(body)?;
        }
        if !reader.is_empty() {
            return Err(DecodeError::Malformed { kind, what: "octets follow the last proposal" });
        }
        Ok(Self { proposals })
    }

    /// The proposals, in the order of the message. There is at least one.
    pub fn proposals(&self) -> impl Iterator<Item = Proposal<'a>> + use<'a> {
        let mut reader = Reader::new(self.proposals);
        let mut more = true;
        core::iter::from_fn(move || {
            if !more {
                return None;
            }
            let body;
            (body, more) = nested(PayloadType::PROPOSAL, &mut reader).ok()?;
            Proposal::decode(body).ok()
        })
    }

    /// Appends the body of an SA with these proposals, each as
    /// [`encode_proposal`](super::encode_proposal) writes them.
    pub fn encode<P: AsRef<[u8]>>(out: &mut Vec<u8>, proposals: &[P]) {
        out.extend_from_slice(&DOI_IPSEC.to_be_bytes());
        out.extend_from_slice(&SIT_IDENTITY_ONLY.to_be_bytes());
        put_nested(out, PayloadType::PROPOSAL, proposals.iter().map(AsRef::as_ref));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ProtocolId;
    use crate::attribute::put_basic;
    use crate::payload::encode_proposal;
    use crate::payload::encode_transform;
    use alloc::vec;

    /// An SA with two proposals, of two transforms and of one.
    fn sample() -> Vec<u8> {
        let transform = |number, key_length| {
            let mut out = Vec::new();
            encode_transform(&mut out, number, 12, |out| put_basic(out, 6, key_length));
            out
        };
        let proposal = |number, transforms: &[Vec<u8>]| {
            let mut out = Vec::new();
            encode_proposal(&mut out, number, ProtocolId::ESP, &[1, 2, 3, 4], transforms);
            out
        };
        let first = proposal(1, &[transform(1, 256), transform(2, 128)]);
        let second = proposal(2, &[transform(1, 192)]);
        let mut out = Vec::new();
        SecurityAssociation::encode(&mut out, &[first, second]);
        out
    }

    #[test]
    fn proposals_and_transforms() {
        let body = sample();
        let sa = SecurityAssociation::decode(&body).unwrap();
        let seen: Vec<_> = sa
            .proposals()
            .map(|proposal| {
                let numbers: Vec<_> = proposal.transforms().map(|one| one.number).collect();
                (proposal.number, proposal.esp_spi(), usize::from(proposal.count()), numbers)
            })
            .collect();
        let spi = Some(0x0102_0304);
        assert_eq!(seen, [(1, spi, 2, vec![1, 2]), (2, spi, 1, vec![1])]);
        let key_lengths: Vec<_> = sa
            .proposals()
            .flat_map(|proposal| proposal.transforms())
            .flat_map(|transform| transform.attributes.iter())
            .map(|attribute| attribute.value.number().unwrap())
            .collect();
        assert_eq!(key_lengths, [256, 128, 192]);
    }

    #[test]
    fn no_shorter_body_and_no_other_length_count_or_order_passes() {
        let body = sample();
        for len in 0..body.len() {
            assert!(SecurityAssociation::decode(&body[..len]).is_err(), "{len}");
        }
        let mut longer = body.clone();
        longer.push(0);
        assert!(SecurityAssociation::decode(&longer).is_err());
        // DOI, situation, then of the first proposal: next payload, length, SPI length, number of
        // transforms; of its first transform: next payload, length.
        for at in [0, 3, 4, 7, 8, 10, 11, 14, 15, 20, 22, 23] {
            for value in (0..=255).filter(|value| *value != body[at]) {
                let mut wrong = body.clone();
                wrong[at] = value;
                let same = at == 8 && value == 2 || at == 20 && value == 3;
                assert_eq!(SecurityAssociation::decode(&wrong).is_ok(), same, "{at}: {value}");
            }
        }
    }

    #[test]
    fn other_domains_and_situations_are_named() {
        let mut body = sample();
        body[3] = 0;
        assert_eq!(SecurityAssociation::decode(&body), Err(DecodeError::UnsupportedDoi(0)));
        (body[3], body[7]) = (1, 3);
        let error = DecodeError::UnsupportedSituation(3);
        assert_eq!(SecurityAssociation::decode(&body), Err(error));
    }
}
