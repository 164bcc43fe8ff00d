use arrayvec::ArrayVec;
use vpn_core::PacketMut;
use vpn_core::crypto::BoxedOpenKey;
use vpn_core::crypto::BoxedSealKey;
use vpn_core::crypto::EspCrypto;
use vpn_core::crypto::OpenKey;
use vpn_core::crypto::SealKey;

use crate::InboundSa;
use crate::NextHeader;
use crate::Number;
use crate::OpenError;
use crate::OpenFailure;
use crate::Opened;
use crate::OutboundSa;
use crate::SealError;
use crate::Sealed;

/// How many packets the crypto code gets at once. Longer batches are cut.
pub const MAX_BATCH: usize = 64;

/// A packet on its way out, in a batch.
pub struct Outgoing<'a, 'p, N, K = BoxedSealKey> {
    sa: &'a OutboundSa<N, K>,
    packet: &'a mut PacketMut<'p>,
    next_header: NextHeader,
    octets: usize,
    pending: bool,
    outcome: Result<Sealed, SealError>,
}

/// A packet on its way in, in a batch.
pub struct Incoming<'a, 'p, N, K = BoxedOpenKey> {
    sa: &'a InboundSa<N, K>,
    packet: &'a mut PacketMut<'p>,
    sequence: u64,
    pending: bool,
    outcome: Result<Opened, OpenFailure>,
}

impl<'a, 'p, N, K> Outgoing<'a, 'p, N, K> {
    /// To seal `packet`, the payload of an IP packet, under `sa`.
    pub const fn new(
        sa: &'a OutboundSa<N, K>,
        packet: &'a mut PacketMut<'p>,
        next_header: NextHeader,
    ) -> Self {
        let outcome = Err(SealError::Crypto);
        Self { sa, packet, next_header, octets: 0, pending: false, outcome }
    }

    /// What became of the packet. Until the batch was sealed it is an error.
    ///
    /// # Errors
    /// [`SealError`]; the packet must then be dropped.
    pub const fn outcome(&self) -> Result<Sealed, SealError> {
        self.outcome
    }
}

impl<'a, 'p, N, K> Incoming<'a, 'p, N, K> {
    /// To open `packet`, from the SPI to the ICV, under `sa`.
    pub const fn new(sa: &'a InboundSa<N, K>, packet: &'a mut PacketMut<'p>) -> Self {
        let outcome = Err(OpenFailure::BadIcv);
        Self { sa, packet, sequence: 0, pending: false, outcome }
    }

    /// What became of the packet. Until the batch was opened it is an error.
    ///
    /// # Errors
    /// [`OpenError`]; the packet must then be dropped.
    pub fn outcome(&self) -> Result<Opened, OpenError> {
        self.outcome.map_err(|_| OpenError)
    }
}

/// Seals packets of any lengths and any SAs, in place. Each says its own outcome.
///
/// Each suite is called once for all its packets, whatever SAs they belong to. Sequence numbers are
/// given out in the order of the batch, with one reservation for each run of packets of one SA.
pub fn seal_batch<N, K>(batch: &mut [Outgoing<'_, '_, N, K>])
where
    N: Number,
    K: AsRef<dyn SealKey>,
{
    for batch in batch.chunks_mut(MAX_BATCH) {
        for item in &mut *batch {
            let wrapped = item.sa.wrap(item.packet, item.next_header);
            item.pending = wrapped.is_ok();
            match wrapped {
                Ok(octets) => item.octets = octets,
                Err(error) => item.outcome = Err(error),
            }
        }
        for run in batch.chunk_by_mut(|a, b| core::ptr::eq(a.sa, b.sa)) {
            number(run);
        }
        while let Some(lead) = batch.iter().find(|item| item.pending).map(|item| item.sa.crypto) {
            let mut jobs = ArrayVec::<_, MAX_BATCH>::new();
            let mut outcomes = ArrayVec::<_, MAX_BATCH>::new();
            for item in batch.iter_mut().filter(|item| item.pending && same(item.sa.crypto, lead)) {
                item.pending = false;
                if let Ok(sealed) = item.outcome {
                    jobs.push(item.sa.job(sealed.sequence, item.packet));
                    outcomes.push(&mut item.outcome);
                }
            }
            lead.seal(&mut jobs);
            for (job, outcome) in jobs.iter().zip(outcomes) {
                if !job.sealed {
                    *outcome = Err(SealError::Crypto);
                }
            }
        }
    }
}

/// Gives the pending packets of a run, which are all of one SA, their sequence numbers.
fn number<N, K>(run: &mut [Outgoing<'_, '_, N, K>])
where
    N: Number,
    K: AsRef<dyn SealKey>,
{
    let pending = || run.iter().filter(|item| item.pending);
    let Some(sa) = pending().next().map(|item| item.sa) else { return };
    let packets = pending().map(|_| 1).sum();
    let octets = pending().map(|item| item.octets).sum();
    let reserved = sa.reserve(packets, octets);
    let (mut place, mut before) = (0, 0);
    for item in run.iter_mut().filter(|item| item.pending) {
        place += 1;
        item.outcome = match &reserved {
            Ok(run) => sa.take(run, place, before, item.octets),
            Err(error) => Err(*error),
        };
        before += item.octets;
    }
}

/// Opens packets of any lengths and any SAs, in place. Each says its own outcome.
///
/// Each suite is called once for all its packets, whatever SAs they belong to. A packet that is in
/// the batch twice is opened once.
pub fn open_batch<N, K>(batch: &mut [Incoming<'_, '_, N, K>])
where
    N: Number,
    K: AsRef<dyn OpenKey>,
{
    for batch in batch.chunks_mut(MAX_BATCH) {
        for item in &mut *batch {
            let admitted = item.sa.admit(item.packet.payload());
            item.pending = admitted.is_ok();
            match admitted {
                Ok(sequence) => item.sequence = sequence,
                Err(cause) => item.outcome = Err(cause),
            }
        }
        while let Some(lead) = batch.iter().find(|item| item.pending).map(|item| item.sa.crypto) {
            let belongs =
                |item: &Incoming<'_, '_, N, K>| item.pending && same(item.sa.crypto, lead);
            let mut jobs = ArrayVec::<_, MAX_BATCH>::new();
            for item in batch.iter_mut().filter(|item| belongs(item)) {
                jobs.push(item.sa.job(item.sequence, item.packet));
            }
            lead.open(&mut jobs);
            let authentic: ArrayVec<_, MAX_BATCH> =
                jobs.into_iter().map(|job| job.authentic).collect();
            let opened = batch.iter_mut().filter(|item| belongs(item));
            for (item, authentic) in opened.zip(authentic) {
                item.pending = false;
                item.outcome = item.sa.settle(authentic, item.sequence, item.packet);
            }
        }
    }
}

/// Whether two SAs have the same implementation of the same suite.
///
/// Address and type must agree: objects without size may share an address. Should the compiler give
/// one type two tables, a group is cut in two, which only costs a call.
#[allow(ambiguous_wide_pointer_comparisons, reason = "unequal is always safe to say")]
fn same(a: &'static dyn EspCrypto, b: &'static dyn EspCrypto) -> bool {
    core::ptr::eq(a, b)
}
