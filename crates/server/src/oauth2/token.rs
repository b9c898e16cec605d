//! `/oauth2/token`: a code, a refresh token or a client's own word for an access token.

mod assertion;
mod device;
mod exchange;

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use credentials::token::AuthorizationCode;
use oauth::authorize::scopes_of;
use oauth::client::Grant as GrantType;
use oauth::refresh::{RefreshPresenter, RefreshToken, Refreshed};
use oauth::token::{
    GrantRequest, Presenter, TokenRequest, narrow_resource, narrow_scopes, parse_token_request,
    redeem_code,
};
use serde_json::{Value, json};
use stdx::Secret;
use store::audit::{self, Act, Actor, Entry, Target};
use store::grants::{self, Grant};
use store::users::User;

use super::client_auth::{authenticate, parameters, proof};
use super::clients::{PROFILE, Registered};
use super::error::{invalid_grant, invalid_request, named, refusal};
use super::issue::{self, Bound, Granted, Making};
use crate::App;
use crate::app::State;
use crate::client::Asked;
use crate::error::{Answer, Refusal};
use crate::identity::{json_answer, of_store};

/// The grants that are served.
pub(super) const SERVED: [GrantType; 6] = [
    GrantType::AuthorizationCode,
    GrantType::RefreshToken,
    GrantType::ClientCredentials,
    GrantType::DeviceCode,
    GrantType::TokenExchange,
    GrantType::JwtBearer,
];

/// A request whose client is known.
struct Asking<'a> {
    state: &'a Arc<State>,
    asked: &'a Asked,
    registered: &'a Registered,
    /// The key that the request proves to have.
    jkt: Option<String>,
}

/// `POST /oauth2/token` (RFC 6749 §3.2)
pub(crate) async fn token(Shared(app): Shared<App>, asked: Asked, body: Bytes) -> Answer {
    let state = &app.0;
    let parameters = parameters(&asked.headers, &body)?;
    let registered = authenticate(state, &asked.headers, &parameters).await?;
    let request = parse_token_request(&parameters, PROFILE).map_err(|error| refusal(&error))?;
    let grant = request.grant.grant();
    if !SERVED.contains(&grant) {
        let text = "the issuer does not support this grant_type";
        let status = StatusCode::BAD_REQUEST;
        return Err(named(status, "unsupported_grant_type", text, false));
    }
    if !registered.client.may_use(grant) {
        let text = "the client may not use this grant_type";
        let status = StatusCode::BAD_REQUEST;
        return Err(named(status, "unauthorized_client", text, false));
    }
    let jkt = proof(state, &asked.headers, "/oauth2/token").await?;
    if registered.client.demands.bound_tokens && jkt.is_none() {
        return Err(invalid_request(
            "the client's tokens have to be bound: send a DPoP proof",
        ));
    }
    let asking = Asking {
        state,
        asked: &asked,
        registered: &registered,
        jkt,
    };
    let body = asking.answer(&request).await?;
    Ok(json_answer(StatusCode::OK, &body))
}

impl Asking<'_> {
    async fn answer(&self, request: &TokenRequest) -> Result<Value, Refusal> {
        match &request.grant {
            GrantRequest::AuthorizationCode {
                code,
                redirect_uri,
                code_verifier,
            } => {
                let (uri, verifier) = (redirect_uri.as_deref(), code_verifier.as_ref());
                self.by_code(request, code, uri, verifier).await
            }
            GrantRequest::RefreshToken { refresh_token } => {
                self.by_refresh(request, refresh_token).await
            }
            GrantRequest::DeviceCode { device_code } => self.by_device(request, device_code).await,
            GrantRequest::TokenExchange { .. } => self.by_exchange(request).await,
            GrantRequest::JwtBearer { assertion } => self.by_assertion(request, assertion).await,
            GrantRequest::ClientCredentials => self.by_itself(request),
        }
    }

    /// RFC 6749 §4.1.3.
    async fn by_code(
        &self,
        request: &TokenRequest,
        code: &Secret<String>,
        redirect_uri: Option<&str>,
        code_verifier: Option<&Secret<String>>,
    ) -> Result<Value, Refusal> {
        let state = self.state;
        let unknown = || invalid_grant("the code is unknown, was used or has expired");
        let hash = AuthorizationCode::parse(code.expose())
            .map_err(|_| unknown())?
            .hash();
        let found = grants::code(&state.store, &hash).await;
        let found = found
            .map_err(|error| of_store(&error))?
            .ok_or_else(unknown)?;
        let grant = self.grant(found.grant).await?.ok_or_else(unknown)?;
        let client_id = &self.registered.client.id;
        if found.is_used {
            return Err(self.replayed(&grant).await?);
        }
        let bound = Bound::read(&found.content, grant.family.client_id.clone())?;
        let presenter = Presenter {
            client_id,
            redirect_uri,
            code_verifier,
            dpop_jkt: self.jkt.as_deref(),
            now: state.clock.now().as_second(),
        };
        redeem_code(&bound, &presenter).map_err(|error| refusal(&error))?;
        let user = self.user(&grant).await?;
        let granted = Granted::read(&grant.content)?;
        let (scopes, resource) = narrowed(request, &granted)?;
        let bound = self.bound_refresh();
        let redeemed = grants::redeem(&state.store, &hash, grant.id, bound).await;
        if !redeemed.map_err(|error| of_store(&error))? {
            return Err(self.replayed(&grant).await?);
        }
        let refreshes = self.registered.client.may_use(GrantType::RefreshToken);
        let making = Making {
            registered: self.registered,
            user: &user,
            grant: grant.id,
            granted: &granted,
            scopes,
            resource,
            jkt: self.jkt.clone(),
            number: refreshes.then_some(0),
        };
        issue::tokens(state, making).await
    }

    /// RFC 6749 §6.
    async fn by_refresh(
        &self,
        request: &TokenRequest,
        token: &Secret<String>,
    ) -> Result<Value, Refusal> {
        let state = self.state;
        let unknown = || invalid_grant("the refresh token is unknown, was used or has expired");
        let keys = std::slice::from_ref(&state.refresh_key);
        let token = RefreshToken::decode(token.expose(), keys).ok_or_else(unknown)?;
        let mut number = token.number;
        let grant = self.grant(token.family).await?.ok_or_else(unknown)?;
        let user = self.user(&grant).await?;
        let granted = Granted::read(&grant.content)?;
        let (scopes, resource) = narrowed(request, &granted)?;
        let presenter = RefreshPresenter {
            client_id: &self.registered.client.id,
            jkt: self.jkt.as_deref(),
            now: state.clock.now().as_second(),
        };
        let limits = state.settings.oauth.refresh_limits();
        match grant.family.present(number, &presenter, limits) {
            Refreshed::Rotated(next) => {
                let written = grants::rotate(&state.store, grant.id, &grant.family, &next).await;
                // Who was faster rotated the same token: its successor is the same, too.
                if !written.map_err(|error| of_store(&error))? {
                    self.still(grant.id, number, &presenter).await?;
                }
                number = next.current;
            }
            Refreshed::Repeated => number = grant.family.current,
            Refreshed::Reused(_) => return Err(self.replayed(&grant).await?),
            Refreshed::Refused(reason) => {
                tracing::info!(reason, "a refresh token was refused");
                return Err(unknown());
            }
        }
        let scopes = self.still_allowed(scopes);
        let making = Making {
            registered: self.registered,
            user: &user,
            grant: grant.id,
            granted: &granted,
            scopes,
            resource,
            jkt: self.jkt.clone(),
            number: Some(number),
        };
        issue::tokens(state, making).await
    }

    /// RFC 6749 §4.4: the client acts for itself.
    fn by_itself(&self, request: &TokenRequest) -> Result<Value, Refusal> {
        let client = &self.registered.client;
        let known = self.state.settings.oauth.known_scopes();
        let asked = request.scope.as_deref().unwrap_or_default();
        let invalid = |text| named(StatusCode::BAD_REQUEST, "invalid_scope", text, false);
        let mut scopes = match request.scope {
            Some(_) => scopes_of(client, &known, asked).map_err(invalid)?,
            None => client.scopes.clone(),
        };
        // What is about a person means nothing where there is none.
        scopes.retain(|scope| !super::settings::OPENID_SCOPES.contains(&scope.as_str()));
        let resource = narrow_resource(&client.resources, &request.resources);
        let resource = resource.map_err(|error| refusal(&error))?;
        let jkt = self.jkt.as_deref();
        issue::own_token(self.state, self.registered, &scopes, resource, jkt)
    }

    /// The key that refresh tokens are bound to: a public client's own (RFC 9449 §5).
    fn bound_refresh(&self) -> Option<&str> {
        let jkt = self.jkt.as_deref();
        jkt.filter(|_| self.registered.client.is_public())
    }

    /// The user of a grant, who may still do what they let the client do.
    async fn user(&self, grant: &Grant) -> Result<User, Refusal> {
        let user = issue::user_of(self.state, grant).await?;
        user.ok_or_else(|| invalid_grant("the login behind it is over"))
    }

    /// A grant that was given to this client.
    async fn grant(&self, id: uuid::Uuid) -> Result<Option<Grant>, Refusal> {
        let found = grants::find(&self.state.store, id).await;
        let found = found.map_err(|error| of_store(&error))?;
        Ok(found.filter(|grant| grant.family.client_id == self.registered.client.id))
    }

    /// After somebody else was faster: whether the same token still gives its successor.
    async fn still(
        &self,
        id: uuid::Uuid,
        number: u32,
        presenter: &RefreshPresenter<'_>,
    ) -> Result<(), Refusal> {
        let unknown = || invalid_grant("the refresh token is unknown, was used or has expired");
        let grant = self.grant(id).await?.ok_or_else(unknown)?;
        let limits = self.state.settings.oauth.refresh_limits();
        match grant.family.present(number, presenter, limits) {
            Refreshed::Repeated => Ok(()),
            Refreshed::Rotated(_) | Refreshed::Reused(_) | Refreshed::Refused(_) => Err(unknown()),
        }
    }

    /// Scopes that the client may still have: what was taken from it is gone with the next refresh.
    fn still_allowed(&self, mut scopes: Vec<String>) -> Vec<String> {
        scopes.retain(|scope| self.registered.client.scopes.contains(scope));
        scopes
    }

    /// Somebody brings what was used before: there is a copy. All that came of it ends, durably,
    /// before the error is told (RFC 9700 §4.14.2).
    async fn replayed(&self, grant: &Grant) -> Result<Refusal, Refusal> {
        let client = &self.registered.client.id;
        let entry = Entry {
            act: Act::GrantReplayed,
            actor: Actor::Anonymous,
            target: Target {
                id: Some(grant.user),
                name: None,
            },
            address: self.asked.client.address_text(),
            request_id: Some(self.asked.client.request_id.clone()),
            details: Some(json!({"client": client}).to_string()),
        };
        let unit = vec![
            grants::revoke_step(&self.state.store, grant.id),
            audit::insert_step(&self.state.store, &entry),
        ];
        let written = self.state.db.write(unit).await;
        written.map_err(|error| of_store(&error.into()))?;
        tracing::warn!(%client, "a code or refresh token was used twice; the grant was revoked");
        Ok(invalid_grant(
            "it was used before; the login behind it was ended",
        ))
    }
}

/// The scopes and the resource server of the token, no more than were granted.
fn narrowed(
    request: &TokenRequest,
    granted: &Granted,
) -> Result<(Vec<String>, Option<String>), Refusal> {
    let scopes = narrow_scopes(&granted.scopes, request.scope.as_deref());
    let scopes = scopes.map_err(|error| refusal(&error))?;
    let resource = narrow_resource(&granted.resources, &request.resources);
    let resource = resource.map_err(|error| refusal(&error))?;
    Ok((scopes, resource))
}
