//! What the server has to remember between the two steps of a login, and what it learns.

use opaque_ke::ServerLoginParameters;
use stdx::Secret;
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use super::{LoginFinish, OpaqueError, Suite};

/// The first byte of a stored login state; that of a registration's differs.
const TAG: u8 = 0x4c;
/// The session key and the MAC that is awaited.
const INNER: usize = 128;

/// A login that was begun; to be kept by the server alone, for a minute, and used once.
pub struct LoginState {
    /// Nobody when the answer was made from the fake record.
    user: Option<Uuid>,
    inner: opaque_ke::ServerLogin<Suite>,
}

/// Somebody knows the password of a user.
#[derive(Debug)]
pub struct Proof {
    /// Whose.
    pub user: Uuid,
    /// Known to that client and to this server alone.
    pub session_key: SessionKey,
}

/// 64 bytes that both sides of one login came to. Never stored and never sent; it is no session id
/// and no authorization code.
pub struct SessionKey(Secret<Vec<u8>>);

impl LoginState {
    /// The length of its stored form, the same for a known user and for nobody.
    pub const BYTES: usize = 1 + 16 + INNER;

    pub(super) fn new(user: Option<Uuid>, inner: opaque_ke::ServerLogin<Suite>) -> Self {
        Self { user, inner }
    }

    /// Whose login it would be; for counting attempts, not for an answer.
    #[must_use]
    pub fn user(&self) -> Option<Uuid> {
        self.user
    }

    /// Judges the client's proof.
    ///
    /// Gives [`OpaqueError::Refused`] for a wrong password and for nobody alike.
    pub fn finish(self, message: LoginFinish) -> Result<Proof, OpaqueError> {
        // No identifiers and no context: `ServerSetups::start_login` has none either.
        let result = self
            .inner
            .finish(message.0, ServerLoginParameters::default())
            .map_err(|_| OpaqueError::Refused)?;
        let user = self.user.ok_or(OpaqueError::Refused)?;
        let session_key = SessionKey::new(&result.session_key);
        Ok(Proof { user, session_key })
    }

    /// To be kept until the client's second message.
    #[must_use]
    pub fn to_bytes(&self) -> Secret<Vec<u8>> {
        let mut bytes = Vec::with_capacity(Self::BYTES);
        bytes.push(TAG);
        bytes.extend(self.user.unwrap_or_default().as_bytes());
        bytes.extend(self.inner.serialize());
        Secret::new(bytes)
    }

    /// Reads what [`LoginState::to_bytes`] gave.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, OpaqueError> {
        let fault = OpaqueError::Stored;
        let (tag, rest) = bytes.split_first().ok_or(fault)?;
        let (user, inner) = rest.split_first_chunk::<16>().ok_or(fault)?;
        if *tag != TAG || inner.len() != INNER {
            return Err(fault);
        }
        let user = Uuid::from_bytes(*user);
        Ok(Self {
            user: (!user.is_nil()).then_some(user),
            inner: opaque_ke::ServerLogin::deserialize(inner).map_err(|_| fault)?,
        })
    }
}

impl std::fmt::Debug for LoginState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LoginState(***)")
    }
}

impl SessionKey {
    pub(super) fn new(bytes: &[u8]) -> Self {
        Self(Secret::new(bytes.to_vec()))
    }
}

impl PartialEq for SessionKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.expose().ct_eq(other.0.expose()).into()
    }
}

impl Eq for SessionKey {}

impl std::fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionKey(***)")
    }
}
