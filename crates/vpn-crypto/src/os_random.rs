use alloc::boxed::Box;

use vpn_core::RandomError;
use vpn_core::RandomSource;
use vpn_core::SecureRandom;

/// The operating system's random generator.
///
/// Each fill asks the system: there is no buffer that a fork or a virtual machine's snapshot could
/// copy.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsRandom;

impl SecureRandom for OsRandom {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        getrandom::fill(out).map_err(|_| RandomError)
    }
}

impl RandomSource for OsRandom {
    fn generator(&mut self) -> Box<dyn SecureRandom + Send> {
        Box::new(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_fills_differ() {
        let (mut a, mut b) = ([0; 32], [0; 32]);
        OsRandom.fill(&mut a).unwrap();
        OsRandom.fill(&mut b).unwrap();
        assert_ne!(a, b);
    }
}
