//! A TUN device with its address, set through netlink. Both vanish with the process.

use std::io;
use std::net::IpAddr;

use futures_util::TryStreamExt;
use rtnetlink::Handle;
use rtnetlink::LinkUnspec;
use tun_rs::AsyncDevice;
use tun_rs::DeviceBuilder;

pub(crate) struct Tun {
    device: AsyncDevice,
    name: String,
    pub(crate) index: u32,
    pub(crate) netlink: Handle,
}

impl Tun {
    /// Creates a device; the kernel picks the name unless one is asked for.
    pub(crate) async fn create(name: Option<&str>, mtu: u16) -> io::Result<Self> {
        let mut builder = DeviceBuilder::new().mtu(mtu);
        if let Some(name) = name {
            builder = builder.name(name);
        }
        let device = builder.build_async().map_err(|error| {
            let hint = match error.kind() {
                io::ErrorKind::PermissionDenied | io::ErrorKind::NotFound => {
                    "it takes root or CAP_NET_ADMIN, and /dev/net/tun"
                }
                _ => "is its name taken, or longer than 15 characters?",
            };
            let text = format!("the TUN device could not be made: {error} ({hint})");
            io::Error::new(error.kind(), text)
        })?;
        let (connection, netlink, _) = rtnetlink::new_connection()?;
        tokio::spawn(connection);
        let name = device.name()?;
        let mut links = netlink.link().get().match_name(&name).execute();
        let link = links.try_next().await.map_err(io::Error::other)?;
        let index = link.ok_or_else(|| io::Error::other("the new device is gone"))?.header.index;
        Ok(Self { device, name, index, netlink })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Gives the device an address and turns it on.
    pub(crate) async fn set_up(&self, address: IpAddr, prefix: u8, mtu: u16) -> io::Result<()> {
        let address = self.netlink.address().add(self.index, address, prefix);
        address.execute().await.map_err(io::Error::other)?;
        let up = LinkUnspec::new_with_index(self.index).mtu(u32::from(mtu)).up().build();
        self.netlink.link().set(up).execute().await.map_err(io::Error::other)
    }

    pub(crate) async fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.device.recv(buf).await
    }

    /// Hands a packet to the kernel; a full queue loses it.
    pub(crate) fn send(&self, packet: &[u8]) {
        if let Err(error) = self.device.try_send(packet) {
            tracing::debug!(%error, "packet not delivered to the device");
        }
    }
}
