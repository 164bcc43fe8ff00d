//! Call status AVPs (RFC 2661 §4.4.6).

use super::value::Value;
use super::value::ValueError;
use super::value::fixed;
use crate::Leniencies;

/// Errors on the line since the call was established: the Call Errors AVP (RFC 2661 §4.4.6).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CallErrors {
    /// PPP frames received with a wrong checksum.
    pub crc_errors: u32,
    /// Improperly framed PPP packets received.
    pub framing_errors: u32,
    /// Receive buffer overruns of the hardware.
    pub hardware_overruns: u32,
    /// Buffer overruns detected.
    pub buffer_overruns: u32,
    /// Time-outs.
    pub timeout_errors: u32,
    /// Alignment errors.
    pub alignment_errors: u32,
}

impl Value<'_> for CallErrors {
    const LEN: Option<usize> = Some(26);

    fn decode(value: &[u8], departures: &mut Leniencies) -> Result<Self, ValueError> {
        let numbers: [u32; 6] = behind_reserved(fixed::<26>(value, departures)?, departures);
        let [crc, framing, hardware, buffer, timeout, alignment] = numbers;
        Ok(Self {
            crc_errors: crc,
            framing_errors: framing,
            hardware_overruns: hardware,
            buffer_overruns: buffer,
            timeout_errors: timeout,
            alignment_errors: alignment,
        })
    }

    fn encoded_len(&self) -> usize {
        26
    }

    fn encode(&self, out: &mut [u8]) {
        put_behind_reserved(
            out,
            [
                self.crc_errors,
                self.framing_errors,
                self.hardware_overruns,
                self.buffer_overruns,
                self.timeout_errors,
                self.alignment_errors,
            ],
        );
    }
}

/// Which control characters are escaped on the subscriber's line: the ACCM AVP (RFC 2661 §4.4.6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Accm {
    /// For what the LAC sends.
    pub send: u32,
    /// For what the LAC receives.
    pub receive: u32,
}

impl Default for Accm {
    /// Every control character, which a LAC assumes until it is told otherwise.
    fn default() -> Self {
        Self { send: u32::MAX, receive: u32::MAX }
    }
}

impl Value<'_> for Accm {
    const LEN: Option<usize> = Some(10);

    fn decode(value: &[u8], departures: &mut Leniencies) -> Result<Self, ValueError> {
        let [send, receive] = behind_reserved(fixed::<10>(value, departures)?, departures);
        Ok(Self { send, receive })
    }

    fn encoded_len(&self) -> usize {
        10
    }

    fn encode(&self, out: &mut [u8]) {
        put_behind_reserved(out, [self.send, self.receive]);
    }
}

/// Reads `N` numbers that follow two reserved octets.
fn behind_reserved<const N: usize>(value: &[u8], departures: &mut Leniencies) -> [u32; N] {
    let Some(([high, low], numbers)) = value.split_first_chunk() else {
        return [0; N];
    };
    if *high != 0 || *low != 0 {
        departures.insert(Leniencies::NONZERO_RESERVED);
    }
    let (numbers, _) = numbers.as_chunks();
    core::array::from_fn(|n| numbers.get(n).copied().map_or(0, u32::from_be_bytes))
}

/// Writes numbers behind two reserved octets.
fn put_behind_reserved<const N: usize>(out: &mut [u8], numbers: [u32; N]) {
    if let Some((reserved, rest)) = out.split_first_chunk_mut::<2>() {
        *reserved = [0; 2];
        let (places, _) = rest.as_chunks_mut();
        for (place, number) in places.iter_mut().zip(numbers) {
            *place = number.to_be_bytes();
        }
    }
}
