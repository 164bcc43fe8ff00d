use crate::registry::registry;

registry! {
    /// The Type of a CCP option (RFC 1962 §4 and IANA); named so that refused offers can be shown.
    CcpOptionType(u8) {
        /// OUI (RFC 1962 §4.1).
        OUI = 0, "OUI";
        /// Predictor type 1 (RFC 1978).
        PREDICTOR_1 = 1, "Predictor-1";
        /// Predictor type 2 (RFC 1978).
        PREDICTOR_2 = 2, "Predictor-2";
        /// Puddle Jumper.
        PUDDLE_JUMPER = 3, "Puddle-Jumper";
        /// Hewlett-Packard PPC.
        HP_PPC = 16, "HP-PPC";
        /// Stac LZS (RFC 1974).
        STAC_LZS = 17, "Stac-LZS";
        /// Microsoft PPC and MPPE (RFC 2118, RFC 3078).
        MPPE = 18, "MPPC/MPPE";
        /// Gandalf FZA (RFC 1993).
        GANDALF = 19, "Gandalf-FZA";
        /// V.42bis.
        V42BIS = 20, "V.42bis";
        /// BSD LZW (RFC 1977).
        BSD_LZW = 21, "BSD-LZW";
        /// LZS-DCP (RFC 1967).
        LZS_DCP = 23, "LZS-DCP";
        /// Deflate under the number that pppd uses.
        DEFLATE_DRAFT = 24, "Deflate (draft)";
        /// Deflate (RFC 1979).
        DEFLATE = 26, "Deflate";
    }
}
