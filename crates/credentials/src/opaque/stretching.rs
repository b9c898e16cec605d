//! How much work a client puts into a password before it uses it.

use argon2::{Algorithm, Argon2, Params, Version};
use opaque_ke::errors::InternalError;
use opaque_ke::generic_array::{ArrayLength, GenericArray};
use serde::{Deserialize, Serialize};

/// Argon2id with 16 zero bytes of salt (RFC 9807 §7), within a floor and a ceiling.
///
/// The server cannot see whether a client obeyed; registering with one setting and logging in with
/// another fails. So the setting is kept with each record and sent at the start of each login. As
/// JSON: `{"algorithm": "argon2id", "memory_kib": 19456, "iterations": 2, "parallelism": 1}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Wire", try_from = "Wire")]
pub struct KeyStretching {
    memory_kib: u32,
    iterations: u32,
    parallelism: u32,
}

/// Why a setting is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyStretchingError {
    /// Another algorithm than Argon2id.
    #[error("key stretching is done by argon2id alone")]
    Algorithm,
    /// Less work than OWASP's least, whoever asks for it: a server that was taken over, or a
    /// record that was changed, must not make passwords cheap to guess.
    #[error("key stretching takes at least 7168 KiB, and memory times iterations at least 35840")]
    TooWeak,
    /// More than a phone, or a server that logs in for a script, can bear.
    #[error("key stretching takes at most 262144 KiB, 16 iterations and 16 lanes")]
    TooCostly,
}

/// The setting as JSON has it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    algorithm: String,
    memory_kib: u32,
    iterations: u32,
    parallelism: u32,
}

impl KeyStretching {
    /// 19 MiB, two passes, one lane: OWASP's choice, 50 ms in a browser.
    pub const DEFAULT: Self = Self {
        memory_kib: 19_456,
        iterations: 2,
        parallelism: 1,
    };

    /// A setting within the bounds. The floor is the weakest row of OWASP's table of equal
    /// strength (7 MiB, five passes).
    pub fn argon2id(
        memory_kib: u32,
        iterations: u32,
        parallelism: u32,
    ) -> Result<Self, KeyStretchingError> {
        let work = u64::from(memory_kib) * u64::from(iterations);
        if memory_kib < 7_168 || work < 35_840 || parallelism < 1 {
            return Err(KeyStretchingError::TooWeak);
        }
        if memory_kib > 262_144 || iterations > 16 || parallelism > 16 {
            return Err(KeyStretchingError::TooCostly);
        }
        Ok(Self {
            memory_kib,
            iterations,
            parallelism,
        })
    }

    /// Memory, KiB.
    #[must_use]
    pub fn memory_kib(self) -> u32 {
        self.memory_kib
    }

    /// Passes over the memory.
    #[must_use]
    pub fn iterations(self) -> u32 {
        self.iterations
    }

    /// Lanes.
    #[must_use]
    pub fn parallelism(self) -> u32 {
        self.parallelism
    }
}

impl Default for KeyStretching {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl From<KeyStretching> for Wire {
    fn from(setting: KeyStretching) -> Self {
        Self {
            algorithm: "argon2id".to_owned(),
            memory_kib: setting.memory_kib,
            iterations: setting.iterations,
            parallelism: setting.parallelism,
        }
    }
}

impl TryFrom<Wire> for KeyStretching {
    type Error = KeyStretchingError;

    fn try_from(wire: Wire) -> Result<Self, KeyStretchingError> {
        match wire.algorithm.as_str() {
            "argon2id" => Self::argon2id(wire.memory_kib, wire.iterations, wire.parallelism),
            _ => Err(KeyStretchingError::Algorithm),
        }
    }
}

impl opaque_ke::ksf::Ksf for KeyStretching {
    fn hash<L: ArrayLength<u8>>(
        &self,
        input: GenericArray<u8, L>,
    ) -> Result<GenericArray<u8, L>, InternalError> {
        let fault = |_| InternalError::KsfError;
        let settings = Params::new(
            self.memory_kib,
            self.iterations,
            self.parallelism,
            Some(L::USIZE),
        )
        .map_err(fault)?;
        let mut output = GenericArray::default();
        Argon2::new(Algorithm::Argon2id, Version::V0x13, settings)
            .hash_password_into(&input, &[0; 16], &mut output)
            .map_err(fault)?;
        Ok(output)
    }
}
