//! Public keys, and sets of them.

use std::sync::Arc;

use aws_lc_rs::digest;
use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA256,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Algorithm;
use crate::{KeyError, TokenError};

/// The public half of a key, for one algorithm: a key never verifies with another one than the one
/// it was listed for (RFC 8725 §3.1).
#[derive(Clone)]
pub struct VerifyingKey {
    kid: Arc<str>,
    thumbprint: Arc<str>,
    algorithm: Algorithm,
    public: Arc<Public>,
    parsed: Arc<ParsedPublicKey>,
}

/// The numbers of a public key.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Public {
    /// The 32 bytes of RFC 8037 §2.
    Ed25519([u8; 32]),
    /// An uncompressed point: 4, 32 bytes of x, 32 bytes of y.
    P256([u8; 65]),
    /// Modulus and exponent, big-endian, no leading zeros.
    Rsa { n: Vec<u8>, e: Vec<u8> },
}

/// Keys whose signatures count: of our own the one that signs and those it replaced, or those of a
/// client or of another issuer.
#[derive(Clone, Debug, Default)]
pub struct VerifyingKeys(Vec<VerifyingKey>);

/// The smallest and largest modulus that is taken, bytes: 2048 bits are the least that RFC 7518
/// §3.3 allows, and above 4096 a single verification costs too much for what strangers can ask.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=512;

impl VerifyingKey {
    /// The Ed25519 key whose 32 bytes are `x` (RFC 8037 §2).
    pub fn from_bytes(x: [u8; 32]) -> Result<Self, KeyError> {
        Self::new(Algorithm::EdDsa, Public::Ed25519(x), None)
    }

    /// A key of that name; without one, its thumbprint is its name.
    pub(super) fn new(
        algorithm: Algorithm,
        public: Public,
        kid: Option<String>,
    ) -> Result<Self, KeyError> {
        let no_point = |_| KeyError::Refused("it is no point of its curve");
        let parsed = match (&public, algorithm) {
            (Public::Ed25519(x), Algorithm::EdDsa) => {
                ParsedPublicKey::new(&ED25519, x).map_err(no_point)?
            }
            (Public::P256(point), Algorithm::Es256) => {
                ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).map_err(no_point)?
            }
            (Public::Rsa { n, e }, Algorithm::Rs256 | Algorithm::Ps256) => {
                check_rsa(n, e)?;
                let parameters = match algorithm {
                    Algorithm::Ps256 => &RSA_PSS_2048_8192_SHA256,
                    _ => &RSA_PKCS1_2048_8192_SHA256,
                };
                PublicKeyComponents { n, e }
                    .to_parsed_public_key(parameters)
                    .map_err(|_| KeyError::Refused("it is no RSA key"))?
            }
            _ => {
                return Err(KeyError::Refused(
                    "its algorithm is not for its kind of key",
                ));
            }
        };
        let thumbprint: Arc<str> = public.thumbprint().into();
        Ok(Self {
            kid: kid.map_or_else(|| thumbprint.clone(), Into::into),
            thumbprint,
            algorithm,
            public: Arc::new(public),
            parsed: Arc::new(parsed),
        })
    }

    /// The key's name: its thumbprint, or what its owner calls it.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Its thumbprint (RFC 7638, SHA-256, base64url), whatever its name: `jkt` of RFC 9449 §6.
    #[must_use]
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// What it verifies.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub(super) fn public(&self) -> &Public {
        &self.public
    }

    /// Whether `signature` is this key's for `message`.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.parsed.verify_sig(message, signature).is_ok()
    }
}

/// 2048 to 4096 bits, and an exponent that is odd and at least 65537 (NIST SP 800-56B §6.2).
fn check_rsa(n: &[u8], e: &[u8]) -> Result<(), KeyError> {
    if !RSA_BYTES.contains(&n.len()) || n.first() == Some(&0) {
        return Err(KeyError::Refused("its modulus is not of 2048 to 4096 bits"));
    }
    let mut padded = [0; 4];
    let good = e.len() <= 4 && e.first() != Some(&0) && {
        padded[4 - e.len()..].copy_from_slice(e);
        let exponent = u32::from_be_bytes(padded);
        exponent >= 65_537 && exponent % 2 == 1
    };
    match good {
        true => Ok(()),
        false => Err(KeyError::Refused(
            "its exponent is even, or below 65537, or above 32 bits",
        )),
    }
}

impl std::fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "VerifyingKey({})", self.kid)
    }
}

impl Public {
    /// The members that RFC 7638 §3.2 hashes, in lexicographic order: name and value.
    pub(super) fn members(&self) -> Vec<(&'static str, String)> {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Ed25519(x) => vec![
                ("crv", "Ed25519".to_owned()),
                ("kty", "OKP".to_owned()),
                ("x", text(x)),
            ],
            Self::P256(point) => vec![
                ("crv", "P-256".to_owned()),
                ("kty", "EC".to_owned()),
                ("x", text(&point[1..33])),
                ("y", text(&point[33..])),
            ],
            Self::Rsa { n, e } => vec![("e", text(e)), ("kty", "RSA".to_owned()), ("n", text(n))],
        }
    }

    /// RFC 7638 §3; no value needs an escape.
    fn thumbprint(&self) -> String {
        let members: Vec<String> = self
            .members()
            .iter()
            .map(|(name, value)| format!(r#""{name}":"{value}""#))
            .collect();
        let canonical = format!("{{{}}}", members.join(","));
        URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, canonical.as_bytes()))
    }
}

impl VerifyingKeys {
    /// A set of keys; the order is that of the published list. A second key of the same name and
    /// algorithm is left out.
    #[must_use]
    pub fn new(keys: Vec<VerifyingKey>) -> Self {
        let mut all: Vec<VerifyingKey> = Vec::with_capacity(keys.len());
        for key in keys {
            let same =
                |other: &VerifyingKey| other.kid == key.kid && other.algorithm == key.algorithm;
            if !all.iter().any(same) {
                all.push(key);
            }
        }
        Self(all)
    }

    /// The first key of that name.
    #[must_use]
    pub fn get(&self, kid: &str) -> Option<&VerifyingKey> {
        self.0.iter().find(|key| key.kid() == kid)
    }

    /// The key of that name and algorithm. The name is only compared, never used as a path or in a
    /// statement. A token without a name is taken where one key alone can have signed it, as
    /// OpenID Connect Core §10.1 allows.
    pub(crate) fn find(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<&VerifyingKey, TokenError> {
        let Some(kid) = kid else {
            let mut fitting = self.0.iter().filter(|key| key.algorithm == algorithm);
            return match (fitting.next(), fitting.next()) {
                (Some(key), None) => Ok(key),
                (_, _) => Err(TokenError::UnknownKey),
            };
        };
        let mut error = TokenError::UnknownKey;
        for key in self.0.iter().filter(|key| key.kid() == kid) {
            if key.algorithm == algorithm {
                return Ok(key);
            }
            error = TokenError::Algorithm;
        }
        Err(error)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &VerifyingKey> {
        self.0.iter()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
