use bitflags::bitflags;

bitflags! {
    /// The departures from RFC 2661 that decoding can put up with, each by name.
    ///
    /// [`Leniencies::all`] is the tolerant mode, [`Leniencies::empty`] the strict one. Whenever a
    /// leniency is made use of, the [`Observer`](crate::Observer) hears of it.
    ///
    /// What the RFC permits is no leniency: a Result Code without an Error Code, reserved header
    /// bits that are set, AVPs in any order behind the Message Type.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
    pub struct Leniencies: u16 {
        /// Octets behind the message's end, or fewer octets behind the last AVP than an AVP
        /// header has: they are ignored.
        const TRAILING_OCTETS = 1 << 0;
        /// A value of fixed length with more octets: the first ones count.
        const LONG_VALUE = 1 << 1;
        /// A Result Code in the sender's own octet order, as some versions of macOS write it
        /// (0x0300 for 3): it is read as meant, and the Error Code with it.
        const SWAPPED_RESULT_CODE = 1 << 2;
        /// An AVP a second time: the first one counts. (The Random Vector may be repeated.)
        const DUPLICATE_AVP = 1 << 3;
        /// A recognized AVP in a message that RFC 2661 §6 does not list it for: it is ignored
        /// whatever its M bit, as xl2tpd, osvbng and others need.
        const UNLISTED_AVP = 1 << 4;
        /// A required AVP that has a harmless default is absent: Framing Capabilities (both
        /// kinds), Call Serial Number (0), Framing Type (synchronous) or Tx Connect Speed (0).
        const MISSING_AVP = 1 << 5;
        /// A Host Name, Challenge or Proxy Authen Challenge without octets.
        const EMPTY_VALUE = 1 << 6;
        /// Assigned Tunnel ID 0 in a StopCCN or Assigned Session ID 0 in a CDN, from a peer that
        /// gives up before it has assigned one. In other messages it is always an error.
        const ZERO_ID = 1 << 7;
        /// Receive Window Size 0: it is read as absent, which means 4.
        const ZERO_WINDOW = 1 << 8;
        /// A reserved field inside a value is not zero: it is ignored.
        const NONZERO_RESERVED = 1 << 9;
        /// An AVP that must not be hidden is hidden: it is unhidden. (A Message Type or Random
        /// Vector that is hidden can't be understood at all.)
        const WRONG_HIDDEN_BIT = 1 << 10;
        /// The M bit of a recognized AVP is not what its definition says: it is accepted.
        const WRONG_MANDATORY_BIT = 1 << 11;
    }
}
