//! The algorithms that sign and verify here, and no others.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A way to sign (RFC 7518 §3.1, RFC 8037 §3.1). The set is closed: `none` and the HMAC family
/// have no value here, so nothing can be made or taken with them (RFC 8725 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// Ed25519. Curve `Ed448`, which JOSE gives the same name, is not taken.
    EdDsa,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// RSA, PKCS#1 v1.5 with SHA-256: what every OpenID client has to understand.
    Rs256,
    /// RSA, PSS with SHA-256.
    Ps256,
}

impl Algorithm {
    /// All of them, the one we prefer first.
    pub const ALL: &'static [Self] = &[Self::EdDsa, Self::Es256, Self::Ps256, Self::Rs256];

    /// Those that FAPI 2.0 allows (Security Profile §5.4.1): `RS256` is none of them.
    pub const FAPI2: &'static [Self] = &[Self::EdDsa, Self::Es256, Self::Ps256];

    /// Its name in a header, a key and metadata.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
        }
    }

    /// The algorithm of that name. Exact: RFC 7515 §4.1.1 makes names case-sensitive, so `eddsa`
    /// and `None` are nothing.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|algorithm| algorithm.name() == name)
    }

    /// The left half of the hash of `text`, base64url: `at_hash`, `c_hash` and `s_hash` in an ID
    /// token that is signed with this algorithm (OpenID Connect Core §3.1.3.6). Ed25519 hashes
    /// with SHA-512 itself, so its half is 32 bytes; the others' is 16.
    #[must_use]
    pub fn half_hash(self, text: &str) -> String {
        let hash = match self {
            Self::EdDsa => &digest::SHA512,
            Self::Es256 | Self::Rs256 | Self::Ps256 => &digest::SHA256,
        };
        let whole = digest::digest(hash, text.as_bytes());
        let bytes = whole.as_ref();
        URL_SAFE_NO_PAD.encode(&bytes[..bytes.len() / 2])
    }
}
