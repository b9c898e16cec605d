//! Making access tokens.

use crate::jose::sign;
use crate::{AccessTokenClaims, SigningKey, TokenError};

/// Signs an access token (RFC 9068 §2.1).
///
/// Fails with [`TokenError::Claim`] when the life is not positive or longer than
/// [`AccessTokenClaims::MAX_LIFE`].
pub fn encode_access_token(
    claims: &AccessTokenClaims,
    key: &SigningKey,
) -> Result<String, TokenError> {
    claims.check_life()?;
    sign("at+jwt", claims.to_members(), key)
}
