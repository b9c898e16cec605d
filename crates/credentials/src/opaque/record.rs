//! What is stored of a password that the server never saw.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{KeyStretching, OpaqueError, RegistrationRecord, SUITE, SetupId};
use crate::phc::number;

/// What every stored record begins with.
const PREFIX: &str = "$opaque$v=";

/// A client's record with all that a later login has to know: the version of the suite, the set-up
/// that took part, and the client's stretching.
///
/// Without the set-up it is worth nothing to a thief; with it, as much as a hash.
#[derive(Clone, Debug)]
pub struct OpaqueRecord {
    setup: SetupId,
    stretching: KeyStretching,
    record: RegistrationRecord,
}

impl OpaqueRecord {
    pub(super) fn new(
        setup: SetupId,
        stretching: KeyStretching,
        record: RegistrationRecord,
    ) -> Self {
        Self {
            setup,
            stretching,
            record,
        }
    }

    /// Reads exactly what [`OpaqueRecord::to_stored`] writes.
    pub fn from_stored(text: &str) -> Result<Self, OpaqueError> {
        Self::read(text).ok_or(OpaqueError::Stored)
    }

    fn read(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix(PREFIX)?.split('$');
        let (version, settings, record) = (parts.next()?, parts.next()?, parts.next()?);
        if number(version, "")? != SUITE || parts.next().is_some() {
            return None;
        }
        let mut settings = settings.split(',');
        let setup = SetupId(number(settings.next()?, "s=")?);
        let (memory_kib, iterations, parallelism) = (
            number(settings.next()?, "m=")?,
            number(settings.next()?, "t=")?,
            number(settings.next()?, "p=")?,
        );
        if settings.next().is_some() {
            return None;
        }
        Some(Self {
            setup,
            stretching: KeyStretching::argon2id(memory_kib, iterations, parallelism).ok()?,
            record: RegistrationRecord::from_base64url(record).ok()?,
        })
    }

    /// The text to store, at most 320 characters:
    /// `$opaque$v=1$s=SETUP,m=MEMORY_KIB,t=ITERATIONS,p=PARALLELISM$BASE64URL`.
    #[must_use]
    pub fn to_stored(&self) -> String {
        format!(
            "{PREFIX}{SUITE}$s={},m={},t={},p={}${}",
            self.setup.0,
            self.stretching.memory_kib(),
            self.stretching.iterations(),
            self.stretching.parallelism(),
            URL_SAFE_NO_PAD.encode(self.record.0.serialize()),
        )
    }

    /// The set-up without which it cannot be used.
    #[must_use]
    pub fn setup(&self) -> SetupId {
        self.setup
    }

    /// To be sent at the start of each login.
    #[must_use]
    pub fn stretching(&self) -> KeyStretching {
        self.stretching
    }

    /// Whether the client should register anew while it knows the password: today's set-up or
    /// stretching is another one.
    #[must_use]
    pub fn is_outdated(&self, setup: SetupId, stretching: KeyStretching) -> bool {
        self.setup != setup || self.stretching != stretching
    }

    pub(super) fn message(&self) -> &RegistrationRecord {
        &self.record
    }
}
