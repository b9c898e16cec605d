//! Who asks, as the network tells it: address, request id, program, languages.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv6Addr};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};

use crate::App;
use crate::events::Network;

/// What the handlers of accounts are told of a request besides its body.
#[derive(Clone, Debug, Default)]
pub(crate) struct Client {
    /// The client's address; `None` for calls inside the process.
    pub(crate) address: Option<IpAddr>,
    /// The id that the answer carries, too.
    pub(crate) request_id: String,
    /// The `Accept-Language` header, empty without one.
    pub(crate) languages: String,
    /// The client's program, at most 300 characters.
    pub(crate) user_agent: Option<String>,
}

/// A request without its body, as the handlers of sessions look at it.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    pub(crate) client: Client,
}

impl Client {
    /// `peer` is who holds the connection: the client, or one of the operator's own proxies.
    pub(crate) fn of(
        headers: &HeaderMap,
        peer: Option<IpAddr>,
        proxies: &[Network],
        request_id: &str,
    ) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let agent = headers.get(header::USER_AGENT);
        let agent = agent.map(|agent| String::from_utf8_lossy(agent.as_bytes()).into_owned());
        Self {
            address: peer.map(|peer| behind(headers, peer, proxies)),
            request_id: request_id.to_owned(),
            languages: text(header::ACCEPT_LANGUAGE).unwrap_or_default().to_owned(),
            user_agent: agent.map(|agent| {
                let plain = agent.chars().filter(|c| !c.is_control());
                plain.take(300).collect()
            }),
        }
    }

    /// The address as text.
    pub(crate) fn address_text(&self) -> Option<String> {
        self.address.map(|address| address.to_string())
    }

    /// What attempts are counted by: an IPv4 address, or the 64 bits of an IPv6 one that a
    /// provider gives to one household.
    pub(crate) fn household(&self) -> Option<String> {
        self.address.map(|address| match address {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => {
                let network = address.to_bits() >> 64 << 64;
                format!("{}/64", Ipv6Addr::from_bits(network))
            }
        })
    }
}

/// The last address that no proxy of ours has: what stands before it in `X-Forwarded-For`, the
/// client itself may have written.
fn behind(headers: &HeaderMap, peer: IpAddr, proxies: &[Network]) -> IpAddr {
    let is_ours = |address: IpAddr| {
        let address = address.to_canonical();
        proxies.iter().any(|network| network.contains(address))
    };
    let mut client = peer.to_canonical();
    if !is_ours(client) {
        return client;
    }
    let values: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    for entry in values.iter().flat_map(|value| value.split(',')).rev() {
        let Ok(address) = entry.trim().parse::<IpAddr>() else {
            break;
        };
        client = address.to_canonical();
        if !is_ours(client) {
            break;
        }
    }
    client
}

impl FromRequestParts<App> for Asked {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _app: &App) -> Result<Self, Infallible> {
        Ok(Self {
            method: parts.method.clone(),
            headers: parts.headers.clone(),
            // The router puts it into every request.
            client: parts.extensions.get().cloned().unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    //! Clients behind proxies.

    use std::net::IpAddr;

    use axum::http::HeaderMap;

    use super::Client;
    use crate::events::Network;

    #[test]
    fn what_a_client_writes_itself_is_not_believed() {
        let proxies: Vec<Network> = ["10.0.0.0/8", "127.0.0.1"]
            .map(|text| text.parse().expect("a network"))
            .to_vec();
        for (peer, forwarded, client) in [
            ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
            ("127.0.0.1", "", "127.0.0.1"),
            ("127.0.0.1", "198.51.100.1", "198.51.100.1"),
            (
                "127.0.0.1",
                "1.2.3.4, 198.51.100.1, 10.1.1.1",
                "198.51.100.1",
            ),
            ("::ffff:127.0.0.1", "2001:db8::1", "2001:db8::1"),
            ("127.0.0.1", "unknown, 10.1.1.1", "10.1.1.1"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-for", forwarded.parse().expect("a value"));
            let peer: IpAddr = peer.parse().expect("an address");
            let known = Client::of(&headers, Some(peer), &proxies, "id").address;
            assert_eq!(known, client.parse().ok(), "{peer} {forwarded}");
        }
    }
}
