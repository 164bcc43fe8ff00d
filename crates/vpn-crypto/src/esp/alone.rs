//! AES-CBC with HMAC over a packet that comes alone: cipher and hash stitched.

use super::hmac::BlockHash;
use super::hmac::KeyStates;
use super::hmac::Last;
use super::hmac::Mac;
use super::hmac::States;
use super::macs::outer_block;
use crate::kernel::aes_schedule::Schedule;
use crate::kernel::cbc_encrypt::Kernel;
use crate::kernel::cpu::AesNi;
use crate::kernel::cpu::ShaNi;
use crate::kernel::hash::Hash;
use crate::kernel::hash::Sha1;
use crate::kernel::hash::Sha256;
use crate::kernel::stitch::Stitch;
use crate::kernel::stitch::decrypt_and_hash;

/// The keys of an SA.
pub(super) struct Keys<'a> {
    pub(super) cipher: &'a Schedule,
    pub(super) mac: &'a Mac,
}

/// Encrypts `message`, a packet with its IV and without its ICV, and fills `icv`. `None` if there
/// is no stitched kernel for this algorithm: nothing has changed then.
pub(super) fn seal(
    aes: AesNi,
    keys: &Keys<'_>,
    message: &mut [u8],
    high: Option<u32>,
    icv: &mut [u8],
) -> Option<()> {
    let sha = ShaNi::new()?;
    match &keys.mac.0 {
        States::Sha1(states) => {
            seal_with::<Sha1, _, 5>((aes, sha), keys, states, message, high, icv)
        }
        States::Sha256(states) => {
            seal_with::<Sha256, _, 8>((aes, sha), keys, states, message, high, icv);
        }
        _ => return None,
    }
    Some(())
}

fn seal_with<K, H, const W: usize>(
    (aes, sha): (AesNi, ShaNi),
    keys: &Keys<'_>,
    states: &KeyStates<H, 64>,
    message: &mut [u8],
    high: Option<u32>,
    icv: &mut [u8],
) where
    K: Stitch<W>,
    H: BlockHash<64, State = [u32; W]>,
{
    let mut state = states.inner;
    K::encrypt(aes, sha, keys.cipher, message, &mut state);
    let high = high.map(u32::to_be_bytes);
    let high = high.as_ref().map_or(&[][..], |high| high);
    let mut last = Last::EMPTY;
    last.end::<H>(message, high);
    finish::<K, H, W>(sha, states, state, &last, icv);
}

/// Hashes the `last` blocks, then the outer block, and fills `icv`.
fn finish<K, H, const W: usize>(
    sha: ShaNi,
    states: &KeyStates<H, 64>,
    inner: [u32; W],
    last: &Last<64>,
    icv: &mut [u8],
) where
    K: Hash<W>,
    H: BlockHash<64, State = [u32; W]>,
{
    let mut inner = [inner];
    K::streams(sha, &mut inner, [last.blocks()], last.blocks().len());
    let [inner] = inner;
    let mut outer = [states.outer];
    K::streams(sha, &mut outer, [&[outer_block(&inner)]], 1);
    let [outer] = outer;
    H::digest(&outer, icv);
}

/// Decrypts `message`, a packet without its ICV, and fills `icv` with what it should be. `None` if
/// there is no kernel for this algorithm: nothing has changed then.
pub(super) fn open(
    kernel: Kernel,
    keys: &Keys<'_>,
    message: &mut [u8],
    high: Option<u32>,
    icv: &mut [u8],
) -> Option<()> {
    let sha = ShaNi::new()?;
    match &keys.mac.0 {
        States::Sha1(states) => {
            open_with::<Sha1, _, 5>((kernel, sha), keys, states, message, high, icv)
        }
        States::Sha256(states) => {
            open_with::<Sha256, _, 8>((kernel, sha), keys, states, message, high, icv);
        }
        _ => return None,
    }
    Some(())
}

fn open_with<K, H, const W: usize>(
    (kernel, sha): (Kernel, ShaNi),
    keys: &Keys<'_>,
    states: &KeyStates<H, 64>,
    message: &mut [u8],
    high: Option<u32>,
    icv: &mut [u8],
) where
    K: Hash<W>,
    H: BlockHash<64, State = [u32; W]>,
{
    // The end of the message is taken before it is decrypted.
    let high = high.map(u32::to_be_bytes);
    let mut last = Last::EMPTY;
    last.end::<H>(message, high.as_ref().map_or(&[], |high| high));
    let mut state = states.inner;
    decrypt_and_hash::<K, W>((kernel, sha), keys.cipher, message, &mut state);
    finish::<K, H, W>(sha, states, state, &last, icv);
}
