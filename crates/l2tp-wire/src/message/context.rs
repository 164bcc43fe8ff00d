use core::fmt;

use vpn_core::crypto::Hash;

use crate::AttributeType;
use crate::Leniencies;
use crate::RawAvp;
use crate::message::MessageErrorKind;

/// How a message is to be decoded: what is put up with, the secret that hidden AVPs need, and who
/// wants to hear what was unusual.
///
/// ```
/// use l2tp_wire::Leniencies;
/// use l2tp_wire::message::DecodeContext;
///
/// let tolerant = DecodeContext::new();
/// let strict = DecodeContext::new().leniencies(Leniencies::empty());
///
/// let md5 = vpn_crypto::provider().legacy.md5;
/// let mut scratch = [0; 1500];
/// let with_secret = DecodeContext::new().secret(md5, b"shared", &mut scratch);
/// ```
pub struct DecodeContext<'a, 'c> {
    pub(super) leniencies: Leniencies,
    pub(super) secret: Option<(&'c dyn Hash<16>, &'c [u8])>,
    pub(super) scratch: &'a mut [u8],
    pub(super) observer: Option<&'c mut dyn Observer>,
}

impl<'a, 'c> DecodeContext<'a, 'c> {
    /// Tolerant ([`Leniencies::all`]), without a secret, unobserved.
    #[must_use]
    pub fn new() -> Self {
        Self { leniencies: Leniencies::all(), secret: None, scratch: &mut [], observer: None }
    }

    /// Sets what is put up with; [`Leniencies::empty`] is the strict mode.
    #[must_use]
    pub const fn leniencies(mut self, leniencies: Leniencies) -> Self {
        self.leniencies = leniencies;
        self
    }

    /// Sets the secret shared with the peer, and room for what is unhidden with it; as many octets
    /// as the datagram has always suffice. Without this an AVP that is hidden can't be read.
    #[must_use]
    pub const fn secret(
        mut self,
        md5: &'c dyn Hash<16>,
        secret: &'c [u8],
        scratch: &'a mut [u8],
    ) -> Self {
        self.secret = Some((md5, secret));
        self.scratch = scratch;
        self
    }

    /// Sets who hears what was ignored or put up with, and is asked about extensions.
    #[must_use]
    pub const fn observer(mut self, observer: &'c mut dyn Observer) -> Self {
        self.observer = Some(observer);
        self
    }
}

impl Default for DecodeContext<'_, '_> {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for DecodeContext<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecodeContext")
            .field("leniencies", &self.leniencies)
            .finish_non_exhaustive()
    }
}

/// Hears what was unusual about a message, and knows AVPs that this crate doesn't.
pub trait Observer {
    /// An AVP that this crate does not recognize: of a vendor, or of a later RFC; unhidden where it
    /// was hidden. Answer `true` if it is recognized, which keeps its M bit from ending the session
    /// or tunnel (RFC 2661 §4.2).
    fn extension(&mut self, avp: &RawAvp<'_>) -> bool {
        let _ = avp;
        false
    }

    /// `avp` was left out because of `reason`. With the M bit set, the same would have been an
    /// error.
    fn ignored(&mut self, avp: &RawAvp<'_>, reason: MessageErrorKind) {
        let _ = (avp, reason);
    }

    /// `leniency` was made use of, for the given attribute where it is about one.
    fn lenient(&mut self, leniency: Leniencies, attribute: Option<AttributeType>) {
        let _ = (leniency, attribute);
    }
}
