//! The example `loopback` runs, over IPsec and in clear, and brings every packet back.

#[allow(dead_code)] // its command line
#[path = "../loopback/main.rs"]
mod loopback;

use loopback::Options;
use loopback::timeline::Timeline;

#[test]
fn every_packet_comes_back() {
    for plain in [false, true] {
        let options = Options { json: true, plain, packets: 500 };
        let timeline = Timeline::new();
        let summary = loopback::run(&options, &timeline).unwrap();
        let traffic = &summary.traffic;
        assert_eq!((traffic.sent, traffic.returned), (500, 500), "plain: {plain}");
        let rows = timeline.as_json().to_string();
        for (message, secured) in
            [("quick mode", true), ("ESP SAs", true), ("SCCRQ", false), ("IPCP", false)]
        {
            assert_eq!(rows.contains(message), !plain || !secured, "{message}, plain: {plain}");
        }
    }
}
