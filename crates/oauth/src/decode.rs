//! Reading access tokens: the one function that decides whether a token is good.

use std::time::Duration;

use jiff::Timestamp;

use crate::jose::{Author, Rules, verified};
use crate::members::Life;
use crate::{AccessTokenClaims, Algorithm, TokenError, VerifyingKeys};

/// What a token must say to be good here.
#[derive(Clone, Debug)]
pub struct Expectations {
    /// The issuer, compared byte by byte (RFC 9068 §4).
    pub issuer: String,
    /// The audience: this resource server.
    pub audience: String,
    /// How far two clocks may be apart; at most a minute is taken.
    pub leeway: Duration,
}

/// RFC 9068 §4, ASVS 5.0 9.2.2: an ID token or a logout token is no access token.
const RULES: Rules<'static> = Rules {
    types: &["at+jwt"],
    algorithms: Algorithm::ALL,
    max_bytes: 8 * 1024,
    author: Author::Ourselves,
};

/// The longest leeway that is taken (RFC 7519 §4.1.4: "no more than a few minutes").
const MAX_LEEWAY: Duration = Duration::from_mins(1);

/// Checks a token and gives its claims.
///
/// In this order, so that a forger's bytes meet as little code as can be: size, shape, header,
/// key, signature; claims only of a token that one of our keys signed.
pub fn decode_access_token(
    token: &str,
    keys: &VerifyingKeys,
    expectations: &Expectations,
    now: Timestamp,
) -> Result<AccessTokenClaims, TokenError> {
    let claims = verified(token, &RULES, keys)?;
    let claims = AccessTokenClaims::from_members(claims)?;
    check_claims(&claims, expectations, now)?;
    Ok(claims)
}

fn check_claims(
    claims: &AccessTokenClaims,
    expectations: &Expectations,
    now: Timestamp,
) -> Result<(), TokenError> {
    if claims.iss != expectations.issuer {
        return Err(TokenError::Issuer);
    }
    // ASVS 5.0 9.2.3.
    if claims.aud != expectations.audience {
        return Err(TokenError::Audience);
    }
    let leeway = expectations.leeway.min(MAX_LEEWAY).as_secs().cast_signed();
    // ASVS 5.0 9.2.1.
    let life = Life {
        from: claims.nbf.unwrap_or(claims.iat).max(claims.iat),
        until: claims.exp,
    };
    life.check(now.as_second(), leeway)
}
