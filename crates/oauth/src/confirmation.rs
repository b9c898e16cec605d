//! What a token is bound to: the claim `cnf` (RFC 7800), by key (RFC 9449 §6.1) or by certificate
//! (RFC 8705 §3.1).

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use crate::TokenError;
use crate::dpop::ProofError;

/// What a token is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Confirmation {
    /// A key, by its thumbprint: `jkt`.
    Key(String),
    /// A certificate, by its thumbprint: `x5t#S256`.
    Certificate(String),
}

/// What came with a request that a bound token came with.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shown<'a> {
    /// The key of a good proof.
    pub jkt: Option<&'a str>,
    /// The thumbprint of the certificate of the connection.
    pub certificate: Option<&'a str>,
}

/// How the token was brought (RFC 9449 §7.1: `DPoP` and not `Bearer` for one that is bound to a
/// key).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `Authorization: Bearer`.
    Bearer,
    /// `Authorization: DPoP`.
    Dpop,
}

impl Scheme {
    /// The scheme of that name, in any case (RFC 9110 §11.1).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "bearer" => Some(Self::Bearer),
            "dpop" => Some(Self::Dpop),
            _ => None,
        }
    }

    /// `token_type` in a token answer.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Dpop => "DPoP",
        }
    }
}

impl Confirmation {
    /// The claim's value.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match self {
            Self::Key(jkt) => json!({ "jkt": jkt }),
            Self::Certificate(thumbprint) => json!({ "x5t#S256": thumbprint }),
        }
    }

    /// Reads `cnf` among the other claims of a token. A member that we do not know is something
    /// that the token is bound to and that we could not check, so the token is refused.
    pub fn from_claims(extra: &Map<String, Value>) -> Result<Option<Self>, TokenError> {
        let wrong = TokenError::Claim("cnf");
        let members = match extra.get("cnf") {
            None => return Ok(None),
            Some(Value::Object(members)) => members,
            Some(_) => return Err(wrong),
        };
        let mut members = members.iter();
        match (members.next(), members.next()) {
            (Some((name, Value::String(text))), None) if !text.is_empty() => match name.as_str() {
                "jkt" => Ok(Some(Self::Key(text.clone()))),
                "x5t#S256" => Ok(Some(Self::Certificate(text.clone()))),
                _ => Err(wrong),
            },
            (_, _) => Err(wrong),
        }
    }

    /// What type the token is of.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        match self {
            Self::Key(_) => Scheme::Dpop,
            Self::Certificate(_) => Scheme::Bearer,
        }
    }
}

/// Whether a token was brought as it has to be: a bound one with what it is bound to, a free one
/// as a bearer's.
pub fn check_confirmation(
    bound: Option<&Confirmation>,
    scheme: Scheme,
    shown: Shown<'_>,
) -> Result<(), ProofError> {
    let holds = match (bound, scheme) {
        (None, Scheme::Bearer) => true,
        // RFC 9449 §7.1: the scheme promises a bound token.
        (None, Scheme::Dpop) => false,
        (Some(Confirmation::Key(jkt)), Scheme::Dpop) => shown.jkt == Some(jkt.as_str()),
        // RFC 9449 §7.2: a bound token is no bearer's.
        (Some(Confirmation::Key(_)), Scheme::Bearer) => false,
        (Some(Confirmation::Certificate(thumbprint)), Scheme::Bearer) => {
            shown.certificate == Some(thumbprint.as_str())
        }
        (Some(Confirmation::Certificate(_)), Scheme::Dpop) => false,
    };
    match holds {
        true => Ok(()),
        false => Err(ProofError::OtherKey),
    }
}

/// `x5t#S256` of a certificate in DER (RFC 8705 §3.1).
#[must_use]
pub fn certificate_thumbprint(der: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, der))
}
