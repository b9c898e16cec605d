//! Devices without a browser (RFC 8628): the code that a person types, and how often is asked.

use stdx::Rng;

use crate::token::{TokenErrorCode, TokenRequestError};

/// RFC 8628 §6.1: consonants, so that no word appears, and none that looks like another.
const ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

/// Eight of twenty: 34 bits, of which a guesser is given a few tries.
const LENGTH: usize = 8;

/// A device's grant as it is kept. Times are whole seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceGrant {
    /// The client that it is for.
    pub client_id: String,
    /// When it ends.
    pub expires_at: i64,
    /// How long the device waits between two questions, seconds.
    pub interval: i64,
    /// When it asked last.
    pub polled_at: Option<i64>,
    /// What the user has said.
    pub status: DeviceStatus,
}

/// What the user has said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceStatus {
    /// Nothing yet.
    Pending,
    /// Yes.
    Approved,
    /// No.
    Denied,
    /// Yes, and the tokens were given.
    Used,
}

/// A device's question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Polled {
    /// The grant as it is then kept.
    pub grant: DeviceGrant,
    /// The tokens, or what the device is told.
    pub answer: Result<(), TokenRequestError>,
}

/// A new user code: eight characters, without the hyphen that people see.
#[must_use]
pub fn new_user_code(rng: &Rng) -> String {
    let mut code = String::with_capacity(LENGTH);
    while code.len() < LENGTH {
        let [byte] = rng.bytes::<1>();
        // 240 is the largest multiple of 20: above it, the first letters would be likelier.
        if byte < 240 {
            code.push(char::from(ALPHABET[usize::from(byte) % ALPHABET.len()]));
        }
    }
    code
}

/// How people see it: `BCDF-GHJK`.
#[must_use]
pub fn shown_user_code(code: &str) -> String {
    match code.split_at_checked(LENGTH / 2) {
        Some((one, other)) => format!("{one}-{other}"),
        None => code.to_owned(),
    }
}

/// What somebody typed, as a code: in any case, with hyphens and spaces wherever they were put.
/// `None`: it cannot be one.
#[must_use]
pub fn read_user_code(typed: &str) -> Option<String> {
    if typed.len() > 64 {
        return None;
    }
    let code: String = typed
        .chars()
        .filter(|character| !matches!(character, '-' | ' ' | '\u{2010}' | '\u{2011}' | '\u{2013}'))
        .map(|character| character.to_ascii_uppercase())
        .collect();
    let fits = code.bytes().all(|byte| ALPHABET.contains(&byte));
    (fits && code.len() == LENGTH).then_some(code)
}

impl DeviceGrant {
    /// The answer to a device that asks (§3.5). Who asks too soon waits five seconds longer from
    /// then on.
    #[must_use]
    pub fn poll(&self, client_id: &str, now: i64) -> Polled {
        let told = |code, description| Err(TokenRequestError::new(code, description));
        if client_id != self.client_id {
            return Polled {
                grant: self.clone(),
                answer: told(
                    TokenErrorCode::InvalidGrant,
                    "it was issued to another client",
                ),
            };
        }
        let mut grant = Self {
            polled_at: Some(now),
            ..self.clone()
        };
        let too_soon = self
            .polled_at
            .is_some_and(|at| now.saturating_sub(at) < self.interval);
        let answer = match self.status {
            DeviceStatus::Used => told(TokenErrorCode::InvalidGrant, "the code was used"),
            _ if now >= self.expires_at => told(
                TokenErrorCode::ExpiredToken,
                "the user did not answer in time",
            ),
            DeviceStatus::Denied => told(TokenErrorCode::AccessDenied, "the user refused"),
            DeviceStatus::Approved => {
                grant.status = DeviceStatus::Used;
                Ok(())
            }
            DeviceStatus::Pending if too_soon => {
                grant.interval = self.interval.saturating_add(5);
                told(
                    TokenErrorCode::SlowDown,
                    "wait five seconds longer between questions",
                )
            }
            DeviceStatus::Pending => told(
                TokenErrorCode::AuthorizationPending,
                "the user has not answered yet",
            ),
        };
        Polled { grant, answer }
    }
}
