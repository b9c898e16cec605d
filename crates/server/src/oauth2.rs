//! The authorization server (OAuth 2.1, OpenID Connect): one file for each endpoint. What is right
//! and wrong is decided in the crate `oauth`; here it is looked up, kept and answered.

pub(crate) mod apps;
pub(crate) mod authorize;
pub(crate) mod back_channel;
mod client_auth;
mod clients;
pub(crate) mod consent;
pub(crate) mod device;
mod error;
mod flow;
mod front_channel;
pub(crate) mod introspect;
mod issue;
mod issuers;
mod keys;
pub(crate) mod logout;
pub(crate) mod metadata;
pub(crate) mod page;
pub(crate) mod par;
mod person;
pub(crate) mod registration;
mod settings;
pub(crate) mod token;
pub(crate) mod userinfo;

pub use back_channel::LOGOUTS;
pub(crate) use client_auth::proof_of_possession;
pub use clients::{ClientError, check_client_record, check_declared_client};
pub(crate) use consent::asking;
pub(crate) use issue::{ACT, GRANT};
pub use issuers::{IssuerError, SubjectName, SubjectNameError, TrustedIssuer};
pub(crate) use keys::KeyRing;
pub use settings::{DeclaredClient, OAuthSettings, RegistrationMode as ClientRegistration};
pub(crate) use settings::{READ, WRITE};

/// The authentication contexts that can be reached.
const ACR_VALUES: [&str; 3] = ["single", "mfa", "phr"];
