//! The grant `token-exchange` (RFC 8693): a token of ours for another one, with the same rights or
//! fewer and no longer.

use oauth::AccessTokenClaims;
use oauth::confirmation::Confirmation;
use oauth::token::{
    Actor, ExchangeToken, GrantRequest, TokenRequest, TokenType, check_exchange, narrow_resource,
    narrow_scopes,
};
use serde_json::{Value, json};
use store::audit::{self, Act, Entry, Target};
use store::users::{self, User};
use uuid::Uuid;

use super::super::error::{invalid_grant, invalid_request, refusal};
use super::super::issue::{self, Exchanging, GRANT};
use super::super::settings::OPENID_SCOPES;
use super::Asking;
use crate::auth::good_token;
use crate::error::Refusal;
use crate::identity::of_store;

/// What stands in an exchange.
struct Exchange<'a> {
    subject: (&'a str, TokenType),
    actor: Option<(&'a str, TokenType)>,
    wanted: TokenType,
    audiences: &'a [String],
}

impl<'a> Exchange<'a> {
    fn of(request: &'a TokenRequest) -> Option<Self> {
        let GrantRequest::TokenExchange {
            subject_token,
            subject_token_type,
            actor,
            requested_token_type,
            audiences,
        } = &request.grant
        else {
            return None;
        };
        let actor = actor.as_ref();
        Some(Self {
            subject: (subject_token.expose(), *subject_token_type),
            actor: actor.map(|(token, kind)| (token.expose().as_str(), *kind)),
            wanted: *requested_token_type,
            audiences,
        })
    }
}

/// A subject's token and whose it is.
struct Subject {
    claims: AccessTokenClaims,
    user: User,
    grant: Uuid,
}

impl Asking<'_> {
    /// RFC 8693 §2.
    pub(super) async fn by_exchange(&self, request: &TokenRequest) -> Result<Value, Refusal> {
        let exchange = Exchange::of(request)
            .ok_or_else(|| Refusal::internal("token", &"it is no exchange"))?;
        if exchange.wanted == TokenType::IdToken {
            return Err(invalid_request(
                "requested_token_type: access tokens alone are given",
            ));
        }
        let subject = self.subject(exchange.subject).await?;
        let acting = match exchange.actor {
            None => None,
            Some(token) => Some(self.access_token(token, "actor_token").await?.0),
        };
        let client = &self.registered.client;
        // Else whoever finds a token acts as its owner.
        if acting
            .as_ref()
            .is_some_and(|claims| claims.client_id != client.id)
        {
            return Err(invalid_request("actor_token was given to another client"));
        }
        let actor = match &acting {
            None => Actor::Client(&client.id),
            Some(claims) => Actor::Token(claims),
        };
        let exchanged = check_exchange(&subject.claims, actor, &client.id, &client.resources);
        let exchanged = exchanged.map_err(|error| refusal(&error))?;
        self.require_key(&subject.claims)?;
        let scopes = self.exchanged_scopes(request, &exchanged)?;
        let resource = self.exchanged_resource(request, &exchange)?;
        self.note(&subject, &exchanged, &scopes).await?;
        let making = Exchanging {
            registered: self.registered,
            user: &subject.user,
            grant: subject.grant,
            subject: &subject.claims,
            exchanged: &exchanged,
            scopes,
            resource,
            jkt: self.jkt.as_deref(),
        };
        let mut body = issue::exchanged(self.state, making).await?;
        body["issued_token_type"] = json!(exchange.wanted.name());
        Ok(body)
    }

    /// A token that is good now, and its user if it has one. Whatever is wrong with it is an
    /// `invalid_request` (RFC 8693 §2.2.2).
    async fn access_token(
        &self,
        (token, kind): (&str, TokenType),
        name: &str,
    ) -> Result<(AccessTokenClaims, Option<Uuid>), Refusal> {
        if kind == TokenType::IdToken {
            let text = format!("{name}: access tokens of this issuer alone are taken");
            return Err(invalid_request(&text));
        }
        let found = good_token(self.state, token).await?;
        found.ok_or_else(|| invalid_request(&format!("{name} is not good, or no longer")))
    }

    /// A token that a client was given for a user: what it may do ends with the user's grant, and so
    /// does what it is exchanged for.
    async fn subject(&self, token: (&str, TokenType)) -> Result<Subject, Refusal> {
        let (claims, user) = self.access_token(token, "subject_token").await?;
        let grant = claims.extra.get(GRANT).and_then(Value::as_str);
        let grant = grant.and_then(|grant| Uuid::try_parse(grant).ok());
        let (Some(user), Some(grant)) = (user, grant) else {
            return Err(invalid_request(
                "subject_token was given to no client for a user",
            ));
        };
        let found = users::by_id(&self.state.store, user).await;
        let user = found.map_err(|error| of_store(&error))?;
        let user =
            user.ok_or_else(|| invalid_request("subject_token is not good, or no longer"))?;
        Ok(Subject {
            claims,
            user,
            grant,
        })
    }

    /// A token that is worth nothing without a key gives none that is worth something without one;
    /// and who was given it shows that very key.
    fn require_key(&self, subject: &AccessTokenClaims) -> Result<(), Refusal> {
        let bound = Confirmation::from_claims(&subject.extra)
            .map_err(|_| invalid_request("subject_token is not good, or no longer"))?;
        let Some(bound) = bound else {
            return Ok(());
        };
        let Some(jkt) = &self.jkt else {
            return Err(invalid_request(
                "subject_token is bound to a key: send a DPoP proof",
            ));
        };
        let is_own = subject.client_id == self.registered.client.id;
        match is_own && bound != Confirmation::Key(jkt.clone()) {
            true => Err(invalid_grant("subject_token is bound to another key")),
            false => Ok(()),
        }
    }

    /// No more than the subject's token may, and no more than this client may. Who the user is, was
    /// told to the client that they have agreed with.
    fn exchanged_scopes(
        &self,
        request: &TokenRequest,
        exchanged: &ExchangeToken,
    ) -> Result<Vec<String>, Refusal> {
        let mut allowed = self.still_allowed(exchanged.scopes.clone());
        allowed.retain(|scope| !OPENID_SCOPES.contains(&scope.as_str()));
        narrow_scopes(&allowed, request.scope.as_deref()).map_err(|error| refusal(&error))
    }

    /// The one service that it is for, by its address (RFC 8707) or as an audience.
    fn exchanged_resource(
        &self,
        request: &TokenRequest,
        exchange: &Exchange<'_>,
    ) -> Result<Option<String>, Refusal> {
        let mut asked = request.resources.clone();
        for audience in exchange.audiences {
            if !asked.contains(audience) {
                asked.push(audience.clone());
            }
        }
        let resources = &self.registered.client.resources;
        narrow_resource(resources, &asked).map_err(|error| refusal(&error))
    }

    /// Notes who goes on with whose rights, before the token is given.
    async fn note(
        &self,
        subject: &Subject,
        exchanged: &ExchangeToken,
        scopes: &[String],
    ) -> Result<(), Refusal> {
        let state = self.state;
        let details = json!({
            "client": self.registered.client.id,
            "from": subject.claims.client_id,
            "scopes": scopes,
            "act": exchanged.act,
        });
        let entry = Entry {
            act: Act::TokenExchanged,
            actor: audit::Actor::Anonymous,
            target: Target {
                id: Some(subject.user.id),
                name: Some(subject.user.email.as_str().to_owned()),
            },
            address: self.asked.client.address_text(),
            request_id: Some(self.asked.client.request_id.clone()),
            details: Some(details.to_string()),
        };
        let unit = vec![audit::insert_step(&state.store, &entry)];
        let written = state.db.write(unit).await;
        written.map_err(|error| of_store(&error.into()))?;
        Ok(())
    }
}
