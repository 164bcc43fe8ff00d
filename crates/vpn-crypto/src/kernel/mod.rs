//! Kernels: the suites' inner loops for particular processors, and all `unsafe` of the workspace.
//!
//! How the pieces fit:
//!
//! - [`cpu`] finds out what the processor has, once, and hands out *tokens*: a value of
//!   [`cpu::Vaes512`], say, exists only where those instructions do. A kernel's entry is a safe
//!   function that takes a token; it calls the `#[target_feature]` function behind it, and the
//!   token is the reason why that is sound.
//! - A [`Path`] names the register width that a suite's kernels work with. The families of suites
//!   say which paths they have ([`crate::esp`]'s `suite.rs`); tests and benchmarks force one with
//!   [`crate::esp::suite_on`].
//! - Each kernel lies in a file of its own. Its twin is the RustCrypto code of
//!   [`crate::esp::Portable`]: `tests/esp_paths.rs` compares whole packets on every path, lengths
//!   and keys mixed, and `esp/vectors.rs` runs the published answers through the kernels too.
//! - Keys wipe themselves on drop, and so does what the lanes keep of them.
//!
//! Where the files belong:
//!
//! | | |
//! |---|---|
//! | AES-CBC | `aes_schedule`, `cbc_encrypt` (a lane for each packet), `cbc_decrypt` |
//! | HMAC | `hash` (a lane for each packet), over `sha1_ni` and `sha256_ni` (up to four messages with the SHA instructions), `sha1_wide` and `sha256_wide` (16 or 32 in AVX-512) |
//! | one packet | `stitch`: encryption and hash interleaved, decryption behind the hash |
//! | AES-GCM | `gcm` |
//! | 3DES | `des` |
//!
//! A family plugs in as a module of [`crate::esp`] with a seal key, an open key and
//! `seal(jobs)`/`open(jobs)` over keys of its own type, and an arm in `esp/suite.rs`. HMAC over the
//! packets of a batch is `esp/macs.rs`.

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code, clippy::indexing_slicing, reason = "the index is the round")]
pub(crate) mod aes_schedule;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code, clippy::indexing_slicing, reason = "arrays of registers, in fixed places")]
pub(crate) mod cbc_decrypt;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code, clippy::indexing_slicing, reason = "the index is a lane")]
pub(crate) mod cbc_encrypt;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
pub(crate) mod cpu;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
#[allow(clippy::indexing_slicing, reason = "tables, and arrays of registers, in fixed places")]
#[allow(clippy::cast_possible_truncation, reason = "the numbers of bits in tables")]
pub(crate) mod des;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
#[allow(clippy::indexing_slicing, reason = "arrays of registers, in fixed places")]
#[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "halves, counts")]
#[allow(clippy::modulo_one, reason = "a register of one lane has the code of all")]
pub(crate) mod gcm;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code, clippy::indexing_slicing, reason = "the index is a lane")]
pub(crate) mod hash;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod load;
mod path;
#[cfg(target_arch = "x86_64")]
#[allow(clippy::indexing_slicing, reason = "arrays of registers, in fixed places")]
mod sha1_ni;
#[cfg(target_arch = "x86_64")]
#[allow(clippy::indexing_slicing, reason = "arrays of registers, in fixed places")]
mod sha1_wide;
#[cfg(target_arch = "x86_64")]
mod sha256_constants;
#[cfg(target_arch = "x86_64")]
#[allow(clippy::indexing_slicing, reason = "arrays of registers, in fixed places")]
mod sha256_ni;
#[cfg(target_arch = "x86_64")]
#[allow(clippy::indexing_slicing, reason = "arrays of registers, in fixed places")]
mod sha256_wide;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code, clippy::indexing_slicing, reason = "places in a packet, counted")]
pub(crate) mod stitch;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code, clippy::indexing_slicing, reason = "the index is a lane")]
mod wide;

pub use path::Path;
