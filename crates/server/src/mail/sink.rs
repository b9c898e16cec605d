//! `/_mail`: the mails of `dev`, on pages. Nothing leaves the machine; nothing of it is there in
//! production.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use axum::body::Body;
use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::App;
use crate::error::{Answer, Refusal};

/// Mails that are kept.
const MOST: usize = 200;

/// A mail that was not sent.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) id: Uuid,
    pub(super) at: Timestamp,
    pub(super) to: String,
    pub(super) template: String,
    pub(super) language: String,
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) html: String,
    pub(super) source: String,
    pub(super) link: Option<String>,
    pub(super) code: Option<String>,
}

/// The last mails, the newest first; gone with the process.
pub(crate) struct Sink(Mutex<VecDeque<Kept>>);

impl Sink {
    pub(super) fn new() -> Self {
        Self(Mutex::default())
    }

    pub(super) fn keep(&self, mail: Kept) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Sent again after a lease ran out: it is the same mail.
        kept.retain(|other| other.id != mail.id);
        kept.push_front(mail);
        kept.truncate(MOST);
    }

    fn all(&self) -> Vec<Kept> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().cloned().collect()
    }

    fn get(&self, id: &str) -> Option<Kept> {
        let id = Uuid::try_parse(id).ok()?;
        self.all().into_iter().find(|mail| mail.id == id)
    }
}

/// The page itself may show styles of its own and a mail in a frame; a mail may show its styles and
/// open its links in another tab, and run and load nothing.
const PAGE: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const MAIL: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox";

/// `GET /_mail`: for people, or as JSON for programs.
pub(crate) async fn list(Shared(app): Shared<App>, headers: HeaderMap) -> Answer {
    require(&app)?;
    let mails = app.0.post.sink.all();
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok());
    if accept.is_some_and(|accept| accept.starts_with("application/json")) {
        let mails: Vec<Value> = mails.iter().map(shown).collect();
        let body = Value::Array(mails).to_string();
        return Ok(page(body, "application/json", PAGE));
    }
    let row = |mail: &Kept| {
        let (at, to) = (mail.at.strftime("%H:%M:%S"), escaped(&mail.to));
        let (id, subject) = (mail.id, escaped(&mail.subject));
        format!("<tr><td>{at}</td><td>{to}</td><td><a href=\"/_mail/{id}\">{subject}</a></td></tr>")
    };
    let rows: Vec<String> = mails.iter().map(row).collect();
    let rows = match rows.is_empty() {
        true => String::from("<tr><td>No mail yet.</td></tr>"),
        false => rows.concat(),
    };
    let body = format!("<h1>Mails</h1><table>{rows}</table>");
    Ok(page(document("Mails", &body), HTML, PAGE))
}

/// `GET /_mail/{id}`: one mail, as text and as it looks.
pub(crate) async fn one(Shared(app): Shared<App>, Path(id): Path<String>) -> Answer {
    let mail = find(&app, &id)?;
    let (subject, to) = (escaped(&mail.subject), escaped(&mail.to));
    let (id, template, language) = (mail.id, &mail.template, &mail.language);
    let mut text = escaped(&mail.text);
    if let Some(link) = &mail.link {
        let link = escaped(link);
        text = text.replace(&link, &format!("<a href=\"{link}\">{link}</a>"));
    }
    let body = format!(
        "<p><a href=\"/_mail\">All mails</a></p><h1>{subject}</h1>\
         <p>to {to} · {template} · {language} · <a href=\"/_mail/{id}/html\">HTML</a> · \
         <a href=\"/_mail/{id}/source\">source</a></p><pre>{text}</pre>\
         <iframe title=\"HTML\" src=\"/_mail/{id}/html\"></iframe>"
    );
    Ok(page(document(&mail.subject, &body), HTML, PAGE))
}

/// `GET /_mail/{id}/html`: as it looks.
pub(crate) async fn html(Shared(app): Shared<App>, Path(id): Path<String>) -> Answer {
    let mail = find(&app, &id)?;
    // In a frame without rights a link must open elsewhere.
    let body = mail
        .html
        .replacen("<head>", "<head><base target=\"_blank\">", 1);
    Ok(page(body, HTML, MAIL))
}

/// `GET /_mail/{id}/source`: as a server would have been given it.
pub(crate) async fn source(Shared(app): Shared<App>, Path(id): Path<String>) -> Answer {
    Ok(page(
        find(&app, &id)?.source,
        "text/plain; charset=utf-8",
        PAGE,
    ))
}

const HTML: &str = "text/html; charset=utf-8";

fn require(app: &App) -> Result<(), Refusal> {
    match app.0.post.is_sink() {
        true => Ok(()),
        false => Err(missing()),
    }
}

fn find(app: &App, id: &str) -> Result<Kept, Refusal> {
    require(app)?;
    app.0.post.sink.get(id).ok_or_else(missing)
}

fn missing() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "PGRST125", "there is no such path")
}

fn shown(mail: &Kept) -> Value {
    json!({
        "id": mail.id.to_string(), "at": format!("{:.6}", mail.at), "to": mail.to,
        "template": mail.template, "language": mail.language, "subject": mail.subject,
        "link": mail.link, "code": mail.code, "text": mail.text,
    })
}

fn document(title: &str, body: &str) -> String {
    let title = escaped(title);
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>{title}</title>\
         <style>body{{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;\
         padding:0 1rem}}td{{padding:.3rem 1rem .3rem 0;vertical-align:top}}\
         pre{{white-space:pre-wrap;overflow-wrap:anywhere;border:1px solid #8886;padding:1rem}}\
         iframe{{width:100%;height:36rem;border:1px solid #8886}}</style></head>\
         <body>{body}</body></html>"
    )
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

fn page(body: String, kind: &'static str, policy: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(policy),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
