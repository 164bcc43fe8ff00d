//! What the simulated network makes of machines that break the contract.
#![allow(clippy::unwrap_used, clippy::panic)]

mod echo;

use core::net::SocketAddr;
use core::time::Duration;

use echo::Echo;
use echo::Fault;
use vpn_core::Instant;
use vpn_core::Path;
use vpn_netsim::Link;
use vpn_netsim::Net;

fn addr(host: u8) -> SocketAddr {
    SocketAddr::new([192, 0, 2, host].into(), 1701)
}

/// Runs one machine with a fault for a while.
fn run(fault: Fault) {
    let mut net = Net::new(99);
    let mut node = Echo::pinging(Path::l2tp(addr(1), addr(2)), Duration::from_secs(1));
    node.fault = Some(fault);
    net.add(node, &[addr(1).ip()]);
    net.run_until(Instant::ZERO + Duration::from_secs(10));
}

#[test]
#[should_panic(expected = "netsim: seed 99 at 0.000000s: NodeId(0) has handled its timer and is")]
fn a_timer_that_stays_due_is_a_hot_loop() {
    run(Fault::StaysDue);
}

#[test]
#[should_panic(expected = "seed 99 at 0.000000s: NodeId(0) sends without end")]
fn a_machine_that_never_stops_sending_is_caught() {
    run(Fault::SendsForEver);
}

#[test]
#[should_panic(expected = "seed 99 at 0.000000s: NodeId(0) reports without end")]
fn a_machine_that_never_stops_reporting_is_caught() {
    run(Fault::ReportsForEver);
}

#[test]
#[should_panic(expected = "says 1000")]
fn a_wrong_length_is_caught() {
    run(Fault::WrongLength);
}

#[test]
#[should_panic(expected = "sends from 203.0.113.1:1701, which it has not")]
fn a_foreign_source_address_is_caught() {
    run(Fault::WrongAddress);
}

#[test]
#[should_panic(expected = "sends 65508 octets in one datagram")]
fn a_datagram_that_udp_cannot_carry_is_caught() {
    run(Fault::TooLong);
}

#[test]
#[should_panic(expected = "steps and time stands still")]
fn two_machines_that_answer_each_other_at_once_are_a_hot_loop() {
    let mut net = Net::new(1);
    net.set_default_link(Link::PERFECT);
    for (here, there) in [(1, 2), (2, 1)] {
        let mut node = Echo::pinging(Path::l2tp(addr(here), addr(there)), Duration::from_secs(1));
        node.fault = Some(Fault::AnswersEchoes);
        net.add(node, &[addr(here).ip()]);
    }
    net.run_until(Instant::ZERO + Duration::from_secs(10));
}

#[test]
#[should_panic(expected = "the address 192.0.2.1 is taken")]
fn an_address_has_one_owner() {
    let mut net = Net::new(1);
    net.add(Echo::default(), &[addr(1).ip()]);
    net.add(Echo::default(), &[addr(1).ip()]);
}

#[test]
#[should_panic(expected = "NodeId(0) was removed")]
fn a_removed_node_cannot_be_used() {
    let mut net = Net::new(1);
    let node = net.add(Echo::default(), &[addr(1).ip()]);
    net.remove(node);
    net.with(node, |_, _| ());
}
