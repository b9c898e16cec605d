//! What the issuer and the data API say of themselves.

use axum::body::Body;
use axum::extract::State as Shared;
use axum::http::{HeaderValue, Response, StatusCode, header};
use oauth::metadata::{Feature, IssuerMetadata, resource_metadata};
use oauth::{Algorithm, Jwks};
use serde_json::Value;

use super::ACR_VALUES;
use super::clients::PROFILE;
use super::settings::RegistrationMode;
use super::token::SERVED;
use crate::App;
use crate::error::Answer;

/// `GET /.well-known/openid-configuration` and `/.well-known/oauth-authorization-server` (OpenID
/// Connect Discovery §4, RFC 8414 §3)
pub(crate) async fn issuer(Shared(app): Shared<App>) -> Answer {
    let state = &app.0;
    let mut features = vec![
        Feature::Proofs,
        Feature::BackChannelLogout,
        Feature::FrontChannelLogout,
    ];
    if state.settings.oauth.registration != RegistrationMode::Off {
        features.push(Feature::Registration);
    }
    let metadata = IssuerMetadata {
        issuer: &state.settings.public_url,
        profile: PROFILE,
        scopes: &state.settings.oauth.known_scopes(),
        acr_values: &ACR_VALUES.map(str::to_owned),
        signs_with: Algorithm::ALL,
        ui_locales: &[],
        grants: &SERVED,
        features: &features,
    };
    Ok(document(&metadata.to_value()))
}

/// `GET /.well-known/oauth-protected-resource` (RFC 9728 §3): the data API.
pub(crate) async fn resource(Shared(app): Shared<App>) -> Answer {
    let settings = &app.0.settings;
    let url = &settings.public_url;
    let scopes = [super::settings::READ, super::settings::WRITE].map(str::to_owned);
    let issuers = std::slice::from_ref(url);
    let value = resource_metadata(url, issuers, &scopes, &settings.title, PROFILE);
    Ok(document(&value))
}

/// `GET /.well-known/jwks.json` and `/oauth2/jwks` (RFC 7517)
pub(crate) async fn jwks(Shared(app): Shared<App>) -> Answer {
    let state = &app.0;
    // Another process may have made or replaced one.
    let newer = state.newer_keys().await?;
    let keys = newer.unwrap_or_else(|| state.keys.known());
    let text = Jwks::new(&keys.verifying).to_json();
    Ok(with_type(text, "application/jwk-set+json"))
}

fn document(value: &Value) -> Response<Body> {
    with_type(value.to_string(), "application/json")
}

fn with_type(text: String, kind: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = StatusCode::OK;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
