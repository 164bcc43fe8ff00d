use alloc::boxed::Box;
use alloc::vec::Vec;

use l2tp_wire::AttributeSet;
use l2tp_wire::AttributeType;
use l2tp_wire::EncodeError;
use l2tp_wire::Hiding;
use l2tp_wire::Message;
use l2tp_wire::MessageBuilder;
use l2tp_wire::hidden::HidingKey;
use vpn_core::RandomError;
use vpn_core::SecureRandom;
use vpn_core::crypto::CryptoProvider;
use vpn_core::crypto::Hash;

use crate::TunnelConfig;

/// Room for a message at first; one that is longer gets more.
const MESSAGE_ROOM: usize = 512;
/// A message is no longer than its Length field can say.
const LONGEST_MESSAGE: usize = 65_535;
/// Octets of the random vector that hides AVPs (RFC 2661 §4.4.1 recommends at least 16).
const VECTOR_LEN: usize = 16;
/// The most octets of padding behind a hidden value.
const LONGEST_PADDING: usize = 15;

/// What is hidden wherever there is a secret, because RFC 2661 §4.4.5 recommends it: who the
/// subscriber is, and the password.
const SENSITIVE: AttributeSet =
    AttributeSet::of(&[AttributeType::PROXY_AUTHEN_NAME, AttributeType::PROXY_AUTHEN_RESPONSE]);

/// What it takes to make messages: a digest, randomness, room.
pub(super) struct Tools {
    provider: &'static CryptoProvider,
    random: Box<dyn SecureRandom + Send>,
    room: Vec<u8>,
}

/// Why a message could not be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum BuildError {
    Encode(EncodeError),
    Random,
}

impl From<EncodeError> for BuildError {
    fn from(error: EncodeError) -> Self {
        Self::Encode(error)
    }
}

impl From<RandomError> for BuildError {
    fn from(_: RandomError) -> Self {
        Self::Random
    }
}

impl Tools {
    pub(super) fn new(
        provider: &'static CryptoProvider,
        random: Box<dyn SecureRandom + Send>,
    ) -> Self {
        Self { provider, random, room: Vec::new() }
    }

    pub(super) fn md5(&self) -> &'static dyn Hash<16> {
        self.provider.legacy.md5
    }

    pub(super) fn random<const N: usize>(&mut self) -> Result<[u8; N], RandomError> {
        let mut octets = [0; N];
        self.random.fill(&mut octets)?;
        Ok(octets)
    }

    /// An identifier that is not 0, for which `is_free` holds, and that is hard to guess. From a
    /// random start it tries them all with a random step, so that a taken one says nothing about
    /// what follows.
    pub(super) fn choose_id(&mut self, is_free: impl Fn(u16) -> bool) -> Option<u16> {
        let [a, b, c, d] = self.random().ok()?;
        let mut id = u16::from_be_bytes([a, b]);
        // An odd step reaches every number.
        let step = u16::from_be_bytes([c, d]) | 1;
        for _ in 0..=u16::MAX {
            if id != 0 && is_free(id) {
                return Some(id);
            }
            id = id.wrapping_add(step);
        }
        None
    }

    /// Makes a message whose Ns and Nr come later. `ids` are the peer's Tunnel ID and Session ID.
    pub(super) fn build(
        &mut self,
        ids: (u16, u16),
        message: &Message<'_>,
        config: &TunnelConfig,
        hide: Hide,
    ) -> Result<Box<[u8]>, BuildError> {
        let attributes = match (hide, message) {
            (Hide::Nothing, _) => None,
            // xl2tpd looks the secret up only when it has read the whole message that opens the
            // tunnel, so it can open nothing hidden in there.
            (Hide::Configured, Message::Sccrq(_) | Message::Sccrp(_)) => None,
            (Hide::Configured, _) if config.hide_avps => Some(AttributeSet::HIDEABLE),
            (Hide::Configured, Message::Iccn(_)) => Some(SENSITIVE),
            (Hide::Configured, _) => None,
        };
        let mut random = [0; VECTOR_LEN + 1 + LONGEST_PADDING];
        let hidden = config.secret.as_ref().zip(attributes);
        if hidden.is_some() {
            self.random.fill(&mut random)?;
        }
        let (vector, rest) = random.split_at(VECTOR_LEN);
        let (length, padding) = rest.split_at(1);
        let length = length.first().map_or(0, |octet| usize::from(octet % 16));
        let padding = padding.get(..length).unwrap_or_default();
        let hiding = hidden.map(|(secret, attributes)| Hiding {
            key: HidingKey { md5: self.md5(), secret: secret.expose(), random_vector: vector },
            attributes,
            padding,
        });
        loop {
            match encode(&mut self.room, ids, message, hiding) {
                Err(EncodeError::NoRoom { .. }) if self.room.len() < LONGEST_MESSAGE => {
                    let more = (self.room.len() * 2).clamp(MESSAGE_ROOM, LONGEST_MESSAGE);
                    self.room.resize(more, 0);
                }
                result => return Ok(result?),
            }
        }
    }
}

impl core::fmt::Debug for Tools {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Tools")
    }
}

/// Whether AVPs of a message are hidden.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Hide {
    /// As the configuration says.
    Configured,
    /// None: the peer may not have the secret.
    Nothing,
}

fn encode(
    room: &mut [u8],
    (tunnel_id, session_id): (u16, u16),
    message: &Message<'_>,
    hiding: Option<Hiding<'_>>,
) -> Result<Box<[u8]>, EncodeError> {
    let mut builder = MessageBuilder::new(room, tunnel_id, session_id)?;
    if let Some(hiding) = hiding {
        builder.hide(hiding);
    }
    message.encode(&mut builder)?;
    let len = builder.finish()?;
    Ok(room.get(..len).unwrap_or_default().into())
}
