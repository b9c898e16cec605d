//! How the authorization server behaves.

use std::time::Duration;

use oauth::refresh::RefreshLimits;
use stdx::Secret;

use super::issuers::TrustedIssuer;

/// How the authorization server behaves; plain values, already read from wherever they come.
#[derive(Clone, Debug)]
pub struct OAuthSettings {
    /// Clients that stand in the project's file.
    pub clients: Vec<DeclaredClient>,
    /// Whether programs register themselves as clients.
    pub registration: RegistrationMode,
    /// The scopes that such clients may have.
    pub registration_scopes: Vec<String>,
    /// How long such a client is kept that nobody uses.
    pub registration_unused: Duration,
    /// Who else may say who somebody is.
    pub issuers: Vec<TrustedIssuer>,
    /// The scopes of the project's own, beside those of OpenID Connect and of the data API.
    pub scopes: Vec<String>,
    /// How long an access token is good; an hour at most.
    pub access_life: Duration,
    /// How long a login is good for a client, whatever it does.
    pub refresh_life: Duration,
    /// How long it is good without being used.
    pub refresh_idle: Option<Duration>,
    /// Where people sign in; a path of this server, or an address.
    pub login_url: String,
    /// Where people make an account.
    pub register_url: String,
    /// Where people are asked whether they agree.
    pub consent_url: String,
    /// Where people type the code that a device shows.
    pub device_url: String,
}

/// Whether programs register themselves as clients (RFC 7591).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegistrationMode {
    /// They do not.
    Off,
    /// Those that bring a token of the operator's.
    Token,
    /// All do.
    Open,
}

/// A client that stands in the project's file.
#[derive(Clone, Debug)]
pub struct DeclaredClient {
    /// Its id.
    pub id: String,
    /// RFC 7591 §2, as JSON text.
    pub metadata: String,
    /// Its secret, where it has one.
    pub secret: Option<Secret<String>>,
    /// Whether people are asked for no consent.
    pub is_first_party: bool,
    /// The role of tokens in which no user takes part.
    pub role: Option<String>,
}

/// The scopes of OpenID Connect that are known here.
pub(crate) const OPENID_SCOPES: [&str; 4] = ["openid", "profile", "email", "offline_access"];

/// To read what the grants and policies of the data API allow.
pub(crate) const READ: &str = "data:read";

/// To change what they allow.
pub(crate) const WRITE: &str = "data:write";

impl OAuthSettings {
    /// All scopes that can be asked for.
    pub(crate) fn known_scopes(&self) -> Vec<String> {
        let own = OPENID_SCOPES.into_iter().chain([READ, WRITE]);
        let mut scopes: Vec<String> = own.map(str::to_owned).collect();
        scopes.extend(self.scopes.iter().cloned());
        scopes
    }

    /// Those that mean something to the data API: the scopes of API keys.
    pub(crate) fn data_scopes(&self) -> Vec<String> {
        let own = [READ, WRITE].map(str::to_owned);
        own.into_iter().chain(self.scopes.iter().cloned()).collect()
    }

    pub(super) fn refresh_limits(&self) -> RefreshLimits {
        let seconds = |life: Duration| i64::try_from(life.as_secs()).unwrap_or(i64::MAX);
        RefreshLimits {
            absolute: seconds(self.refresh_life),
            idle: self.refresh_idle.map(seconds),
        }
    }
}
