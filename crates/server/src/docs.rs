//! The description of the API, its page, keys, health.

use axum::body::Body;
use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use rust_embed::RustEmbed;
use serde_json::json;

use crate::App;
use crate::auth::{Possession, authenticate};
use crate::error::{Answer, Refusal};

/// The page's files, as they stand.
#[derive(RustEmbed)]
#[folder = "assets/"]
struct Assets;

/// The page may run its own scripts and show its own styles, and talk to this server alone.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

fn with_type(body: impl Into<Body>, kind: &'static str) -> Response<Body> {
    let mut response = Response::new(body.into());
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// Pages that `server.docs = "off"` takes away.
fn require_docs(app: &App) -> Result<(), Refusal> {
    if app.0.settings.docs {
        return Ok(());
    }
    Err(missing())
}

fn missing() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "PGRST125", "there is no such path")
}

/// `GET /openapi.json`, for the caller's roles.
pub(crate) async fn openapi(Shared(app): Shared<App>, headers: HeaderMap) -> Answer {
    require_docs(&app)?;
    let compiled = app.0.compiled.load();
    let caller = {
        let shown = Possession::Shown("/openapi.json");
        authenticate(&app.0, &compiled, &Method::GET, shown, &headers).await?
    };
    let roles = caller
        .as_ref()
        .map_or(&compiled.anonymous.roles, |caller| &caller.roles);
    Ok(with_type(
        app.0.document(&compiled, roles).to_string(),
        "application/json",
    ))
}

/// `GET /docs`: for trying things out.
pub(crate) async fn page(Shared(app): Shared<App>) -> Answer {
    require_docs(&app)?;
    file("docs.html")
}

/// `GET /redoc`: for reading.
pub(crate) async fn redoc(Shared(app): Shared<App>) -> Answer {
    require_docs(&app)?;
    file("redoc.html")
}

/// `GET /docs/{file}`
pub(crate) async fn asset(Shared(app): Shared<App>, Path(name): Path<String>) -> Answer {
    require_docs(&app)?;
    match name.as_str() {
        "docs.js" => file("docs.js"),
        "swagger-ui.css" => file("vendor/swagger-ui/swagger-ui.css"),
        "swagger-ui-bundle.js" => file("vendor/swagger-ui/swagger-ui-bundle.js"),
        "redoc.js" => file("redoc.js"),
        "redoc.standalone.js" => file("vendor/redoc/redoc.standalone.js"),
        _ => Err(missing()),
    }
}

/// A file that somebody else has published, as it stands in `assets/vendor`.
pub(crate) fn vendored(name: &str) -> Option<Vec<u8>> {
    Assets::get(name).map(|file| file.data.into_owned())
}

fn file(name: &str) -> Answer {
    let Some(file) = Assets::get(name) else {
        return Err(Refusal::internal("asset", &name));
    };
    let kind = match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        _ => "text/javascript; charset=utf-8",
    };
    let mut response = with_type(file.data.into_owned(), kind);
    let policy = HeaderValue::from_static(PAGE_POLICY);
    response
        .headers_mut()
        .insert(header::CONTENT_SECURITY_POLICY, policy);
    Ok(response)
}

/// `GET /healthz`: the process is alive.
pub(crate) async fn healthz() -> Answer {
    Ok(with_type(
        json!({"status": "ok"}).to_string(),
        "application/json",
    ))
}

/// `GET /readyz`: the database answers, and takes changes or not.
pub(crate) async fn readyz(Shared(app): Shared<App>) -> Answer {
    let status = match app.0.is_read_only {
        true => json!({"status": "ok", "mode": "read-only"}),
        false => json!({"status": "ok"}),
    };
    match app.0.db.ping().await {
        Ok(()) => Ok(with_type(status.to_string(), "application/json")),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            Err(Refusal::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "PGRST000",
                "the database cannot be reached now",
            ))
        }
    }
}
