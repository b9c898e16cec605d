//! Ed25519 keys, private and public.

use std::sync::Arc;

use aws_lc_rs::digest;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, ParsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use stdx::{Rng, Secret};

use crate::KeyError;

/// A private key that signs tokens. The private half leaves only by [`SigningKey::to_pkcs8`].
pub struct SigningKey {
    pair: Ed25519KeyPair,
    verifying: VerifyingKey,
}

/// The public half.
#[derive(Clone)]
pub struct VerifyingKey {
    kid: Arc<str>,
    x: [u8; 32],
    parsed: Arc<ParsedPublicKey>,
}

/// All keys whose tokens are good: the one that signs and those it replaced.
#[derive(Clone, Debug, Default)]
pub struct VerifyingKeys(Vec<VerifyingKey>);

impl SigningKey {
    /// A new key from 32 bytes of `rng`.
    ///
    /// # Panics
    /// Never: every 32 bytes are a key.
    #[must_use]
    pub fn generate(rng: &Rng) -> Self {
        let seed = Secret::new(rng.bytes::<32>());
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.expose())
            .expect("every 32 bytes are an Ed25519 seed (RFC 8032 §5.1.5)");
        Self::of(pair).expect("a key pair's public half is a public key")
    }

    /// Reads a PKCS#8 document (RFC 8410 §7), version 1 or 2.
    pub fn from_pkcs8(document: &[u8]) -> Result<Self, KeyError> {
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(document).map_err(|_| KeyError)?;
        Self::of(pair)
    }

    /// The private key as PKCS#8, to be sealed before it is stored.
    ///
    /// # Panics
    /// Only without memory for some hundred bytes.
    #[must_use]
    pub fn to_pkcs8(&self) -> Secret<Vec<u8>> {
        let document = self
            .pair
            .to_pkcs8()
            .expect("a key pair in memory can be written");
        Secret::new(document.as_ref().to_vec())
    }

    /// The key's name: the public half's thumbprint.
    #[must_use]
    pub fn kid(&self) -> &str {
        self.verifying.kid()
    }

    /// The public half.
    #[must_use]
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.verifying
    }

    /// Signs `message` (RFC 8032 §5.1.6); 64 bytes.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        let mut bytes = [0; 64];
        bytes.copy_from_slice(self.pair.sign(message).as_ref());
        bytes
    }

    fn of(pair: Ed25519KeyPair) -> Result<Self, KeyError> {
        let x: [u8; 32] = pair
            .public_key()
            .as_ref()
            .try_into()
            .map_err(|_| KeyError)?;
        let verifying = VerifyingKey::from_bytes(x)?;
        Ok(Self { pair, verifying })
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.kid())
    }
}

impl VerifyingKey {
    /// The public key whose 32 bytes are `x` (RFC 8037 §2).
    pub fn from_bytes(x: [u8; 32]) -> Result<Self, KeyError> {
        let parsed = ParsedPublicKey::new(&ED25519, x).map_err(|_| KeyError)?;
        Ok(Self {
            kid: thumbprint(&x).into(),
            x,
            parsed: Arc::new(parsed),
        })
    }

    /// The key's name: its thumbprint.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.x
    }

    /// Whether `signature` is this key's for `message`.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.parsed.verify_sig(message, signature).is_ok()
    }
}

impl std::fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "VerifyingKey({})", self.kid)
    }
}

impl VerifyingKeys {
    /// A set of keys; the order is that of the published list.
    #[must_use]
    pub fn new(keys: Vec<VerifyingKey>) -> Self {
        Self(keys)
    }

    /// The key of that name. Only compared, never used as a path or in a statement.
    #[must_use]
    pub fn get(&self, kid: &str) -> Option<&VerifyingKey> {
        self.0.iter().find(|key| key.kid() == kid)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &VerifyingKey> {
        self.0.iter()
    }
}

/// RFC 7638 §3 with the required members of RFC 8037 §2, in lexicographic order, no white space.
fn thumbprint(x: &[u8; 32]) -> String {
    let canonical = format!(
        r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#,
        URL_SAFE_NO_PAD.encode(x)
    );
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, canonical.as_bytes()))
}
