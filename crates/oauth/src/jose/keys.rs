//! Private keys.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaEncoding,
};
use stdx::{Rng, Secret};

use super::verifying::Public;
use super::{Algorithm, VerifyingKey, der};
use crate::KeyError;

/// A private key that signs tokens, with one algorithm. The private half leaves only by
/// [`SigningKey::to_pkcs8`].
pub struct SigningKey {
    pair: Pair,
    verifying: VerifyingKey,
}

enum Pair {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
    Rsa(rsa::KeyPair),
}

impl SigningKey {
    /// A new key. Ed25519 and P-256 keys follow from `rng`; RSA keys (3072 bits) do not, because
    /// the library takes the chance for their primes from the operating system by itself.
    pub fn generate(algorithm: Algorithm, rng: &Rng) -> Result<Self, KeyError> {
        let pair = match algorithm {
            Algorithm::EdDsa => {
                let seed = Secret::new(rng.bytes::<32>());
                Ed25519KeyPair::from_seed_unchecked(seed.expose()).map(Pair::Ed25519)
            }
            Algorithm::Es256 => return Self::of(algorithm, Pair::P256(elliptic_pair(rng)?)),
            Algorithm::Rs256 | Algorithm::Ps256 => {
                let pair = rsa::KeyPair::generate(rsa::KeySize::Rsa3072);
                return Self::of(algorithm, Pair::Rsa(pair.map_err(|_| KeyError::Failed)?));
            }
        };
        Self::of(algorithm, pair.map_err(|_| KeyError::Failed)?)
    }

    /// Reads a PKCS#8 document (RFC 5208; RFC 8410 §7 for Ed25519, version 1 or 2). A key of
    /// another kind than `algorithm` needs, or on another curve, or an RSA key of less than 2048
    /// bits is refused.
    pub fn from_pkcs8(algorithm: Algorithm, document: &[u8]) -> Result<Self, KeyError> {
        let refused = KeyError::Refused("it is not PKCS#8 of the algorithm's kind");
        let pair = match algorithm {
            Algorithm::EdDsa => {
                Ed25519KeyPair::from_pkcs8_maybe_unchecked(document).map(Pair::Ed25519)
            }
            Algorithm::Es256 => {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document).map(Pair::P256)
            }
            Algorithm::Rs256 | Algorithm::Ps256 => {
                rsa::KeyPair::from_pkcs8(document).map(Pair::Rsa)
            }
        };
        Self::of(algorithm, pair.map_err(|_| refused)?)
    }

    /// The private key as PKCS#8, to be sealed before it is stored.
    pub fn to_pkcs8(&self) -> Result<Secret<Vec<u8>>, KeyError> {
        let bytes = match &self.pair {
            Pair::Ed25519(pair) => pair.to_pkcs8().map(|document| document.as_ref().to_vec()),
            Pair::P256(pair) => pair.to_pkcs8v1().map(|document| document.as_ref().to_vec()),
            Pair::Rsa(pair) => pair.as_der().map(|document| document.as_ref().to_vec()),
        };
        bytes.map(Secret::new).map_err(|_| KeyError::Failed)
    }

    /// What it signs with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.verifying.algorithm()
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

    /// Signs `message`; 64 bytes, or as many as an RSA modulus has. Ed25519 and `RS256` give the
    /// same bytes for the same message; ECDSA and PSS salt theirs with the library's own chance.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        match &self.pair {
            Pair::Ed25519(pair) => pair
                .try_sign(message)
                .map(|signature| signature.as_ref().to_vec())
                .map_err(|_| KeyError::Failed),
            Pair::P256(pair) => pair
                .sign(&SystemRandom::new(), message)
                .map(|signature| signature.as_ref().to_vec())
                .map_err(|_| KeyError::Failed),
            Pair::Rsa(pair) => {
                let padding: &'static dyn RsaEncoding = match self.algorithm() {
                    Algorithm::Ps256 => &RSA_PSS_SHA256,
                    Algorithm::Rs256 | Algorithm::EdDsa | Algorithm::Es256 => &RSA_PKCS1_SHA256,
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &SystemRandom::new(), message, &mut signature)
                    .map_err(|_| KeyError::Failed)?;
                Ok(signature)
            }
        }
    }

    fn of(algorithm: Algorithm, pair: Pair) -> Result<Self, KeyError> {
        let public = match &pair {
            Pair::Ed25519(pair) => Public::Ed25519(
                pair.public_key()
                    .as_ref()
                    .try_into()
                    .map_err(|_| KeyError::Failed)?,
            ),
            Pair::P256(pair) => Public::P256(
                pair.public_key()
                    .as_ref()
                    .try_into()
                    .map_err(|_| KeyError::Failed)?,
            ),
            Pair::Rsa(pair) => {
                let (n, e) =
                    der::rsa_public_key(pair.public_key().as_ref()).ok_or(KeyError::Failed)?;
                Public::Rsa { n, e }
            }
        };
        let verifying = VerifyingKey::new(algorithm, public, None)?;
        Ok(Self { pair, verifying })
    }
}

/// A P-256 pair whose scalar is the first 32 bytes of `rng` that are one: nearly all are, those of
/// the group's order and above are not.
fn elliptic_pair(rng: &Rng) -> Result<EcdsaKeyPair, KeyError> {
    for _ in 0..16 {
        let scalar = Secret::new(rng.bytes::<32>());
        let document = Secret::new(der::ec_private_key(scalar.expose()));
        let pair =
            EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, document.expose());
        if let Ok(pair) = pair {
            return Ok(pair);
        }
    }
    Err(KeyError::Failed)
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.kid())
    }
}
