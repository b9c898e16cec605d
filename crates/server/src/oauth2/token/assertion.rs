//! The grant `jwt-bearer` (RFC 7523 §2.1): a token for a user of whom a trusted issuer has said who
//! they are.

use credentials::assurance::Evidence;
use oauth::token::{BearerAssertion, TokenRequest, narrow_resource, narrow_scopes};
use serde_json::{Value, json};
use stdx::Secret;
use store::audit::{self, Act, Actor, Entry, Target};
use store::grants::{self, NewGrant};
use store::moments::Purpose;
use store::users::User;

use super::super::client_auth::remember;
use super::super::error::{invalid_grant, refusal};
use super::super::issue::{self, Granted, Making};
use super::super::issuers::{TrustedIssuer, no_issuer};
use super::super::settings::OPENID_SCOPES;
use super::Asking;
use crate::error::Refusal;
use crate::identity::of_store;

impl Asking<'_> {
    /// RFC 7523 §3. What comes of an assertion ends with its access token: there is another assertion
    /// where there is another need, so no refresh token is given.
    pub(super) async fn by_assertion(
        &self,
        request: &TokenRequest,
        assertion: &Secret<String>,
    ) -> Result<Value, Refusal> {
        let state = self.state;
        let (issuer, read) = self.assertion(assertion.expose())?;
        let scopes = self.asserted_scopes(request, issuer, &read)?;
        let resources = &self.registered.client.resources;
        let resource = narrow_resource(resources, &request.resources);
        let resource = resource.map_err(|error| refusal(&error))?;
        // Last of what can be refused, so that a mistake in the request uses nothing up.
        let name = format!("{}\0{}", issuer.name, read.jti);
        if !remember(state, Purpose::BearerAssertion, &name, read.until).await? {
            return Err(invalid_grant("the assertion was used before"));
        }
        let found = issuer.user(&state.store, &read.subject).await;
        let user = found.map_err(|error| of_store(&error))?;
        let user = user.filter(|user| user.active).ok_or_else(|| {
            invalid_grant("the assertion is about nobody who may do anything here")
        })?;
        let granted = Granted::plain(&scopes, resources, &Evidence::new(Vec::new()));
        let grant = NewGrant {
            id: stdx::new_id(&state.clock, &state.rng),
            client_id: self.registered.client.id.clone(),
            user: user.id,
            session: None,
            begun_in: None,
            epoch: user.epoch,
            content: issue::as_text(&granted)?,
            expires_at: issue::later(state.clock.now(), state.settings.oauth.access_life),
        };
        let mut unit = grants::insert_begun_steps(&state.store, &grant, self.bound_refresh());
        unit.push(self.noted(issuer, &user, &scopes));
        let written = state.db.write(unit).await;
        written.map_err(|error| of_store(&error.into()))?;
        let making = Making {
            registered: self.registered,
            user: &user,
            grant: grant.id,
            granted: &granted,
            scopes,
            resource,
            jkt: self.jkt.clone(),
            number: None,
        };
        issue::tokens(state, making).await
    }

    /// What the assertion says, and who says it.
    fn assertion(&self, text: &str) -> Result<(&TrustedIssuer, BearerAssertion), Refusal> {
        let settings = &self.state.settings;
        let url = &settings.public_url;
        // RFC 7523 §3: the issuer, as RFC 7523bis has it, or the address that it is sent to.
        let own = [url.clone(), format!("{url}/oauth2/token")];
        let now = self.state.clock.now();
        let mut refused = no_issuer();
        for issuer in &settings.oauth.issuers {
            match issuer.read(text, &own, now) {
                Ok(read) => return Ok((issuer, read)),
                Err(error) => refused = error,
            }
        }
        Err(refusal(&refused))
    }

    /// What the request asks for, of what the assertion, its issuer and the client may have. Nothing
    /// about the person: who brings the assertion knows them already.
    fn asserted_scopes(
        &self,
        request: &TokenRequest,
        issuer: &TrustedIssuer,
        read: &BearerAssertion,
    ) -> Result<Vec<String>, Refusal> {
        let mut allowed = self.registered.client.scopes.clone();
        allowed.retain(|scope| !OPENID_SCOPES.contains(&scope.as_str()));
        if let Some(scopes) = &issuer.scopes {
            allowed.retain(|scope| scopes.contains(scope));
        }
        if let Some(said) = &read.scope {
            allowed.retain(|scope| said.split(' ').any(|word| word == scope));
        }
        narrow_scopes(&allowed, request.scope.as_deref()).map_err(|error| refusal(&error))
    }

    fn noted(&self, issuer: &TrustedIssuer, user: &User, scopes: &[String]) -> sql::Step {
        let details = json!({
            "client": self.registered.client.id,
            "issuer": issuer.name,
            "scopes": scopes,
        });
        let entry = Entry {
            act: Act::AssertionAccepted,
            actor: Actor::Anonymous,
            target: Target {
                id: Some(user.id),
                name: Some(user.email.as_str().to_owned()),
            },
            address: self.asked.client.address_text(),
            request_id: Some(self.asked.client.request_id.clone()),
            details: Some(details.to_string()),
        };
        audit::insert_step(&self.state.store, &entry)
    }
}
