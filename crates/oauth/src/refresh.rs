//! Refresh tokens: families of which one member at a time is good.
//!
//! A token is not stored. It says its family and its number in it, and a keyed hash over both
//! proves that we made it, so the same successor can be made twice.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use stdx::Secret;
use uuid::Uuid;

/// A family as it is kept. Times are whole seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    /// The client that it is for.
    pub client_id: String,
    /// The key that it is bound to, for public clients with proofs (RFC 9449 §5).
    pub jkt: Option<String>,
    /// The number of the member that is good.
    pub current: u32,
    /// When the login was.
    pub started_at: i64,
    /// When the current member was made.
    pub rotated_at: i64,
    /// Whether it is over.
    pub is_revoked: bool,
}

/// How long a family lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshLimits {
    /// After the login, seconds.
    pub absolute: i64,
    /// Without use, seconds.
    pub idle: Option<i64>,
}

/// Who brings a refresh token.
#[derive(Clone, Copy, Debug)]
pub struct RefreshPresenter<'a> {
    /// The client that has proved who it is.
    pub client_id: &'a str,
    /// The key of its proof.
    pub jkt: Option<&'a str>,
    /// What time it is, seconds since 1970.
    pub now: i64,
}

/// What becomes of a presented token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refreshed {
    /// It was the good one: this family takes the place of the old, if nobody was faster (compare
    /// `current` when writing); the answer has its current member.
    Rotated(Family),
    /// It was used a moment ago: two tabs, or an answer that was lost. The answer has the same
    /// successor, and nothing changes.
    Repeated,
    /// It was used before: somebody has a copy. The family ends, durably, before the error is
    /// answered (RFC 9700 §4.14.2).
    Reused(Family),
    /// It is refused, and nothing changes.
    Refused(&'static str),
}

/// For how long the token just used gives the same successor, seconds.
const GRACE: i64 = 10;

impl Family {
    /// What becomes of this family's member `number`.
    #[must_use]
    pub fn present(
        &self,
        number: u32,
        presenter: &RefreshPresenter<'_>,
        limits: RefreshLimits,
    ) -> Refreshed {
        if self.is_revoked {
            return Refreshed::Refused("the family was revoked");
        }
        if presenter.client_id != self.client_id {
            return Refreshed::Refused("it was issued to another client");
        }
        if self
            .jkt
            .as_deref()
            .is_some_and(|jkt| presenter.jkt != Some(jkt))
        {
            return Refreshed::Refused("it is bound to another key");
        }
        let now = presenter.now;
        if now >= self.started_at.saturating_add(limits.absolute) {
            return Refreshed::Refused("the login was too long ago");
        }
        let is_idle = |idle: i64| now >= self.rotated_at.saturating_add(idle);
        if limits.idle.is_some_and(is_idle) {
            return Refreshed::Refused("it was not used for too long");
        }
        if number == self.current {
            return match self.current.checked_add(1) {
                Some(next) => Refreshed::Rotated(Self {
                    current: next,
                    rotated_at: now,
                    ..self.clone()
                }),
                None => Refreshed::Refused("the family has no numbers left"),
            };
        }
        if number > self.current {
            return Refreshed::Refused("it is newer than its family");
        }
        let just_used = number.checked_add(1) == Some(self.current);
        match just_used && now.saturating_sub(self.rotated_at) <= GRACE {
            true => Refreshed::Repeated,
            false => Refreshed::Reused(Self {
                is_revoked: true,
                ..self.clone()
            }),
        }
    }
}

/// A refresh token that one of our keys made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    /// Its family.
    pub family: Uuid,
    /// Its number in it.
    pub number: u32,
}

/// What every refresh token begins with, so that a leaked one is recognised.
const PREFIX: &str = "rt_";

impl RefreshToken {
    /// Its text: 73 characters, the same for the same key.
    #[must_use]
    pub fn encode(&self, key: &Secret<[u8; 32]>) -> Secret<String> {
        let mut bytes = self.message();
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.expose()), &bytes);
        bytes.extend_from_slice(tag.as_ref());
        let mut text = PREFIX.to_owned();
        URL_SAFE_NO_PAD.encode_string(bytes, &mut text);
        Secret::new(text)
    }

    /// Reads a token that one of `keys` made: the present one, or one that it has replaced.
    #[must_use]
    pub fn decode(text: &str, keys: &[Secret<[u8; 32]>]) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?;
        let (message, tag) = bytes.split_at_checked(20)?;
        let good = |key: &Secret<[u8; 32]>| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, key.expose());
            hmac::verify(&key, message, tag).is_ok()
        };
        if !keys.iter().any(good) {
            return None;
        }
        let (family, number) = message.split_first_chunk::<16>()?;
        Some(Self {
            family: Uuid::from_bytes(*family),
            number: u32::from_be_bytes(number.try_into().ok()?),
        })
    }

    fn message(&self) -> Vec<u8> {
        let mut bytes = self.family.as_bytes().to_vec();
        bytes.extend_from_slice(&self.number.to_be_bytes());
        bytes
    }
}
