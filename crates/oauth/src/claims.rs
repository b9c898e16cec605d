//! What an access token says.

use serde_json::{Map, Value};

use crate::TokenError;

/// The claims of an access token (RFC 9068 §2.2). Times are `NumericDate`s: whole seconds since
/// 1970 (RFC 7519 §2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessTokenClaims {
    /// Who made it.
    pub iss: String,
    /// Whom it is about: the user's id, or the client's where no user takes part.
    pub sub: String,
    /// For whom: exactly one resource server (RFC 9700 §2.3).
    pub aud: String,
    /// The client it was given to.
    pub client_id: String,
    /// What it may be used for, separated by spaces (RFC 6749 §3.3).
    pub scope: Option<String>,
    /// The user's own roles when it was made (RFC 9068 §2.2.3.1).
    pub roles: Vec<String>,
    /// When it was made.
    pub iat: i64,
    /// When it ends.
    pub exp: i64,
    /// From when it is good, if later than `iat`.
    pub nbf: Option<i64>,
    /// Its own id.
    pub jti: String,
    /// When the user proved who they are (RFC 9068 §2.2.1).
    pub auth_time: Option<i64>,
    /// How well (RFC 9068 §2.2.1).
    pub acr: Option<String>,
    /// The user's revocation epoch; a token of an older epoch is dead. A claim of our own.
    pub epoch: Option<i64>,
    /// All other claims.
    pub extra: Map<String, Value>,
}

impl AccessTokenClaims {
    /// The longest life of an access token, seconds.
    pub const MAX_LIFE: i64 = 3600;

    /// The claims as a JSON object, as they stand in the token.
    #[must_use]
    pub fn to_members(&self) -> Map<String, Value> {
        let mut members = Map::new();
        let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
        put("iss", self.iss.clone().into());
        put("sub", self.sub.clone().into());
        put("aud", self.aud.clone().into());
        put("client_id", self.client_id.clone().into());
        put("iat", self.iat.into());
        put("exp", self.exp.into());
        put("jti", self.jti.clone().into());
        put("roles", self.roles.clone().into());
        let optional = [
            ("scope", self.scope.clone().map(Value::from)),
            ("nbf", self.nbf.map(Value::from)),
            ("auth_time", self.auth_time.map(Value::from)),
            ("acr", self.acr.clone().map(Value::from)),
            ("epoch", self.epoch.map(Value::from)),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                put(name, value);
            }
        }
        for (name, value) in &self.extra {
            // A registered claim has one source, its field.
            if !members.contains_key(name) {
                members.insert(name.clone(), value.clone());
            }
        }
        members
    }

    /// Reads the members of a verified token; every required one must be there and of its type.
    pub(crate) fn from_members(mut members: Map<String, Value>) -> Result<Self, TokenError> {
        let claims = Self {
            iss: required(text(&mut members, "iss")?, "iss")?,
            sub: required(text(&mut members, "sub")?, "sub")?,
            aud: audience(&mut members)?,
            client_id: required(text(&mut members, "client_id")?, "client_id")?,
            scope: text(&mut members, "scope")?,
            roles: roles(&mut members)?,
            iat: required(date(&mut members, "iat")?, "iat")?,
            exp: required(date(&mut members, "exp")?, "exp")?,
            nbf: date(&mut members, "nbf")?,
            jti: required(text(&mut members, "jti")?, "jti")?,
            auth_time: date(&mut members, "auth_time")?,
            acr: text(&mut members, "acr")?,
            epoch: date(&mut members, "epoch")?,
            extra: members,
        };
        claims.check_life()?;
        Ok(claims)
    }

    /// That it lives a positive time and no longer than [`Self::MAX_LIFE`].
    pub(crate) fn check_life(&self) -> Result<(), TokenError> {
        match self.exp.checked_sub(self.iat) {
            Some(life) if (1..=Self::MAX_LIFE).contains(&life) => Ok(()),
            Some(_) | None => Err(TokenError::Claim("exp")),
        }
    }
}

fn required<T>(value: Option<T>, name: &'static str) -> Result<T, TokenError> {
    value.ok_or(TokenError::Claim(name))
}

fn text(
    members: &mut Map<String, Value>,
    name: &'static str,
) -> Result<Option<String>, TokenError> {
    match members.remove(name) {
        None => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text)),
        Some(_) => Err(TokenError::Claim(name)),
    }
}

/// A whole number of seconds; `1e9`, `1.5` and `"1"` are none.
fn date(members: &mut Map<String, Value>, name: &'static str) -> Result<Option<i64>, TokenError> {
    match members.remove(name) {
        None => Ok(None),
        Some(value) => value.as_i64().map(Some).ok_or(TokenError::Claim(name)),
    }
}

/// A string, or an array of exactly one (RFC 7519 §4.1.3 allows both forms).
fn audience(members: &mut Map<String, Value>) -> Result<String, TokenError> {
    let wrong = TokenError::Claim("aud");
    match members.remove("aud") {
        Some(Value::String(audience)) => Ok(audience),
        Some(Value::Array(list)) => match <[Value; 1]>::try_from(list) {
            Ok([Value::String(audience)]) => Ok(audience),
            Ok(_) | Err(_) => Err(wrong),
        },
        Some(_) | None => Err(wrong),
    }
}

fn roles(members: &mut Map<String, Value>) -> Result<Vec<String>, TokenError> {
    let list = match members.remove("roles") {
        None => return Ok(Vec::new()),
        Some(Value::Array(list)) => list,
        Some(_) => return Err(TokenError::Claim("roles")),
    };
    list.into_iter()
        .map(|role| match role {
            Value::String(role) => Ok(role),
            _ => Err(TokenError::Claim("roles")),
        })
        .collect()
}
