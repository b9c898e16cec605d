//! Redirect URIs: which can be registered, and which is one of those registered.

use super::{Application, Client};
use crate::uri::Uri;

/// Checks a redirect URI before it is registered; the error says what is wrong with it, for a
/// developer.
///
/// `https` with a host for every client. `http` only to the machine itself, where no network is
/// crossed. Schemes of one's own only for native clients and only with a dot in them, so that they
/// begin with a name that their owner holds (RFC 8252 §7.1); that leaves out `javascript`, `data`
/// and their like. No pattern: a `*` is refused.
pub fn check_redirect_uri(text: &str, application: Application) -> Result<(), &'static str> {
    let uri = Uri::parse(text)?;
    if text.contains('*') {
        return Err("it has a *, and patterns are not matched");
    }
    match (uri.scheme, application) {
        ("https", _) if !uri.host.is_empty() => Ok(()),
        ("https" | "http", _) if uri.host.is_empty() => Err("it has no host"),
        ("http", _) if uri.is_loopback() => Ok(()),
        ("http", _) => Err("http is for this machine alone (localhost, 127.0.0.1, [::1])"),
        (_, Application::Web) => Err("its scheme is not https"),
        (scheme, Application::Native) if scheme.contains('.') => Ok(()),
        (_, Application::Native) => Err("its scheme is neither https nor a reversed domain name"),
    }
}

/// Whether `presented` is a redirect URI of `client`: the same text, byte by byte (RFC 9700 §2.1).
///
/// One exception, for native clients alone (RFC 8252 §7.3): where a plain `http` address of the
/// machine itself is registered, its port is free, because the operating system chooses it. All
/// else has to be the same text there too.
#[must_use]
pub fn is_registered(client: &Client, presented: &str) -> bool {
    client.redirect_uris.iter().any(|registered| {
        registered == presented
            || (client.application == Application::Native
                && same_but_for_port(registered, presented))
    })
}

/// Whether `presented` is a place where a browser may be sent after logout: the same text.
#[must_use]
pub fn is_post_logout(client: &Client, presented: &str) -> bool {
    client
        .post_logout_redirect_uris
        .iter()
        .any(|registered| registered == presented)
}

fn same_but_for_port(registered: &str, presented: &str) -> bool {
    let (Ok(one), Ok(other)) = (Uri::parse(registered), Uri::parse(presented)) else {
        return false;
    };
    one.scheme == "http"
        && one.is_loopback()
        && Uri { port: None, ..one }
            == Uri {
                port: None,
                ..other
            }
}
