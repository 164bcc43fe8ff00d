//! The options of IPsec, which client and server have alike.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use clap::ValueEnum;
use l2tp_ipsec::KeyLog;
use l2tp_ipsec::ike::Encapsulation;
use l2tp_ipsec::ike::EndpointConfig;
use l2tp_ipsec::ike::Lifetimes;
use l2tp_ipsec::ike::PeerInfo;
use l2tp_ipsec::ike::RemoteIdentity;
use l2tp_ipsec::ike::identity::Identity;
use l2tp_ipsec::ike::proposal::EspProposal;
use l2tp_ipsec::ike::proposal::IkeProposal;
use l2tp_ipsec::ike::proposal::Preset;
use serde_json::Value;
use vpn_crypto::ike::RsaKey;
use vpn_crypto::ike::TrustStore;
use vpn_crypto::ike::certificates_from_pem;

use super::keylog::KeyFolder;
use super::tap::Tap;

#[derive(Args)]
#[command(next_help_heading = "IPsec")]
pub(crate) struct Ipsec {
    /// The pre-shared key; make it long and random
    #[arg(long, value_name = "S", required_unless_present_any = ["plain", "cert"])]
    pub(crate) psk: Option<String>,
    /// Our certificate, with those between it and the authority behind it (PEM)
    #[arg(long, value_name = "FILE", requires_all = ["key", "ca"])]
    cert: Option<PathBuf>,
    /// The RSA key of our certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// The authorities that may vouch for peers (PEM)
    #[arg(long, value_name = "FILE", requires = "cert")]
    ca: Option<PathBuf>,
    /// Who we say that we are: an address, a name, user@name, or @# and hexadecimal octets
    #[arg(long, value_name = "ID")]
    local_id: Option<Identity>,
    /// Who the peer must be. If it is not given: anyone with the key or a certificate; a client wants
    /// the server's certificate to name the address that it called
    #[arg(long, value_name = "ID")]
    remote_id: Option<Identity>,
    /// What is offered and taken: modern, compatible (what today's clients need) or legacy (Android up
    /// to 11 and older)
    #[arg(long, value_name = "NAME", default_value_t = Preset::Compatible, value_parser = preset)]
    preset: Preset,
    /// What may protect IKE, best first, as strongSwan writes it: aes256-sha1-modp2048
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    ike: Vec<IkeProposal>,
    /// What may protect packets, best first: aes256-sha256,3des-sha1,aes256gcm16
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    esp: Vec<EspProposal>,
    /// When ESP goes inside UDP: behind a NAT, always, never
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    encap: Encap,
    /// The server's UDP port for IKE
    #[arg(long, value_name = "PORT", default_value_t = 500)]
    pub(crate) ike_port: u16,
    /// The server's UDP port for IKE and ESP through NATs
    #[arg(long, value_name = "PORT", default_value_t = 4500)]
    pub(crate) nat_t_port: u16,
    /// Seconds for which IKE's keys are used
    #[arg(long, value_name = "SECS", default_value_t = 28_800, value_parser = clap::value_parser!(u64).range(60..=604_800))]
    ike_lifetime: u64,
    /// Seconds for which a key for packets is used
    #[arg(long, value_name = "SECS", default_value_t = 3_600, value_parser = clap::value_parser!(u64).range(60..=604_800))]
    esp_lifetime: u64,
    /// Write every key into this folder, which is a Wireshark profile. Whoever has it reads
    /// everything
    #[arg(long, value_name = "FOLDER")]
    keylog: Option<PathBuf>,
    /// Record all packets, as pcapng: outside, what ESP had in it, and inside
    #[arg(long, value_name = "FILE")]
    pcap: Option<PathBuf>,
}

/// When ESP goes inside UDP, as the command line has it.
#[derive(Clone, Copy, ValueEnum)]
enum Encap {
    Auto,
    Force,
    Never,
}

/// What proves who we are and whom we trust, read from files.
#[derive(Clone)]
pub(crate) struct Certificates {
    key: Arc<RsaKey>,
    chain: Vec<Vec<u8>>,
    authorities: Arc<TrustStore>,
}

impl Ipsec {
    /// Whether there is IPsec at all.
    pub(crate) const fn is_wanted(&self) -> bool {
        self.psk.is_some() || self.cert.is_some()
    }

    pub(crate) const fn encapsulation(&self) -> Encapsulation {
        match self.encap {
            Encap::Auto => Encapsulation::Auto,
            Encap::Force => Encapsulation::Force,
            Encap::Never => Encapsulation::Never,
        }
    }

    /// Whether keys must be told: to be logged, or to open packets for the recording.
    pub(crate) const fn needs_keys(&self) -> bool {
        self.keylog.is_some() || self.pcap.is_some()
    }

    /// Reads the files of `--cert`, `--key` and `--ca`.
    pub(crate) fn certificates(&self) -> Result<Option<Certificates>, Box<dyn Error>> {
        let (Some(cert), Some(key), Some(ca)) = (&self.cert, &self.key, &self.ca) else {
            return Ok(None);
        };
        let chain = certificates_from_pem(&read(cert)?).map_err(|e| at(cert, &e))?;
        let rsa = RsaKey::from_pem(&read(key)?).map_err(|e| at(key, &e))?;
        if !chain.first().is_some_and(|certificate| rsa.belongs_to(certificate)) {
            return Err(at(key, &"not the key of the first certificate of --cert"));
        }
        let authorities = TrustStore::from_pem(&read(ca)?).map_err(|e| at(ca, &e))?;
        Ok(Some(Certificates { key: Arc::new(rsa), chain, authorities: Arc::new(authorities) }))
    }

    /// Applies the options.
    pub(crate) fn apply(
        &self,
        config: EndpointConfig,
        certificates: Option<Certificates>,
        encapsulation: Encapsulation,
    ) -> EndpointConfig {
        let lifetimes = Lifetimes {
            ike: Duration::from_secs(self.ike_lifetime),
            esp: Duration::from_secs(self.esp_lifetime),
            ..Lifetimes::default()
        };
        let mut config =
            config.preset(self.preset).encapsulation(encapsulation).lifetimes(lifetimes);
        if !self.ike.is_empty() {
            config = config.ike(self.ike.clone());
        }
        if !self.esp.is_empty() {
            config = config.esp(self.esp.clone());
        }
        if let Some(identity) = &self.local_id {
            config = config.local_id(identity.clone());
        }
        if let Some(identity) = &self.remote_id {
            config = config.remote_id(RemoteIdentity::OneOf(vec![identity.clone()]));
        }
        match certificates {
            Some(Certificates { key, chain, authorities }) => {
                config.certificate(key, chain).trust(authorities)
            }
            None => config,
        }
    }

    /// Begins the recording of packets, if one was asked for.
    pub(crate) fn tap(&self) -> Result<Tap, Box<dyn Error>> {
        match &self.pcap {
            Some(file) => Tap::to_file(file).map_err(|error| at(file, &error)),
            None => Ok(Tap::off()),
        }
    }

    /// Opens the folder for keys, if one was asked for.
    pub(crate) fn key_folder(&self) -> Result<Option<KeyFolder>, Box<dyn Error>> {
        let Some(folder) = &self.keylog else { return Ok(None) };
        let keys = KeyFolder::open(folder).map_err(|error| at(folder, &error))?;
        tracing::warn!(
            folder = %folder.display(),
            "KEYS ARE BEING WRITTEN: whoever has this folder reads and forges all traffic"
        );
        Ok(Some(keys))
    }
}

/// What becomes of keys that are told.
pub(crate) fn note_key(key: &KeyLog, folder: Option<&KeyFolder>, tap: &Tap) {
    if let Some(folder) = folder {
        folder.write(key);
    }
    if let KeyLog::Esp(keys) = key {
        tap.keys(keys);
    }
}

/// What is told of a peer that IKE has let in.
pub(crate) fn peer(info: &PeerInfo) -> [(&'static str, Value); 5] {
    let nat = match (info.nat.local, info.nat.remote) {
        (true, true) => Some("both"),
        (true, false) => Some("ours"),
        (false, true) => Some("peer"),
        (false, false) => None,
    };
    [
        ("peer", info.path.remote.to_string().into()),
        ("id", info.remote_id.to_string().into()),
        ("ike", info.proposal.to_string().into()),
        ("esp", if info.encapsulated { "udp" } else { "ip" }.into()),
        ("nat", nat.into()),
    ]
}

fn preset(text: &str) -> Result<Preset, String> {
    text.parse().map_err(|_| "there are modern, compatible and legacy".into())
}

fn read(path: &Path) -> Result<String, Box<dyn Error>> {
    fs::read_to_string(path).map_err(|error| at(path, &error))
}

fn at(path: &Path, error: &dyn std::fmt::Display) -> Box<dyn Error> {
    format!("{}: {error}", path.display()).into()
}
