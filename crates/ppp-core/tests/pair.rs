//! A client and a server, over a wire in virtual time.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod harness;

use harness::*;
use ppp_core::AuthMethod;
use ppp_core::Phase;
use ppp_core::Side;

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
