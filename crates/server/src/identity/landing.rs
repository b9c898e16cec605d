//! Where the links of mails lead: one page that shows what is about to happen and does it when its
//! button is pressed. Opening it changes nothing, so that a scanner of mails may.

use axum::body::Body;
use axum::extract::State as Shared;
use axum::http::{HeaderValue, Response, header};

use super::administrator;
use crate::App;
use crate::error::Answer;

const PAGE: &str = include_str!("../../assets/link.html");
const SCRIPT: &str = include_str!("../../assets/link.js");

/// The page runs its own script, shows its own style and talks to this server alone.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; \
connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// `GET /auth/confirm/{token}` and its like: the same bytes for every token.
pub(crate) async fn page() -> Response<Body> {
    file(PAGE, "text/html; charset=utf-8")
}

/// `GET /auth/administrator/{token}`, while somebody holds such a link.
pub(crate) async fn administrator(Shared(app): Shared<App>) -> Answer {
    administrator::require(&app.0).await?;
    Ok(page().await)
}

/// `GET /auth/link.js`
pub(crate) async fn script() -> Response<Body> {
    file(SCRIPT, "text/javascript; charset=utf-8")
}

fn file(text: &'static str, kind: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(POLICY),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
