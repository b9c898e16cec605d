//! All routes, grouped by who calls them; each with its policy.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request, State as Shared};
use axum::http::uri::PathAndQuery;
use axum::http::{Response, StatusCode, Uri};
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, delete, get, patch, post, put};
use rest::{PrefixError, Prefixes};
use tower::ServiceExt as _;

use crate::App;
use crate::client::Client;
use crate::error::Refusal;
use crate::identity::{
    admin, api_keys, factor, opaque, passkeys, password, recovery_codes, session, step_up, totp,
};
use crate::oauth2::{
    apps, authorize, consent, device, introspect, logout, metadata, page, par, registration, token,
    userinfo,
};
use crate::{data, docs, identity, mail, middleware, pages};

/// First parts of paths that are kept for routes to come.
const KEPT: [&str; 2] = ["admin", "metrics"];

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    /// Anybody.
    Public,
    /// Whoever is signed in.
    Authenticated,
    /// Whom the schema's grants and policies allow.
    Grants,
    /// Whoever has the role `admin`.
    Admin,
    /// Anybody, in `dev` alone.
    Dev,
    /// A client, by what it proves of itself.
    Client,
    /// Whoever holds the link that `pilaster admin create` has printed.
    Link,
}

impl Policy {
    fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Authenticated => "signed in",
            Self::Admin => "role admin",
            Self::Dev => "public, in dev alone",
            Self::Client => "a client of OAuth",
            Self::Link => "the link of pilaster admin create",
            Self::Grants => "grants and policies of the schema",
        }
    }
}

/// A route, for people to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The method, `*` for all.
    pub method: &'static str,
    /// The path.
    pub path: String,
    /// Who may use it.
    pub policy: &'static str,
}

/// A handler's refusal on its way out; the middleware knows the request's id.
#[derive(Clone)]
pub(crate) struct Refused(Arc<Mutex<Option<Refusal>>>);

impl Refused {
    pub(crate) fn into_inner(self) -> Refusal {
        let taken = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        taken.unwrap_or_else(|| {
            Refusal::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "XX000",
                "something went wrong here",
            )
        })
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        response
            .extensions_mut()
            .insert(Refused(Arc::new(Mutex::new(Some(self)))));
        response
    }
}

/// Collects routes; there is no way to add one without a policy.
struct Routes {
    router: Router<App>,
    list: Vec<Route>,
}

impl Routes {
    fn add(
        mut self,
        method: &'static str,
        path: &'static str,
        policy: Policy,
        handler: MethodRouter<App>,
    ) -> Self {
        self.router = self.router.route(path, handler);
        self.list.push(Route {
            method,
            path: path.to_owned(),
            policy: policy.name(),
        });
        self
    }

    /// The same with and without a slash at its end.
    fn twice(
        self,
        method: &'static str,
        path: &'static str,
        policy: Policy,
        handler: MethodRouter<App>,
    ) -> Self {
        let mut routes = self.add(method, path, policy, handler.clone());
        let twin = format!("{path}/");
        routes.router = routes.router.route(&twin, handler);
        routes.list.push(Route {
            method,
            path: twin,
            policy: policy.name(),
        });
        routes
    }

    /// The data API below its prefixes: the schema's grants and policies are its policy.
    fn data(mut self, prefixes: &Prefixes) -> Self {
        // What is below the first one is told in full.
        self.list.push(Route {
            method: "POST",
            path: prefixes.path("/$batch"),
            policy: Policy::Grants.name(),
        });
        for prefix in prefixes.all() {
            self.list.push(Route {
                method: "*",
                path: format!("{}/{{*path}}", prefix.trim_end_matches('/')),
                policy: Policy::Grants.name(),
            });
        }
        self
    }
}

/// Pages for people, and what they load.
#[rustfmt::skip]
fn pages(routes: Routes) -> Routes {
    routes
        // Who follows the link of a mail
        .add("GET",  "/auth/confirm/{token}",       Policy::Public,       get(pages::confirm))
        .add("GET",  "/auth/reset/{token}",         Policy::Public,       get(pages::reset))
        .add("GET",  "/auth/email/{token}",         Policy::Public,       get(pages::email))
        .add("GET",  "/auth/invitations/{token}",   Policy::Public,       get(pages::invitation))
        .add("GET",  "/auth/administrator/{token}", Policy::Link,         get(pages::administrator))
        .twice("GET", "/auth",                      Policy::Public,       get(pages::home))
        .twice("GET", "/auth/login",                Policy::Public,       get(pages::login))
        .twice("GET", "/auth/register",             Policy::Public,       get(pages::register))
        .twice("GET", "/auth/confirm",              Policy::Public,       get(pages::confirm))
        .twice("GET", "/auth/reset",                Policy::Public,       get(pages::reset))
        .twice("GET", "/auth/account",              Policy::Public,       get(pages::account))
        .twice("GET", "/auth/consent",              Policy::Public,       get(pages::consent))
        .add("GET",  "/auth/assets/{version}/brand.css", Policy::Public,  get(pages::brand))
        .add("GET",  "/auth/assets/{version}/logo", Policy::Public,       get(pages::logo))
        .add("GET",  "/auth/assets/{version}/{file}", Policy::Public,     get(pages::asset))
}

#[rustfmt::skip]
impl Routes {
    /// Accounts, their roles and the audit log, for who administers them.
    fn administrators(self) -> Self {
        self
            .twice("GET",    "/admin/api/users",                    Policy::Admin, get(admin::users::list))
            .twice("GET",    "/admin/api/users/{id}",               Policy::Admin, get(admin::users::show))
            .twice("PATCH",  "/admin/api/users/{id}",               Policy::Admin, patch(admin::users::change))
            .twice("DELETE", "/admin/api/users/{id}",               Policy::Admin, delete(admin::users::delete))
            .twice("POST",   "/admin/api/users/{id}/unlock",        Policy::Admin, post(admin::users::unlock))
            .twice("DELETE", "/admin/api/users/{id}/sessions",      Policy::Admin, delete(admin::users::end_sessions))
            .twice("DELETE", "/admin/api/users/{id}/factors",       Policy::Admin, delete(admin::users::remove_factors))
            .twice("GET",    "/admin/api/users/{id}/roles",         Policy::Admin, get(admin::roles::list))
            .twice("GET",    "/admin/api/users/{id}/roles/{role}",  Policy::Admin, get(admin::roles::show))
            .twice("PUT",    "/admin/api/users/{id}/roles/{role}",  Policy::Admin, put(admin::roles::grant))
            .twice("DELETE", "/admin/api/users/{id}/roles/{role}",  Policy::Admin, delete(admin::roles::revoke))
            .twice("GET",    "/admin/api/roles",                    Policy::Admin, get(admin::roles::all))
            .twice("GET",    "/admin/api/audit",                    Policy::Admin, get(admin::audit::list))
    }

    /// OAuth 2.1 and OpenID Connect.
    fn oauth2(self) -> Self {
        self
            .add("GET",  "/.well-known/jwks.json", Policy::Public,        get(metadata::jwks))
            .add("GET",  "/oauth2/jwks",           Policy::Public,        get(metadata::jwks))
            .add("GET",  "/.well-known/openid-configuration",       Policy::Public, get(metadata::issuer))
            .add("GET",  "/.well-known/oauth-authorization-server", Policy::Public, get(metadata::issuer))
            .add("GET",  "/.well-known/oauth-protected-resource",   Policy::Public, get(metadata::resource))
            .add("GET",  "/oauth2/authorize",        Policy::Public, get(authorize::get))
            .add("POST", "/oauth2/authorize",        Policy::Public, post(authorize::post))
            .add("GET",  "/oauth2/authorize/{flow}", Policy::Public, get(authorize::resume))
            .twice("GET",    "/auth/apps",             Policy::Authenticated, get(apps::list))
            .twice("DELETE", "/auth/apps/{client_id}", Policy::Authenticated, delete(apps::remove))
            .add("GET",  "/oauth2/consent/{flow}",   Policy::Authenticated, get(consent::show))
            .add("POST", "/oauth2/consent/{flow}",   Policy::Authenticated, post(consent::decide))
            .add("GET",  "/oauth2/submit.js",        Policy::Public, get(page::submit))
            .add("POST", "/oauth2/register",         Policy::Client, post(registration::register))
            .add("GET",  "/oauth2/register/{client_id}",    Policy::Client, get(registration::show))
            .add("PUT",  "/oauth2/register/{client_id}",    Policy::Client, put(registration::change))
            .add("DELETE", "/oauth2/register/{client_id}",  Policy::Client, delete(registration::remove))
            .add("POST", "/oauth2/par",              Policy::Client, post(par::push))
            .add("GET",  "/oauth2/leave.js",         Policy::Public, get(page::leave))
            .add("POST", "/oauth2/device_authorization", Policy::Client, post(device::begin))
            .add("GET",  "/oauth2/device",           Policy::Public, get(pages::device))
            .add("POST", "/oauth2/device",           Policy::Authenticated, post(device::show))
            .add("POST", "/oauth2/device/decision",  Policy::Authenticated, post(device::decide))
            .add("POST", "/oauth2/token",            Policy::Client, post(token::token))
            .add("GET",  "/oauth2/userinfo",         Policy::Authenticated, get(userinfo::userinfo))
            .add("POST", "/oauth2/userinfo",         Policy::Authenticated, post(userinfo::userinfo))
            .add("POST", "/oauth2/introspect",       Policy::Client, post(introspect::introspect))
            .add("POST", "/oauth2/revoke",           Policy::Client, post(introspect::revoke))
            .add("GET",  "/oauth2/logout",           Policy::Public, get(logout::get))
            .add("POST", "/oauth2/logout",           Policy::Public, post(logout::post))
    }
}

#[rustfmt::skip]
fn all(prefixes: &Prefixes) -> Routes {
    let routes = Routes { router: Router::new(), list: Vec::new() };
    pages(routes)
        // Operators
        .add("GET",  "/healthz",               Policy::Public,        get(docs::healthz))
        .add("GET",  "/readyz",                Policy::Public,        get(docs::readyz))
        // Developers
        .add("GET",  "/openapi.json",          Policy::Public,        get(docs::openapi))
        .add("GET",  "/docs",                  Policy::Public,        get(docs::page))
        .add("GET",  "/docs/{file}",           Policy::Public,        get(docs::asset))
        .add("GET",  "/redoc",                 Policy::Public,        get(docs::redoc))
        // Accounts
        .twice("POST", "/register",              Policy::Public,        post(identity::register))
        .twice("POST", "/token",                 Policy::Public,        post(identity::token))
        .twice("GET",  "/auth/me",               Policy::Authenticated, get(identity::me))
        .twice("PATCH", "/auth/me",              Policy::Authenticated, patch(identity::change_me))
        .twice("DELETE", "/auth/me",               Policy::Authenticated, delete(identity::deletion::delete))
        .twice("POST", "/auth/deletion",           Policy::Authenticated, post(identity::deletion::request))
        .twice("POST", "/auth/confirm",            Policy::Public,        post(identity::confirm::confirm))
        .twice("POST", "/auth/confirm/resend",     Policy::Public,        post(identity::confirm::resend))
        .twice("POST", "/auth/reset",              Policy::Public,        post(identity::reset::request))
        .twice("POST", "/auth/reset/start",        Policy::Public,        post(identity::by_link::reset))
        .twice("POST", "/auth/invitations/start",  Policy::Public,        post(identity::by_link::invitation))
        .twice("POST", "/auth/administrator/start", Policy::Link,         post(identity::by_link::first))
        .twice("GET",  "/auth/export",             Policy::Authenticated, get(identity::export::export))
        .twice("POST", "/auth/reset/finish",       Policy::Public,        post(identity::reset::finish))
        .twice("POST", "/auth/email",              Policy::Authenticated, post(identity::email::request))
        .twice("POST", "/auth/email/confirm",      Policy::Authenticated, post(identity::email::confirm))
        .twice("POST", "/auth/invitations",        Policy::Public,        post(identity::invitations::apply))
        .twice("POST", "/auth/invitations/accept", Policy::Public,        post(identity::invitations::accept))
        .twice("POST", "/auth/administrator",      Policy::Link,          post(identity::administrator::create))
        // Administrators
        .twice("GET",    "/admin/api/invitations",              Policy::Admin, get(identity::invitations::list))
        .twice("POST",   "/admin/api/invitations",              Policy::Admin, post(identity::invitations::invite))
        .twice("DELETE", "/admin/api/invitations/{id}",         Policy::Admin, delete(identity::invitations::withdraw))
        .twice("POST",   "/admin/api/invitations/{id}/approve", Policy::Admin, post(identity::invitations::approve))
        .administrators()
        // Who develops
        .add("GET",  "/_mail",                 Policy::Dev,           get(mail::list))
        .add("GET",  "/_mail/{id}",            Policy::Dev,           get(mail::one))
        .add("GET",  "/_mail/{id}/html",       Policy::Dev,           get(mail::html))
        .add("GET",  "/_mail/{id}/source",     Policy::Dev,           get(mail::source))
        // Sessions
        .twice("GET",  "/auth/session",          Policy::Authenticated, get(session::show))
        .twice("POST", "/auth/session",          Policy::Public,        post(session::begin))
        .twice("DELETE", "/auth/session",        Policy::Authenticated, delete(session::end))
        .twice("GET",  "/auth/sessions",         Policy::Authenticated, get(session::list))
        .twice("DELETE", "/auth/sessions",       Policy::Authenticated, delete(session::revoke_others))
        .twice("DELETE", "/auth/sessions/{id}",  Policy::Authenticated, delete(session::revoke))
        .twice("POST", "/auth/session/factor",   Policy::Public,        post(factor::finish))
        .twice("POST", "/auth/session/step-up",  Policy::Authenticated, post(step_up::step_up))
        // Passwords that are never shown
        .twice("POST", "/auth/opaque/register/start",   Policy::Public, post(opaque::register_start))
        .twice("POST", "/auth/opaque/register/finish",  Policy::Public, post(opaque::register_finish))
        .twice("POST", "/auth/opaque/login/start",      Policy::Public, post(opaque::login_start))
        .twice("POST", "/auth/opaque/login/finish",     Policy::Public, post(opaque::login_finish))
        .twice("POST", "/auth/password/start",   Policy::Authenticated, post(password::start))
        .twice("PUT",  "/auth/password",         Policy::Authenticated, put(password::set))
        // Second factors
        .twice("GET",  "/auth/totp",             Policy::Authenticated, get(totp::show))
        .twice("POST", "/auth/totp",             Policy::Authenticated, post(totp::begin))
        .twice("DELETE", "/auth/totp",           Policy::Authenticated, delete(totp::remove))
        .twice("POST", "/auth/totp/confirm",     Policy::Authenticated, post(totp::confirm))
        .twice("GET",  "/auth/recovery-codes",   Policy::Authenticated, get(recovery_codes::show))
        .twice("POST", "/auth/recovery-codes",   Policy::Authenticated, post(recovery_codes::renew))
        .twice("GET",  "/auth/passkeys",         Policy::Authenticated, get(passkeys::list))
        .twice("POST", "/auth/passkeys",         Policy::Authenticated, post(passkeys::register_finish))
        .twice("POST", "/auth/passkeys/start",   Policy::Authenticated, post(passkeys::register_start))
        .twice("DELETE", "/auth/passkeys/{id}",  Policy::Authenticated, delete(passkeys::remove))
        .twice("POST", "/auth/passkeys/login/start",   Policy::Public,  post(passkeys::login_start))
        .twice("POST", "/auth/passkeys/login/finish",  Policy::Public,  post(passkeys::login_finish))
        // Programs
        .twice("GET",    "/auth/api-keys",       Policy::Authenticated, get(api_keys::list))
        .twice("POST",   "/auth/api-keys",       Policy::Authenticated, post(api_keys::create))
        .twice("DELETE", "/auth/api-keys/{id}",  Policy::Authenticated, delete(api_keys::revoke))
        // Clients and verifiers of tokens
        .oauth2()
        // Data
        .data(prefixes)
}

/// The routes of this server itself; those of tables and files are the data API's.
#[must_use]
pub fn routes(prefixes: &Prefixes) -> Vec<Route> {
    all(prefixes).list
}

/// Where the data API is mounted, as somebody says it: not where the server's own routes are, nor
/// those that are still to come.
pub fn prefixes(given: &[String]) -> Result<Prefixes, PrefixError> {
    let own = routes(&Prefixes::default());
    let own = own
        .iter()
        .filter(|route| route.policy != Policy::Grants.name());
    let first = own.filter_map(|route| route.path.split('/').nth(1));
    let taken: Vec<&str> = first.chain(KEPT).collect();
    Prefixes::parse(given, &taken)
}

/// The whole service; cheap to clone.
#[derive(Clone)]
pub(crate) struct Service {
    app: App,
    prefixes: Prefixes,
    router: Router,
    /// Who holds the connection.
    peer: Option<IpAddr>,
}

impl Service {
    pub(crate) fn new(app: App) -> Self {
        let prefixes = app.0.settings.api.prefixes.clone();
        let routes = all(&prefixes);
        let router = routes
            .router
            .fallback(missing)
            .method_not_allowed_fallback(wrong_method)
            .layer(DefaultBodyLimit::max(app.0.settings.max_body_bytes))
            .with_state(app.clone());
        Self {
            app,
            prefixes,
            router,
            peer: None,
        }
    }

    /// Answers one request.
    pub(crate) async fn answer(&self, mut request: Request) -> Response<Body> {
        let base = &self.app.0.settings.base_path;
        if !base.is_empty() {
            *request.uri_mut() = below(base, request.uri());
        }
        middleware::around(&self.app, request, |request, id| self.dispatch(request, id)).await
    }

    /// The same service for a connection of this peer.
    pub(crate) fn for_peer(&self, peer: IpAddr) -> Self {
        Self {
            peer: Some(peer),
            ..self.clone()
        }
    }

    /// The data API has a grammar of its own below its mounts, so it needs no router.
    fn dispatch<'s>(
        &'s self,
        mut request: Request,
        id: &str,
    ) -> impl Future<Output = Response<Body>> + use<'s> {
        // At the root, what the server itself does not take is the data API's.
        let split = self.prefixes.split(request.uri().path());
        let is_data = !matches!(split, None | Some(("", _)));
        if !is_data {
            let proxies = &self.app.0.settings.trusted_proxies;
            let client = Client::of(request.headers(), self.peer, proxies, id);
            request.extensions_mut().insert(client);
        }
        async move {
            if is_data {
                return data::handle(&self.app, request).await.into_response();
            }
            match self.router.clone().oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            }
        }
    }
}

/// An address without the path under which the whole server is. A proxy may have taken it away
/// already, so it need not be there.
fn below(base: &str, uri: &Uri) -> Uri {
    let whole = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let Some(rest) = whole.strip_prefix(base) else {
        return uri.clone();
    };
    let rest = match rest.chars().next() {
        Some('/') => rest.to_owned(),
        None | Some('?') => format!("/{rest}"),
        // Another path that begins alike.
        Some(_) => return uri.clone(),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = rest.parse().ok();
    Uri::from_parts(parts).unwrap_or_else(|_| uri.clone())
}

async fn missing(Shared(app): Shared<App>, request: Request) -> Response<Body> {
    match app.0.settings.api.prefixes.split(request.uri().path()) {
        Some(_) => data::handle(&app, request).await.into_response(),
        None => data::missing(&app.0.settings.api.prefixes).into_response(),
    }
}

async fn wrong_method() -> Refusal {
    Refusal::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "PGRST117",
        "this path takes another method",
    )
}
