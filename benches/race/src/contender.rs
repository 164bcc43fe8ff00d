//! Who takes part in a cell.

use vpn_core::crypto::EspSuite;

use crate::fixture::keymat;
use crate::packets::Packets;
use crate::packets::Shape;
use crate::packets::Way;

/// A column of the table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Column {
    Ours,
    /// Ours, made to take a path that it would not take here.
    OnPath(vpn_crypto::esp::Path),
    /// The portable code of ours.
    Twin,
    RustCrypto,
    #[cfg(feature = "peers")]
    Ring,
    #[cfg(feature = "peers")]
    AwsLc,
    #[cfg(feature = "peers")]
    OpenSsl,
    #[cfg(feature = "peers")]
    IpsecMb,
}

/// Something that seals or opens packets.
pub(crate) struct Contender {
    pub(crate) column: Column,
    /// What tells it from others of its column; the fastest of a column counts.
    pub(crate) variant: &'static str,
    pub(crate) work: Work,
}

/// Seals or opens all packets in place, and panics if one fails.
pub(crate) type Work = Box<dyn FnMut(&mut Packets)>;

/// What a contender is made for.
#[derive(Clone, Copy)]
pub(crate) struct Task {
    pub(crate) suite: EspSuite,
    pub(crate) way: Way,
    pub(crate) shape: Shape,
    /// Ours and intel-ipsec-mb as on a processor without AVX-512.
    pub(crate) avx2: bool,
}

impl Contender {
    pub(crate) fn new(column: Column, work: Work) -> Self {
        Self { column, variant: "", work }
    }
}

impl Task {
    /// The keying material of each SA: packet `i` is of SA `i` modulo their number.
    pub(crate) fn keymats(self) -> Vec<Vec<u8>> {
        (0..self.shape.sas() as u64).map(|sa| keymat(self.suite, 100 + sa)).collect()
    }

    /// The same, cut into encryption key (for GCM, without the salt) and integrity key (the salt).
    #[cfg(feature = "peers")]
    pub(crate) fn keys(self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let cipher_len = match self.suite {
            EspSuite::Combined(_) => self.suite.encryption_key_len() - 4,
            EspSuite::Separate(..) => self.suite.encryption_key_len(),
        };
        let cut = |mut keymat: Vec<u8>| {
            let rest = keymat.split_off(cipher_len);
            (keymat, rest)
        };
        self.keymats().into_iter().map(cut).collect()
    }
}

impl Column {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::OnPath(path) => path.name(),
            Self::Twin => "safe twin",
            Self::RustCrypto => "RustCrypto",
            #[cfg(feature = "peers")]
            Self::Ring => "ring",
            #[cfg(feature = "peers")]
            Self::AwsLc => "aws-lc-rs",
            #[cfg(feature = "peers")]
            Self::OpenSsl => "OpenSSL",
            #[cfg(feature = "peers")]
            Self::IpsecMb => "intel-ipsec-mb",
        }
    }

    /// Whether it is another project's library that could take our place.
    pub(crate) const fn is_peer(self) -> bool {
        !matches!(self, Self::Ours | Self::OnPath(_) | Self::Twin | Self::RustCrypto)
    }
}

/// All that can do `task`; ours comes first.
pub(crate) fn contenders(task: Task, every_path: bool) -> Vec<Contender> {
    let mut all = crate::ours::contenders(task, every_path);
    all.extend(crate::rustcrypto::contender(task));
    #[cfg(feature = "peers")]
    all.extend(crate::peers::contenders(task));
    all
}
