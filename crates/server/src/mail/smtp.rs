//! `SMTP_URL`, and the connection to the server that it names.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, Tokio1Executor};
use percent_encoding::percent_decode_str;
use stdx::Secret;

/// A connection, or several, that are kept for the next mails.
pub(super) type Connection = AsyncSmtpTransport<Tokio1Executor>;

/// How a connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protection {
    /// TLS from the first byte.
    Wrapped,
    /// STARTTLS, or no mail.
    Required,
    /// STARTTLS where the server offers it.
    Opportunistic,
    /// None.
    Plain,
}

/// `smtps://user:password@host:465`, `smtp://host:587`, `smtp://localhost:25?tls=none`.
#[derive(Clone)]
pub struct SmtpUrl {
    host: String,
    port: u16,
    login: Option<(String, Secret<String>)>,
    protection: Protection,
}

/// A text that names no server. Never holds the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SmtpUrlError {
    /// Another scheme, or none.
    #[error("it begins with smtps:// (TLS from the start) or smtp:// (STARTTLS)")]
    Scheme,
    /// No host, or a port that is none.
    #[error("a host is needed, and a port is a number, as in smtp://mail.example.org:587")]
    Host,
    /// Something behind the host.
    #[error("behind host and port there is nothing but ?tls=required, opportunistic or none")]
    Parameter,
    /// A name without a password, or bytes that are no text.
    #[error("name and password stand before the @, percent-encoded, as in user:p%40ss@host")]
    Login,
    /// A password that everybody on the way could read.
    #[error("a password is not sent without TLS; leave out tls=none, or name and password")]
    Unprotected,
}

impl FromStr for SmtpUrl {
    type Err = SmtpUrlError;

    fn from_str(text: &str) -> Result<Self, SmtpUrlError> {
        let (scheme, rest) = text.split_once("://").ok_or(SmtpUrlError::Scheme)?;
        let (place, query) = match rest.split_once('?') {
            Some((place, query)) => (place, Some(query)),
            None => (rest, None),
        };
        let place = place.trim_end_matches('/');
        let protection = match (scheme, query) {
            ("smtps", None) => Protection::Wrapped,
            ("smtp", None | Some("tls=required")) => Protection::Required,
            ("smtp", Some("tls=opportunistic")) => Protection::Opportunistic,
            ("smtp", Some("tls=none")) => Protection::Plain,
            ("smtp" | "smtps", Some(_)) => return Err(SmtpUrlError::Parameter),
            _ => return Err(SmtpUrlError::Scheme),
        };
        let (login, place) = match place.rsplit_once('@') {
            Some((login, place)) => (Some(login), place),
            None => (None, place),
        };
        let login = login.map(read_login).transpose()?;
        if login.is_some() && protection == Protection::Plain {
            return Err(SmtpUrlError::Unprotected);
        }
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                (host, port.parse().map_err(|_| SmtpUrlError::Host)?)
            }
            _ => (place, protection.port()),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
        if host.is_empty() || port == 0 || !host.chars().all(is_host) {
            return Err(SmtpUrlError::Host);
        }
        Ok(Self {
            host: host.to_owned(),
            port,
            login,
            protection,
        })
    }
}

fn read_login(text: &str) -> Result<(String, Secret<String>), SmtpUrlError> {
    let (name, password) = text.split_once(':').ok_or(SmtpUrlError::Login)?;
    let decode = |part: &str| {
        let decoded = percent_decode_str(part).decode_utf8();
        decoded.map(String::from).map_err(|_| SmtpUrlError::Login)
    };
    let (name, password) = (decode(name)?, decode(password)?);
    match name.is_empty() || password.is_empty() {
        true => Err(SmtpUrlError::Login),
        false => Ok((name, Secret::new(password))),
    }
}

impl Protection {
    /// Where servers listen (RFC 8314 §3.3, RFC 6409 §3.1, RFC 5321).
    fn port(self) -> u16 {
        match self {
            Self::Wrapped => 465,
            Self::Required | Self::Opportunistic => 587,
            Self::Plain => 25,
        }
    }
}

impl SmtpUrl {
    /// `smtps://host:port`, without name and password.
    #[must_use]
    pub fn shown(&self) -> String {
        let (scheme, parameter) = match self.protection {
            Protection::Wrapped => ("smtps", ""),
            Protection::Required => ("smtp", ""),
            Protection::Opportunistic => ("smtp", "?tls=opportunistic"),
            Protection::Plain => ("smtp", "?tls=none"),
        };
        format!("{scheme}://{}:{}{parameter}", self.host, self.port)
    }

    /// Connections that are opened when they are needed; `authorities` is PEM, and `name` is how
    /// this server calls itself.
    pub(super) fn connect(
        &self,
        authorities: &[u8],
        name: &str,
        timeout: Duration,
    ) -> Result<Connection, lettre::transport::smtp::Error> {
        let mut tls = TlsParameters::builder(self.host.clone());
        if !authorities.is_empty() {
            tls = tls.add_root_certificate(Certificate::from_pem(authorities)?);
        }
        let tls = match self.protection {
            Protection::Wrapped => Tls::Wrapper(tls.build_rustls()?),
            Protection::Required => Tls::Required(tls.build_rustls()?),
            Protection::Opportunistic => Tls::Opportunistic(tls.build_rustls()?),
            Protection::Plain => Tls::None,
        };
        let builder = Connection::builder_dangerous(&self.host)
            .port(self.port)
            .tls(tls)
            .timeout(Some(timeout))
            .hello_name(ClientId::Domain(name.to_owned()));
        let builder = match &self.login {
            Some((name, password)) => {
                builder.credentials(Credentials::new(name.clone(), password.expose().clone()))
            }
            None => builder,
        };
        Ok(builder.build())
    }
}

impl fmt::Debug for SmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SmtpUrl({})", self.shown())
    }
}

#[cfg(test)]
mod tests {
    //! Addresses of servers.

    use super::{SmtpUrl, SmtpUrlError};

    #[test]
    fn addresses_of_servers_are_read_and_shown_without_their_password() {
        for (text, shown) in [
            (
                "smtps://u:p%40%3A@mail.example.org",
                "smtps://mail.example.org:465",
            ),
            ("smtp://mail.example.org", "smtp://mail.example.org:587"),
            ("smtp://u:p@h:2525?tls=required", "smtp://h:2525"),
            (
                "smtp://h?tls=opportunistic",
                "smtp://h:587?tls=opportunistic",
            ),
            ("smtp://[::1]:25?tls=none", "smtp://::1:25?tls=none"),
        ] {
            let url: SmtpUrl = text.parse().expect(text);
            assert_eq!(url.shown(), shown);
            assert!(!format!("{url:?}").contains("p@"), "{url:?}");
        }
        for (text, error) in [
            ("http://h", SmtpUrlError::Scheme),
            ("mail.example.org", SmtpUrlError::Scheme),
            ("smtp://", SmtpUrlError::Host),
            ("smtp://h:x", SmtpUrlError::Host),
            ("smtp://h\r\nQUIT:25", SmtpUrlError::Host),
            ("smtps://h?tls=none", SmtpUrlError::Parameter),
            ("smtp://u@h", SmtpUrlError::Login),
            ("smtp://u:p@h?tls=none", SmtpUrlError::Unprotected),
        ] {
            assert_eq!(text.parse::<SmtpUrl>().err(), Some(error), "{text}");
        }
    }
}
