//! Tokens that tell a form of our pages from one of another site.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use stdx::{Rng, Secret};

use super::SessionId;

/// Random bytes before the tag.
const NONCE: usize = 16;
/// HMAC-SHA256.
const TAG: usize = 32;

/// Makes and checks the tokens of all sessions; nothing is stored.
///
/// A token is 16 random bytes and the HMAC of these and the session's id. It is another one in each
/// page, so that a compressed answer does not give it away piece by piece (BREACH), and none is
/// good for another session, nor for the one after the next login.
pub struct CsrfKey(hmac::Key);

impl CsrfKey {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// A token for a page of that session: 64 characters of base64url.
    #[must_use]
    pub fn token(&self, session: &SessionId, rng: &Rng) -> Secret<String> {
        let nonce: [u8; NONCE] = rng.bytes();
        let tag = hmac::sign(&self.0, &signed(&nonce, session));
        Secret::new(URL_SAFE_NO_PAD.encode([&nonce, tag.as_ref()].concat()))
    }

    /// Whether a token was made for that session; compared without an early end.
    #[must_use]
    pub fn accepts(&self, session: &SessionId, token: &str) -> bool {
        if token.len() != (NONCE + TAG) / 3 * 4 {
            return false;
        }
        let Ok(bytes) = URL_SAFE_NO_PAD.decode(token) else {
            return false;
        };
        let Some((nonce, tag)) = bytes.split_first_chunk::<NONCE>() else {
            return false;
        };
        hmac::verify(&self.0, &signed(nonce, session), tag).is_ok()
    }
}

impl std::fmt::Debug for CsrfKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CsrfKey(***)")
    }
}

/// Both parts have one length, so no two readings are possible.
fn signed(nonce: &[u8; NONCE], session: &SessionId) -> Vec<u8> {
    [nonce.as_slice(), session.0.expose()].concat()
}
