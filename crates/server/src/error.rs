//! Errors as answers: one envelope for the whole API.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use rest::{ErrorKind, RestError};
use serde_json::{Value, json};

use crate::status::of_error;

const PROXY_STATUS: HeaderName = HeaderName::from_static("proxy-status");

/// A refused request.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) details: Value,
    pub(crate) hint: Option<String>,
    pub(crate) allow: Option<String>,
    /// After how many seconds it makes sense to ask again.
    pub(crate) retry_after: Option<u64>,
    /// What `WWW-Authenticate` asks for, where it does.
    pub(crate) challenge: Option<Box<Challenge>>,
    /// What the OAuth specifications call it, where they do.
    pub(crate) oauth: Option<&'static str>,
}

/// What `WWW-Authenticate` asks for (RFC 9110 §11.6.1).
#[derive(Clone, Copy, Debug)]
pub(crate) enum Challenge {
    /// An access token, or a better one (RFC 6750 §3).
    Bearer {
        /// What was wrong; empty where none came.
        error: &'static str,
        /// How well somebody has to prove who they are (RFC 9470 §3).
        acr: Option<&'static str>,
        /// The scope that the token lacks (RFC 6750 §3.1).
        scope: Option<&'static str>,
    },
    /// A client's secret (RFC 6749 §5.2).
    Basic,
}

impl Challenge {
    /// For a token that is missing or not good.
    pub(crate) fn bearer(error: &'static str) -> Self {
        Self::Bearer {
            error,
            acr: None,
            scope: None,
        }
    }

    /// The header's value.
    fn text(self) -> String {
        match self {
            Self::Basic => String::from("Basic realm=\"pilaster\""),
            Self::Bearer { error, acr, scope } => {
                let error = Some(error).filter(|error| !error.is_empty());
                let parts = [("error", error), ("acr_values", acr), ("scope", scope)];
                let parts = parts
                    .into_iter()
                    .filter_map(|(name, value)| Some((name, value?)));
                parts.fold(
                    String::from("Bearer realm=\"pilaster\""),
                    |text, (name, value)| format!("{text}, {name}=\"{value}\""),
                )
            }
        }
    }
}

/// Marks an answer that tells its error in a form of its own, as a page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told;

/// By whose names an endpoint tells its errors, beside our own: see `docs/error.schema.json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    /// Ours alone.
    Own,
    /// Those of RFC 6749 §5.2 too.
    OAuth,
}

impl Names {
    /// Those of a path.
    pub(crate) fn at(path: &str) -> Self {
        match path.trim_end_matches('/') {
            "/token" => Self::OAuth,
            // What a person is asked is asked by a page, not by a client.
            path if path.starts_with("/oauth2/consent/") => Self::Own,
            "/oauth2/device" | "/oauth2/device/decision" => Self::Own,
            path if path.starts_with("/oauth2/") => Self::OAuth,
            _ => Self::Own,
        }
    }
}

/// What handlers give.
pub(crate) type Answer = Result<Response<Body>, Refusal>;

impl Refusal {
    pub(crate) fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.to_owned(),
            message: message.into(),
            details: Value::Null,
            hint: None,
            allow: None,
            retry_after: None,
            challenge: None,
            oauth: None,
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn details(mut self, details: Value) -> Self {
        self.details = details;
        self
    }

    /// Somebody must say who they are, or say it better.
    pub(crate) fn unauthorized(error: &'static str, message: &str) -> Self {
        let mut refusal = Self::new(StatusCode::UNAUTHORIZED, "PGRST301", message);
        refusal.challenge = Some(Box::new(Challenge::bearer(error)));
        refusal
    }

    /// The token is good, and not for this.
    pub(crate) fn insufficient_scope(scope: &'static str) -> Self {
        let message = format!("the token was given without the scope {scope}");
        let mut refusal = Self::new(StatusCode::FORBIDDEN, "insufficient_scope", message);
        refusal.oauth = Some("insufficient_scope");
        refusal.challenge = Some(Box::new(Challenge::Bearer {
            error: "insufficient_scope",
            acr: None,
            scope: Some(scope),
        }));
        refusal
    }

    /// What cannot be done without a mail, where none can be sent.
    pub(crate) fn no_mail() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "mail_unavailable",
            "this needs a mail, and this server sends none",
        )
        .hint("whoever runs it sets SMTP_URL")
    }

    /// Somebody may not do this; `code` is a stable word.
    pub(crate) fn forbidden(code: &str, message: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, message)
    }

    /// The body has more bytes than the limit.
    pub(crate) fn too_large(limit: usize) -> Self {
        let message = format!("the body has more than {limit} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "PGRST102", message)
            .hint("the limit is server.max_body_bytes")
    }

    /// Our fault: logged here, told without its cause.
    pub(crate) fn internal(what: &str, error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "{what}");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "XX000",
            "something went wrong here; the log says what",
        )
    }

    /// For a status of the framework's own, whose text is no answer of ours.
    pub(crate) fn of_framework(status: StatusCode, limit: usize) -> Self {
        match status {
            StatusCode::PAYLOAD_TOO_LARGE => Self::too_large(limit),
            StatusCode::NOT_FOUND => Self::new(status, "PGRST125", "there is no such path"),
            status if status.is_server_error() => {
                Self::new(status, "XX000", "something went wrong here")
            }
            status => Self::new(status, "PGRST102", "the request cannot be read"),
        }
    }

    /// What RFC 6749 calls it: §5.2, and §4.1.2.1 for what is not the client's fault.
    fn oauth_name(&self) -> &str {
        if let Some(name) = self.oauth {
            return name;
        }
        if let Some(Challenge::Bearer { error, .. }) = self.challenge.as_deref()
            && !error.is_empty()
        {
            return error;
        }
        match self.status {
            _ if self.code == "unsupported_grant_type" => &self.code,
            StatusCode::UNAUTHORIZED | StatusCode::CONFLICT => "invalid_grant",
            StatusCode::FORBIDDEN => "access_denied",
            StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
            | StatusCode::INSUFFICIENT_STORAGE => "temporarily_unavailable",
            status if status.is_server_error() => "server_error",
            _ => "invalid_request",
        }
    }

    /// The answer, with the request's id in it.
    pub(crate) fn respond(self, request_id: &str, names: Names) -> Response<Body> {
        let named = (names == Names::OAuth).then(|| self.oauth_name().to_owned());
        let (details, errors) = told(self.details);
        let mut body = json!({
            "code": self.code,
            "message": self.message,
            "details": details,
            "hint": self.hint,
            "request_id": request_id,
        });
        if let Some(errors) = errors {
            body["errors"] = errors;
        }
        if let Some(name) = named {
            body["error"] = json!(name);
            body["error_description"] = json!(plain(&self.message));
        }
        let mut response = Response::new(Body::from(body.to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        if names == Names::OAuth {
            // RFC 6749 §5.1 says it of tokens; what was wrong with a request is nobody's to keep.
            let value = HeaderValue::from_static("no-store");
            headers.insert(header::CACHE_CONTROL, value);
        }
        // As PostgREST does it (RFC 9209).
        let said = format!("pilaster; error={}", self.code);
        if let Ok(value) = HeaderValue::from_str(&said) {
            headers.insert(PROXY_STATUS, value);
        }
        if let Some(allow) = self
            .allow
            .and_then(|allow| HeaderValue::from_str(&allow).ok())
        {
            headers.insert(header::ALLOW, allow);
        }
        if let Some(challenge) = self.challenge
            && let Ok(value) = HeaderValue::from_str(&challenge.text())
        {
            headers.insert(header::WWW_AUTHENTICATE, value);
        }
        let is_unavailable = self.status == StatusCode::SERVICE_UNAVAILABLE;
        if let Some(seconds) = self.retry_after.or(is_unavailable.then_some(2)) {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// A text without what an `error_description` cannot hold (RFC 6749 §5.2).
fn plain(text: &str) -> String {
    let may = |character: char| matches!(character, ' '..='~') && !"\"\\".contains(character);
    text.chars().filter(|character| may(*character)).collect()
}

/// Details for people, a text as clients of PostgREST expect it, and for programs, as `errors`.
fn told(details: Value) -> (Value, Option<Value>) {
    match details {
        text @ (Value::Null | Value::String(_)) => (text, None),
        Value::Array(list) => {
            let text: Vec<String> = list.iter().map(in_words).collect();
            (json!(text.join("; ")), Some(Value::Array(list)))
        }
        other => (json!(in_words(&other)), Some(json!([other]))),
    }
}

fn in_words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(in_words).collect::<Vec<_>>().join(", "),
        Value::Object(members) => match members.get("message") {
            Some(message) => in_words(message),
            None => {
                let member =
                    |(name, value): (&String, &Value)| format!("{name}: {}", in_words(value));
                members.iter().map(member).collect::<Vec<_>>().join("; ")
            }
        },
        other => other.to_string(),
    }
}

impl From<RestError> for Refusal {
    fn from(error: RestError) -> Self {
        let is_due = error.kind == ErrorKind::Unauthenticated;
        let challenge = is_due.then(|| Box::new(Challenge::bearer("")));
        Self {
            status: of_error(error.kind),
            code: error.code.into_owned(),
            message: error.message,
            details: error.details,
            hint: error.hint,
            allow: error.allow,
            retry_after: None,
            challenge,
            oauth: None,
        }
    }
}
