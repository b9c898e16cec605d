//! Who asks, as the network tells it: address, request id, languages.

use std::net::IpAddr;

use axum::http::{HeaderMap, header};

use crate::events::Network;

/// What the handlers of accounts are told of a request besides its body.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    /// The client's address; `None` for calls inside the process.
    pub(crate) address: Option<IpAddr>,
    /// The id that the answer carries, too.
    pub(crate) request_id: String,
    /// The `Accept-Language` header, empty without one.
    pub(crate) languages: String,
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
        Self {
            address: peer.map(|peer| behind(headers, peer, proxies)),
            request_id: request_id.to_owned(),
            languages: text(header::ACCEPT_LANGUAGE).unwrap_or_default().to_owned(),
        }
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
