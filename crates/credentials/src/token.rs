//! Single-use secrets and bearers: each kind is a type of its own, stored as a type of its own, so
//! that none can stand for another.
//!
//! What has enough bits that nobody guesses it is stored as SHA-256; a mailed code of six digits is
//! stored as a keyed hash ([`CodeKey`]).

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use stdx::{Rng, Secret};
use uuid::Uuid;

use crate::{CodeKey, KeyedHash, crockford, sha256_hex};

/// Secrets that show nothing of themselves.
macro_rules! hidden {
    ($($name:ident),*) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(***)"))
            }
        }
    )*};
}

mod client;
mod csrf;
mod registration;

pub use client::{
    AuthorizationCode, AuthorizationCodeHash, BrowserId, ClientSecret, ClientSecretHash,
    DeviceCode, DeviceCodeHash,
};
pub use csrf::CsrfKey;
pub use registration::{RegistrationToken, RegistrationTokenHash, RegistrationUse};

/// What a link, a code or a mail is for. It goes into what is stored, so a token for one purpose
/// is unknown for each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// To confirm the address of a new account.
    ConfirmAddress,
    /// To move an account to another address.
    ChangeAddress,
    /// To set a new password without the old one.
    ResetPassword,
    /// To register when one was invited or approved.
    AcceptInvitation,
    /// To delete an account.
    DeleteAccount,
    /// To become the first administrator.
    FirstAdministrator,
}

/// What somebody sent is no token of that kind. Never holds the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It has another form; nothing needs to be looked up.
    #[error("it is no such token")]
    Form,
    /// An API key in which something was mistyped or cut off.
    #[error("the API key is mistyped or incomplete")]
    Checksum,
}

/// 256 random bits in a link, as 43 characters of base64url.
pub struct LinkToken(Secret<[u8; 32]>);

/// The id of a session, as its cookie holds it: 256 random bits, 43 characters of base64url.
pub struct SessionId(Secret<[u8; 32]>);

/// `pk_`, 160 random bits and a checksum: 41 small letters and digits.
pub struct ApiKey(Secret<String>);

/// Six digits in a mail, to be typed in.
pub struct MailCode(Secret<String>);

/// A stored link token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkTokenHash(String);

/// A stored session id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SessionIdHash(String);

/// A stored API key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ApiKeyHash(String);

/// A stored mail code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailCodeHash(KeyedHash);

impl Purpose {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::ConfirmAddress,
        Self::ChangeAddress,
        Self::ResetPassword,
        Self::AcceptInvitation,
        Self::DeleteAccount,
        Self::FirstAdministrator,
    ];

    /// The name under which it is hashed and stored; never to be changed, or what was sent is void.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ConfirmAddress => "confirm-address",
            Self::ChangeAddress => "change-address",
            Self::ResetPassword => "reset-password",
            Self::AcceptInvitation => "accept-invitation",
            Self::DeleteAccount => "delete-account",
            Self::FirstAdministrator => "first-administrator",
        }
    }

    /// Reads [`Purpose::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.name() == name)
    }
}

impl LinkToken {
    /// A new token.
    #[must_use]
    pub fn generate(rng: &Rng) -> Self {
        Self(Secret::new(rng.bytes()))
    }

    /// Reads what a link brought.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        Ok(Self(decode(text)?))
    }

    /// For the link.
    #[must_use]
    pub fn to_text(&self) -> Secret<String> {
        encode(&self.0)
    }

    /// What is stored and looked for.
    #[must_use]
    pub fn hash(&self, purpose: Purpose) -> LinkTokenHash {
        LinkTokenHash(hash(purpose.name(), self.0.expose()))
    }
}

impl SessionId {
    /// A new id; at login, at step-up and when rights change.
    #[must_use]
    pub fn generate(rng: &Rng) -> Self {
        Self(Secret::new(rng.bytes()))
    }

    /// Reads a cookie's value.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        Ok(Self(decode(text)?))
    }

    /// For the cookie.
    #[must_use]
    pub fn to_text(&self) -> Secret<String> {
        encode(&self.0)
    }

    /// What is stored and looked for.
    #[must_use]
    pub fn hash(&self) -> SessionIdHash {
        SessionIdHash(hash("session", self.0.expose()))
    }
}

impl ApiKey {
    /// What every key begins with, for people and for scanners of published code.
    pub const PREFIX: &str = "pk_";
    /// Characters behind the prefix that are chance: five bits each.
    const RANDOM: usize = 32;
    /// Characters of the checksum: a typo goes unseen once in a billion.
    const CHECK: usize = 6;

    /// A new key.
    #[must_use]
    pub fn generate(rng: &Rng) -> Self {
        let random = Secret::new(crockford::spell(&rng.bytes::<{ Self::RANDOM }>()));
        let check = Self::checksum(random.expose());
        Self(Secret::new(format!(
            "{}{}{check}",
            Self::PREFIX,
            random.expose()
        )))
    }

    /// Reads a header's value, exactly as it was shown. A mistyped key is known without asking the
    /// database.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        let body = text.strip_prefix(Self::PREFIX).ok_or(TokenError::Form)?;
        if !body.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(TokenError::Form);
        }
        // Bytes are characters here.
        let (random, check) = body
            .split_at_checked(Self::RANDOM)
            .ok_or(TokenError::Checksum)?;
        if check != Self::checksum(random) {
            return Err(TokenError::Checksum);
        }
        Ok(Self(Secret::new(text.to_owned())))
    }

    /// For the one time that it is shown.
    #[must_use]
    pub fn to_text(&self) -> Secret<String> {
        self.0.clone()
    }

    /// The first eight characters, by which its owner knows it again in a list; the other 135 bits
    /// are still to be guessed.
    #[must_use]
    pub fn start(&self) -> String {
        self.0.expose().chars().take(8).collect()
    }

    /// What is stored and looked for.
    #[must_use]
    pub fn hash(&self) -> ApiKeyHash {
        ApiKeyHash(hash("api-key", self.0.expose().as_bytes()))
    }

    fn checksum(random: &str) -> String {
        let text = format!("pilaster/api-key-checksum/1/{random}");
        let digest = digest(&SHA256, text.as_bytes());
        crockford::spell(&digest.as_ref()[..Self::CHECK])
    }
}

impl MailCode {
    /// Characters of a code. Twenty bits are enough for what ends after five wrong tries.
    const DIGITS: usize = 6;

    /// A new code.
    #[must_use]
    pub fn generate(rng: &Rng) -> Self {
        loop {
            let number = u32::from_le_bytes(rng.bytes());
            // What is beyond the last whole million would make small codes likelier.
            if number < u32::MAX - u32::MAX % 1_000_000 {
                return Self(Secret::new(format!("{:06}", number % 1_000_000)));
            }
        }
    }

    /// Reads what somebody typed; blanks and hyphens do not matter.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        if text.len() > 32 {
            return Err(TokenError::Form);
        }
        let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        let digits = Secret::new(digits);
        let is_code = digits.expose().len() == Self::DIGITS
            && digits.expose().bytes().all(|byte| byte.is_ascii_digit());
        match is_code {
            true => Ok(Self(digits)),
            false => Err(TokenError::Form),
        }
    }

    /// For the mail.
    #[must_use]
    pub fn to_text(&self) -> Secret<String> {
        self.0.clone()
    }

    /// What is stored; `record` is the id of what the code confirms, so that a code is good for
    /// that alone.
    #[must_use]
    pub fn hash(&self, purpose: Purpose, record: Uuid, key: &CodeKey) -> MailCodeHash {
        let purpose = format!("mail-code/{}", purpose.name());
        MailCodeHash(key.hash(&purpose, record, self.0.expose().as_bytes()))
    }
}

/// Text for the database, and nothing that reads it back: what is stored is only looked for.
macro_rules! stored_as_text {
    ($($name:ident),*) => {$(
        impl $name {
            /// For the database: 64 hexadecimal digits.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    )*};
}

stored_as_text!(LinkTokenHash, SessionIdHash, ApiKeyHash);

impl MailCodeHash {
    /// For the database: 64 hexadecimal digits.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.0.to_text()
    }
}

hidden!(LinkToken, SessionId, ApiKey, MailCode);

/// SHA-256 behind the kind's name, so that the same bytes as another kind have another hash.
fn hash(kind: &str, bytes: &[u8]) -> String {
    let mut whole = format!("pilaster/{kind}/1\0").into_bytes();
    whole.extend_from_slice(bytes);
    sha256_hex(Secret::new(whole).expose())
}

fn encode(bytes: &Secret<[u8; 32]>) -> Secret<String> {
    Secret::new(URL_SAFE_NO_PAD.encode(bytes.expose()))
}

fn decode(text: &str) -> Result<Secret<[u8; 32]>, TokenError> {
    if text.len() != 43 {
        return Err(TokenError::Form);
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| TokenError::Form)?;
    let bytes = <[u8; 32]>::try_from(bytes).map_err(|_| TokenError::Form)?;
    Ok(Secret::new(bytes))
}
