//! What an access token says.

use serde_json::{Map, Value};

use crate::TokenError;
use crate::members::{Putting, Taking};

/// Names that an extra claim cannot have: each has one source, its field, also where that is empty.
const RESERVED: &[&str] = &["scope", "nbf", "auth_time", "acr", "epoch"];

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
        let mut members = Putting::new();
        members
            .put("iss", self.iss.as_str())
            .put("sub", self.sub.as_str())
            .put("aud", self.aud.as_str())
            .put("client_id", self.client_id.as_str())
            .put("iat", self.iat)
            .put("exp", self.exp)
            .put("jti", self.jti.as_str())
            .put("roles", self.roles.clone())
            .put_some("scope", self.scope.as_deref())
            .put_some("nbf", self.nbf)
            .put_some("auth_time", self.auth_time)
            .put_some("acr", self.acr.as_deref())
            .put_some("epoch", self.epoch);
        members.extra(&self.extra, RESERVED)
    }

    /// Reads the members of a verified token; every required one must be there and of its type.
    pub(crate) fn from_members(members: Map<String, Value>) -> Result<Self, TokenError> {
        let mut members = Taking::new(members);
        let claims = Self {
            iss: members.required_text("iss")?,
            sub: members.required_text("sub")?,
            aud: members.audience()?,
            client_id: members.required_text("client_id")?,
            scope: members.text("scope")?,
            roles: members.texts("roles")?,
            iat: members.required_date("iat")?,
            exp: members.required_date("exp")?,
            nbf: members.date("nbf")?,
            jti: members.required_text("jti")?,
            auth_time: members.date("auth_time")?,
            acr: members.text("acr")?,
            epoch: members.date("epoch")?,
            extra: members.rest(),
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
