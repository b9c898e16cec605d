//! Answers that are signed as a whole: userinfo, introspection and authorization responses.

use serde_json::{Map, Value};

use crate::jose::sign;
use crate::members::Putting;
use crate::{SigningKey, TokenError};

/// A signed userinfo answer (OpenID Connect Core §5.3.2): the claims, who says so and to whom.
pub fn sign_userinfo(
    claims: &Map<String, Value>,
    issuer: &str,
    client_id: &str,
    key: &SigningKey,
) -> Result<String, TokenError> {
    if !claims.get("sub").is_some_and(Value::is_string) {
        return Err(TokenError::Claim("sub"));
    }
    let mut members = Putting::new();
    members.put("iss", issuer).put("aud", client_id);
    // Neither `exp` nor `iat`: with them it would have the claims of an ID token.
    let members = members.extra(claims, &["exp", "iat", "nonce", "events"]);
    sign("JWT", members, key)
}

/// A signed introspection answer (RFC 9701 §5). What is said about the token stands one level
/// down, so that the answer cannot be taken for the token (§8.1). `now` in seconds since 1970;
/// `audience` is the resource server that asked.
pub fn sign_introspection(
    about: Map<String, Value>,
    issuer: &str,
    audience: &str,
    now: i64,
    key: &SigningKey,
) -> Result<String, TokenError> {
    let mut members = Putting::new();
    members
        .put("iss", issuer)
        .put("aud", audience)
        .put("iat", now)
        .put("token_introspection", Value::Object(about));
    sign(
        "token-introspection+jwt",
        members.extra(&Map::new(), &[]),
        key,
    )
}

/// A signed authorization response (JARM §2.1): the parameters that would have been sent one by
/// one, errors as well. `exp` in seconds since 1970, ten minutes ahead at most.
pub fn sign_authorization_response(
    parameters: &[(&str, &str)],
    issuer: &str,
    client_id: &str,
    exp: i64,
    key: &SigningKey,
) -> Result<String, TokenError> {
    let mut members = Putting::new();
    members
        .put("iss", issuer)
        .put("aud", client_id)
        .put("exp", exp);
    let mut extra = Map::new();
    for (name, value) in parameters {
        extra.insert((*name).to_owned(), (*value).into());
    }
    sign("JWT", members.extra(&extra, &[]), key)
}
