//! What the server keeps between the two steps of a ceremony.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use stdx::Secret;
use uuid::Uuid;
use webauthn_rs::prelude;

use super::PasskeyError;

/// A passkey is being made.
pub struct PasskeyRegistration {
    user: Uuid,
    inner: prelude::PasskeyRegistration,
}

/// A known user is asked for a passkey.
pub struct PasskeySecondFactor {
    user: Uuid,
    inner: prelude::PasskeyAuthentication,
}

/// Somebody who gave no name is asked for a passkey.
pub struct PasskeyLogin {
    inner: prelude::DiscoverableAuthentication,
}

/// A state as text: what kind it is, so that none is taken for another, and whose.
#[derive(Serialize, Deserialize)]
struct Stored<T> {
    kind: String,
    user: String,
    state: T,
}

const REGISTRATION: &str = "passkey-registration";
const SECOND_FACTOR: &str = "passkey-second-factor";
const LOGIN: &str = "passkey-login";

impl PasskeyRegistration {
    pub(super) fn new(user: Uuid, inner: prelude::PasskeyRegistration) -> Self {
        Self { user, inner }
    }

    /// Whose passkey it will be.
    #[must_use]
    pub fn user(&self) -> Uuid {
        self.user
    }

    pub(super) fn inner(&self) -> &prelude::PasskeyRegistration {
        &self.inner
    }

    /// To be kept by the server alone, for some minutes, and used once.
    pub fn to_text(&self) -> Result<Secret<String>, PasskeyError> {
        write(REGISTRATION, self.user, &self.inner)
    }

    /// Reads what [`PasskeyRegistration::to_text`] gave.
    pub fn from_text(text: &str) -> Result<Self, PasskeyError> {
        read(REGISTRATION, text).map(|(user, inner)| Self { user, inner })
    }
}

impl PasskeySecondFactor {
    pub(super) fn new(user: Uuid, inner: prelude::PasskeyAuthentication) -> Self {
        Self { user, inner }
    }

    /// Who is asked.
    #[must_use]
    pub fn user(&self) -> Uuid {
        self.user
    }

    pub(super) fn inner(&self) -> &prelude::PasskeyAuthentication {
        &self.inner
    }

    /// To be kept by the server alone, for some minutes, and used once.
    pub fn to_text(&self) -> Result<Secret<String>, PasskeyError> {
        write(SECOND_FACTOR, self.user, &self.inner)
    }

    /// Reads what [`PasskeySecondFactor::to_text`] gave.
    pub fn from_text(text: &str) -> Result<Self, PasskeyError> {
        read(SECOND_FACTOR, text).map(|(user, inner)| Self { user, inner })
    }
}

impl PasskeyLogin {
    pub(super) fn new(inner: prelude::DiscoverableAuthentication) -> Self {
        Self { inner }
    }

    pub(super) fn into_inner(self) -> prelude::DiscoverableAuthentication {
        self.inner
    }

    /// To be kept by the server alone, for some minutes, and used once.
    pub fn to_text(&self) -> Result<Secret<String>, PasskeyError> {
        write(LOGIN, Uuid::nil(), &self.inner)
    }

    /// Reads what [`PasskeyLogin::to_text`] gave.
    pub fn from_text(text: &str) -> Result<Self, PasskeyError> {
        read(LOGIN, text).map(|(_, inner)| Self { inner })
    }
}

macro_rules! hidden {
    ($($name:ident),*) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(***)"))
            }
        }
    )*};
}

hidden!(PasskeyRegistration, PasskeySecondFactor, PasskeyLogin);

fn write(kind: &str, user: Uuid, state: &impl Serialize) -> Result<Secret<String>, PasskeyError> {
    let stored = Stored {
        kind: kind.to_owned(),
        user: user.to_string(),
        state,
    };
    serde_json::to_string(&stored)
        .map(Secret::new)
        .map_err(|_| PasskeyError::Stored)
}

fn read<T: DeserializeOwned>(kind: &str, text: &str) -> Result<(Uuid, T), PasskeyError> {
    let stored: Stored<T> = serde_json::from_str(text).map_err(|_| PasskeyError::Stored)?;
    let user = Uuid::parse_str(&stored.user).map_err(|_| PasskeyError::Stored)?;
    match stored.kind == kind {
        true => Ok((user, stored.state)),
        false => Err(PasskeyError::Stored),
    }
}
