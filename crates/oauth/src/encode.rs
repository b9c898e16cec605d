//! Making access tokens.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::{AccessTokenClaims, SigningKey, TokenError};

/// Signs an access token (RFC 9068, JWS compact serialisation of RFC 7515 §7.1).
///
/// Fails with [`TokenError::Claim`] when the life is not positive or longer than
/// [`AccessTokenClaims::MAX_LIFE`].
pub fn encode_access_token(
    claims: &AccessTokenClaims,
    key: &SigningKey,
) -> Result<String, TokenError> {
    claims.check_life()?;
    // RFC 9068 §2.1 the type, RFC 8037 §3.1 the algorithm; a kid is base64url and needs no escape.
    let header = format!(r#"{{"alg":"EdDSA","typ":"at+jwt","kid":"{}"}}"#, key.kid());
    let payload = Value::Object(claims.to_members()).to_string();
    let mut token = URL_SAFE_NO_PAD.encode(header);
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(payload, &mut token);
    let signature = key.sign(token.as_bytes());
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    Ok(token)
}
