//! ID tokens (OpenID Connect Core §2): made, taken back as hints, and read from other providers.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::jose::{Author, Rules, sign, verified};
use crate::members::{Life, Putting, Taking};
use crate::{Algorithm, SigningKey, TokenError, VerifyingKeys};

/// What an ID token says. Times are whole seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdTokenClaims {
    /// Who made it.
    pub iss: String,
    /// Whom it is about, as this client knows them.
    pub sub: String,
    /// The client it is for. Ours have one audience.
    pub aud: String,
    /// When it ends.
    pub exp: i64,
    /// When it was made.
    pub iat: i64,
    /// When the user proved who they are.
    pub auth_time: Option<i64>,
    /// What the client sent along, whole.
    pub nonce: Option<String>,
    /// How well the user proved it.
    pub acr: Option<String>,
    /// By which means (RFC 8176); left out when empty.
    pub amr: Vec<String>,
    /// The client that asked, where it is not only the audience.
    pub azp: Option<String>,
    /// The browser session, for logout (Back-Channel Logout §2.1).
    pub sid: Option<String>,
    /// Hashes of what came with it.
    pub hashes: Hashes,
    /// All other claims. One that is named like a registered one is left out.
    pub extra: Map<String, Value>,
}

/// Hashes of what came with an ID token, so that none of it can be exchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hashes {
    /// Of the access token (OpenID Connect Core §3.1.3.6).
    pub at_hash: Option<String>,
    /// Of the code (OpenID Connect Core §3.3.2.11).
    pub c_hash: Option<String>,
    /// Of `state` (FAPI 1.0 part 2 §5.1).
    pub s_hash: Option<String>,
}

/// Names that an extra claim cannot have, also where the field is empty.
const RESERVED: &[&str] = &[
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "nbf",
    "jti",
    "auth_time",
    "nonce",
    "acr",
    "amr",
    "azp",
    "sid",
    "at_hash",
    "c_hash",
    "s_hash",
    "events",
    "cnf",
    "scope",
    "client_id",
];

/// An ID token is longer than an access token: a whole address may stand in it.
const MAX_BYTES: usize = 16 * 1024;

/// How far two clocks may be apart, seconds.
const LEEWAY: i64 = 60;

impl Hashes {
    /// The hashes for a token that is signed with `algorithm`.
    #[must_use]
    pub fn of(
        algorithm: Algorithm,
        access_token: Option<&str>,
        code: Option<&str>,
        state: Option<&str>,
    ) -> Self {
        let half = |text: &str| algorithm.half_hash(text);
        Self {
            at_hash: access_token.map(half),
            c_hash: code.map(half),
            s_hash: state.map(half),
        }
    }
}

impl IdTokenClaims {
    fn to_members(&self) -> Map<String, Value> {
        let mut members = Putting::new();
        members
            .put("iss", self.iss.as_str())
            .put("sub", self.sub.as_str())
            .put("aud", self.aud.as_str())
            .put("exp", self.exp)
            .put("iat", self.iat)
            .put_some("auth_time", self.auth_time)
            .put_some("nonce", self.nonce.as_deref())
            .put_some("acr", self.acr.as_deref())
            .put_some("amr", (!self.amr.is_empty()).then(|| self.amr.clone()))
            .put_some("azp", self.azp.as_deref())
            .put_some("sid", self.sid.as_deref())
            .put_some("at_hash", self.hashes.at_hash.as_deref())
            .put_some("c_hash", self.hashes.c_hash.as_deref())
            .put_some("s_hash", self.hashes.s_hash.as_deref());
        members.extra(&self.extra, RESERVED)
    }

    /// `audience`: which of the token's audiences has to be the client; `None` takes the only one.
    fn from_members(
        members: Map<String, Value>,
        audience: Option<&str>,
    ) -> Result<Self, TokenError> {
        let mut members = Taking::new(members);
        let audiences = members.audiences()?;
        let azp = members.text("azp")?;
        let aud = match audience {
            Some(client) => {
                check_audiences(&audiences, azp.as_deref(), client)?;
                client.to_owned()
            }
            None => match <[String; 1]>::try_from(audiences) {
                Ok([one]) => one,
                Err(_) => return Err(TokenError::Claim("aud")),
            },
        };
        // A logout token has `events` and is no ID token (Back-Channel Logout §2.4).
        if members.value("events").is_some() {
            return Err(TokenError::Type);
        }
        let sub = members.required_text("sub")?;
        // OpenID Connect Core §2: at most 255 ASCII characters.
        if sub.len() > 255 || !sub.is_ascii() {
            return Err(TokenError::Claim("sub"));
        }
        Ok(Self {
            iss: members.required_text("iss")?,
            sub,
            aud,
            exp: members.required_date("exp")?,
            iat: members.required_date("iat")?,
            auth_time: members.date("auth_time")?,
            nonce: members.text("nonce")?,
            acr: members.text("acr")?,
            amr: members.texts("amr")?,
            azp,
            sid: members.text("sid")?,
            hashes: Hashes {
                at_hash: members.text("at_hash")?,
                c_hash: members.text("c_hash")?,
                s_hash: members.text("s_hash")?,
            },
            extra: members.rest(),
        })
    }
}

/// OpenID Connect Core §3.1.3.7 steps 3 to 5, and stricter: other audiences only with an `azp` that
/// is the client.
fn check_audiences(
    audiences: &[String],
    azp: Option<&str>,
    client: &str,
) -> Result<(), TokenError> {
    let named = audiences.iter().any(|audience| audience == client);
    let authorized = match azp {
        Some(azp) => azp == client,
        None => audiences.len() == 1,
    };
    match named && authorized {
        true => Ok(()),
        false => Err(TokenError::Audience),
    }
}

/// Signs an ID token.
///
/// Fails with [`TokenError::Claim`] when it would end before it begins.
pub fn encode_id_token(claims: &IdTokenClaims, key: &SigningKey) -> Result<String, TokenError> {
    if claims.exp <= claims.iat {
        return Err(TokenError::Claim("exp"));
    }
    sign("JWT", claims.to_members(), key)
}

/// Reads an `id_token_hint`: one of our own ID tokens, whenever it was made. That it has expired
/// does not matter (RP-Initiated Logout §4): it says who was meant and proves nothing.
pub fn decode_id_token_hint(
    token: &str,
    keys: &VerifyingKeys,
    issuer: &str,
) -> Result<IdTokenClaims, TokenError> {
    let rules = Rules {
        types: &["jwt"],
        algorithms: Algorithm::ALL,
        max_bytes: MAX_BYTES,
        author: Author::Ourselves,
    };
    let claims = IdTokenClaims::from_members(verified(token, &rules, keys)?, None)?;
    match claims.iss == issuer {
        true => Ok(claims),
        false => Err(TokenError::Issuer),
    }
}

/// What an ID token of another provider must say.
#[derive(Clone, Debug)]
pub struct IdTokenExpectations<'a> {
    /// The provider, compared byte by byte.
    pub issuer: &'a str,
    /// Our id there.
    pub client_id: &'a str,
    /// What we sent along in this browser's flow; always sent.
    pub nonce: &'a str,
    /// How long ago the user may have proved who they are, where that was asked for.
    pub max_age: Option<Duration>,
}

/// Checks an ID token that another provider sent us (OpenID Connect Core §3.1.3.7).
pub fn decode_foreign_id_token(
    token: &str,
    keys: &VerifyingKeys,
    expectations: &IdTokenExpectations<'_>,
    now: Timestamp,
) -> Result<IdTokenClaims, TokenError> {
    let rules = Rules {
        types: &["jwt"],
        algorithms: Algorithm::ALL,
        max_bytes: MAX_BYTES,
        author: Author::Known,
    };
    let members = verified(token, &rules, keys)?;
    let claims = IdTokenClaims::from_members(members, Some(expectations.client_id))?;
    if claims.iss != expectations.issuer {
        return Err(TokenError::Issuer);
    }
    if claims.nonce.as_deref() != Some(expectations.nonce) {
        return Err(TokenError::Claim("nonce"));
    }
    let now = now.as_second();
    let life = Life {
        from: claims.iat,
        until: claims.exp,
    };
    life.check(now, LEEWAY)?;
    if let Some(max_age) = expectations.max_age {
        let oldest = now
            .saturating_sub(max_age.as_secs().try_into().unwrap_or(i64::MAX))
            .saturating_sub(LEEWAY);
        if claims.auth_time.is_none_or(|time| time < oldest) {
            return Err(TokenError::Claim("auth_time"));
        }
    }
    Ok(claims)
}
