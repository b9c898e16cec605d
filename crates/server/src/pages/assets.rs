//! Scripts, styles and images of the pages: own ones, and others' as their publishers made them.
//!
//! Their addresses hold a hash of them all, so browsers keep them for good and yet never use old ones
//! with a new page.

use axum::body::Body;
use axum::extract::{Path, State as Shared};
use axum::http::{HeaderValue, Response, StatusCode, header};
use xxhash_rust::xxh3::Xxh3;

use super::settings::PageSettings;
use super::templates::Files;
use crate::App;
use crate::docs::vendored;
use crate::error::{Answer, Refusal};

/// Others' files, by the names under which pages ask for them.
const VENDORED: [(&str, &str); 2] = [
    ("opaque.js", "vendor/opaque/index.js"),
    ("zxcvbn.js", "vendor/zxcvbn/zxcvbn.js"),
];

/// What the worker of OPAQUE may do besides a page's scripts: run WebAssembly. It is the only one
/// that may, and it can reach nothing but its own modules.
const WORKER_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'";

/// A drawing can hold styles; it can hold no script that runs.
const LOGO_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

/// What pages ask for besides themselves.
pub(super) struct Assets {
    /// A hash of everything.
    pub(super) version: String,
    brand: String,
}

impl Assets {
    pub(super) fn new(settings: &PageSettings) -> Self {
        let brand = settings.accent.sheet();
        let mut hash = Xxh3::new();
        hash.update(brand.as_bytes());
        if let Some(logo) = &settings.logo {
            hash.update(&logo.bytes);
        }
        let mut names: Vec<_> = Files::iter().collect();
        names.sort_unstable();
        for name in names {
            if let Some(file) = Files::get(&name) {
                hash.update(name.as_bytes());
                hash.update(&file.metadata.sha256_hash());
            }
        }
        for (_, name) in VENDORED {
            hash.update(&vendored(name).unwrap_or_default());
        }
        Self {
            version: format!("{:016x}", hash.digest()),
            brand,
        }
    }
}

fn missing() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "PGRST125", "there is no such path")
}

fn kept(body: impl Into<Body>, kind: &'static str, policy: Option<&'static str>) -> Response<Body> {
    let mut response = Response::new(body.into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    let kept = HeaderValue::from_static("public, max-age=31536000, immutable");
    headers.insert(header::CACHE_CONTROL, kept);
    if let Some(policy) = policy {
        let policy = HeaderValue::from_static(policy);
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// `GET /auth/assets/{version}/{file}`
pub(crate) async fn asset(Path((version, name)): Path<(String, String)>) -> Answer {
    // Whatever the version: a page that was loaded before a new start goes on.
    if version.len() != 16 {
        return Err(missing());
    }
    if let Some((_, file)) = VENDORED.into_iter().find(|(known, _)| *known == name) {
        let bytes = vendored(file).ok_or_else(missing)?;
        return Ok(kept(bytes, "text/javascript; charset=utf-8", None));
    }
    let (file, kind) = match name.rsplit_once('.') {
        Some((_, "js")) => (format!("scripts/{name}"), "text/javascript; charset=utf-8"),
        Some((_, "css")) => (name.clone(), "text/css; charset=utf-8"),
        Some((_, "svg")) => (name.clone(), "image/svg+xml"),
        _ => return Err(missing()),
    };
    let file = Files::get(&file).ok_or_else(missing)?;
    let policy = (name == "opaque-worker.js").then_some(WORKER_POLICY);
    Ok(kept(file.data.into_owned(), kind, policy))
}

/// `GET /auth/assets/{version}/brand.css`: the organisation's colour.
pub(crate) async fn brand(Shared(app): Shared<App>) -> Answer {
    let sheet = app.0.pages.assets.brand.clone();
    Ok(kept(sheet, "text/css; charset=utf-8", None))
}

/// `GET /auth/assets/{version}/logo`
pub(crate) async fn logo(Shared(app): Shared<App>) -> Answer {
    let logo = app.0.settings.pages.logo.as_ref().ok_or_else(missing)?;
    Ok(kept(logo.bytes.clone(), logo.kind, Some(LOGO_POLICY)))
}
