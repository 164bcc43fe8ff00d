use alloc::string::String;
use core::fmt::Write as _;
use core::net::IpAddr;

use ipsec_ike::ChildSa;
use ipsec_ike::KeyLogEntry;
use vpn_core::SecretBytes;
use vpn_core::crypto::EspAead;
use vpn_core::crypto::EspCipher;
use vpn_core::crypto::EspIntegrity;
use vpn_core::crypto::EspSuite;

/// Keys with which an analyzer can read recorded traffic; reported only where the configuration
/// asks for them.
///
/// Whoever gets hold of them reads everything.
#[non_exhaustive]
#[derive(Debug)]
pub enum KeyLog {
    /// Of an IKE SA.
    Ike(KeyLogEntry),
    /// Of a pair of ESP SAs.
    Esp(alloc::boxed::Box<EspKeys>),
}

/// The keys of a pair of ESP SAs.
#[derive(Clone, Debug)]
pub struct EspKeys {
    /// What protects the packets.
    pub suite: EspSuite,
    /// Our address on the path.
    pub local: IpAddr,
    /// The peer's.
    pub remote: IpAddr,
    /// SPI of what we receive.
    pub inbound_spi: u32,
    /// Encryption key, with its salt, then integrity key, of what we receive.
    pub inbound_keys: SecretBytes,
    /// SPI of what we send.
    pub outbound_spi: u32,
    /// Encryption key, with its salt, then integrity key, of what we send.
    pub outbound_keys: SecretBytes,
}

impl EspKeys {
    pub(crate) fn of(child: &ChildSa) -> Self {
        Self {
            suite: child.suite,
            local: child.esp_path.local.ip(),
            remote: child.esp_path.remote.ip(),
            inbound_spi: child.inbound.spi,
            inbound_keys: child.inbound.keymat.clone(),
            outbound_spi: child.outbound.spi,
            outbound_keys: child.outbound.keymat.clone(),
        }
    }

    /// The lines of Wireshark's `esp_sa` preference file, one for each direction.
    #[must_use]
    pub fn wireshark(&self) -> [String; 2] {
        [
            self.row(self.remote, self.local, self.inbound_spi, &self.inbound_keys),
            self.row(self.local, self.remote, self.outbound_spi, &self.outbound_keys),
        ]
    }

    fn row(&self, from: IpAddr, to: IpAddr, spi: u32, keys: &SecretBytes) -> String {
        let version = if from.is_ipv4() { "IPv4" } else { "IPv6" };
        let (cipher, integrity) = names(self.suite);
        let (encryption, authentication) =
            keys.expose().split_at_checked(self.suite.encryption_key_len()).unwrap_or_default();
        let (encryption, authentication) = (hex(encryption), hex(authentication));
        alloc::format!(
            "\"{version}\",\"{from}\",\"{to}\",\"0x{spi:08x}\",\"{cipher}\",\"{encryption}\",\
             \"{integrity}\",\"{authentication}\",\"32-bit\""
        )
    }
}

/// The line of Wireshark's `ikev1_decryption_table` preference file.
impl KeyLog {
    /// The line or lines, and the preference file that they belong to.
    #[must_use]
    pub fn wireshark(&self) -> (&'static str, alloc::vec::Vec<String>) {
        match self {
            Self::Ike(entry) => {
                let row = alloc::format!(
                    "{},{}",
                    plain_hex(&entry.initiator_cookie),
                    plain_hex(entry.encryption_key.expose())
                );
                ("ikev1_decryption_table", alloc::vec![row])
            }
            Self::Esp(keys) => ("esp_sa", keys.wireshark().into()),
        }
    }
}

/// What Wireshark calls the algorithms.
const fn names(suite: EspSuite) -> (&'static str, &'static str) {
    match suite {
        EspSuite::Combined(EspAead::ChaCha20Poly1305) => {
            ("ChaCha20 with Poly1305 [RFC7634]", "NULL")
        }
        EspSuite::Combined(_) => ("AES-GCM with 16 octet ICV [RFC4106]", "NULL"),
        EspSuite::Separate(cipher, integrity) => (
            match cipher {
                EspCipher::Null => "NULL",
                EspCipher::TripleDesCbc => "TripleDES-CBC [RFC2451]",
                _ => "AES-CBC [RFC3602]",
            },
            match integrity {
                EspIntegrity::HmacMd5_96 => "HMAC-MD5-96 [RFC2403]",
                EspIntegrity::HmacSha1_96 => "HMAC-SHA-1-96 [RFC2404]",
                EspIntegrity::HmacSha2_256_128 => "HMAC-SHA-256-128 [RFC4868]",
                EspIntegrity::HmacSha2_256_96 => {
                    "HMAC-SHA-256-96 [draft-ietf-ipsec-ciph-sha-256-00]"
                }
                EspIntegrity::HmacSha2_384_192 => "HMAC-SHA-384-192 [RFC4868]",
                _ => "HMAC-SHA-512-256 [RFC4868]",
            },
        ),
    }
}

fn hex(octets: &[u8]) -> String {
    if octets.is_empty() { String::new() } else { alloc::format!("0x{}", plain_hex(octets)) }
}

fn plain_hex(octets: &[u8]) -> String {
    let mut text = String::new();
    for octet in octets {
        // Writing to a string can't fail.
        let _ = write!(text, "{octet:02x}");
    }
    text
}
