use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use vpn_core::SecretBytes;
use vpn_core::crypto::CryptoProvider;
use vpn_core::ct_eq;

use super::AuthMethod;
use super::MsChapError;
use super::MsChapV2;
use super::MsChapV2Response;
use super::NtPasswordHash;
use super::chap_md5_response;
use crate::Ticket;
use crate::text::Shown;

/// The peer has sent its proof of identity; answer with [`Link::answer_auth`](crate::Link).
///
/// The link waits, as long as the peer does: the answer may come from a RADIUS server.
#[derive(Clone)]
pub struct AuthRequest {
    /// Names this request in the answer.
    pub ticket: Ticket,
    /// The name that the peer gave, as it stands; any octets.
    pub name: Box<[u8]>,
    /// What the peer proves with.
    pub proof: Proof,
    /// Whether the peer is already known and proves itself again (RFC 1994 §2).
    pub again: bool,
}

/// What the peer sent to prove its identity.
#[derive(Clone)]
pub enum Proof {
    /// The password in clear (RFC 1334).
    Pap {
        /// The password.
        password: SecretBytes,
    },
    /// MD5 over identifier, password and challenge (RFC 1994).
    ChapMd5 {
        /// The Identifier of the Challenge.
        identifier: u8,
        /// The challenge that was sent.
        challenge: Box<[u8]>,
        /// The peer's Response Value.
        response: [u8; 16],
    },
    /// The NT response over two challenges, name and password (RFC 2759).
    MsChapV2 {
        /// The Identifier of the Response.
        identifier: u8,
        /// The challenge that was sent.
        challenge: [u8; 16],
        /// The peer's Response Value.
        response: MsChapV2Response,
    },
}

/// What the caller found out about an [`AuthRequest`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AuthVerdict {
    /// The proof is right.
    Accept(Acceptance),
    /// The proof is wrong, or the user may not come in.
    Reject(Rejection),
}

/// The proof was right.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Acceptance {
    /// For MS-CHAPv2 the proof that we know the password too; must be there for that method.
    pub authenticator_response: Option<[u8; 20]>,
    /// Text for the user.
    pub message: String,
}

/// The proof was wrong, or the user may not come in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rejection {
    /// Why; only MS-CHAPv2 can say it.
    pub error: MsChapError,
    /// Whether the user may try again at once. Only MS-CHAPv2 can, and only as often as
    /// [`LinkConfig::auth_attempts`](crate::LinkConfig::auth_attempts) lets it.
    pub retry: bool,
    /// Text for the user.
    pub message: String,
}

impl AuthRequest {
    /// The method that the proof belongs to.
    #[must_use]
    pub const fn method(&self) -> AuthMethod {
        match self.proof {
            Proof::Pap { .. } => AuthMethod::Pap,
            Proof::ChapMd5 { .. } => AuthMethod::ChapMd5,
            Proof::MsChapV2 { .. } => AuthMethod::MsChapV2,
        }
    }

    /// The name as text; octets that are no UTF-8 are replaced.
    #[must_use]
    pub fn user(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.name)
    }

    /// Checks the proof against the user's password, in constant time.
    #[must_use]
    pub fn verify(&self, password: &[u8], provider: &CryptoProvider) -> AuthVerdict {
        match &self.proof {
            Proof::Pap { password: sent } => AuthVerdict::when(sent.ct_eq(password)),
            Proof::ChapMd5 { identifier, challenge, response } => {
                let expected = chap_md5_response(provider, *identifier, password, challenge);
                AuthVerdict::when(ct_eq(&expected, response))
            }
            Proof::MsChapV2 { .. } => {
                self.verify_nt_hash(&NtPasswordHash::of_password(provider, password), provider)
            }
        }
    }

    /// Checks an MS-CHAPv2 proof against a stored hash of the password. Any other proof is
    /// rejected, for it cannot be checked with a hash.
    #[must_use]
    pub fn verify_nt_hash(&self, hash: &NtPasswordHash, provider: &CryptoProvider) -> AuthVerdict {
        let Proof::MsChapV2 { challenge, response, .. } = &self.proof else {
            return AuthVerdict::wrong_password();
        };
        let exchange = MsChapV2 {
            authenticator_challenge: challenge,
            peer_challenge: &response.peer_challenge,
            name: &self.name,
        };
        if !ct_eq(&exchange.nt_response(provider, hash), &response.nt_response) {
            return AuthVerdict::wrong_password();
        }
        let proof = exchange.authenticator_response(provider, hash, &response.nt_response);
        AuthVerdict::Accept(Acceptance {
            authenticator_response: Some(proof),
            message: String::new(),
        })
    }
}

impl AuthVerdict {
    /// Wrong user name or password; the user may try again.
    #[must_use]
    pub fn wrong_password() -> Self {
        Self::reject(MsChapError::AUTHENTICATION_FAILURE, true)
    }

    /// A rejection for a reason.
    #[must_use]
    pub const fn reject(error: MsChapError, retry: bool) -> Self {
        Self::Reject(Rejection { error, retry, message: String::new() })
    }

    /// Whether the proof was right.
    #[must_use]
    pub const fn is_accept(&self) -> bool {
        matches!(self, Self::Accept(_))
    }

    fn when(right: bool) -> Self {
        if right { Self::Accept(Acceptance::default()) } else { Self::wrong_password() }
    }
}

impl fmt::Debug for AuthRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthRequest")
            .field("ticket", &self.ticket)
            .field("name", &Shown(&self.name))
            .field("proof", &self.proof)
            .field("again", &self.again)
            .finish()
    }
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pap { password } => f.debug_struct("Pap").field("password", password).finish(),
            Self::ChapMd5 { identifier, .. } => {
                f.debug_struct("ChapMd5").field("identifier", identifier).finish_non_exhaustive()
            }
            Self::MsChapV2 { identifier, .. } => {
                f.debug_struct("MsChapV2").field("identifier", identifier).finish_non_exhaustive()
            }
        }
    }
}
