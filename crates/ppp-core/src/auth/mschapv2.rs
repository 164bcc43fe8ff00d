use alloc::vec::Vec;

use vpn_core::Secret;
use vpn_core::crypto::CryptoProvider;
use zeroize::Zeroizing;

use super::failure::Hex;
use super::failure::hex;

/// What one MS-CHAPv2 exchange is computed from (RFC 2759 §8).
#[derive(Clone, Copy, Debug)]
pub struct MsChapV2<'a> {
    /// The Value of the Challenge packet.
    pub authenticator_challenge: &'a [u8; 16],
    /// The Peer-Challenge of the Response packet.
    pub peer_challenge: &'a [u8; 16],
    /// The Name of the Response packet. A Windows domain in front (`DOMAIN\user`) is left out of
    /// the computation (RFC 2759 §4).
    pub name: &'a [u8],
}

impl MsChapV2<'_> {
    /// GenerateNTResponse (RFC 2759 §8.1), from the hash of the password.
    #[must_use]
    pub fn nt_response(&self, provider: &CryptoProvider, hash: &NtPasswordHash) -> [u8; 24] {
        let challenge = self.challenge_hash(provider);
        let mut padded = Zeroizing::new([0; 21]);
        let (key_octets, _) = padded.split_at_mut(16);
        key_octets.copy_from_slice(hash.0.expose());
        let mut response = [0; 24];
        for (out, key) in response.chunks_exact_mut(8).zip(padded.chunks_exact(7)) {
            let key = Zeroizing::new(des_key(key));
            out.copy_from_slice(&provider.legacy.des.encrypt(&key, &challenge));
        }
        response
    }

    /// GenerateAuthenticatorResponse (RFC 2759 §8.7), as octets: on the wire they follow `S=` in
    /// upper-case hexadecimal.
    #[must_use]
    pub fn authenticator_response(
        &self,
        provider: &CryptoProvider,
        hash: &NtPasswordHash,
        nt_response: &[u8; 24],
    ) -> [u8; 20] {
        let sha1 = provider.legacy.sha1;
        let hash_hash = Secret::new(provider.legacy.md4.hash(&[hash.0.expose()]));
        let digest = sha1.hash(&[hash_hash.expose(), nt_response, SERVER_TO_CLIENT]);
        sha1.hash(&[&digest, &self.challenge_hash(provider), ITERATION])
    }

    /// ChallengeHash (RFC 2759 §8.2).
    fn challenge_hash(&self, provider: &CryptoProvider) -> [u8; 8] {
        let name = without_domain(self.name);
        let parts = [&self.peer_challenge[..], self.authenticator_challenge, name];
        let [a, b, c, d, e, f, g, h, ..] = provider.legacy.sha1.hash(&parts);
        [a, b, c, d, e, f, g, h]
    }
}

/// The NtPasswordHash (RFC 2759 §8.3), as secret as the password itself.
#[derive(Clone, Debug)]
pub struct NtPasswordHash(Secret<16>);

impl NtPasswordHash {
    /// Hashes a password: UTF-8 is turned into UTF-16LE; octets that are no UTF-8 are taken as
    /// Latin-1.
    #[must_use]
    pub fn of_password(provider: &CryptoProvider, password: &[u8]) -> Self {
        let mut unicode = Zeroizing::new(Vec::with_capacity(2 * password.len()));
        let mut push = |unit: u16| unicode.extend_from_slice(&unit.to_le_bytes());
        match str::from_utf8(password) {
            Ok(text) => text.encode_utf16().for_each(&mut push),
            Err(_) => password.iter().for_each(|octet| push(u16::from(*octet))),
        }
        Self::from_hash(provider.legacy.md4.hash(&[&unicode]))
    }

    /// Takes over a stored hash.
    #[must_use]
    pub const fn from_hash(hash: [u8; 16]) -> Self {
        Self(Secret::new(hash))
    }
}

/// The Value of an MS-CHAPv2 Response packet: 49 octets (RFC 2759 §4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MsChapV2Response {
    /// Random octets of the peer.
    pub peer_challenge: [u8; 16],
    /// The proof.
    pub nt_response: [u8; 24],
}

impl MsChapV2Response {
    /// Reads the Value; `None` when it is not 49 octets long. Reserved octets and flags are
    /// ignored, as Windows does.
    #[must_use]
    pub fn decode(value: &[u8]) -> Option<Self> {
        let value: &[u8; 49] = value.try_into().ok()?;
        let (peer_challenge, rest) = value.split_first_chunk()?;
        let (_reserved, rest) = rest.split_first_chunk::<8>()?;
        let (nt_response, _flags) = rest.split_first_chunk()?;
        Some(Self { peer_challenge: *peer_challenge, nt_response: *nt_response })
    }

    /// The Value, with reserved octets and flags zero.
    #[must_use]
    pub fn encode(&self) -> [u8; 49] {
        let mut value = [0; 49];
        let (peer_challenge, rest) = value.split_at_mut(16);
        peer_challenge.copy_from_slice(&self.peer_challenge);
        let (_reserved, rest) = rest.split_at_mut(8);
        let (nt_response, _flags) = rest.split_at_mut(24);
        nt_response.copy_from_slice(&self.nt_response);
        value
    }
}

/// The authenticator response in the text of a Success packet, `S=…` (RFC 2759 §5).
///
/// It must come first and have 40 digits; lower case is taken too.
#[must_use]
pub(crate) fn parse_success(text: &[u8]) -> Option<([u8; 20], &[u8])> {
    let digits = text.strip_prefix(b"S=")?;
    let (digits, rest) = digits.split_at_checked(40)?;
    let message = rest.trim_ascii_start();
    Some((hex(digits)?, message.strip_prefix(b"M=").unwrap_or(message)))
}

/// The text of a Success packet (RFC 2759 §5).
pub(crate) fn encode_success(response: &[u8; 20], message: &str) -> alloc::string::String {
    alloc::format!("S={} M={message}", Hex(response))
}

/// The user's name without the Windows domain in front of it.
#[must_use]
pub fn without_domain(name: &[u8]) -> &[u8] {
    name.rsplit(|octet| *octet == b'\\').next().unwrap_or(name)
}

/// Spreads 56 bits over the 8 octets of a DES key; the parity bits stay clear, for they are
/// ignored.
fn des_key(octets: &[u8]) -> [u8; 8] {
    let bits = octets.iter().fold(0_u64, |bits, octet| (bits << 8) | u64::from(*octet));
    let mut key = [0; 8];
    for (place, octet) in key.iter_mut().rev().enumerate() {
        let [.., low] = (bits >> (7 * place)).to_be_bytes();
        *octet = low << 1;
    }
    key
}

/// Magic1 of RFC 2759 §8.7.
const SERVER_TO_CLIENT: &[u8] = b"Magic server to client signing constant";
/// Magic2 of RFC 2759 §8.7.
const ITERATION: &[u8] = b"Pad to make it do more than one iteration";

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 2759 §9.3 shows keys made of password hash parts, with parity; here parity is clear.
    #[test]
    fn des_keys_of_rfc2759() {
        let key = des_key(&[0xfc, 0x15, 0x6a, 0xf7, 0xed, 0xcd, 0x6c]);
        let with_parity = [0xfd_u8, 0x0b, 0x5b, 0x5e, 0x7f, 0x6e, 0x34, 0xd9];
        assert_eq!(key, with_parity.map(|octet| octet & 0xfe));
    }

    #[test]
    fn the_magic_constants_have_the_lengths_of_the_rfc() {
        assert_eq!((SERVER_TO_CLIENT.len(), ITERATION.len()), (39, 41));
    }

    #[test]
    fn the_domain_is_left_out() {
        assert_eq!(without_domain(b"BIGCO\\johndoe"), b"johndoe");
        assert_eq!(without_domain(b"johndoe@bigco"), b"johndoe@bigco");
        assert_eq!(without_domain(b""), b"");
    }

    #[test]
    fn the_response_value_reads_back() {
        let response = MsChapV2Response { peer_challenge: [1; 16], nt_response: [2; 24] };
        assert_eq!(MsChapV2Response::decode(&response.encode()), Some(response));
        for len in 0..60 {
            assert_eq!(MsChapV2Response::decode(&[0; 60][..len]).is_some(), len == 49);
        }
    }

    #[test]
    fn success_text_reads_back_and_every_cut_is_refused() {
        let text = encode_success(&[0xa5; 20], "Access granted");
        assert_eq!(parse_success(text.as_bytes()), Some(([0xa5; 20], &b"Access granted"[..])));
        for cut in 0..42 {
            assert_eq!(parse_success(&text.as_bytes()[..cut]), None);
        }
        assert_eq!(parse_success(&text.as_bytes()[..42]), Some(([0xa5; 20], &b""[..])));
        assert_eq!(parse_success(text.replace("S=", "s=").as_bytes()), None);
    }

    #[test]
    fn passwords_that_are_no_utf8_are_latin1() {
        let provider = vpn_crypto::provider();
        let latin1 = NtPasswordHash::of_password(provider, &[b'g', 0xfc, b'n']);
        let utf8 = NtPasswordHash::of_password(provider, "g\u{fc}n".as_bytes());
        assert_eq!(latin1.0.expose(), utf8.0.expose());
    }
}
