//! Reading access tokens: the one function that decides whether a token is good.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::strict::Members;
use crate::{AccessTokenClaims, TokenError, VerifyingKey, VerifyingKeys};

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

/// More than any token of ours; checked before a byte is decoded.
const MAX_BYTES: usize = 8 * 1024;

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
    if token.len() > MAX_BYTES {
        return Err(TokenError::Malformed("too long"));
    }
    // RFC 7515 §3.1: three segments; a JWE has five, a JSON serialisation none.
    let three = TokenError::Malformed("not three segments");
    let (message, signature) = token.rsplit_once('.').ok_or(three.clone())?;
    let (header, payload) = message.split_once('.').ok_or(three.clone())?;
    if payload.contains('.') {
        return Err(three);
    }
    let key = check_header(&members(header)?, keys)?;
    if !key.verify(message.as_bytes(), &segment(signature)?) {
        return Err(TokenError::Signature);
    }
    let claims = AccessTokenClaims::from_members(members(payload)?)?;
    check_claims(&claims, expectations, now)?;
    Ok(claims)
}

/// The header holds `alg`, `typ` and `kid` and nothing else. So `jku`, `jwk`, `x5u` and `x5c`
/// (keys that the forger brings along, RFC 8725 §3.10), `crit` and `b64` (RFC 7515 §4.1.11) and
/// `zip` are refused without code that understands them.
fn check_header<'k>(
    header: &Map<String, Value>,
    keys: &'k VerifyingKeys,
) -> Result<&'k VerifyingKey, TokenError> {
    for name in header.keys() {
        match name.as_str() {
            "alg" | "typ" | "kid" => {}
            "jku" | "jwk" | "x5u" | "x5c" | "x5t" | "x5t#S256" => {
                return Err(TokenError::Header("it brings its own key"));
            }
            "crit" => return Err(TokenError::Header("it has a critical extension")),
            _ => return Err(TokenError::Header("it has a member that we never write")),
        }
    }
    let text = |name: &str| header.get(name).and_then(Value::as_str);
    // RFC 8725 §3.1, ASVS 5.0 9.1.2: the algorithm is ours to say, the token's word only has to
    // agree. Exact: RFC 7515 §4.1.1 makes it case-sensitive, so `eddsa` and `None` fail alike.
    if text("alg") != Some("EdDSA") {
        return Err(TokenError::Algorithm);
    }
    // RFC 9068 §4, ASVS 5.0 9.2.2: an ID token or a logout token is no access token.
    let kind = text("typ").ok_or(TokenError::Type)?.to_ascii_lowercase();
    if kind.strip_prefix("application/").unwrap_or(&kind) != "at+jwt" {
        return Err(TokenError::Type);
    }
    // ASVS 5.0 9.1.3: keys come from our own list and from nowhere else.
    text("kid")
        .and_then(|kid| keys.get(kid))
        .ok_or(TokenError::UnknownKey)
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
    let now = now.as_second();
    let leeway = expectations.leeway.min(MAX_LEEWAY).as_secs().cast_signed();
    // RFC 7519 §4.1.4: "on or after" the time it is over. ASVS 5.0 9.2.1.
    if now >= claims.exp.saturating_add(leeway) {
        return Err(TokenError::Expired);
    }
    let earliest = claims.nbf.unwrap_or(claims.iat).max(claims.iat);
    if now.saturating_add(leeway) < earliest {
        return Err(TokenError::NotYetValid);
    }
    Ok(())
}

fn members(text: &str) -> Result<Map<String, Value>, TokenError> {
    let bytes = segment(text)?;
    serde_json::from_slice::<Members>(&bytes)
        .map(|members| members.0)
        .map_err(|_| TokenError::Malformed("not an object whose names all differ"))
}

/// RFC 7515 §2: base64url without padding, and without stray bits in the last character, so that
/// no two texts are the same token.
fn segment(text: &str) -> Result<Vec<u8>, TokenError> {
    URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| TokenError::Malformed("not base64url"))
}
