//! The grant jwt-bearer (RFC 7523 §2.1): a token for what another issuer says about a user.

use jiff::Timestamp;

use super::TokenRequestError;
use super::assertion::{Demands, check};
use crate::{Algorithm, VerifyingKeys};

/// What the assertion must be.
#[derive(Clone, Copy, Debug)]
pub struct BearerExpectations<'a> {
    /// The issuer that is trusted to say such things, byte by byte.
    pub trusted_issuer: &'a str,
    /// Its keys.
    pub keys: &'a VerifyingKeys,
    /// What it may sign with.
    pub algorithms: &'a [Algorithm],
    /// Our own issuer.
    pub issuer: &'a str,
    /// The longest life, seconds.
    pub longest: i64,
}

/// What the assertion says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BearerAssertion {
    /// The user, as the other issuer knows them.
    pub subject: String,
    /// Its own id, to be remembered until `until` and refused a second time.
    pub jti: String,
    /// Seconds since 1970.
    pub until: i64,
    /// The scopes that it allows, if it says.
    pub scope: Option<String>,
}

/// Checks the assertion of a jwt-bearer grant.
pub fn check_bearer_assertion(
    assertion: &str,
    expectations: &BearerExpectations<'_>,
    now: Timestamp,
) -> Result<BearerAssertion, TokenRequestError> {
    let refused = || TokenRequestError::grant("the assertion is refused");
    let demands = Demands {
        types: &["jwt", "authorization-grant+jwt"],
        algorithms: expectations.algorithms,
        audience: expectations.issuer,
        longest: expectations.longest,
    };
    let checked = check(assertion, expectations.keys, &demands, now).map_err(|_| refused())?;
    if checked.iss != expectations.trusted_issuer {
        return Err(refused());
    }
    let jti = checked
        .jti
        .ok_or(TokenRequestError::grant("the assertion has no jti"))?;
    Ok(BearerAssertion {
        subject: checked.sub,
        jti,
        until: checked.until,
        scope: checked.scope,
    })
}
