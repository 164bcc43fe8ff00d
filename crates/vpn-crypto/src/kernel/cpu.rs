//! What the processor has.
//!
//! CPUID is asked here and not through a crate, because `cpufeatures` has VAES only where the
//! operating system keeps 512-bit registers, which denies it to processors with VAES and AVX2 alone
//! (Zen 3, Alder Lake), and the standard library's macro needs `std`.

use core::arch::x86_64::__cpuid;
use core::arch::x86_64::__cpuid_count;
use core::arch::x86_64::_xgetbv;
use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering;

const SSE: u32 = 1; // SSSE3 and SSE4.1
const AES: u32 = 1 << 1;
const CLMUL: u32 = 1 << 2;
const SHA: u32 = 1 << 3;
const AVX2: u32 = 1 << 4;
const VAES: u32 = 1 << 5;
const VPCLMUL: u32 = 1 << 6;
const AVX512: u32 = 1 << 7; // F, BW, DQ and VL
const VBMI: u32 = 1 << 8; // and GFNI
const ASKED: u32 = 1 << 31;

/// Whether the processor has all of `wanted`. CPUID, which traps in a virtual machine, is asked
/// once; threads that race here find the same answer.
fn has(wanted: u32) -> bool {
    static FOUND: AtomicU32 = AtomicU32::new(0);
    let mut found = FOUND.load(Ordering::Relaxed);
    if found == 0 {
        found = ask() | ASKED;
        FOUND.store(found, Ordering::Relaxed);
    }
    found & wanted == wanted
}

fn ask() -> u32 {
    if __cpuid(0).eax < 7 {
        return 0;
    }
    let (one, seven) = (__cpuid(1), __cpuid_count(7, 0));
    let osxsave = one.ecx >> 27 & 1 == 1;
    // SAFETY: OSXSAVE says that XGETBV exists and is enabled.
    let kept = if osxsave { unsafe { _xgetbv(0) } } else { 0 };
    let (ymm, zmm) = (kept & 0x06 == 0x06, kept & 0xe6 == 0xe6);
    let bit = |register: u32, at: u32| register >> at & 1 == 1;
    let both = |register: u32, bits: &[u32]| bits.iter().all(|at| bit(register, *at));
    let avx2 = ymm && bit(one.ecx, 28) && bit(seven.ebx, 5);
    [
        (SSE, both(one.ecx, &[9, 19])),
        (AES, bit(one.ecx, 25)),
        (CLMUL, bit(one.ecx, 1)),
        (SHA, bit(seven.ebx, 29)),
        (AVX2, avx2),
        (VAES, avx2 && bit(seven.ecx, 9)),
        (VPCLMUL, avx2 && bit(seven.ecx, 10)),
        (AVX512, avx2 && zmm && both(seven.ebx, &[16, 17, 30, 31])),
        (VBMI, both(seven.ecx, &[1, 8])),
    ]
    .into_iter()
    .fold(0, |sum, (feature, present)| if present { sum | feature } else { sum })
}

macro_rules! token {
    ($(#[$doc:meta])* $name:ident, $wanted:expr) => {
        $(#[$doc])*
        #[allow(dead_code, reason = "not every kernel is here yet")]
        #[derive(Clone, Copy, Debug)]
        pub(crate) struct $name(());

        #[allow(dead_code, reason = "not every kernel is here yet")]
        impl $name {
            /// The proof, if the processor has these instructions.
            pub(crate) fn new() -> Option<Self> {
                has($wanted).then_some(Self(()))
            }
        }
    };
}

token! {
    /// The processor has `aes,ssse3,sse4.1`.
    AesNi, AES | SSE
}
token! {
    /// The processor has `aes,ssse3,sse4.1,avx2,vaes`.
    Vaes256, AES | SSE | AVX2 | VAES
}
token! {
    /// The processor has `aes,ssse3,sse4.1,avx2,vaes,avx512f,avx512bw,avx512dq,avx512vl`.
    Vaes512, AES | SSE | AVX2 | VAES | AVX512
}
token! {
    /// The processor has `sha,ssse3,sse4.1`.
    ShaNi, SHA | SSE
}
token! {
    /// The processor has `ssse3,sse4.1,avx2`.
    Avx2, SSE | AVX2
}
token! {
    /// The processor has `ssse3,sse4.1,avx2,avx512f,avx512bw,avx512dq,avx512vl`.
    Avx512, SSE | AVX2 | AVX512
}
token! {
    /// The processor has `ssse3,sse4.1,avx2,avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,gfni`.
    Vbmi, SSE | AVX2 | AVX512 | VBMI
}
token! {
    /// The processor has `aes,pclmulqdq,ssse3,sse4.1`.
    AesClmul, AES | SSE | CLMUL
}
token! {
    /// The processor has `aes,pclmulqdq,ssse3,sse4.1,avx2,vaes,vpclmulqdq`.
    VaesClmul256, AES | SSE | CLMUL | AVX2 | VAES | VPCLMUL
}
token! {
    /// The processor has `aes,pclmulqdq,ssse3,sse4.1,avx2,vaes,vpclmulqdq,avx512f,avx512bw,
    /// avx512dq,avx512vl`.
    VaesClmul512, AES | SSE | CLMUL | AVX2 | VAES | VPCLMUL | AVX512
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The standard library's detection agrees.
    #[test]
    fn as_the_standard_library_finds() {
        macro_rules! all {
            ($($feature:tt),*) => { true $(&& std::arch::is_x86_feature_detected!($feature))* };
        }
        assert_eq!(AesNi::new().is_some(), all!("aes", "ssse3", "sse4.1"));
        assert_eq!(Vaes256::new().is_some(), all!("aes", "avx2", "vaes"));
        let avx512 = all!("avx2", "avx512f", "avx512bw", "avx512dq", "avx512vl");
        assert_eq!(Avx512::new().is_some(), avx512);
        assert_eq!(Vaes512::new().is_some(), avx512 && all!("aes", "vaes"));
        assert_eq!(ShaNi::new().is_some(), all!("sha", "ssse3", "sse4.1"));
        assert_eq!(Avx2::new().is_some(), all!("avx2"));
        assert_eq!(Vbmi::new().is_some(), avx512 && all!("avx512vbmi", "gfni"));
        let clmul = all!("aes", "pclmulqdq", "sse4.1");
        assert_eq!(AesClmul::new().is_some(), clmul);
        let wide = clmul && all!("avx2", "vaes", "vpclmulqdq");
        assert_eq!(VaesClmul256::new().is_some(), wide);
        assert_eq!(VaesClmul512::new().is_some(), wide && avx512);
    }
}
