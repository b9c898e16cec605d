//! OPAQUE (RFC 9807): a password is proved to a server that never sees it.
//!
//! The suite is fixed: ristretto255, SHA-512, 3DH, Argon2id in the client; no identifiers, an empty
//! context, and the user's id as credential identifier, so that a changed address keeps the
//! password. What travels is base64url without padding and of one length for each kind of message.
//!
//! ```text
//! client                                   server
//! ClientRegistration::start                                       RegistrationRequest →
//!                                          ServerSetups::start_registration
//!                                          ← RegistrationResponse, KeyStretching
//! ClientRegistration::finish                                      RegistrationRecord →
//!                                          RegistrationState::finish gives the OpaqueRecord to store
//!
//! ClientLogin::start                                              LoginRequest (KE1) →
//!                                          ServerSetups::start_login
//!                                          ← LoginResponse (KE2), KeyStretching
//! ClientLogin::finish                                             LoginFinish (KE3) →
//!                                          LoginState::finish gives the Proof
//! ```
//!
//! A client in a browser stretches the password itself, so it has to normalise it as
//! [`crate::Password`] does: other spaces become a space, then NFC.

use opaque_ke::errors::ProtocolError;

mod client;
mod login;
mod message;
mod record;
mod registration;
mod setup;
mod stretching;

pub use client::{ClientLogin, ClientRegistration};
pub use login::{LoginState, Proof, SessionKey};
pub use message::{
    LoginFinish, LoginRequest, LoginResponse, RegistrationRecord, RegistrationRequest,
    RegistrationResponse,
};
pub use record::OpaqueRecord;
pub use registration::RegistrationState;
pub use setup::{ServerSetup, ServerSetups, SetupId};
pub use stretching::{KeyStretching, KeyStretchingError};

/// The version of the suite, written into each record.
pub(crate) const SUITE: u32 = 1;

/// The oblivious function and the key exchange of the suite, without the client's stretching.
pub(crate) type Oprf = opaque_ke::Ristretto255;
pub(crate) type Exchange = opaque_ke::TripleDh<opaque_ke::Ristretto255, sha2_for_opaque::Sha512>;

/// The suite as a whole.
pub(crate) struct Suite;

impl opaque_ke::CipherSuite for Suite {
    type OprfCs = Oprf;
    type KeyExchange = Exchange;
    type Ksf = KeyStretching;
}

/// Why a step of OPAQUE did not come to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpaqueError {
    /// What the other side sent is no message of that kind.
    #[error("the OPAQUE message is malformed")]
    Malformed,
    /// The password is wrong, or nobody of that name has one; nobody can tell which.
    #[error("the password is not proved")]
    Refused,
    /// A stored text, state or set-up is not one of ours, or needs a set-up that is not there; a
    /// fault of the installation.
    #[error("a stored OPAQUE record, state or set-up cannot be used")]
    Stored,
}

/// What the library says of somebody's message.
fn of_message(error: ProtocolError) -> OpaqueError {
    match error {
        ProtocolError::InvalidLoginError => OpaqueError::Refused,
        ProtocolError::SerializationError
        | ProtocolError::SizeError { .. }
        | ProtocolError::ReflectedValueError
        | ProtocolError::LibraryError(_) => OpaqueError::Malformed,
    }
}

/// `stdx::Rng` for the generation of `rand` that the library speaks.
pub(crate) struct Chance<'r>(pub(crate) &'r stdx::Rng);

impl opaque_ke::rand::RngCore for Chance<'_> {
    fn next_u32(&mut self) -> u32 {
        u32::from_le_bytes(self.0.bytes())
    }

    fn next_u64(&mut self) -> u64 {
        u64::from_le_bytes(self.0.bytes())
    }

    fn fill_bytes(&mut self, target: &mut [u8]) {
        self.0.fill(target);
    }

    fn try_fill_bytes(&mut self, target: &mut [u8]) -> Result<(), opaque_ke::rand::Error> {
        self.0.fill(target);
        Ok(())
    }
}

impl opaque_ke::rand::CryptoRng for Chance<'_> {}
