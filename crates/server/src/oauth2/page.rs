//! The few pages of the protocol itself: a problem that no client can be told of, an answer that
//! travels as a form, and whether to log out.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};

use super::front_channel::Frame;
use crate::error::{Answer, Refusal, Told};

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:26rem;margin:12vh auto;\
padding:0 1rem}:root{color-scheme:light dark}button{font:inherit;padding:.6rem .8rem;width:100%}\
code{font-size:.9em}";

/// What a page may do: show its own style, and send forms where it says.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; \
base-uri 'none'; frame-ancestors 'none'";

/// A request that cannot be answered to its client, because it is not known who that is or where it
/// wants its answers (RFC 9700 §4.11).
pub(super) fn problem(code: &str, description: &str) -> Response<Body> {
    let text = format!(
        "<h1>This login cannot go on</h1><p>{}</p><p><code>{}</code></p>\
         <p>Go back to the application that sent you here, and try again there.</p>",
        escaped(description),
        escaped(code)
    );
    let mut response = page("This login cannot go on", &text, POLICY);
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response.extensions_mut().insert(Told);
    response
}

/// An answer as a form that posts itself (Form Post Response Mode §2); it may be sent to its client
/// alone.
pub(super) fn form(base: &str, action: &str, fields: &[(String, String)]) -> Response<Body> {
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let text = format!(
        "<form method=\"post\" action=\"{}\" data-submit>{}<button>Go on</button></form>\
         <script src=\"{base}/oauth2/submit.js\" defer></script>",
        escaped(action),
        hidden(&fields)
    );
    page("One moment", &text, POLICY)
}

/// Asks whether to log out.
pub(super) fn log_out(base: &str, fields: &[(&str, &str)]) -> Response<Body> {
    let text = format!(
        "<h1>Log out?</h1><form method=\"post\" action=\"{base}/oauth2/logout\">{}\
         <button>Log out</button></form>",
        hidden(fields)
    );
    page("Log out?", &text, POLICY)
}

/// Nothing more is to be done.
pub(super) fn logged_out() -> Response<Body> {
    page(
        "Logged out",
        "<h1>You are logged out</h1><p>You may close this page.</p>",
        POLICY,
    )
}

/// Tells clients that a session is over, by a frame for each, and goes on when all of them have loaded.
pub(super) fn telling(base: &str, frames: &[Frame], then: Option<&str>) -> Answer {
    let one = |frame: &Frame| {
        let address = escaped(&frame.address);
        format!("<iframe src=\"{address}\" title=\"Logging out\" hidden></iframe>")
    };
    let told: String = frames.iter().map(one).collect();
    let next = match then {
        None => String::from("<p>You may close this page.</p>"),
        Some(then) => format!(
            "<p><a href=\"{}\" data-then>Go on</a></p>\
             <script src=\"{base}/oauth2/leave.js\" defer></script>",
            escaped(then)
        ),
    };
    let text = format!("<h1>You are logged out</h1>{told}{next}");
    let origins: Vec<&str> = frames.iter().map(|frame| frame.origin.as_str()).collect();
    let policy = format!("{POLICY}; frame-src {}", origins.join(" "));
    let policy = HeaderValue::from_str(&policy)
        .map_err(|error| Refusal::internal("the page after a logout", &error))?;
    let mut response = page("Logged out", &text, POLICY);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    Ok(response)
}

/// `GET /oauth2/leave.js`: goes on when every frame has loaded, and in any case after a while.
pub(crate) async fn leave() -> Response<Body> {
    script(
        "const go = () => location.replace(document.querySelector(\"a[data-then]\").href)\n\
         if (document.readyState === \"complete\") go()\n\
         else addEventListener(\"load\", go)\n\
         setTimeout(go, 5000)\n",
    )
}

/// `GET /oauth2/submit.js`
pub(crate) async fn submit() -> Response<Body> {
    script("document.querySelector(\"form[data-submit]\").submit()\n")
}

fn script(text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/javascript; charset=utf-8"),
    );
    response
}

fn page(title: &str, text: &str, policy: &'static str) -> Response<Body> {
    let text = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"robots\" content=\"noindex\"><title>{title}</title><style>{STYLE}</style>\
         </head><body><main>{text}</main></body></html>"
    );
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

fn hidden(fields: &[(&str, &str)]) -> String {
    let field = |(name, value): &(&str, &str)| {
        let (name, value) = (escaped(name), escaped(value));
        format!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">")
    };
    fields.iter().map(field).collect()
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
