//! Hashes of codes that are too short to be hashed without a key.

use aws_lc_rs::hmac;
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use crate::digest::hex;

/// The key with which codes are hashed: a copied database alone is not enough to guess them.
pub struct CodeKey(hmac::Key);

/// HMAC-SHA256 of a code; worth nothing without the key.
#[derive(Clone)]
pub(crate) struct KeyedHash([u8; 32]);

impl CodeKey {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// The hash of a code for one purpose and one owner: what was made for another does not match.
    pub(crate) fn hash(&self, purpose: &str, owner: Uuid, code: &[u8]) -> KeyedHash {
        let mut context = hmac::Context::with_key(&self.0);
        // The purpose ends at the zero, the owner has sixteen bytes: no two readings are possible.
        for part in [purpose.as_bytes(), &[0], owner.as_bytes(), code] {
            context.update(part);
        }
        let mut hash = [0; 32];
        hash.copy_from_slice(context.sign().as_ref());
        KeyedHash(hash)
    }
}

impl std::fmt::Debug for CodeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CodeKey(***)")
    }
}

impl KeyedHash {
    /// 64 hexadecimal digits.
    pub(crate) fn to_text(&self) -> String {
        hex(&self.0)
    }
}

impl PartialEq for KeyedHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for KeyedHash {}

impl std::fmt::Debug for KeyedHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}
