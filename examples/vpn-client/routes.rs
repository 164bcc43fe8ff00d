//! The routes that send traffic into a TUN device, and keep the tunnel's own packets out of it.

use std::io;
use std::net::IpAddr;

use futures_util::TryStreamExt;
use ipnet::IpNet;
use rtnetlink::Handle;
use rtnetlink::RouteMessageBuilder;
use rtnetlink::packet_route::route::RouteAddress;
use rtnetlink::packet_route::route::RouteAttribute;
use rtnetlink::packet_route::route::RouteMessage;

use crate::vpn::tun::Tun;

/// Routes of one device.
pub(crate) struct Routes {
    netlink: Handle,
    index: u32,
    /// Routes outside the device, which do not vanish with it.
    outside: Vec<RouteMessage>,
}

impl Routes {
    pub(crate) fn of(tun: &Tun) -> Self {
        Self { netlink: tun.netlink.clone(), index: tun.index, outside: Vec::new() }
    }

    /// Sends `network` into the device. A default route is added as its two halves, which win over
    /// the host's own default route without touching it.
    pub(crate) async fn add(&self, network: IpNet) -> io::Result<()> {
        let halves = network.prefix_len().max(1);
        for part in network.subnets(halves).map_err(io::Error::other)? {
            let route = to_network(part).output_interface(self.index).build();
            self.netlink.route().add(route).execute().await.map_err(|error| {
                io::Error::other(format!("the route to {part} could not be added: {error}"))
            })?;
        }
        Ok(())
    }

    /// Pins `server` to the way it is reached now, so that a wider route into the device cannot
    /// swallow the tunnel's own packets.
    pub(crate) async fn pin(&mut self, server: IpAddr) -> io::Result<()> {
        let host = IpNet::from(server);
        let mut query = to_network(host).build();
        query.header.table = 0;
        let mut found = self.netlink.route().get(query).execute();
        let now = found.try_next().await.map_err(io::Error::other)?;
        let now = now.ok_or_else(|| io::Error::other(format!("no route to {server}")))?;
        let Some(oif) = now.attributes.iter().find_map(|attribute| match attribute {
            RouteAttribute::Oif(index) => Some(*index),
            _ => None,
        }) else {
            return Ok(());
        };
        let gateway = now.attributes.iter().find_map(|attribute| match attribute {
            RouteAttribute::Gateway(RouteAddress::Inet(ip)) => Some(IpAddr::V4(*ip)),
            RouteAttribute::Gateway(RouteAddress::Inet6(ip)) => Some(IpAddr::V6(*ip)),
            _ => None,
        });
        let mut route = to_network(host).output_interface(oif);
        if let Some(gateway) = gateway {
            route = route.gateway(gateway).map_err(io::Error::other)?;
        }
        let route = route.build();
        match self.netlink.route().add(route.clone()).execute().await {
            Ok(()) => self.outside.push(route),
            // Somebody else's pin serves as well, and is not ours to remove.
            Err(error) if error.to_string().contains("exists") => {}
            Err(error) => return Err(io::Error::other(error)),
        }
        Ok(())
    }

    /// Removes what would outlive the device.
    pub(crate) async fn remove(&mut self) {
        for route in self.outside.drain(..) {
            if let Err(error) = self.netlink.route().del(route).execute().await {
                tracing::warn!(%error, "a route could not be removed");
            }
        }
    }
}

fn to_network(network: IpNet) -> RouteMessageBuilder<IpAddr> {
    RouteMessageBuilder::<IpAddr>::new()
        .destination_prefix(network.network(), network.prefix_len())
        .expect("an IpNet's prefix fits its address")
}
