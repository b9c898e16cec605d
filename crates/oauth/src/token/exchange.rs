//! The grant token-exchange (RFC 8693): a token for another one, with the same rights or fewer.

use serde_json::{Map, Value};

use super::{TokenErrorCode, TokenRequestError};
use crate::AccessTokenClaims;

/// What a token is, in an exchange (RFC 8693 §3). Those that we can neither read nor make have no
/// value here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenType {
    /// An access token.
    AccessToken,
    /// A JWT; here, an access token by its other name.
    Jwt,
    /// An ID token.
    IdToken,
}

impl TokenType {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AccessToken => "urn:ietf:params:oauth:token-type:access_token",
            Self::Jwt => "urn:ietf:params:oauth:token-type:jwt",
            Self::IdToken => "urn:ietf:params:oauth:token-type:id_token",
        }
    }

    /// The type of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::AccessToken, Self::Jwt, Self::IdToken]
            .into_iter()
            .find(|one| one.name() == name)
    }
}

/// What an exchange gives: whose rights, which, and until when at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExchangeToken {
    /// The user.
    pub subject: String,
    /// The scopes that can be asked for: those of the subject's token.
    pub scopes: Vec<String>,
    /// The new token ends no later than the one it comes from, seconds since 1970.
    pub until: i64,
    /// The user's revocation epoch, so that both die together.
    pub epoch: Option<i64>,
    /// The claim `act`, where somebody acts for the user (RFC 8693 §4.1).
    pub act: Option<Value>,
}

/// Who acts for the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor<'a> {
    /// The client itself, which exchanges.
    Client(&'a str),
    /// Whoever the actor's token is about.
    Token(&'a AccessTokenClaims),
}

/// The longest chain of actors: who acts for whom who acts for whom.
const MAX_CHAIN: usize = 4;

/// What a good subject token can be exchanged for. Both tokens were checked by
/// [`crate::decode_access_token`]; `client_id` is who asks.
///
/// A client may exchange tokens that were made for it or sent to it: its id is the token's
/// `client_id`, or the token's audience is one of its `resources`. A token that says who may act
/// (`may_act`, RFC 8693 §4.4) is exchanged for nobody else.
pub fn check_exchange(
    subject: &AccessTokenClaims,
    actor: Actor<'_>,
    client_id: &str,
    resources: &[String],
) -> Result<ExchangeToken, TokenRequestError> {
    if subject.client_id != client_id && !resources.contains(&subject.aud) {
        return Err(TokenRequestError::new(
            TokenErrorCode::InvalidGrant,
            "subject_token was neither made for this client nor sent to it",
        ));
    }
    let actor_subject = match actor {
        Actor::Client(id) => format!("client:{id}"),
        Actor::Token(token) => token.sub.clone(),
    };
    let allowed = match subject.extra.get("may_act") {
        None => true,
        Some(may_act) => may_act.get("sub").and_then(Value::as_str) == Some(&actor_subject),
    };
    if !allowed {
        return Err(TokenRequestError::grant(
            "subject_token names another actor",
        ));
    }
    let previous = subject.extra.get("act");
    if previous.is_some_and(|act| chain(act) >= MAX_CHAIN) {
        return Err(TokenRequestError::grant(
            "too many have acted for the user already",
        ));
    }
    let act = match actor {
        // The client goes on with a token of its own: nobody new acts.
        Actor::Client(id) if id == subject.client_id => previous.cloned(),
        Actor::Client(_) | Actor::Token(_) => {
            let mut act = Map::new();
            act.insert("sub".to_owned(), actor_subject.into());
            if let Some(previous) = previous {
                act.insert("act".to_owned(), previous.clone());
            }
            Some(Value::Object(act))
        }
    };
    let scopes = subject.scope.as_deref().unwrap_or("");
    Ok(ExchangeToken {
        subject: subject.sub.clone(),
        scopes: crate::parameters::words(scopes)
            .into_iter()
            .map(str::to_owned)
            .collect(),
        until: subject.exp,
        epoch: subject.epoch,
        act,
    })
}

fn chain(act: &Value) -> usize {
    let mut length = 1;
    let mut inner = act;
    while let Some(next) = inner.get("act") {
        length += 1;
        inner = next;
    }
    length
}
