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
//! - Each kernel lies in a file of its own, with tests against its safe twin.
//! - Key schedules and chaining values are kept as octets and words, not as registers, so that one
//!   form serves every path and wipes itself on drop.
//!
//! A family plugs in as a module of [`crate::esp`] with a seal key, an open key and
//! `seal(jobs)`/`open(jobs)` over keys of its own type, and an arm in `esp/suite.rs`.

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
