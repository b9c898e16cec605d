//! Narrowing: a token may do no more than the grant that it comes from.

use super::{TokenErrorCode, TokenRequestError};
use crate::parameters::words;

/// The scopes that were asked for, each of which has to be granted; all that are granted, if none
/// was asked for (RFC 6749 §6).
pub fn narrow_scopes(
    granted: &[String],
    asked: Option<&str>,
) -> Result<Vec<String>, TokenRequestError> {
    let Some(asked) = asked else {
        return Ok(granted.to_vec());
    };
    let wider = TokenRequestError::new(
        TokenErrorCode::InvalidScope,
        "scope goes beyond what was granted",
    );
    words(asked)
        .into_iter()
        .map(|scope| match granted.iter().any(|one| one == scope) {
            true => Ok(scope.to_owned()),
            false => Err(wider),
        })
        .collect()
}

/// The one resource server that the token is for: the one asked for, which has to be granted, or
/// the first that is. Two at once are refused: a token has one audience (RFC 9700 §2.3).
pub fn narrow_resource(
    granted: &[String],
    asked: &[String],
) -> Result<Option<String>, TokenRequestError> {
    let target = |text| TokenRequestError::new(TokenErrorCode::InvalidTarget, text);
    match asked {
        [] => Ok(granted.first().cloned()),
        [one] if granted.contains(one) => Ok(Some(one.clone())),
        [_] => Err(target("resource was not granted")),
        _ => Err(target("a token is for one resource; ask once for each")),
    }
}
