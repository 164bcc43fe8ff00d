use core::fmt;

/// The kernels that a suite runs on, named by the registers that they work with.
///
/// | | AES-CBC with HMAC | AES-GCM | 3DES-CBC with HMAC |
/// |---|---|---|---|
/// | `Bits128` | AES-NI | AES-NI, PCLMULQDQ | – |
/// | `Bits256` | VAES, AVX2 | VAES, VPCLMULQDQ, AVX2 | AVX2 |
/// | `Bits512` | VAES, AVX-512 F, BW, DQ, VL | the same and VPCLMULQDQ | AVX-512 F, BW, DQ, VL, VBMI, GFNI |
///
/// HMAC-SHA1 and HMAC-SHA2-256 use SHA-NI where the processor has it, beside each of these, and on
/// `Bits512` AVX-512 for batches.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Path {
    /// RustCrypto, one packet at a time: any processor.
    Portable,
    /// Registers of 128 bits.
    Bits128,
    /// Registers of 256 bits.
    Bits256,
    /// Registers of 512 bits.
    Bits512,
}

impl Path {
    /// Every path, from the slowest to the fastest.
    pub const ALL: [Self; 4] = [Self::Portable, Self::Bits128, Self::Bits256, Self::Bits512];

    /// The name of the path.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Bits128 => "128-bit",
            Self::Bits256 => "256-bit",
            Self::Bits512 => "512-bit",
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
