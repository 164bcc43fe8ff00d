use alloc::vec::Vec;

use super::fault::Fault;
use crate::Chain;
use crate::NotifyType;
use crate::Payload;
use crate::PayloadType;
use crate::identity::Identity;
use crate::payload::Identification;
use crate::payload::Notification;

/// The payloads of one message, by kind: RFC 2409 lets their order be free but for the hash of
/// phase 2, which stands first.
pub(crate) struct Payloads<'a>(Vec<Payload<'a>>);

impl<'a> Payloads<'a> {
    pub(crate) fn read(chain: Chain<'a>) -> Result<Self, Fault> {
        Ok(Self(chain.collect::<Result<_, _>>()?))
    }

    /// The body of the only payload of this kind.
    pub(crate) fn one(&self, kind: PayloadType, missing: &'static str) -> Result<&'a [u8], Fault> {
        self.at_most_one(kind)?.ok_or(Fault::malformed(missing))
    }

    /// The body of the only payload of this kind, if there is one.
    pub(crate) fn at_most_one(&self, kind: PayloadType) -> Result<Option<&'a [u8]>, Fault> {
        let mut all = self.every(kind);
        let first = all.next();
        match all.next() {
            None => Ok(first),
            Some(_) => Err(Fault::malformed("it sent a payload twice")),
        }
    }

    /// The bodies of all payloads of this kind.
    pub(crate) fn every(&self, kind: PayloadType) -> impl Iterator<Item = &'a [u8]> + Clone {
        self.matching(move |other| other == kind)
    }

    /// The bodies of all payloads whose kind is one that `wanted` wants.
    pub(crate) fn matching(
        &self,
        wanted: impl Fn(PayloadType) -> bool + Clone,
    ) -> impl Iterator<Item = &'a [u8]> + Clone {
        self.0.iter().filter(move |payload| wanted(payload.kind)).map(|payload| payload.body)
    }
}

impl Payloads<'_> {
    /// Whether the sender says that it has no other SA with us (RFC 2407 §4.6.3.3).
    pub(crate) fn has_initial_contact(&self) -> bool {
        self.notifications().any(|one| one.notify_type == NotifyType::INITIAL_CONTACT)
    }

    /// The notifications that can be read.
    pub(crate) fn notifications(&self) -> impl Iterator<Item = Notification<'_>> {
        self.every(PayloadType::NOTIFICATION).filter_map(|body| Notification::decode(body).ok())
    }

    /// Who the sender says that it is.
    pub(crate) fn identity(&self) -> Result<Identity, Fault> {
        let body = self.one(PayloadType::IDENTIFICATION, "it did not say who it is")?;
        Ok(Identity::from_payload(&Identification::decode(body)?))
    }
}
