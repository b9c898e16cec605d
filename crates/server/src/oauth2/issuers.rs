//! Issuers whose word about our users is taken: `[issuers.NAME]` (RFC 7523).

use std::str::FromStr;

use credentials::{EmailAddress, Username};
use jiff::Timestamp;
use oauth::jose::read_jwks;
use oauth::token::{
    BearerAssertion, BearerExpectations, TokenRequestError, check_bearer_assertion,
};
use oauth::{Algorithm, VerifyingKeys};
use store::users::{self, User};
use store::{Store, StoreResult};
use uuid::Uuid;

/// The longest that an assertion may be good, seconds.
const LONGEST: i64 = 300;

/// An issuer that is trusted to say who somebody is.
#[derive(Clone, Debug)]
pub struct TrustedIssuer {
    /// What the operator calls it.
    pub name: String,
    /// What it calls itself, byte by byte.
    issuer: String,
    keys: VerifyingKeys,
    /// How it names our users.
    pub subject: SubjectName,
    /// The audiences that its assertions may have; empty for our own addresses.
    pub audiences: Vec<String>,
    /// The scopes that its assertions are good for; `None` for all that their client may have.
    pub scopes: Option<Vec<String>>,
}

/// How another issuer names our users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectName {
    /// By their id here.
    Id,
    /// By an address that they have proved to be theirs.
    Email,
    /// By their name here.
    Username,
}

/// Why an issuer cannot be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssuerError {
    /// Its name for itself.
    #[error("issuer is an https address without query and fragment, or http of this machine")]
    Issuer,
    /// Its keys.
    #[error("jwks is no JSON Web Key Set with a public key")]
    Keys,
}

/// A text that is none of `id`, `email` and `username`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is id, email or username")]
pub struct SubjectNameError;

impl FromStr for SubjectName {
    type Err = SubjectNameError;

    fn from_str(text: &str) -> Result<Self, SubjectNameError> {
        match text {
            "id" => Ok(Self::Id),
            "email" => Ok(Self::Email),
            "username" => Ok(Self::Username),
            _ => Err(SubjectNameError),
        }
    }
}

impl TrustedIssuer {
    /// An issuer with the keys of a JSON Web Key Set, that names users by their id, for every scope.
    pub fn new(name: &str, issuer: &str, jwks: &[u8]) -> Result<Self, IssuerError> {
        let (scheme, rest) = issuer.split_once("://").ok_or(IssuerError::Issuer)?;
        let host = rest.split(['/', ':']).next().unwrap_or_default();
        let is_secure = scheme == "https" || matches!((scheme, host), ("http", "localhost"));
        let is_plain = rest.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_secure || !is_plain || host.is_empty() || rest.contains(['?', '#', '@']) {
            return Err(IssuerError::Issuer);
        }
        let keys = read_jwks(jwks).map_err(|_| IssuerError::Keys)?;
        if keys.is_empty() {
            return Err(IssuerError::Keys);
        }
        Ok(Self {
            name: name.to_owned(),
            issuer: issuer.to_owned(),
            keys,
            subject: SubjectName::Id,
            audiences: Vec::new(),
            scopes: None,
        })
    }

    /// Reads an assertion of this issuer; `own` are the audiences that mean us.
    pub(super) fn read(
        &self,
        assertion: &str,
        own: &[String],
        now: Timestamp,
    ) -> Result<BearerAssertion, TokenRequestError> {
        let audiences = match self.audiences.is_empty() {
            true => own,
            false => &self.audiences,
        };
        let read = |audience: &String| {
            let expectations = BearerExpectations {
                trusted_issuer: &self.issuer,
                keys: &self.keys,
                algorithms: Algorithm::ALL,
                issuer: audience,
                longest: LONGEST,
            };
            check_bearer_assertion(assertion, &expectations, now)
        };
        let mut read = audiences.iter().map(read);
        let mut last = read.next();
        for next in read {
            if matches!(last, Some(Ok(_))) {
                break;
            }
            last = Some(next);
        }
        last.unwrap_or_else(|| Err(no_issuer()))
    }

    /// Whom an assertion means. An address that nobody has proved is nobody's.
    pub(super) async fn user(&self, store: &Store, subject: &str) -> StoreResult<Option<User>> {
        match self.subject {
            SubjectName::Id => match Uuid::try_parse(subject) {
                Ok(id) => users::by_id(store, id).await,
                Err(_) => Ok(None),
            },
            SubjectName::Email => match EmailAddress::parse(subject) {
                Ok(email) => {
                    let found = users::by_email(store, &email).await?;
                    Ok(found.filter(|user| user.email_verified_at.is_some()))
                }
                Err(_) => Ok(None),
            },
            SubjectName::Username => match Username::parse(subject) {
                Ok(name) => users::by_username(store, &name).await,
                Err(_) => Ok(None),
            },
        }
    }
}

/// Nobody whose word is taken has signed it.
pub(super) fn no_issuer() -> TokenRequestError {
    TokenRequestError {
        code: oauth::token::TokenErrorCode::InvalidGrant,
        description: "the assertion is refused",
        tried_header: false,
    }
}
