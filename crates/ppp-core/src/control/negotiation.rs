use alloc::vec::Vec;

use crate::Protocol;
use crate::RawOption;
use crate::context::Context;
use crate::option::SeenTypes;

/// What a protocol makes of the options; the rest of the negotiation is the same for all.
pub(crate) trait Negotiation {
    /// The protocol whose options these are.
    const PROTOCOL: Protocol;

    /// What the peer asked for. Kept only when the whole request is acknowledged.
    type Peer: Default;

    /// Forgets what was negotiated and asks for everything anew.
    fn restart(&mut self, context: &mut Context);

    /// Appends the options that the next Configure-Request asks for. The same until one of the
    /// `&mut self` methods changes it.
    fn request(&self, out: &mut Vec<u8>);

    /// Judges one option of the peer's request. With [`Verdict::Nak`] the better value was appended
    /// to `nak`; with [`Verdict::Ack`] the value was noted in `peer`.
    fn judge(
        &mut self,
        option: &RawOption<'_>,
        peer: &mut Self::Peer,
        nak: &mut Vec<u8>,
        context: &mut Context,
    ) -> Verdict;

    /// Appends options to `nak` that the peer should have asked for and did not.
    fn prompt(&mut self, seen: SeenTypes, nak: &mut Vec<u8>, context: &mut Context);

    /// The peer's request is acknowledged.
    fn granted(&mut self, peer: Self::Peer);

    /// The peer wants another value of an option, or an option that was not asked for.
    fn nak(&mut self, option: &RawOption<'_>, context: &mut Context);

    /// The peer does not want to hear of an option of our request.
    fn reject(&mut self, option: &RawOption<'_>, context: &mut Context);

    /// Whether agreement has become impossible.
    fn has_failed(&self) -> bool;

    /// Both ends have acknowledged.
    fn opened(&mut self);
}

/// What to say to an option of the peer (RFC 1661 §5.2–5.4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    /// The value is fine.
    Ack,
    /// Another value would be.
    Nak,
    /// The option is not wanted at all.
    Reject,
}
