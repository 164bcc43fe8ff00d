//! ESP jobs for intel-ipsec-mb: what the race calls of it, and no more.

use std::ffi::CStr;
use std::ffi::c_char;
use std::ffi::c_int;
use std::marker::PhantomData;
use std::ptr::NonNull;

/// A suite that is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Suite {
    /// AES-CBC with HMAC-SHA1-96.
    CbcSha1 = 0,
    /// AES-CBC with HMAC-SHA2-256-128.
    CbcSha256 = 1,
    /// AES-GCM with an ICV of 16 octets.
    Gcm = 2,
}

/// The code that a manager uses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Code {
    /// What the library picks for the processor.
    Auto = 0,
    /// AVX2.
    Avx2 = 1,
    /// SSE with SHA-NI.
    Sse = 2,
}

/// How packets are handed over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum How {
    /// Each is submitted and flushed before the next.
    OneByOne = 0,
    /// All are submitted, then the queue is flushed.
    Queue = 1,
    /// All are submitted in one call.
    Burst = 2,
    /// Without the job manager: GCM only.
    Direct = 3,
}

#[repr(C)]
struct RawManager {
    _private: [u8; 0],
}

#[repr(C)]
struct RawKey {
    _private: [u8; 0],
}

/// One ESP packet with its keys.
#[repr(C)]
pub struct Packet<'a> {
    key: *const RawKey,
    start: *mut u8,
    len: usize,
    borrows: PhantomData<(&'a Key, &'a mut [u8])>,
}

/// A multi-buffer manager.
pub struct Manager(NonNull<RawManager>);

/// The expanded keys of an SA.
pub struct Key {
    raw: NonNull<RawKey>,
    suite: Suite,
}

unsafe extern "C" {
    fn race_mb_version() -> *const c_char;
    fn race_mb_manager(code: c_int) -> *mut RawManager;
    fn race_mb_manager_free(manager: *mut RawManager);
    fn race_mb_key(
        manager: *mut RawManager,
        suite: c_int,
        cipher: *const u8,
        cipher_len: usize,
        mac: *const u8,
        mac_len: usize,
    ) -> *mut RawKey;
    fn race_mb_key_free(key: *mut RawKey);
    fn race_mb_run(
        manager: *mut RawManager,
        packets: *const Packet<'_>,
        count: usize,
        open: c_int,
        how: c_int,
    ) -> usize;
}

/// The library's version.
#[must_use]
pub fn version() -> &'static str {
    // SAFETY: the library returns a constant, terminated string.
    unsafe { CStr::from_ptr(race_mb_version()) }.to_str().unwrap_or("unknown")
}

impl Manager {
    /// A manager, unless the processor can't run its code.
    #[must_use]
    pub fn new(code: Code) -> Option<Self> {
        // SAFETY: the call has no conditions; what it returns is ours to free.
        NonNull::new(unsafe { race_mb_manager(code as c_int) }).map(Self)
    }

    /// Expands the keys of an SA; `mac` is the integrity key, or the salt of GCM.
    ///
    /// # Panics
    /// On lengths that the suite does not have.
    #[must_use]
    pub fn key(&mut self, suite: Suite, cipher: &[u8], mac: &[u8]) -> Key {
        assert!(matches!(cipher.len(), 16 | 32) && (4..=64).contains(&mac.len()));
        let (cipher_len, mac_len) = (cipher.len(), mac.len());
        // SAFETY: both slices are as long as is said, and their lengths are those that the shim
        // reads, as asserted; it keeps neither.
        let raw = unsafe {
            let (cipher, mac) = (cipher.as_ptr(), mac.as_ptr());
            race_mb_key(self.0.as_ptr(), suite as c_int, cipher, cipher_len, mac, mac_len)
        };
        Key { raw: NonNull::new(raw).expect("out of memory"), suite }
    }

    /// Seals all packets.
    ///
    /// # Panics
    /// If not all were sealed.
    pub fn seal(&mut self, packets: &mut [Packet<'_>], how: How) {
        assert_eq!(self.run(packets, false, how), packets.len());
    }

    /// Opens all packets.
    ///
    /// # Panics
    /// If not all were authentic.
    pub fn open(&mut self, packets: &mut [Packet<'_>], how: How) {
        assert_eq!(self.run(packets, true, how), packets.len());
    }

    fn run(&mut self, packets: &mut [Packet<'_>], open: bool, how: How) -> usize {
        let (start, count) = (packets.as_ptr(), packets.len());
        // SAFETY: every packet was made by `Packet::new`, so that its key lives, its octets are
        // borrowed for us alone, and it is longer than its header, IV and ICV. The manager has no
        // job left when the call returns, so that nothing outlives the borrow.
        unsafe { race_mb_run(self.0.as_ptr(), start, count, c_int::from(open), how as c_int) }
    }
}

impl<'a> Packet<'a> {
    /// A whole ESP packet, from the SPI to the ICV.
    ///
    /// # Panics
    /// If it is too short to hold a block of data.
    #[must_use]
    pub fn new(key: &'a Key, packet: &'a mut [u8]) -> Self {
        let (iv, icv) = if key.suite == Suite::Gcm { (8, 16) } else { (16, 16) };
        assert!(packet.len() > 8 + iv + icv);
        let (start, len) = (packet.as_mut_ptr(), packet.len());
        Self { key: key.raw.as_ptr(), start, len, borrows: PhantomData }
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        // SAFETY: it came from `race_mb_manager` and is freed once.
        unsafe { race_mb_manager_free(self.0.as_ptr()) }
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        // SAFETY: it came from `race_mb_key` and is freed once.
        unsafe { race_mb_key_free(self.raw.as_ptr()) }
    }
}
