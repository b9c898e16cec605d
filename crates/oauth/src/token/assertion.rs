//! Signed assertions of clients (RFC 7523): what is the same in both of their uses.

use jiff::Timestamp;

use crate::jose::{Author, Rules, verified};
use crate::members::{Life, Taking};
use crate::{Algorithm, TokenError, VerifyingKeys};

/// An assertion that one of the keys signed and that is good now.
pub(super) struct Assertion {
    pub(super) iss: String,
    pub(super) sub: String,
    pub(super) jti: Option<String>,
    /// When it need not be remembered any more, seconds since 1970.
    pub(super) until: i64,
    pub(super) scope: Option<String>,
}

/// What an assertion must be.
pub(super) struct Demands<'a> {
    pub(super) types: &'a [&'a str],
    pub(super) algorithms: &'a [Algorithm],
    /// The one audience, as a string and not a list (RFC 7523bis §4; FAPI 2.0 §5.3.2.1): an
    /// assertion that is for two can be passed on by one to the other.
    pub(super) audience: &'a str,
    /// The longest time from now to its end, seconds.
    pub(super) longest: i64,
}

/// How far two clocks may be apart, seconds. FAPI's tests take 8 and refuse 60.
const LEEWAY: i64 = 10;

/// The longest id that is remembered, bytes.
const MAX_JTI: usize = 255;

pub(super) fn check(
    text: &str,
    keys: &VerifyingKeys,
    demands: &Demands<'_>,
    now: Timestamp,
) -> Result<Assertion, TokenError> {
    let rules = Rules {
        types: demands.types,
        algorithms: demands.algorithms,
        max_bytes: 8 * 1024,
        author: Author::Known,
    };
    let mut claims = Taking::new(verified(text, &rules, keys)?);
    if claims.text("aud")?.as_deref() != Some(demands.audience) {
        return Err(TokenError::Audience);
    }
    // An ID token, a logout token and a proof have these; an assertion has none of them.
    if ["nonce", "events", "htu"]
        .iter()
        .any(|name| claims.has(name))
    {
        return Err(TokenError::Type);
    }
    let exp = claims.required_date("exp")?;
    let (iat, nbf) = (claims.date("iat")?, claims.date("nbf")?);
    let jti = claims.text("jti")?;
    if jti.as_ref().is_some_and(|jti| jti.len() > MAX_JTI) {
        return Err(TokenError::Claim("jti"));
    }
    let now = now.as_second();
    let life = Life {
        from: iat.unwrap_or(i64::MIN).max(nbf.unwrap_or(i64::MIN)),
        until: exp,
    };
    life.check(now, LEEWAY)?;
    let oldest = now.saturating_sub(demands.longest);
    if exp > now.saturating_add(demands.longest).saturating_add(LEEWAY)
        || iat.is_some_and(|iat| iat < oldest)
    {
        return Err(TokenError::Claim("exp"));
    }
    Ok(Assertion {
        iss: claims.required_text("iss")?,
        sub: claims.required_text("sub")?,
        jti,
        until: exp.saturating_add(LEEWAY),
        scope: claims.text("scope")?,
    })
}
