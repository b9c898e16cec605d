//! Logout tokens (OpenID Connect Back-Channel Logout 1.0 §2.4): "this session is over".

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::jose::{Author, Rules, sign, verified};
use crate::members::{Life, Putting, Taking};
use crate::{Algorithm, SigningKey, TokenError, VerifyingKeys};

/// What a logout token says. Times are whole seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutTokenClaims {
    /// Who made it.
    pub iss: String,
    /// The client that is told.
    pub aud: String,
    /// When it was made.
    pub iat: i64,
    /// When it ends: two minutes are recommended.
    pub exp: i64,
    /// Its own id, so that a client sees it once.
    pub jti: String,
    /// Who is logged out.
    pub whom: LoggedOut,
}

/// Who is logged out (§2.4: `sub`, `sid` or both).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoggedOut {
    /// All sessions of a user.
    Everywhere {
        /// The user, as the client knows them.
        sub: String,
    },
    /// One session.
    Session {
        /// The session.
        sid: String,
        /// The user.
        sub: Option<String>,
    },
}

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// How far two clocks may be apart, seconds.
const LEEWAY: i64 = 60;

/// Signs a logout token. It never has a `nonce`, so that none can be taken for an ID token.
///
/// Fails with [`TokenError::Claim`] when it would end before it begins.
pub fn encode_logout_token(
    claims: &LogoutTokenClaims,
    key: &SigningKey,
) -> Result<String, TokenError> {
    if claims.exp <= claims.iat {
        return Err(TokenError::Claim("exp"));
    }
    let (sub, sid) = match &claims.whom {
        LoggedOut::Everywhere { sub } => (Some(sub.as_str()), None),
        LoggedOut::Session { sid, sub } => (sub.as_deref(), Some(sid.as_str())),
    };
    let mut members = Putting::new();
    members
        .put("iss", claims.iss.as_str())
        .put_some("sub", sub)
        .put("aud", claims.aud.as_str())
        .put("iat", claims.iat)
        .put("exp", claims.exp)
        .put("jti", claims.jti.as_str())
        .put_some("sid", sid)
        .put("events", json!({ EVENT: {} }));
    sign("logout+jwt", members.extra(&Map::new(), &[]), key)
}

/// Checks a logout token that another provider sent us (§2.6). `jti` is for the caller to remember
/// until `exp`.
pub fn decode_logout_token(
    token: &str,
    keys: &VerifyingKeys,
    issuer: &str,
    client_id: &str,
    now: Timestamp,
) -> Result<LogoutTokenClaims, TokenError> {
    let rules = Rules {
        types: &["logout+jwt"],
        algorithms: Algorithm::ALL,
        max_bytes: 8 * 1024,
        author: Author::Known,
    };
    let mut members = Taking::new(verified(token, &rules, keys)?);
    let is_event = |events: &Value| events.get(EVENT).is_some_and(Value::is_object);
    if !members.value("events").as_ref().is_some_and(is_event) {
        return Err(TokenError::Claim("events"));
    }
    if members.value("nonce").is_some() {
        return Err(TokenError::Claim("nonce"));
    }
    let whom = match (members.text("sub")?, members.text("sid")?) {
        (sub, Some(sid)) => LoggedOut::Session { sid, sub },
        (Some(sub), None) => LoggedOut::Everywhere { sub },
        (None, None) => return Err(TokenError::Claim("sub")),
    };
    let claims = LogoutTokenClaims {
        iss: members.required_text("iss")?,
        aud: members.audience()?,
        iat: members.required_date("iat")?,
        exp: members.required_date("exp")?,
        jti: members.required_text("jti")?,
        whom,
    };
    if claims.iss != issuer {
        return Err(TokenError::Issuer);
    }
    if claims.aud != client_id {
        return Err(TokenError::Audience);
    }
    let life = Life {
        from: claims.iat,
        until: claims.exp,
    };
    life.check(now.as_second(), LEEWAY)?;
    Ok(claims)
}
