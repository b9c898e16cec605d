//! Keys for one purpose each.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use stdx::{Rng, Secret};
use uuid::Uuid;

/// The key that is mixed into every password before it is hashed (NIST SP 800-63B §3.1.1.2):
/// a copied database alone is not enough to guess passwords.
pub struct Pepper {
    version: u32,
    key: hmac::Key,
}

/// The pepper for new hashes and those of older ones.
#[derive(Debug)]
pub struct Peppers {
    current: Pepper,
    previous: Vec<Pepper>,
}

/// The key under which private signing keys lie in the database.
pub struct KeyEncryptionKey(LessSafeKey);

/// The key under which OPAQUE's set-ups lie in the database.
#[derive(Debug)]
pub struct OpaqueSetupKey(pub(crate) KeyEncryptionKey);

/// The key under which the secrets of authenticator apps lie in the database.
#[derive(Debug)]
pub struct TotpKey(pub(crate) KeyEncryptionKey);

/// The key under which what is still to be mailed lies in the database: it may hold a link.
#[derive(Debug)]
pub struct MailKey(pub(crate) KeyEncryptionKey);

/// The sealed bytes were changed, or were sealed under another key or for another name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sealed value does not open under this key")]
pub struct OpenError;

impl Pepper {
    pub(crate) fn new(version: u32, key: &[u8; 32]) -> Self {
        Self {
            version,
            key: hmac::Key::new(hmac::HMAC_SHA256, key),
        }
    }

    /// Written into every hash made with it.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// HMAC-SHA256 of a password: of fixed length, so a long password costs no more to hash.
    pub(crate) fn mix(&self, password: &[u8]) -> Secret<Vec<u8>> {
        Secret::new(hmac::sign(&self.key, password).as_ref().to_vec())
    }
}

impl std::fmt::Debug for Pepper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pepper(version {})", self.version)
    }
}

impl Peppers {
    /// One pepper for new hashes, others to verify with.
    #[must_use]
    pub fn new(current: Pepper, previous: Vec<Pepper>) -> Self {
        Self { current, previous }
    }

    /// The pepper for new hashes.
    #[must_use]
    pub fn current(&self) -> &Pepper {
        &self.current
    }

    pub(crate) fn of_version(&self, version: u32) -> Option<&Pepper> {
        std::iter::once(&self.current)
            .chain(&self.previous)
            .find(|pepper| pepper.version == version)
    }
}

impl MailKey {
    /// Seals what the mail `id` says; it opens for that mail alone.
    #[must_use]
    pub fn seal(&self, id: Uuid, plain: &[u8], rng: &Rng) -> Vec<u8> {
        self.0.seal(&format!("mail/{id}"), plain, rng)
    }

    /// Opens what was sealed for the mail `id`.
    pub fn open(&self, id: Uuid, sealed: &[u8]) -> Result<Secret<Vec<u8>>, OpenError> {
        self.0.open(&format!("mail/{id}"), sealed)
    }
}

impl KeyEncryptionKey {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        let key = UnboundKey::new(&AES_256_GCM_SIV, key).expect("AES-256 takes 32 bytes");
        Self(LessSafeKey::new(key))
    }

    /// Seals `plain` under the name `name`: nonce, ciphertext, tag (RFC 8452).
    ///
    /// # Panics
    /// When `plain` is longer than 64 GiB.
    #[must_use]
    pub fn seal(&self, name: &str, plain: &[u8], rng: &Rng) -> Vec<u8> {
        let nonce: [u8; NONCE_LEN] = rng.bytes();
        let mut sealed = plain.to_vec();
        self.0
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(name.as_bytes()),
                &mut sealed,
            )
            .expect("sealing fails only for texts of gigabytes");
        let mut whole = nonce.to_vec();
        whole.append(&mut sealed);
        whole
    }

    /// Opens what was sealed under the same key and name.
    pub fn open(&self, name: &str, sealed: &[u8]) -> Result<Secret<Vec<u8>>, OpenError> {
        let (nonce, cipher) = sealed.split_at_checked(NONCE_LEN).ok_or(OpenError)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| OpenError)?;
        let mut buffer = cipher.to_vec();
        let length = self
            .0
            .open_in_place(nonce, Aad::from(name.as_bytes()), &mut buffer)
            .map_err(|_| OpenError)?
            .len();
        buffer.truncate(length);
        Ok(Secret::new(buffer))
    }
}

impl std::fmt::Debug for KeyEncryptionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyEncryptionKey(***)")
    }
}
