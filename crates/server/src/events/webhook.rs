//! What a webhook is: an address, a secret, and the events that it wants.

use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use axum::http::Uri;
use credentials::WebhookSecrets;
use rest::Event;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::egress::{Network, refusal};

/// A receiver of events.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// What the operator calls it.
    pub name: String,
    /// Where it is.
    pub url: WebhookUrl,
    /// What it is told of.
    pub events: Vec<Event>,
    /// What it knows us by.
    pub secrets: WebhookSecrets,
}

/// All receivers, and how they are reached.
#[derive(Clone, Debug)]
pub struct Webhooks {
    /// The receivers.
    pub list: Vec<Webhook>,
    /// Networks that are not of the public internet and yet may be reached.
    pub allow_private: Vec<Network>,
    /// The longest that one attempt may take.
    pub timeout: Duration,
    /// Certificates that are trusted besides those of the web, PEM.
    pub authorities: Vec<u8>,
}

/// How often a delivery is tried.
#[derive(Clone, Copy, Debug)]
pub struct Retries {
    /// Attempts until it is given up.
    pub attempts: u32,
    /// The pause behind the first; it is three times as long behind each further one.
    pub first_pause: Duration,
}

/// The address of a receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookUrl {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) plain: bool,
    /// What the `Host` header says.
    pub(super) authority: String,
    /// Path and query.
    pub(super) target: String,
}

/// A text that is no address of a receiver. It is not shown: tokens stand in such addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookUrlError {
    /// Not an address at all.
    #[error("it is no address as https://hooks.example.org/path")]
    Syntax,
    /// Another scheme.
    #[error("it is neither https nor http")]
    Scheme,
    /// A name and a password before the host.
    #[error("it has a user before the host; the receiver knows us by the signature")]
    User,
}

impl FromStr for WebhookUrl {
    type Err = WebhookUrlError;

    fn from_str(text: &str) -> Result<Self, WebhookUrlError> {
        let uri: Uri = text.parse().map_err(|_| WebhookUrlError::Syntax)?;
        let plain = match uri.scheme_str() {
            Some("https") => false,
            Some("http") => true,
            Some(_) => return Err(WebhookUrlError::Scheme),
            None => return Err(WebhookUrlError::Syntax),
        };
        let authority = uri.authority().ok_or(WebhookUrlError::Syntax)?;
        if authority.as_str().contains('@') {
            return Err(WebhookUrlError::User);
        }
        let host = authority.host();
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host);
        if bare.is_empty() {
            return Err(WebhookUrlError::Syntax);
        }
        let standard = if plain { 80 } else { 443 };
        Ok(Self {
            host: bare.to_owned(),
            port: authority.port_u16().unwrap_or(standard),
            plain,
            authority: authority.as_str().to_owned(),
            target: uri
                .path_and_query()
                .map_or("/", |path| path.as_str())
                .to_owned(),
        })
    }
}

impl WebhookUrl {
    /// Scheme, host and port, for showing.
    #[must_use]
    pub fn origin(&self) -> String {
        let scheme = if self.plain { "http" } else { "https" };
        format!("{scheme}://{}", self.authority)
    }
}

impl Webhook {
    /// Its name among the targets of deliveries.
    #[must_use]
    pub fn target(&self) -> String {
        format!("webhooks.{}", self.name)
    }
}

impl Webhooks {
    /// Whether a text holds certificates that can be trusted, PEM.
    #[must_use]
    pub fn are_authorities(pem: &[u8]) -> bool {
        CertificateDer::pem_slice_iter(pem).flatten().count() > 0
    }

    /// Why this receiver can never be reached, where its host is an address.
    #[must_use]
    pub fn refusal(&self, url: &WebhookUrl) -> Option<String> {
        let address: IpAddr = url.host.parse().ok()?;
        let why = refusal(address, url.plain, &self.allow_private)?;
        Some(format!("{address} is refused: {why}"))
    }
}
