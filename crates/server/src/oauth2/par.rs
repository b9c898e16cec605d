//! `/oauth2/par` (RFC 9126): a client leaves its authorization request here, and sends the browser
//! with a reference to it.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use oauth::authorize::{
    AuthorizationError, Door, Inputs, Issuer, PUSHED_PREFIX, PushedRequest, RequestSource, Source,
    check_authorization_request, request_source,
};
use serde_json::json;
use store::moments::Purpose;

use super::ACR_VALUES;
use super::client_auth::{authenticate, parameters};
use super::clients::PROFILE;
use super::error::{invalid_request, named};
use super::flow::Pushed;
use crate::App;
use crate::client::Asked;
use crate::error::{Answer, Refusal};
use crate::identity::{door, json_answer, of_store};

/// How long a browser may take to come, seconds.
const LIFE: u32 = 90;

/// `POST /oauth2/par`
pub(crate) async fn push(Shared(app): Shared<App>, asked: Asked, body: Bytes) -> Answer {
    let state = &app.0;
    let parameters = parameters(&asked.headers, &body)?;
    let registered = authenticate(state, &asked.headers, &parameters).await?;
    let source = match request_source(&parameters).map_err(invalid_request)? {
        RequestSource::Value(object) => Source::Object(object.to_owned()),
        _ => Source::Plain,
    };
    let scopes = state.settings.oauth.known_scopes();
    let acr_values = ACR_VALUES.map(str::to_owned);
    let keys = state.keys.verifying();
    let now = state.clock.now();
    let inputs = Inputs {
        issuer: Issuer {
            id: &state.settings.public_url,
            profile: PROFILE,
            scopes: &scopes,
            acr_values: &acr_values,
            keys: &keys,
        },
        client: Some(&registered.client),
        parameters: &parameters,
        source: &source,
        door: Door::Push,
        now,
    };
    check_authorization_request(&inputs).map_err(|error| {
        let (code, description) = match error {
            AuthorizationError::Page { code, description } => (code, description),
            AuthorizationError::Redirect(error) => (error.code, error.description),
        };
        named(StatusCode::BAD_REQUEST, code.name(), description, false)
    })?;
    let pushed = Pushed::of(&PushedRequest {
        client_id: registered.client.id.clone(),
        signed: matches!(source, Source::Object(_)),
        parameters,
        expires_at: now.as_second() + i64::from(LIFE),
    });
    let uri = format!("{PUSHED_PREFIX}{}", door::flow_id(state));
    let text = serde_json::to_string(&pushed);
    let text = text.map_err(|error| Refusal::internal("a pushed request", &error))?;
    let life = Duration::from_secs(u64::from(LIFE));
    let kept = state.moments.put(Purpose::PushedRequest, &uri, &text, life);
    kept.await.map_err(|error| of_store(&error))?;
    let body = json!({"request_uri": uri, "expires_in": LIFE});
    Ok(json_answer(StatusCode::CREATED, &body))
}
