//! Steps: what the tokens may be used for, and where.

use super::{AuthorizeErrorCode, Draft, Given, Problem};
use crate::client::Client;
use crate::parameters::words;
use crate::response::ResponseType;
use crate::uri::Uri;

/// The longest `scope`, bytes.
const MAX_BYTES: usize = 2048;

/// Scopes that the client may have. Those that the issuer does not know are passed over (OpenID
/// Connect Core §3.1.2.1); one that it knows and that is not the client's is refused.
pub(crate) fn check(given: &Given<'_>, draft: &mut Draft) -> Result<(), Problem> {
    let asked = draft.parameters.get("scope").unwrap_or("");
    let known = given.inputs.issuer.scopes;
    draft.scopes = scopes_of(given.client, known, asked)
        .map_err(|text| Problem::new(AuthorizeErrorCode::InvalidScope, text))?;
    let is_openid = draft.scopes.iter().any(|scope| scope == "openid");
    if draft.response_type.is_some_and(ResponseType::has_id_token) && !is_openid {
        return Err(Problem::new(
            AuthorizeErrorCode::InvalidScope,
            "an ID token needs the scope openid",
        ));
    }
    Ok(())
}

/// The scopes of `asked` that `client` may have of an issuer that knows `known`.
pub fn scopes_of(
    client: &Client,
    known: &[String],
    asked: &str,
) -> Result<Vec<String>, &'static str> {
    if asked.len() > MAX_BYTES {
        return Err("scope is longer than 2048 bytes");
    }
    // RFC 6749 §3.3: printable ASCII apart from the space, `"` and `\`.
    let fits = |byte: u8| matches!(byte, 0x20 | 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    if !asked.bytes().all(fits) {
        return Err("scope has a character that none may have");
    }
    let mut scopes = Vec::new();
    for scope in words(asked) {
        if !known.iter().any(|known| known == scope) {
            continue;
        }
        if !client.scopes.iter().any(|own| own == scope) {
            return Err("the client may not ask for one of these scopes");
        }
        scopes.push(scope.to_owned());
    }
    match scopes.is_empty() && !words(asked).is_empty() {
        true => Err("the issuer knows none of these scopes"),
        false => Ok(scopes),
    }
}

/// The resource servers are the client's (RFC 8707 §2). Without one, the client's first is meant:
/// a token has one audience and never all (RFC 9700 §2.3).
pub(crate) fn check_resources(given: &Given<'_>, draft: &mut Draft) -> Result<(), Problem> {
    let asked: Vec<&str> = draft.parameters.all("resource").collect();
    draft.resources = resources_of(given.client, &asked)
        .map_err(|text| Problem::new(AuthorizeErrorCode::InvalidTarget, text))?;
    Ok(())
}

/// The resource servers of `asked`, each of which has to be the client's.
pub fn resources_of(client: &Client, asked: &[&str]) -> Result<Vec<String>, &'static str> {
    if asked.is_empty() {
        return Ok(client.resources.first().cloned().into_iter().collect());
    }
    let mut resources: Vec<String> = Vec::new();
    for resource in asked {
        // RFC 8707 §2: an absolute URI without a fragment.
        Uri::parse(resource).map_err(|_| "resource is not an absolute URI without a fragment")?;
        if !client.resources.iter().any(|own| own == resource) {
            return Err("the client may not ask for tokens for this resource");
        }
        if !resources.iter().any(|one| one == resource) {
            resources.push((*resource).to_owned());
        }
    }
    Ok(resources)
}
