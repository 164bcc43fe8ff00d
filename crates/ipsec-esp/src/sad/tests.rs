use core::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::Lifetime;
use crate::Limits;
use crate::NextHeader;
use crate::SaConfig;
use crate::SealError;
use crate::Shared;
use crate::testing;

fn at(seconds: u64) -> Instant {
    Instant::ZERO + Duration::from_secs(seconds)
}

/// Life of SAs in tests: soft at 900 s, hard at 1000 s.
fn config(spi: u32) -> SaConfig {
    let hard = Limits { time: Duration::from_secs(1000), ..Limits::NONE };
    SaConfig::new(Spi(spi)).lifetime(Lifetime::new(hard))
}

fn inbound(spi: u32) -> Arc<InboundSa<Shared>> {
    Arc::new(testing::inbound("aes256gcm16", config(spi)))
}

fn outbound(spi: u32) -> Arc<OutboundSa<Shared>> {
    Arc::new(testing::outbound("aes256gcm16", config(spi)))
}

/// A packet from the peer to our SA `spi`.
fn packet_to(peer: &OutboundSa<Shared>) -> Vec<u8> {
    let mut storage = [0; 200];
    let mut packet = PacketMut::new(&mut storage, 50..100).unwrap();
    peer.seal(&mut packet, NextHeader::TCP).unwrap();
    packet.payload().to_vec()
}

fn opens(sad: &Sad<Shared>, packet: &[u8]) -> Result<Generation, OpenFailure> {
    let mut storage = packet.to_vec();
    let opened = sad.open_explained(&mut PacketMut::whole(&mut storage));
    opened.map(|(found, _)| found.generation)
}

fn events(sad: &mut Sad<Shared>) -> Vec<SadEvent> {
    core::iter::from_fn(|| sad.poll_event()).collect()
}

fn switched(bundle: BundleId, generation: u32) -> SadEvent {
    SadEvent::Switched { bundle, generation: Generation(generation) }
}

fn removed(bundle: BundleId, generation: u32, spi: u32, reason: Removal) -> SadEvent {
    SadEvent::Removed { bundle, generation: Generation(generation), inbound: Spi(spi), reason }
}

/// A bundle that sends and receives on one pair: inbound 1000, outbound 2000.
fn with_one_pair() -> (Sad<Shared>, BundleId) {
    let mut sad = Sad::new(SadConfig::default());
    let bundle = sad.open_bundle();
    let generation = sad.install_inbound(at(0), bundle, inbound(1000)).unwrap();
    assert!(sad.outbound(bundle).is_none());
    sad.install_outbound(at(0), bundle, generation, outbound(2000)).unwrap();
    assert_eq!(events(&mut sad), [switched(bundle, 0)]);
    (sad, bundle)
}

/// The same with a second pair, 1001 and 2001, that the peer has not confirmed.
fn rekeying() -> (Sad<Shared>, BundleId) {
    let (mut sad, bundle) = with_one_pair();
    let generation = sad.install_inbound(at(100), bundle, inbound(1001)).unwrap();
    sad.install_outbound(at(100), bundle, generation, outbound(2001)).unwrap();
    assert_eq!(events(&mut sad), []);
    (sad, bundle)
}

fn sends_to(sad: &Sad<Shared>, bundle: BundleId) -> Option<u32> {
    sad.outbound(bundle).map(|sa| sa.spi().0)
}

#[test]
fn confirming_the_pair_in_use_changes_nothing() {
    let (mut sad, bundle) = with_one_pair();
    sad.confirm(at(1), bundle, Generation(0)).unwrap();
    assert_eq!((events(&mut sad), sends_to(&sad, bundle)), (alloc::vec![], Some(2000)));
    assert_eq!(sad.poll_timeout(), Some(at(900)), "it does not linger");
}

#[test]
fn a_replacement_loses_nothing() {
    let (mut sad, bundle) = rekeying();
    // The peers of our inbound SAs.
    let (old_peer, new_peer) = (outbound(1000), outbound(1001));
    assert_eq!(
        sends_to(&sad, bundle),
        Some(2000),
        "the peer has not shown that it has the new pair"
    );
    assert_eq!(opens(&sad, &packet_to(&new_peer)), Ok(Generation(1)), "yet it may use it");
    assert_eq!(opens(&sad, &packet_to(&old_peer)), Ok(Generation(0)));

    sad.confirm(at(101), bundle, Generation(1)).unwrap();
    assert_eq!(events(&mut sad), [switched(bundle, 1)]);
    assert_eq!(sends_to(&sad, bundle), Some(2001));
    assert_eq!(opens(&sad, &packet_to(&old_peer)), Ok(Generation(0)), "still on its way");

    assert_eq!(sad.poll_timeout(), Some(at(161)));
    sad.handle_timeout(at(161));
    assert_eq!(events(&mut sad), [], "something came in on it after the change-over");
    sad.handle_timeout(at(221));
    assert_eq!(events(&mut sad), [removed(bundle, 0, 1000, Removal::Replaced)]);
    assert_eq!(opens(&sad, &packet_to(&old_peer)), Err(OpenFailure::UnknownSpi));
    assert_eq!(opens(&sad, &packet_to(&new_peer)), Ok(Generation(1)));
    assert_eq!(sad.inbound_sas().count(), 1);
}

#[test]
fn an_old_pair_in_use_lingers_on() {
    let (mut sad, bundle) = rekeying();
    sad.confirm(at(101), bundle, Generation(1)).unwrap();
    events(&mut sad);
    let old_peer = outbound(1000);
    for round in 0..5 {
        opens(&sad, &packet_to(&old_peer)).unwrap();
        sad.handle_timeout(at(161 + 60 * round));
        assert_eq!(events(&mut sad), [], "the peer still sends here");
        assert_eq!(sad.poll_timeout(), Some(at(161 + 60 * (round + 1))));
    }
    sad.handle_timeout(at(161 + 60 * 5));
    assert_eq!(events(&mut sad), [removed(bundle, 0, 1000, Removal::Replaced)]);
}

#[test]
fn sending_changes_over_without_a_sign_after_a_while() {
    let (mut sad, bundle) = rekeying();
    sad.handle_timeout(at(109));
    assert_eq!((sends_to(&sad, bundle), events(&mut sad)), (Some(2000), alloc::vec![]));
    assert_eq!(sad.poll_timeout(), Some(at(110)));
    sad.handle_timeout(at(110));
    assert_eq!(
        (sends_to(&sad, bundle), events(&mut sad)),
        (Some(2001), alloc::vec![switched(bundle, 1)])
    );
}

/// The first packet on the new SA can come before its sending half is there.
#[test]
fn a_confirmation_is_remembered() {
    let (mut sad, bundle) = with_one_pair();
    let generation = sad.install_inbound(at(100), bundle, inbound(1001)).unwrap();
    sad.confirm(at(100), bundle, generation).unwrap();
    assert_eq!(sends_to(&sad, bundle), Some(2000));
    sad.install_outbound(at(101), bundle, generation, outbound(2001)).unwrap();
    assert_eq!(sends_to(&sad, bundle), Some(2001));
    assert_eq!(events(&mut sad), [switched(bundle, 1)]);
    // A late sign for the old pair takes nothing back.
    sad.confirm(at(102), bundle, Generation(0)).unwrap();
    assert_eq!((sends_to(&sad, bundle), events(&mut sad)), (Some(2001), alloc::vec![]));
}

#[test]
fn deleting_the_old_pair_leaves_the_new_one() {
    let (mut sad, bundle) = rekeying();
    sad.confirm(at(101), bundle, Generation(1)).unwrap();
    events(&mut sad);
    let old = Arc::clone(sad.outbound(bundle).unwrap());
    assert_eq!(sad.delete_outbound(at(102), bundle, Spi(2000)), Ok(Generation(0)));
    assert_eq!(sad.delete_outbound(at(102), bundle, Spi(2000)), Err(SadError::UnknownGeneration));
    assert_eq!((sends_to(&sad, bundle), events(&mut sad)), (Some(2001), alloc::vec![]));
    assert!(Arc::ptr_eq(&old, sad.outbound(bundle).unwrap()));
}

#[test]
fn deleting_the_pair_in_use_falls_back() {
    let (mut sad, bundle) = rekeying();
    // Before the change-over: to the new pair, confirmed or not.
    sad.delete_outbound(at(101), bundle, Spi(2000)).unwrap();
    assert_eq!(
        (sends_to(&sad, bundle), events(&mut sad)),
        (Some(2001), alloc::vec![switched(bundle, 1)])
    );
    let late = packet_to(&outbound(1000));
    assert_eq!(opens(&sad, &late), Ok(Generation(0)), "what was on its way");
    sad.handle_timeout(at(161));
    sad.handle_timeout(at(221));
    assert_eq!(events(&mut sad), [removed(bundle, 0, 1000, Removal::Deleted)]);
    // The last one: nothing is left to send on.
    let last = Arc::clone(sad.outbound(bundle).unwrap());
    sad.delete_outbound(at(300), bundle, Spi(2001)).unwrap();
    assert_eq!(sends_to(&sad, bundle), None);
    let mut storage = [0; 200];
    let refused = last.seal(&mut PacketMut::new(&mut storage, 50..99).unwrap(), NextHeader::UDP);
    assert_eq!(refused, Err(SealError::Closed));
    assert_eq!(sad.outbound_sas().count(), 0);
}

/// After the change-over the old pair lingers; if the new one is deleted, it is sent on again.
#[test]
fn falling_back_ends_lingering() {
    let (mut sad, bundle) = rekeying();
    sad.confirm(at(101), bundle, Generation(1)).unwrap();
    sad.delete_outbound(at(120), bundle, Spi(2001)).unwrap();
    assert_eq!(events(&mut sad), [switched(bundle, 1), switched(bundle, 0)]);
    for now in [161, 180, 500] {
        sad.handle_timeout(at(now));
    }
    assert_eq!(events(&mut sad), [removed(bundle, 1, 1001, Removal::Deleted)]);
    assert_eq!(sends_to(&sad, bundle), Some(2000));
}

#[test]
fn time_limits() {
    let (mut sad, bundle) = with_one_pair();
    let (inside, outside) = (inbound_of(&sad, 1000), Arc::clone(sad.outbound(bundle).unwrap()));
    assert_eq!(sad.poll_timeout(), Some(at(900)));
    sad.handle_timeout(at(899));
    assert_eq!(events(&mut sad), []);
    sad.handle_timeout(at(900));
    let replace = SadEvent::Replace { bundle, generation: Generation(0) };
    assert_eq!(events(&mut sad), [replace]);
    sad.note_soft_limit(bundle, Generation(0));
    assert_eq!(events(&mut sad), [], "said once");
    assert_eq!(sad.poll_timeout(), Some(at(1000)));
    sad.handle_timeout(at(5000));
    assert_eq!(events(&mut sad), [removed(bundle, 0, 1000, Removal::Expired)]);
    assert_eq!((sends_to(&sad, bundle), sad.poll_timeout()), (None, None));
    let packet = packet_to(&outbound(1000));
    let opened = inside.open_explained(&mut PacketMut::whole(&mut packet.clone()));
    assert_eq!(opened, Err(OpenFailure::Expired), "a thread that still holds it");
    let mut storage = [0; 200];
    let refused = outside.seal(&mut PacketMut::new(&mut storage, 50..99).unwrap(), NextHeader::UDP);
    assert_eq!(refused, Err(SealError::Closed));
}

fn inbound_of(sad: &Sad<Shared>, spi: u32) -> Arc<InboundSa<Shared>> {
    Arc::clone(&sad.inbound(Spi(spi)).unwrap().sa)
}

/// A soft limit of a pair that has a successor already asks for nothing.
#[test]
fn only_the_newest_pair_is_replaced() {
    let (mut sad, bundle) = rekeying();
    sad.note_soft_limit(bundle, Generation(0));
    assert_eq!(events(&mut sad), []);
    sad.note_soft_limit(bundle, Generation(1));
    assert_eq!(events(&mut sad), [SadEvent::Replace { bundle, generation: Generation(1) }]);
    sad.note_soft_limit(BundleId(99), Generation(0));
    sad.note_soft_limit(bundle, Generation(99));
    assert_eq!(events(&mut sad), []);
}

#[test]
fn a_closed_bundle_is_gone() {
    let (mut sad, bundle) = rekeying();
    let other = sad.open_bundle();
    sad.install_inbound(at(100), other, inbound(5000)).unwrap();
    let sa = inbound_of(&sad, 1001);
    assert_eq!(sad.close_bundle(bundle), [Spi(1000), Spi(1001)]);
    assert_eq!(sad.close_bundle(bundle), []);
    assert_eq!(events(&mut sad), []);
    assert!(sad.inbound(Spi(1001)).is_none() && sad.inbound(Spi(5000)).is_some());
    assert!(sa.open(&mut PacketMut::whole(&mut packet_to(&outbound(1001)))).is_err());
    assert_eq!(sad.install_inbound(at(101), bundle, inbound(6000)), Err(SadError::UnknownBundle));
    assert_eq!(sad.confirm(at(101), bundle, Generation(0)), Err(SadError::UnknownBundle));
    assert_ne!(sad.open_bundle(), bundle, "names are not given twice");
}

/// Numbers of all kinds, and now and then a reserved SPI.
struct Mixed(u32);

impl SecureRandom for Mixed {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let number = if self.0.is_multiple_of(5) { self.0 % 256 } else { self.0 };
        out.copy_from_slice(&number.to_be_bytes());
        Ok(())
    }
}

/// A generator that does not work any more.
struct Stuck(Option<u8>);

impl SecureRandom for Stuck {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        out.fill(self.0.ok_or(RandomError)?);
        Ok(())
    }
}

#[test]
fn spis_are_reserved_and_never_taken_twice() {
    let mut sad = Sad::<Shared>::new(SadConfig::default());
    let mut rng = Mixed(7);
    let mut spis: Vec<Spi> = (0..200).map(|_| sad.reserve_spi(&mut rng).unwrap()).collect();
    spis.sort_unstable();
    spis.dedup();
    assert_eq!(spis.len(), 200);
    assert!(spis.iter().all(|spi| spi.is_usable()));
    let bundle = sad.open_bundle();
    sad.install_inbound(at(0), bundle, inbound(spis[0].0)).unwrap();
    let twice = sad.install_inbound(at(0), bundle, inbound(spis[0].0));
    assert_eq!(twice, Err(SadError::SpiTaken(spis[0])));

    let failed = Err(SadError::Random(RandomError));
    assert_eq!(sad.reserve_spi(&mut Stuck(None)), failed);
    assert_eq!(sad.reserve_spi(&mut Stuck(Some(9))), Ok(Spi(0x0909_0909)));
    assert_eq!(sad.reserve_spi(&mut Stuck(Some(9))), failed);
    sad.release_spi(Spi(0x0909_0909));
    assert_eq!(sad.reserve_spi(&mut Stuck(Some(9))), Ok(Spi(0x0909_0909)));
}

#[derive(Clone, Copy, Debug)]
enum Operation {
    Install,
    Complete(u8),
    Confirm(u8),
    Soft(u8),
    Delete(u8),
    Receive(u8),
    Wait(u16),
}

fn any_operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        Just(Operation::Install),
        (0..6_u8).prop_map(Operation::Complete),
        (0..6_u8).prop_map(Operation::Confirm),
        (0..6_u8).prop_map(Operation::Soft),
        (0..6_u8).prop_map(Operation::Delete),
        (0..6_u8).prop_map(Operation::Receive),
        (0..700_u16).prop_map(Operation::Wait),
    ]
}

proptest! {
    /// Whatever happens, in whatever order: the SA to send on is open and the newest that was
    /// switched to and is left, every inbound SA is found by its SPI, and deadlines lie ahead.
    #[test]
    fn invariants(operations in prop::collection::vec(any_operation(), 1..60)) {
        let mut sad = Sad::<Shared>::new(SadConfig::default());
        let bundle = sad.open_bundle();
        let (mut now, mut installed) = (0_u64, 0_u32);
        let mut live: BTreeSet<u32> = BTreeSet::new();
        let peer = |n: u32| outbound(1000 + n);
        for operation in operations {
            match operation {
                Operation::Install => {
                    sad.install_inbound(at(now), bundle, inbound(1000 + installed)).unwrap();
                    live.insert(installed);
                    installed += 1;
                }
                Operation::Complete(n) => {
                    let spi = 2000 + u32::from(n);
                    let done = sad.install_outbound(at(now), bundle, Generation(n.into()), outbound(spi));
                    prop_assert_eq!(done.is_ok(), live.contains(&n.into()));
                }
                Operation::Confirm(n) => {
                    let done = sad.confirm(at(now), bundle, Generation(n.into()));
                    prop_assert_eq!(done.is_ok(), live.contains(&n.into()));
                }
                Operation::Soft(n) => sad.note_soft_limit(bundle, Generation(n.into())),
                Operation::Delete(n) => {
                    let _ = sad.delete_outbound(at(now), bundle, Spi(2000 + u32::from(n)));
                }
                Operation::Receive(n) => {
                    let received = opens(&sad, &packet_to(&peer(n.into())));
                    prop_assert!(received.is_err() || live.contains(&n.into()));
                }
                Operation::Wait(seconds) => {
                    now += u64::from(seconds);
                    sad.handle_timeout(at(now));
                    prop_assert!(sad.poll_timeout().is_none_or(|next| next > at(now)));
                }
            }
            for event in events(&mut sad) {
                if let SadEvent::Removed { generation, inbound, .. } = event {
                    prop_assert!(live.remove(&generation.0));
                    prop_assert_eq!(inbound, Spi(1000 + generation.0));
                    prop_assert!(sad.inbound(inbound).is_none());
                }
            }
            prop_assert!(live.iter().all(|n| sad.inbound(Spi(1000 + n)).is_some()));
            prop_assert_eq!(sad.inbound_sas().count(), live.len());
            prop_assert!(sad.sending(bundle).is_none_or(|generation| live.contains(&generation.0)));
            prop_assert_eq!(sad.sending(bundle).is_some(), sad.outbound(bundle).is_some());
            if let Some(sa) = sad.outbound(bundle) {
                let mut storage = [0; 200];
                let sealed = sa.seal(&mut PacketMut::new(&mut storage, 50..99).unwrap(), NextHeader::UDP);
                prop_assert!(sealed.is_ok());
            }
        }
        sad.handle_timeout(at(now + 2000));
        prop_assert_eq!((sad.inbound_sas().count(), sad.poll_timeout()), (0, None));
    }
}

#[test]
fn a_pair_ends_at_once_on_request() {
    let (mut sad, bundle) = rekeying();
    sad.confirm(at(101), bundle, Generation(1)).unwrap();
    assert_eq!(events(&mut sad), [switched(bundle, 1)]);
    assert_eq!(sad.remove_pair(bundle, Generation(1)), Some(Spi(1001)));
    assert_eq!(events(&mut sad), [switched(bundle, 0)], "the older pair takes over");
    assert!(sad.inbound(Spi(1001)).is_none());
    assert_eq!(opens(&sad, &packet_to(&outbound(1000))), Ok(Generation(0)));
    assert_eq!(sad.remove_pair(bundle, Generation(0)), Some(Spi(1000)));
    assert_eq!(sad.remove_pair(bundle, Generation(0)), None);
    assert_eq!((sends_to(&sad, bundle), sad.poll_timeout()), (None, None));
    assert_eq!(events(&mut sad), []);
}

/// Negotiations that crossed: the pair that stays need not be the newest.
#[test]
fn the_chosen_pair_is_sent_on_whatever_its_age() {
    let (mut sad, bundle) = rekeying();
    let newest = sad.install_inbound(at(101), bundle, inbound(1002)).unwrap();
    sad.install_outbound(at(101), bundle, newest, outbound(2002)).unwrap();
    sad.choose(at(102), bundle, newest).unwrap();
    assert_eq!(sends_to(&sad, bundle), Some(2002));
    sad.confirm(at(103), bundle, Generation(1)).unwrap();
    assert_eq!(sends_to(&sad, bundle), Some(2002), "a proof alone does not go back");
    sad.choose(at(103), bundle, Generation(1)).unwrap();
    assert_eq!(sends_to(&sad, bundle), Some(2001));
    assert_eq!(events(&mut sad), [switched(bundle, 2), switched(bundle, 1)]);
    // The others receive for a while.
    let left = |sad: &Sad<Shared>| [1000, 1001, 1002].map(|spi| sad.inbound(Spi(spi)).is_some());
    sad.handle_timeout(at(161));
    assert_eq!(left(&sad), [true; 3]);
    sad.handle_timeout(at(164));
    assert_eq!(left(&sad), [false, true, false]);
    assert_eq!(sends_to(&sad, bundle), Some(2001));
    assert_eq!(sad.choose(at(165), bundle, newest), Err(SadError::UnknownGeneration));
}
