//! `/oauth2/introspect` (RFC 7662, RFC 9701) and `/oauth2/revoke` (RFC 7009): is that token good, and
//! let it be good no longer.

use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::{HeaderValue, StatusCode, header};
use oauth::client::Party;
use oauth::refresh::{RefreshPresenter, RefreshToken, Refreshed};
use oauth::{AccessTokenClaims, Parameters, sign_introspection};
use serde_json::{Map, Value, json};
use store::grants::{self, Grant};
use store::moments::Purpose;
use uuid::Uuid;

use super::client_auth::{authenticate, parameters, remember};
use super::clients::Registered;
use super::error::{invalid_request, named};
use super::issue::{self, ACT, GRANT, Granted};
use crate::App;
use crate::app::State;
use crate::auth::good_token;
use crate::client::Asked;
use crate::error::{Answer, Refusal};
use crate::identity::{json_answer, of_store};

/// A token that is good.
enum Known {
    Access(Box<AccessTokenClaims>),
    Refresh(Box<Grant>),
}

/// `POST /oauth2/introspect`
pub(crate) async fn introspect(Shared(app): Shared<App>, asked: Asked, body: Bytes) -> Answer {
    let state = &app.0;
    let parameters = parameters(&asked.headers, &body)?;
    let registered = authenticate(state, &asked.headers, &parameters).await?;
    let client = &registered.client;
    if client.is_public() {
        let text = "only a client that proves who it is may ask";
        return Err(named(
            StatusCode::UNAUTHORIZED,
            "invalid_client",
            text,
            false,
        ));
    }
    let token = token(&parameters)?;
    let known = known(state, token).await?;
    // RFC 7662 §4: nobody learns of tokens that are none of their business.
    let known =
        known.filter(|known| client.party == Party::First || known.client_id() == client.id);
    let about = match known {
        None => Map::from_iter([(String::from("active"), Value::Bool(false))]),
        Some(known) => known.about(state)?,
    };
    let wants = asked.headers.get(header::ACCEPT);
    let wants_jwt =
        wants.is_some_and(|value| value.as_bytes() == b"application/token-introspection+jwt");
    if !wants_jwt && client.signing.introspection.is_none() {
        return Ok(json_answer(StatusCode::OK, &Value::Object(about)));
    }
    let algorithm = issue::algorithm(client.signing.introspection);
    let keys = state.signing_keys(algorithm).await?;
    let key = issue::signing(&keys, algorithm)?;
    let now = state.clock.now().as_second();
    let issuer = &state.settings.public_url;
    let signed = sign_introspection(about, issuer, &client.id, now, key);
    let signed = signed.map_err(|error| Refusal::internal("introspection", &error))?;
    let mut answer = json_answer(StatusCode::OK, &Value::Null);
    *answer.body_mut() = signed.into();
    answer.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/token-introspection+jwt"),
    );
    Ok(answer)
}

/// `POST /oauth2/revoke`: 200 for every token, so that nobody learns which there are.
pub(crate) async fn revoke(Shared(app): Shared<App>, asked: Asked, body: Bytes) -> Answer {
    let state = &app.0;
    let parameters = parameters(&asked.headers, &body)?;
    let registered = authenticate(state, &asked.headers, &parameters).await?;
    let token = token(&parameters)?;
    // Of a login that is to end, any of its tokens will do: the newest may never have arrived.
    let known = match refresh_grant(state, token).await? {
        Some((_, grant)) => Some(Known::Refresh(Box::new(grant))),
        None => known(state, token).await?,
    };
    let own = known.filter(|known| known.client_id() == registered.client.id);
    if let Some(known) = own {
        end(state, &registered, &known).await?;
    }
    Ok(json_answer(StatusCode::OK, &json!({})))
}

fn token(parameters: &Parameters) -> Result<&str, Refusal> {
    if parameters.has_twice() {
        return Err(invalid_request("a parameter stands twice"));
    }
    parameters
        .get("token")
        .ok_or_else(|| invalid_request("token is missing"))
}

/// The token, if it is one of ours that is good now. `token_type_hint` is not needed to know it.
async fn known(state: &State, token: &str) -> Result<Option<Known>, Refusal> {
    if let Some((number, grant)) = refresh_grant(state, token).await? {
        let family = &grant.family;
        let presenter = RefreshPresenter {
            client_id: &family.client_id,
            jkt: family.jkt.as_deref(),
            now: state.clock.now().as_second(),
        };
        let limits = state.settings.oauth.refresh_limits();
        let judged = family.present(number, &presenter, limits);
        let is_good = matches!(judged, Refreshed::Rotated(_))
            && issue::user_of(state, &grant).await?.is_some();
        return Ok(is_good.then(|| Known::Refresh(Box::new(grant))));
    }
    let good = good_token(state, token).await?;
    Ok(good.map(|(claims, _)| Known::Access(Box::new(claims))))
}

/// The number of a refresh token and its grant, good or not.
async fn refresh_grant(state: &State, token: &str) -> Result<Option<(u32, Grant)>, Refusal> {
    let keys = std::slice::from_ref(&state.refresh_key);
    let Some(refresh) = RefreshToken::decode(token, keys) else {
        return Ok(None);
    };
    let found = grants::find(&state.store, refresh.family).await;
    let found = found.map_err(|error| of_store(&error))?;
    Ok(found.map(|grant| (refresh.number, grant)))
}

impl Known {
    fn client_id(&self) -> &str {
        match self {
            Self::Access(claims) => &claims.client_id,
            Self::Refresh(grant) => &grant.family.client_id,
        }
    }

    /// What is told of it (RFC 7662 §2.2).
    fn about(&self, state: &State) -> Result<Map<String, Value>, Refusal> {
        let mut about = match self {
            Self::Access(claims) => {
                let mut members = claims.to_members();
                members.insert(String::from("token_type"), "Bearer".into());
                members
            }
            Self::Refresh(grant) => {
                let granted = Granted::read(&grant.content)?;
                let life = state.settings.oauth.refresh_limits().absolute;
                let mut members = Map::new();
                for (name, value) in [
                    ("client_id", Value::from(grant.family.client_id.as_str())),
                    ("scope", granted.scopes.join(" ").into()),
                    ("iss", state.settings.public_url.as_str().into()),
                    ("iat", grant.family.rotated_at.into()),
                    ("exp", grant.family.started_at.saturating_add(life).into()),
                ] {
                    members.insert(name.to_owned(), value);
                }
                members
            }
        };
        about.insert(String::from("active"), Value::Bool(true));
        Ok(about)
    }
}

/// A token of a grant ends the grant; one without, and one that another client's was exchanged for, is
/// remembered until it has expired.
async fn end(state: &State, registered: &Registered, known: &Known) -> Result<(), Refusal> {
    let grant = match known {
        Known::Refresh(grant) => Some(grant.id),
        Known::Access(claims) if claims.extra.contains_key(ACT) => None,
        Known::Access(claims) => {
            let id = claims.extra.get(GRANT).and_then(Value::as_str);
            id.and_then(|id| Uuid::try_parse(id).ok())
        }
    };
    match (grant, known) {
        (Some(id), _) => {
            let unit = vec![grants::revoke_step(&state.store, id)];
            let written = state.db.write(unit).await;
            written.map_err(|error| of_store(&error.into()))?;
        }
        (None, Known::Access(claims)) => {
            remember(state, Purpose::RevokedToken, &claims.jti, claims.exp).await?;
        }
        (None, Known::Refresh(_)) => {}
    }
    tracing::info!(client = registered.client.id, "a token was revoked");
    Ok(())
}
