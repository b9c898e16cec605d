//! The secret that a webhook's receiver knows us by (Standard Webhooks 1.0).

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use stdx::{Rng, Secret};

/// What every secret begins with.
const PREFIX: &str = "whsec_";

/// One secret, or, while the receiver changes to a new one, several.
#[derive(Clone, Debug)]
pub struct WebhookSecrets(Vec<Secret<Vec<u8>>>);

/// Why a text is no webhook secret. Never holds the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookSecretError {
    /// Nothing there.
    #[error("it is empty")]
    Empty,
    /// Not `whsec_` and base64 behind it.
    #[error("it is not whsec_ and base64 behind it")]
    Encoding,
    /// Too few bytes, or more than a receiver takes.
    #[error("it has not between 24 and 64 bytes")]
    Length,
}

impl WebhookSecrets {
    /// Reads `whsec_…`; several are separated by blanks, the newest first.
    pub fn parse(text: &str) -> Result<Self, WebhookSecretError> {
        let secrets: Result<Vec<_>, _> = text.split_whitespace().map(parse_one).collect();
        let secrets = secrets?;
        match secrets.is_empty() {
            true => Err(WebhookSecretError::Empty),
            false => Ok(Self(secrets)),
        }
    }

    /// The text of a new secret: 32 random bytes.
    #[must_use]
    pub fn generate(rng: &Rng) -> Secret<String> {
        let bytes = Secret::new(rng.bytes::<32>());
        Secret::new(format!("{PREFIX}{}", STANDARD.encode(bytes.expose())))
    }

    /// The `webhook-signature` header: one `v1,` and base64 of HMAC-SHA256 for each secret, over
    /// the id, the time in seconds since 1970 and the body as it is sent.
    #[must_use]
    pub fn signature(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let one = |secret: &Secret<Vec<u8>>| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose());
            let mut context = hmac::Context::with_key(&key);
            context.update(format!("{id}.{timestamp}.").as_bytes());
            context.update(body);
            format!("v1,{}", STANDARD.encode(context.sign().as_ref()))
        };
        let signatures: Vec<String> = self.0.iter().map(one).collect();
        signatures.join(" ")
    }
}

fn parse_one(text: &str) -> Result<Secret<Vec<u8>>, WebhookSecretError> {
    let encoded = text
        .strip_prefix(PREFIX)
        .ok_or(WebhookSecretError::Encoding)?;
    let bytes = STANDARD
        .decode(encoded)
        .map_err(|_| WebhookSecretError::Encoding)?;
    let bytes = Secret::new(bytes);
    match bytes.expose().len() {
        24..=64 => Ok(bytes),
        _ => Err(WebhookSecretError::Length),
    }
}
