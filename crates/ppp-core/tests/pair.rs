//! A client and a server, over a wire in virtual time.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

extern crate alloc;

mod harness;

use core::time::Duration;

use harness::*;
use ppp_core::AddressAnswer;
use ppp_core::AnswerError;
use ppp_core::AuthMethod;
use ppp_core::CloseReason;
use ppp_core::Credentials;
use ppp_core::Event;
use ppp_core::Ipv4Mode;
use ppp_core::Ipv6Mode;
use ppp_core::LinkConfig;
use ppp_core::MsChapError;
use ppp_core::NetworkFailure;
use ppp_core::Phase;
use ppp_core::Side;
use vpn_netsim::SeededRandom;

#[test]
fn each_method_brings_the_network_up() {
    for method in [AuthMethod::Pap, AuthMethod::ChapMd5, AuthMethod::MsChapV2] {
        let client = client().prove_with(&[method]);
        let mut pair = Pair::new(client, server().authenticate_with(&[method]));
        pair.open_and_run();
        assert!(pair.is_up(), "{method}");
        for end in &pair.ends {
            assert_eq!(end.link.phase(), Phase::Network);
            let who = end.authenticated();
            assert_eq!((who.len(), who[0].method, &*who[0].name), (1, method, &b"alice"[..]));
            assert!(end.ipv6().is_some());
        }
        let settings = pair.client().ipv4().unwrap();
        assert_eq!(settings.local.octets(), [10, 99, 0, 10]);
        assert_eq!(settings.dns[1].unwrap().octets(), [10, 99, 0, 2]);
        assert_eq!(pair.client().authenticated()[0].side, Side::Local);
        assert_eq!(pair.server().authenticated()[0].side, Side::Peer);
        assert_eq!(pair.server().address_requests.len(), 1);
    }
}

#[test]
fn the_loss_of_any_one_frame_is_survived() {
    for method in [AuthMethod::Pap, AuthMethod::ChapMd5, AuthMethod::MsChapV2] {
        let (client, server) =
            (client().prove_with(&[method]), server().authenticate_with(&[method]));
        let mut whole = Pair::new(client.clone(), server.clone());
        whole.open_and_run();
        let frames = whole.log.len();
        for lost in 0..frames {
            let mut pair = Pair::new(client.clone(), server.clone());
            let mut index = 0;
            pair.wire = Box::new(move |_, _| {
                index += 1;
                if index == lost + 1 { Fate::LOST } else { Fate::ARRIVES }
            });
            pair.open();
            pair.run_for(Duration::from_secs(25));
            assert!(pair.is_up(), "{method}: frame {lost} of {frames}: {:02x?}", whole.log[lost]);
        }
    }
}

#[test]
fn any_one_frame_twice_or_late_is_survived() {
    let (client, server) = (client(), server());
    let mut whole = Pair::new(client.clone(), server.clone());
    whole.open_and_run();
    for chosen in 0..whole.log.len() {
        for (copies, extra) in [(2, 0), (2, 25), (3, 100), (1, 25), (1, 3_500)] {
            let mut pair = Pair::new(client.clone(), server.clone());
            let mut index = 0;
            pair.wire = Box::new(move |_, _| {
                index += 1;
                let extra = Duration::from_millis(extra);
                if index == chosen + 1 { Fate { copies, extra } } else { Fate::ARRIVES }
            });
            pair.open();
            pair.run_for(Duration::from_secs(25));
            let frame = &whole.log[chosen];
            assert!(pair.is_up(), "frame {chosen}, {copies} copies, {extra} ms: {frame:02x?}");
            let requests = pair.server().auth_requests.len();
            if extra < 3_000 {
                assert_eq!(
                    requests, 1,
                    "frame {chosen}, {copies} copies, {extra} ms: {frame:02x?}"
                );
            }
        }
    }
}

#[test]
fn a_bad_wire_is_survived() {
    // Ten requests are lost one after the other now and then; then the ends say so.
    for (loss, rounds, allowed) in [(0.1, 200, 0), (0.2, 200, 0), (0.3, 200, 3)] {
        let mut down = 0;
        for seed in 1..=rounds {
            let mut pair = Pair::seeded(client(), server(), seed);
            let mut random = SeededRandom::new(seed);
            pair.wire = Box::new(move |_, _| {
                let copies = u8::from(!random.chance(loss)) + u8::from(random.chance(0.1));
                Fate { copies, extra: Duration::from_millis(random.within(0..=200)) }
            });
            pair.open();
            pair.run_for(Duration::from_secs(100));
            down += u32::from(!pair.is_up());
            let gave_up = |end: &End| {
                let failed = |event: &Event| matches!(event, Event::Ipv4Failed(_));
                end.closed().is_some() || end.events.iter().any(failed)
            };
            assert!(pair.is_up() || pair.ends.iter().any(gave_up), "seed {seed} at loss {loss}");
        }
        assert!(down <= allowed, "{down} of {rounds} at loss {loss}");
    }
}

#[test]
fn a_wrong_password_ends_both_with_the_reason() {
    for method in [AuthMethod::Pap, AuthMethod::ChapMd5, AuthMethod::MsChapV2] {
        let wrong = Credentials::new("alice", "looking-glass");
        let client = LinkConfig::client(wrong).prove_with(&[method]);
        let mut pair = Pair::new(client, server().authenticate_with(&[method]));
        pair.open_and_run();
        for (end, side) in pair.ends.iter().zip([Side::Local, Side::Peer]) {
            let Some(CloseReason::AuthFailed(failure)) = end.closed() else {
                panic!("{method}: {:?}", end.closed())
            };
            assert_eq!((failure.side, failure.method), (side, method));
            let error =
                (method == AuthMethod::MsChapV2).then_some(MsChapError::AUTHENTICATION_FAILURE);
            assert_eq!(failure.error, error);
            assert!(end.authenticated().is_empty() && end.ipv4().is_none());
            assert_eq!(end.link.phase(), Phase::Closed);
        }
    }
}

#[test]
fn other_credentials_are_asked_for_and_tried() {
    let wrong = Credentials::new("alice", "looking-glass");
    let config = || LinkConfig::client(wrong.clone()).ask_for_credentials(true);
    let mut pair = Pair::new(config(), server());
    pair.client().credentials = vec![alice()];
    pair.open_and_run();
    assert!(pair.is_up());
    assert_eq!(pair.server().auth_requests.len(), 2);

    // The configured number of attempts is the most there are.
    let mut pair = Pair::new(config(), server());
    pair.client().credentials = vec![wrong.clone(); 9];
    pair.open_and_run();
    assert_eq!(pair.server().auth_requests.len(), 3);
    let Some(CloseReason::AuthFailed(failure)) = pair.client().closed() else { panic!() };
    assert!(!failure.retry);

    // A user that gives in.
    let mut pair = Pair::new(config(), server());
    pair.open_and_run();
    let Some(CloseReason::AuthFailed(failure)) = pair.client().closed() else { panic!() };
    assert!(failure.retry);
    let Some(CloseReason::AuthFailed(failure)) = pair.server().closed() else { panic!() };
    assert!(failure.retry);
}

#[test]
fn other_credentials_outlive_a_renegotiation() {
    let config = LinkConfig::client(Credentials::new("alice", "no")).ask_for_credentials(true);
    let mut pair = Pair::new(config, server());
    pair.client().credentials = vec![alice()];
    pair.open_and_run();
    let now = pair.now;
    pair.server().link.renegotiate(now);
    pair.run_for(Duration::from_secs(10));
    assert!(pair.is_up());
    assert_eq!(pair.server().auth_requests.len(), 3);
}

#[test]
fn the_peer_falls_back_to_what_both_know() {
    use AuthMethod::*;
    for (client_list, server_list, agreed) in [
        (&[Pap][..], &[MsChapV2, ChapMd5, Pap][..], Some(Pap)),
        (&[ChapMd5, Pap], &[MsChapV2, Pap, ChapMd5], Some(ChapMd5)),
        (&[ChapMd5], &[MsChapV2, ChapMd5], Some(ChapMd5)),
        (&[MsChapV2, ChapMd5], &[Pap, ChapMd5], Some(ChapMd5)),
        (&[Pap], &[MsChapV2, ChapMd5], None),
        (&[], &[MsChapV2], None),
    ] {
        let client = client().prove_with(client_list);
        let mut pair = Pair::new(client, server().authenticate_with(server_list));
        pair.open_and_run();
        let Some(agreed) = agreed else {
            for (end, side) in pair.ends.iter().zip([Side::Local, Side::Peer]) {
                let Some(CloseReason::NoCommonAuth { side: who, ours, theirs }) = end.closed()
                else {
                    panic!("{client_list:?} {server_list:?}: {:?}", end.closed())
                };
                assert_eq!(*who, side);
                let (mine, yours) = match side {
                    Side::Local => (client_list, server_list),
                    Side::Peer => (server_list, client_list),
                };
                assert_eq!(ours, mine);
                let mut named: Vec<_> = theirs.iter().filter_map(|a| a.method()).collect();
                named.sort();
                let mut yours = yours.to_vec();
                yours.sort();
                assert_eq!(named, yours);
            }
            continue;
        };
        assert!(pair.is_up());
        assert_eq!(pair.server().authenticated()[0].method, agreed);
    }
}

#[test]
fn a_client_without_credentials_is_told_so() {
    let config = LinkConfig::server("").authenticate_with(&[]);
    let ask = Ipv4Mode::Ask { address: None, dns: false, nbns: false };
    let mut pair = Pair::new(config.ipv4(ask), server());
    pair.open_and_run();
    let Some(CloseReason::NoCommonAuth { ours, theirs, .. }) = pair.client().closed() else {
        panic!("{:?}", pair.client().closed())
    };
    assert!(ours.is_empty() && !theirs.is_empty());
    let text = pair.client().closed().unwrap().to_string();
    assert!(text.contains("here none, at the peer MS-CHAPv2"), "{text}");
}

#[test]
fn both_ends_may_have_to_prove_themselves() {
    let methods = [AuthMethod::Pap, AuthMethod::ChapMd5, AuthMethod::MsChapV2];
    for ours in methods {
        for theirs in methods {
            let client = client().prove_with(&[ours]).authenticate_with(&[theirs]);
            let server = server()
                .authenticate_with(&[ours])
                .credentials(Credentials::new("lns", "gate"))
                .prove_with(&[theirs]);
            let mut pair = Pair::new(client.clone(), server.clone());
            pair.client().users = vec![("lns", "gate")];
            pair.open_and_run();
            assert!(pair.is_up(), "{ours} {theirs}");
            assert_eq!(pair.client().authenticated().len(), 2);
            assert_eq!(pair.server().authenticated().len(), 2);

            let mut pair = Pair::new(client, server);
            pair.client().users = vec![("lns", "other")];
            pair.open_and_run();
            assert!(matches!(pair.client().closed(), Some(CloseReason::AuthFailed(_))));
            assert!(pair.server().closed().is_some());
            assert!(!pair.server().events.iter().any(|e| matches!(e, Event::Ipv4Up(_))));
        }
    }
}

#[test]
fn no_proof_is_needed_where_none_is_asked_for() {
    let mut pair = Pair::new(client(), server().authenticate_with(&[]));
    pair.open_and_run();
    assert!(pair.is_up());
    assert!(pair.client().authenticated().is_empty());
    assert!(pair.server().address_requests[0].user.is_empty());
}

#[test]
fn the_peer_proves_itself_again_during_the_session() {
    for method in [AuthMethod::ChapMd5, AuthMethod::MsChapV2] {
        let server = server().rechallenge(Some(Duration::from_secs(50)));
        let mut pair = Pair::new(client(), server.authenticate_with(&[method]));
        pair.open();
        pair.run_for(Duration::from_secs(260));
        assert!(pair.is_up());
        let requests = &pair.server().auth_requests;
        assert_eq!(requests.len(), 6);
        assert!(!requests[0].again && requests[1..].iter().all(|request| request.again));
        assert_eq!(pair.server().authenticated().len(), 1);
        assert_eq!(pair.client().authenticated().len(), 1);

        // The password changes under the session.
        pair.server().users = vec![("alice", "other")];
        pair.run_for(Duration::from_secs(60));
        assert!(matches!(pair.client().closed(), Some(CloseReason::AuthFailed(_))));
        assert!(matches!(pair.server().closed(), Some(CloseReason::AuthFailed(_))));
    }
}

#[test]
fn lcp_may_be_negotiated_anew_by_either_end() {
    for end in [CLIENT, SERVER] {
        let mut pair = Pair::new(client(), server());
        pair.open_and_run();
        let now = pair.now;
        pair.ends[end].link.renegotiate(now);
        pair.drain();
        assert_eq!(pair.ends[end].ipv4(), None);
        assert_eq!(pair.ends[end].link.phase(), Phase::Establish);
        pair.run_for(Duration::from_secs(10));
        assert!(pair.is_up());
        let downs = |events: &[Event]| {
            events.iter().filter(|event| matches!(event, Event::Ipv4Down)).count()
        };
        assert_eq!(pair.ends.each_ref().map(|end| downs(&end.events)), [1, 1]);
        assert_eq!(pair.server().auth_requests.len(), 2);
        assert_eq!(pair.server().address_requests.len(), 2);
    }
}

#[test]
fn a_close_is_orderly_and_says_why() {
    for end in [CLIENT, SERVER] {
        let mut pair = Pair::new(client(), server());
        pair.open_and_run();
        let now = pair.now;
        pair.ends[end].link.close(now, "going home\x1b");
        pair.run_for(Duration::from_secs(10));
        assert_eq!(pair.ends[end].closed(), Some(&CloseReason::Local));
        let Some(CloseReason::PeerTerminated { phase, message }) = pair.ends[1 - end].closed()
        else {
            panic!()
        };
        assert_eq!((*phase, &message[..]), (Phase::Network, "going home."));
        assert!(pair.now < secs(1) + Duration::from_secs(140));
    }
}

#[test]
fn a_close_without_an_answer_ends_after_two_requests() {
    let mut pair = Pair::new(client(), server());
    pair.open_and_run();
    pair.wire = Box::new(|_, _| Fate::LOST);
    let start = pair.log.len();
    let now = pair.now;
    pair.client().link.close(now, "");
    pair.run_for(Duration::from_secs(7));
    assert_eq!(pair.client().closed(), Some(&CloseReason::Local));
    assert_eq!(pair.log.len() - start, 2);
}

#[test]
fn silence_ends_with_a_timeout_from_every_phase() {
    // Which frames still arrive, and what is said in the end.
    let frames = {
        let mut pair = Pair::new(client(), server());
        pair.open_and_run();
        pair.log.len()
    };
    for alive in 0..frames {
        let mut pair = Pair::new(client(), server());
        let mut index = 0;
        pair.wire = Box::new(move |_, _| {
            index += 1;
            if index <= alive { Fate::ARRIVES } else { Fate::LOST }
        });
        pair.open();
        pair.run_for(Duration::from_secs(400));
        for end in &pair.ends {
            assert!(end.closed().is_some(), "after {alive} frames: {:?}", end.link);
        }
    }
}

#[test]
fn a_silent_peer_is_missed_and_data_stand_in_for_echoes() {
    let mut pair = Pair::new(client(), server());
    pair.open_and_run();
    pair.wire = Box::new(|_, _| Fate::LOST);
    for _ in 0..20 {
        let now = pair.now;
        pair.client().link.note_traffic(now);
        pair.run_for(Duration::from_secs(20));
    }
    assert!(pair.client().closed().is_none());
    assert_eq!(pair.server().closed(), Some(&CloseReason::EchoLost { missed: 4 }));
    pair.run_for(Duration::from_secs(200));
    assert_eq!(pair.client().closed(), Some(&CloseReason::EchoLost { missed: 4 }));
}

#[test]
fn two_virtual_days_of_idleness_change_nothing() {
    let mut pair = Pair::new(client(), server());
    pair.open_and_run();
    let events = pair.ends.each_ref().map(|end| end.events.len());
    pair.run_for(Duration::from_secs(48 * 3600));
    assert!(pair.is_up());
    assert_eq!(events, pair.ends.each_ref().map(|end| end.events.len()));
}

#[test]
fn the_lower_layer_ends_it_at_once() {
    let mut pair = Pair::new(client(), server());
    pair.open_and_run();
    let now = pair.now;
    pair.client().link.lower_down(now);
    pair.drain();
    assert_eq!(pair.client().closed(), Some(&CloseReason::LowerDown));
    let tail = pair.ends[CLIENT].events.last_chunk::<3>().unwrap();
    assert!(matches!(tail, [Event::Ipv4Down, Event::Ipv6Down, Event::Closed { .. }]), "{tail:?}");
}

#[test]
fn options_that_save_octets_are_offered_and_used() {
    let config = |config: LinkConfig| config.pfc(true).acfc(true).mru(1400).accm(Some(0));
    let mut pair = Pair::new(config(client()), config(server()));
    pair.open_and_run();
    assert!(pair.is_up());
    for end in &pair.ends {
        let form = end.link.form();
        assert_eq!((form.acfc, form.pfc, form.mtu), (true, true, 1400));
        assert_eq!(end.link.peer_accm(), 0);
    }
    // LCP is never compressed, the rest is (RFC 1661 §6.6).
    for (_, frame) in &pair.log {
        let is_lcp = frame.starts_with(&[0xff, 0x03, 0xc0, 0x21]);
        assert!(is_lcp || !frame.starts_with(&[0xff, 0x03]), "{frame:02x?}");
    }
}

#[test]
fn every_counter_may_wrap() {
    let server = server().rechallenge(Some(Duration::from_secs(7)));
    let mut pair = Pair::new(client(), server);
    pair.open();
    // LCP Identifiers (echo), CHAP Identifiers (challenge) and more come round several times.
    pair.run_for(Duration::from_secs(7 * 600));
    assert!(pair.is_up());
    assert_eq!(pair.server().auth_requests.len(), 600);
    for _ in 0..300 {
        let now = pair.now;
        pair.client().link.renegotiate(now);
        pair.run_for(Duration::from_secs(1));
        assert!(pair.is_up());
    }
}

#[test]
fn one_network_protocol_may_fail_alone() {
    let v6_off = || server().ipv6(Ipv6Mode::Off);
    let mut pair = Pair::new(client(), v6_off());
    pair.open_and_run();
    assert!(pair.is_up() && pair.client().ipv6().is_none());
    let failed = |end: &End| {
        end.events.iter().any(|e| matches!(e, Event::Ipv6Failed(NetworkFailure::Rejected)))
    };
    assert!(failed(pair.client()));

    let mut pair = Pair::new(client(), server().ipv4(Ipv4Mode::Off));
    pair.open_and_run();
    assert!(pair.client().ipv4().is_none() && pair.client().ipv6().is_some());
    assert_eq!(pair.client().link.phase(), Phase::Network);

    let v4_off = server().ipv4(Ipv4Mode::Off);
    let mut pair = Pair::new(client().ipv6(Ipv6Mode::Off), v4_off);
    pair.open_and_run();
    let (ipv4, ipv6) = (NetworkFailure::Rejected, NetworkFailure::Off);
    assert_eq!(pair.client().closed(), Some(&CloseReason::NoNetwork { ipv4, ipv6 }));
}

#[test]
fn a_pool_without_addresses_is_said_at_once() {
    let mut pair = Pair::new(client().ipv6(Ipv6Mode::Off), server().ipv6(Ipv6Mode::Off));
    pair.server().addresses = AddressAnswer::Refuse;
    pair.open();
    pair.run_for(Duration::from_secs(5));
    let Some(CloseReason::NoNetwork { ipv4, .. }) = pair.server().closed() else { panic!() };
    assert_eq!(*ipv4, NetworkFailure::NoAddress);
    assert!(pair.client().closed().is_some());

    // With IPv6 the link goes on without IPv4.
    let mut pair = Pair::new(client(), server());
    pair.server().addresses = AddressAnswer::Refuse;
    pair.open_and_run();
    assert!(pair.client().ipv6().is_some() && pair.client().ipv4().is_none());
}

#[test]
fn a_client_gets_its_old_address_back_or_another() {
    let old = [10, 99, 0, 10].into();
    let ask = |address| Ipv4Mode::Ask { address: Some(address), dns: false, nbns: true };
    let mut pair = Pair::new(client().ipv4(ask(old)), server());
    pair.open_and_run();
    assert!(pair.is_up());
    assert_eq!(pair.server().address_requests[0].hint, Some(old));
    let other = [192, 0, 2, 7].into();
    let mut pair = Pair::new(client().ipv4(ask(other)), server());
    pair.open_and_run();
    assert!(pair.is_up());
    assert_eq!(pair.server().address_requests[0].hint, Some(other));
    assert_eq!(pair.client().ipv4().unwrap().local, old);
    assert_eq!(pair.client().ipv4().unwrap().nbns, [None, None]);
}

#[test]
fn slow_answers_are_waited_for() {
    let mut pair = Pair::new(client(), server());
    pair.server().mute = true;
    pair.open();
    pair.run_for(Duration::from_secs(20));
    assert_eq!(pair.server().auth_requests.len(), 1);
    let request = pair.server().auth_requests[0].clone();
    let (verdict, now) = (pair.server().verdict(&request), pair.now);
    pair.server().link.answer_auth(now, request.ticket, verdict.clone()).unwrap();
    let again = pair.server().link.answer_auth(now, request.ticket, verdict);
    assert_eq!(again, Err(AnswerError::Stale));
    pair.run_for(Duration::from_secs(20));
    assert_eq!(pair.server().address_requests.len(), 1);
    let (ticket, now) = (pair.server().address_requests[0].ticket, pair.now);
    pair.server().link.answer_address(now, ticket, assign()).unwrap();
    let again = pair.server().link.answer_address(now, ticket, assign());
    assert_eq!(again, Err(AnswerError::Stale));
    pair.run_for(Duration::from_secs(1));
    assert!(pair.is_up());
}

#[test]
fn questions_that_nobody_answers_end_the_link() {
    let mut pair = Pair::new(client(), server().auth_timeout(Duration::from_secs(40)));
    pair.server().mute = true;
    pair.open();
    pair.run_for(Duration::from_secs(70));
    let (side, method) = (Side::Peer, AuthMethod::MsChapV2);
    assert_eq!(pair.server().closed(), Some(&CloseReason::AuthTimeout { side, method }));
}
