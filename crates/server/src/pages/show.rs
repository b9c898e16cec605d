//! The pages' addresses. Opening one changes nothing but the language that a reader has chosen.

use std::collections::HashMap;
use std::fmt::Write as _;

use axum::body::Body;
use axum::extract::{Query, State as Shared};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use store::{opaque, users};

use super::next::Target;
use super::settings::PageName;
use super::templates::Writing;
use crate::App;
use crate::app::{RegistrationMode, State};
use crate::auth::held_session;
use crate::error::{Answer, Refusal};
use crate::identity::{PasswordMode, administrator as administrators, of_store};
use crate::oauth2;

/// A page runs our scripts, shows our styles, talks to this server, and sends no form by itself: what
/// stands in one would else be in an address when its script did not load.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The same with the drawing of a code that an authenticator app reads.
const ACCOUNT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
img-src 'self' data:; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; \
frame-ancestors 'none'";

/// Where the language is kept that a reader has chosen.
const LANGUAGE_COOKIE: &str = "pilaster_language";

/// What may stand in a value of a query as it is.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'/');

/// What a page says in its address.
type Asked = Query<HashMap<String, String>>;

/// A request for a page.
struct Reader<'r> {
    state: &'r State,
    headers: &'r HeaderMap,
    path: &'r str,
    asked: &'r HashMap<String, String>,
}

impl Reader<'_> {
    fn asked(&self, name: &str) -> Option<&str> {
        self.asked.get(name).map(String::as_str)
    }

    /// Chosen now, or earlier, or what the browser prefers.
    fn language(&self) -> String {
        let words = &self.state.pages.words;
        let now = self.asked("lang").and_then(|tag| words.known(tag));
        let earlier = || {
            let lines = self.headers.get_all(header::COOKIE).iter();
            let mut pairs = lines
                .filter_map(|line| line.to_str().ok())
                .flat_map(|line| line.split(';'))
                .filter_map(|pair| pair.trim().split_once('='));
            let kept = pairs.find(|(name, _)| *name == LANGUAGE_COOKIE);
            kept.and_then(|(_, tag)| words.known(tag))
        };
        let preferred = || {
            let header = self.headers.get(header::ACCEPT_LANGUAGE);
            let header = header.and_then(|value| value.to_str().ok());
            words.choose(header.unwrap_or_default())
        };
        now.or_else(earlier).unwrap_or_else(preferred)
    }

    /// Where the reader goes when all is done: by name, to an own path, or where everybody goes.
    fn next(&self) -> Result<Target, Refusal> {
        let settings = &self.state.settings.pages;
        if let Some(name) = self.asked("to") {
            let redirect = settings.redirects.get(name).ok_or_else(|| {
                let message = "there is no redirect of that name";
                Refusal::new(StatusCode::BAD_REQUEST, "redirect_unknown", message)
                    .hint("pilaster.toml names them: [redirects.NAME]")
            })?;
            return Ok(redirect.target.clone());
        }
        let own = self.asked("next").and_then(Target::own);
        Ok(own.or_else(|| settings.home.clone()).unwrap_or_else(|| {
            let path = format!("{}/auth/account", self.state.pages.base);
            Target::own(&path).unwrap_or_else(Target::root)
        }))
    }

    /// The same page in another language, from this one on: what stands in its own address, as the
    /// token of a link, does not stand in the page.
    fn in_language(&self, tag: &str) -> String {
        let mut url = format!("?lang={tag}");
        for name in ["next", "to", "flow", "user_code"] {
            if let Some(value) = self.asked(name) {
                let value = utf8_percent_encode(value, VALUE);
                // Writing to a text cannot fail.
                let _ = write!(url, "&{name}={value}");
            }
        }
        url
    }

    /// Who is signed in here: their id.
    async fn session(&self) -> Result<Option<uuid::Uuid>, Refusal> {
        let held = held_session(self.state, &Method::GET, self.headers).await?;
        Ok(held.map(|held| held.session.user))
    }

    /// To the login, and back.
    fn to_login(&self) -> Response<Body> {
        let base = &self.state.pages.base;
        let here = format!("{base}{}", self.path);
        let here = utf8_percent_encode(&here, VALUE);
        see(&format!("{base}/auth/login?next={here}"))
    }

    fn page(&self, page: PageName, values: Value, data: Value) -> Answer {
        let state = self.state;
        if state.settings.pages.off.contains(&page) {
            return Err(missing());
        }
        let language = self.language();
        let languages = state.pages.words.languages();
        let languages = languages.map(|(tag, name)| {
            let url = self.in_language(tag);
            (tag.to_owned(), name.to_owned(), url)
        });
        let text = state.pages.write(&Writing {
            page,
            language: &language,
            languages: languages.collect(),
            values,
            data,
        });
        let text = text.map_err(|error| Refusal::internal("page", &error))?;
        let mut response = Response::new(Body::from(text));
        let policy = match page {
            PageName::Account => ACCOUNT_POLICY,
            _ => POLICY,
        };
        let headers = response.headers_mut();
        for (name, value) in [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CACHE_CONTROL, "no-store"),
            (header::VARY, "Accept-Language, Cookie"),
            (header::CONTENT_SECURITY_POLICY, policy),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        if self.asked("lang").is_some() {
            headers.append(header::SET_COOKIE, self.kept_language(&language)?);
        }
        Ok(response)
    }

    fn kept_language(&self, language: &str) -> Result<HeaderValue, Refusal> {
        let secure = match self.state.settings.public_url.starts_with("https:") {
            true => "; Secure",
            false => "",
        };
        let line = format!(
            "{LANGUAGE_COOKIE}={language}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax{secure}"
        );
        HeaderValue::from_str(&line).map_err(|error| Refusal::internal("cookie", &error))
    }

    /// What scripts need to know to prove or set a password.
    async fn passwords(&self) -> Result<Value, Refusal> {
        let store = &self.state.store;
        let of_store = |error| of_store(&error);
        let is_opaque = self.state.settings.identity.password_mode == PasswordMode::Opaque;
        // Which kind an account has is nobody's business, so both are tried where both occur.
        let (other, others) = match is_opaque {
            true => (
                "plain",
                users::has_passwords(store).await.map_err(of_store)?,
            ),
            false => (
                "opaque",
                opaque::has_records(store).await.map_err(of_store)?,
            ),
        };
        let own = match is_opaque {
            true => "opaque",
            false => "plain",
        };
        let methods: Vec<&str> = [(own, true), (other, others)]
            .into_iter()
            .filter(|(_, is_used)| *is_used)
            .map(|(method, _)| method)
            .collect();
        Ok(json!({
            "new_password": own,
            "methods": methods,
            "passkeys": self.state.relying_party.is_some(),
        }))
    }
}

fn missing() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "PGRST125", "there is no such path")
}

/// Another page, asked for by GET (RFC 9110 §15.4.4).
fn see(place: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    if let Ok(place) = HeaderValue::from_str(place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    let kept = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, kept);
    response
}

/// Makes a handler out of `async fn(Reader) -> Answer`.
macro_rules! handlers {
    ($($(#[$doc:meta])* $name:ident => $made:ident),* $(,)?) => {
        $($(#[$doc])*
        pub(crate) async fn $name(
            Shared(app): Shared<App>,
            uri: Uri,
            headers: HeaderMap,
            Query(asked): Asked,
        ) -> Answer {
            let (state, path) = (&*app.0, uri.path());
            $made(Reader { state, headers: &headers, path, asked: &asked }).await
        })*
    };
}

handlers! {
    /// `GET /auth/login`
    login => made_login,
    /// `GET /auth/register`
    register => made_register,
    /// `GET /auth/reset` and `/auth/reset/{token}`
    reset => made_reset,
    /// `GET /auth/email/{token}`
    email => made_email,
    /// `GET /auth/invitations/{token}`
    invitation => made_invitation,
    /// `GET /auth/administrator/{token}`
    administrator => made_administrator,
    /// `GET /auth/account`
    account => made_account,
    /// `GET /auth/consent`
    consent => made_consent,
    /// `GET /oauth2/device`
    device => made_device,
}

/// `GET /auth`: the account, or the login.
pub(crate) async fn home(Shared(app): Shared<App>) -> Answer {
    Ok(see(&format!("{}/auth/account", app.0.pages.base)))
}

/// `GET /auth/confirm` and `/auth/confirm/{token}`
pub(crate) async fn confirm(
    Shared(app): Shared<App>,
    uri: Uri,
    headers: HeaderMap,
    Query(asked): Asked,
) -> Answer {
    let reader = Reader {
        state: &app.0,
        headers: &headers,
        path: uri.path(),
        asked: &asked,
    };
    let by_link = has_token(&reader, "/auth/confirm/");
    let values = json!({"by_link": by_link});
    reader.page(PageName::Confirm, values, json!({"by_link": by_link}))
}

async fn made_login(reader: Reader<'_>) -> Answer {
    let next = reader.next()?;
    let settings = &reader.state.settings;
    // A client may ask for a login anew, or for a better one.
    let again = reader.asked("prompt") == Some("login") || reader.asked("acr").is_some();
    let redirect = reader
        .asked("to")
        .and_then(|name| settings.pages.redirects.get(name));
    // A login for a purpose is asked for again: it is there to prove who somebody is now.
    if redirect.is_none() && !again && reader.session().await?.is_some() {
        return Ok(see(next.as_str()));
    }
    let mut data = reader.passwords().await?;
    data["next"] = json!(next.as_str());
    let registration = settings.accounts.registration;
    let may_register = matches!(
        registration,
        RegistrationMode::Open | RegistrationMode::Approval
    );
    let is_on = |page| !settings.pages.off.contains(&page);
    let values = json!({
        "explanation": redirect.map(|redirect| redirect.text.as_str()),
        "may_register": may_register && is_on(PageName::Register),
        "may_reset": is_on(PageName::Reset),
        "passkeys": reader.state.relying_party.is_some(),
    });
    reader.page(PageName::Login, values, data)
}

async fn made_register(reader: Reader<'_>) -> Answer {
    let next = reader.next()?;
    let settings = &reader.state.settings;
    let mode = match settings.accounts.registration {
        RegistrationMode::Open => "open",
        RegistrationMode::Approval => "approval",
        RegistrationMode::Invite => "invite",
        RegistrationMode::Closed => "closed",
    };
    let mut data = reader.passwords().await?;
    data["next"] = json!(next.as_str());
    data["mode"] = json!(mode);
    data["own_words"] = json!([settings.title, settings.pages.organisation]);
    reader.page(PageName::Register, json!({"mode": mode}), data)
}

async fn made_reset(reader: Reader<'_>) -> Answer {
    let by_link = has_token(&reader, "/auth/reset/");
    let settings = &reader.state.settings;
    let mut data = reader.passwords().await?;
    data["by_link"] = json!(by_link);
    data["own_words"] = json!([settings.title, settings.pages.organisation]);
    reader.page(PageName::Reset, json!({"by_link": by_link}), data)
}

async fn made_email(reader: Reader<'_>) -> Answer {
    // A mistyped address is somebody's mailbox: the account's owner alone may go on.
    if reader.session().await?.is_none() {
        return Ok(reader.to_login());
    }
    reader.page(PageName::Email, json!({}), json!({}))
}

async fn made_invitation(reader: Reader<'_>) -> Answer {
    new_account(&reader, PageName::Invitation).await
}

async fn made_administrator(reader: Reader<'_>) -> Answer {
    administrators::require(reader.state).await?;
    new_account(&reader, PageName::Administrator).await
}

async fn new_account(reader: &Reader<'_>, page: PageName) -> Answer {
    let settings = &reader.state.settings;
    let mut data = reader.passwords().await?;
    data["next"] = json!(reader.next()?.as_str());
    data["own_words"] = json!([settings.title, settings.pages.organisation]);
    reader.page(page, json!({}), data)
}

async fn made_account(reader: Reader<'_>) -> Answer {
    let Some(id) = reader.session().await? else {
        return Ok(reader.to_login());
    };
    let user = users::by_id(&reader.state.store, id).await;
    let user = user.map_err(|error| of_store(&error))?;
    let user = user.ok_or_else(|| Refusal::unauthorized("", "sign in first"))?;
    let settings = &reader.state.settings;
    let mut data = reader.passwords().await?;
    data["own_words"] = json!([
        settings.title,
        settings.pages.organisation,
        user.email.as_str()
    ]);
    let values = json!({
        "email": user.email.as_str(),
        "username": user.username,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "display_name": user.display_name,
        "passkeys": reader.state.relying_party.is_some(),
        "mails": !matches!(settings.mail.transport, crate::Transport::Nowhere),
    });
    reader.page(PageName::Account, values, data)
}

async fn made_consent(reader: Reader<'_>) -> Answer {
    let (state, headers) = (reader.state, reader.headers);
    let id = reader.asked("flow").unwrap_or_default();
    let asking = oauth2::asking(state, headers, id).await?;
    let user = match reader.session().await? {
        None => None,
        Some(id) => {
            let found = users::by_id(&state.store, id).await;
            found.map_err(|error| of_store(&error))?
        }
    };
    let Some(user) = user else {
        // Back to the request, which says what it needs.
        return Ok(see(&asking.resume));
    };
    let values = json!({
        "client": asking.client,
        "scopes": asking.scopes,
        "place": asking.place,
        "email": user.email.as_str(),
    });
    reader.page(PageName::Consent, values, json!({"flow": id}))
}

async fn made_device(reader: Reader<'_>) -> Answer {
    let state = reader.state;
    let code = reader.asked("user_code");
    let Some(id) = reader.session().await? else {
        return Ok(see(&oauth2::device::to_login(state, code)?));
    };
    let user = users::by_id(&state.store, id).await;
    let user = user.map_err(|error| of_store(&error))?;
    let user = user.ok_or_else(|| Refusal::unauthorized("", "sign in first"))?;
    let words = state.pages.words.part(&reader.language(), "page");
    let scopes = state.settings.oauth.known_scopes().into_iter();
    let scopes = scopes.filter_map(|scope| {
        let word = words[format!("scope_{scope}")].as_str()?.to_owned();
        Some((scope, Value::from(word)))
    });
    let scopes: Value = scopes.collect();
    // What a link holds is typed for its reader and nothing more: they look at it and go on.
    let values = json!({"code": code, "email": user.email.as_str()});
    reader.page(PageName::Device, values, json!({"scopes": scopes}))
}

/// Whether something stands behind the page's own path; a script reads it from its address.
fn has_token(reader: &Reader<'_>, before: &str) -> bool {
    reader
        .path
        .strip_prefix(before)
        .is_some_and(|token| !token.trim_end_matches('/').is_empty())
}
