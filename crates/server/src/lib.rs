//! HTTP: router, handlers, extractors, middleware, errors, pages.
//!
//! The only room that names axum or a status code. All routes stand in `router.rs`, each with its
//! policy; one function decides who a caller is.

mod app;
mod auth;
mod client;
mod data;
mod docs;
mod error;
mod events;
mod identity;
mod in_process;
mod language;
mod mail;
mod middleware;
mod native;
mod oauth2;
mod pages;
mod passwords;
mod purge;
mod router;
mod serve;
mod status;
mod traces;

pub use app::{AccountSettings, App, AppError, RegistrationMode, Settings, system_migrations};
pub use credentials::assurance::Assurance;
pub use credentials::token::{ClientSecret, Purpose, RegistrationToken, RegistrationUse};
pub use credentials::{
    EmailAddress, HashError, HashParams, MasterKey, MasterKeyError, Password, PasswordHash,
    Username, WebhookSecretError, WebhookSecrets,
};
pub use events::{
    Announcer, Network, NetworkError, Retries, Webhook, WebhookUrl, WebhookUrlError, Webhooks,
    person,
};
pub use identity::{
    AccountChange, Administration, AdministrationSettings, ChangeError, Granted, IdentitySettings,
    MomentsPlace, PasswordMode, Rate, RateError, RoleError, Throttle, assignable, find_role,
    unlock,
};

/// The client's side of passwords that the server never sees.
pub mod opaque_client {
    pub use credentials::opaque::{
        ClientLogin, ClientRegistration, KeyStretching, LoginResponse, OpaqueError,
        RegistrationResponse,
    };
}
pub use in_process::{Answered, InProcess};
pub use mail::{
    MailAddress, MailAddressError, MailLimits, MailSettings, SmtpUrl, SmtpUrlError, TemplateError,
    Transport, check_templates,
};
pub use native::NativeRls;
pub use oauth::Algorithm;
pub use oauth2::{
    ClientError, ClientRegistration, DeclaredClient, IssuerError, LOGOUTS, OAuthSettings,
    SubjectName, SubjectNameError, TrustedIssuer, check_client_record, check_declared_client,
};
pub use pages::{
    Colour, ColourError, Logo, LogoError, PageError, PageName, PageSettings, Redirect,
    RedirectError, check_pages,
};
pub use passwords::hash_password;
pub use router::{Route, prefixes, routes};
pub use serve::serve;
pub use sql::TRACE_TARGET;
pub use traces::{Collector, Sampling, TraceError, TraceSettings, Traces, trace_pairs};
