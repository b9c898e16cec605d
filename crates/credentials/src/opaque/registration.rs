//! What the server has to remember between the two steps of a registration.

use stdx::Secret;
use uuid::Uuid;

use super::{KeyStretching, OpaqueError, OpaqueRecord, RegistrationRecord, SetupId};

/// The first byte of a stored registration state; that of a login's differs.
const TAG: u8 = 0x52;

/// Whose registration was begun, under which set-up and with which stretching.
///
/// Holds no secret, but is to be kept by the server: a client that could write it would choose
/// whose password it sets.
#[derive(Clone, Debug)]
pub struct RegistrationState {
    user: Uuid,
    setup: SetupId,
    stretching: KeyStretching,
}

impl RegistrationState {
    /// The length of its stored form.
    pub const BYTES: usize = 33;

    pub(super) fn new(user: Uuid, setup: SetupId, stretching: KeyStretching) -> Self {
        Self {
            user,
            setup,
            stretching,
        }
    }

    /// Whose password is being set.
    #[must_use]
    pub fn user(&self) -> Uuid {
        self.user
    }

    /// The record to store for [`RegistrationState::user`].
    #[must_use]
    pub fn finish(self, record: RegistrationRecord) -> OpaqueRecord {
        OpaqueRecord::new(self.setup, self.stretching, record)
    }

    /// To be kept until the client's second message.
    #[must_use]
    pub fn to_bytes(&self) -> Secret<Vec<u8>> {
        let mut bytes = Vec::with_capacity(Self::BYTES);
        bytes.push(TAG);
        bytes.extend(self.user.as_bytes());
        for number in [
            self.setup.0,
            self.stretching.memory_kib(),
            self.stretching.iterations(),
            self.stretching.parallelism(),
        ] {
            bytes.extend(number.to_be_bytes());
        }
        Secret::new(bytes)
    }

    /// Reads what [`RegistrationState::to_bytes`] gave.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, OpaqueError> {
        Self::read(bytes).ok_or(OpaqueError::Stored)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (tag, rest) = bytes.split_first()?;
        let (user, rest) = rest.split_first_chunk::<16>()?;
        let (numbers, rest) = rest.as_chunks::<4>();
        let [setup, memory_kib, iterations, parallelism] = <[[u8; 4]; 4]>::try_from(numbers)
            .ok()?
            .map(u32::from_be_bytes);
        if *tag != TAG || !rest.is_empty() {
            return None;
        }
        Some(Self {
            user: Uuid::from_bytes(*user),
            setup: SetupId(setup),
            stretching: KeyStretching::argon2id(memory_kib, iterations, parallelism).ok()?,
        })
    }
}
