//! The address that a browser is sent to with an answer.

use std::fmt::Write as _;

use crate::response::ResponseMode;

/// An answer on its way to the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// A redirect to this address.
    Redirect(String),
    /// A page whose form posts itself, with these fields (Form Post Response Mode §2).
    Form {
        /// Where the form goes: the redirect URI, with nothing added.
        action: String,
        /// Its fields.
        fields: Vec<(String, String)>,
    },
}

/// Packs the parameters of an answer. For a signed mode, `parameters` is the one parameter
/// `response` that [`crate::sign_authorization_response`] made of them.
///
/// A query that was registered stays as it stands, and the parameters follow it (RFC 6749 §3.1.2).
#[must_use]
pub fn deliver(redirect_uri: &str, mode: ResponseMode, parameters: &[(&str, &str)]) -> Delivery {
    let separator = match mode {
        ResponseMode::FormPost | ResponseMode::FormPostJwt => {
            let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            return Delivery::Form {
                action: redirect_uri.to_owned(),
                fields: parameters.iter().map(owned).collect(),
            };
        }
        ResponseMode::Fragment | ResponseMode::FragmentJwt => '#',
        ResponseMode::Query | ResponseMode::QueryJwt => match redirect_uri.contains('?') {
            true => '&',
            false => '?',
        },
    };
    let mut address = redirect_uri.to_owned();
    for (index, (name, value)) in parameters.iter().enumerate() {
        address.push(if index == 0 { separator } else { '&' });
        encode(name, &mut address);
        address.push('=');
        encode(value, &mut address);
    }
    Delivery::Redirect(address)
}

/// `application/x-www-form-urlencoded` in its narrowest form: unreserved characters alone stand as
/// they are, and a space is `%20`, which every reader understands.
fn encode(text: &str, into: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                into.push(char::from(byte));
            }
            // Writing to a string cannot fail.
            _ => drop(write!(into, "%{byte:02X}")),
        }
    }
}
