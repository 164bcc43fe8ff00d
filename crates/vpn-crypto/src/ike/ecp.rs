use core::marker::PhantomData;

use p256::elliptic_curve::AffinePoint;
use p256::elliptic_curve::CurveArithmetic;
use p256::elliptic_curve::FieldBytes;
use p256::elliptic_curve::FieldBytesSize;
use p256::elliptic_curve::Group as _;
use p256::elliptic_curve::ProjectivePoint;
use p256::elliptic_curve::SecretKey;
use p256::elliptic_curve::array::typenum::Unsigned;
use p256::elliptic_curve::group::Curve as _;
use p256::elliptic_curve::point::AffineCoordinates;
use vpn_core::RandomError;
use vpn_core::SecureRandom;
use vpn_core::crypto::DhGroup;
use vpn_core::crypto::KeyExchange;
use vpn_core::crypto::KeyExchangeError;
use zeroize::Zeroize;

/// Diffie-Hellman on the curve `C` (RFC 5903).
pub(super) struct Ecp<C>(DhGroup, PhantomData<fn() -> C>);

impl<C> Ecp<C> {
    pub(super) const fn new(group: DhGroup) -> Self {
        Self(group, PhantomData)
    }
}

/// Draws before a generator that never gives a number below the order is called broken. One draw
/// fails with a chance of 2^-32 on P-256, 2^-190 on P-384 and 2^-259 on P-521.
const DRAWS: usize = 8;

impl<C: CurveArithmetic> Ecp<C> {
    /// Draws a number from 1 to the order less 1: drawing again until it fits keeps them equally
    /// likely.
    fn draw(
        &self,
        rng: &mut dyn SecureRandom,
        private: &mut [u8],
    ) -> Result<SecretKey<C>, KeyExchangeError> {
        for _ in 0..DRAWS {
            rng.fill(private)?;
            if self.0 == DhGroup::ECP_521
                && let Some(first) = private.first_mut()
            {
                *first &= 1;
            }
            if let Ok(secret) = SecretKey::from_slice(private) {
                return Ok(secret);
            }
        }
        Err(RandomError.into())
    }
}

impl<C: CurveArithmetic> KeyExchange for Ecp<C> {
    fn group(&self) -> DhGroup {
        self.0
    }

    fn private_len(&self) -> usize {
        self.shared_len()
    }

    fn public_len(&self) -> usize {
        2 * self.shared_len()
    }

    fn shared_len(&self) -> usize {
        FieldBytesSize::<C>::USIZE
    }

    fn generate(
        &self,
        rng: &mut dyn SecureRandom,
        private: &mut [u8],
        public: &mut [u8],
    ) -> Result<(), KeyExchangeError> {
        if private.len() != self.private_len() || public.len() != self.public_len() {
            return Err(KeyExchangeError::WrongLength);
        }
        let secret = self.draw(rng, private)?;
        let point = ProjectivePoint::<C>::mul_by_generator(&secret.to_nonzero_scalar()).to_affine();
        let (x, y) = public.split_at_mut(self.shared_len());
        x.copy_from_slice(&point.x());
        y.copy_from_slice(&point.y());
        Ok(())
    }

    fn agree(
        &self,
        private: &[u8],
        peer_public: &[u8],
        shared: &mut [u8],
    ) -> Result<(), KeyExchangeError> {
        let lengths = (private.len(), peer_public.len(), shared.len());
        if lengths != (self.private_len(), self.public_len(), self.shared_len()) {
            return Err(KeyExchangeError::WrongLength);
        }
        let secret = SecretKey::<C>::from_slice(private)
            .map_err(|_| KeyExchangeError::InvalidPrivateValue)?;
        let peer = point::<C>(peer_public).ok_or(KeyExchangeError::InvalidPublicValue)?;
        let agreed = ProjectivePoint::<C>::from(peer) * *secret.to_nonzero_scalar();
        let mut x = agreed.to_affine().x();
        shared.copy_from_slice(&x);
        x.zeroize();
        Ok(())
    }
}

/// The point with these coordinates, if it lies on the curve. The point at infinity has none, and
/// these curves have no small subgroup.
fn point<C: CurveArithmetic>(coordinates: &[u8]) -> Option<AffinePoint<C>> {
    let (x, y) = coordinates.split_at_checked(FieldBytesSize::<C>::USIZE)?;
    let (x, y) = (<&FieldBytes<C>>::try_from(x).ok()?, <&FieldBytes<C>>::try_from(y).ok()?);
    AffinePoint::<C>::from_coordinates(x, y).into_option()
}
