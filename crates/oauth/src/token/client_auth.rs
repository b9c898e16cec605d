//! Who asks: all ways in which a client proves who it is.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use stdx::Secret;

use super::TokenRequestError;
use super::assertion::{Demands, check};
use crate::client::{AuthMethod, CertificateSubject, Client, ClientAuth};
use crate::jose::unverified_subject;
use crate::parameters::{Parameters, form_decoded};
use crate::profile::Profile;

/// What a client sent along, before it was believed.
#[derive(Clone, Debug)]
pub struct Presented {
    /// Who it says it is; to look the client up with.
    pub client_id: String,
    /// How it proves that.
    pub proof: ClientProof,
}

/// How a client proves who it is.
#[derive(Clone, Debug)]
pub enum ClientProof {
    /// By nothing in the request: a public client, or one with a certificate.
    None,
    /// By a secret in the header.
    Basic(Secret<String>),
    /// By a secret in the body.
    Post(Secret<String>),
    /// By an assertion.
    Assertion(Secret<String>),
}

/// What is left to do for a client whose proof is in order so far.
#[derive(Clone, Debug)]
pub enum Authenticated {
    /// Nothing.
    Yes,
    /// To compare this secret with the stored one.
    CompareSecret(Secret<String>),
    /// To remember this id until then (seconds since 1970), and to refuse it if it is known.
    RememberJti {
        /// The id; unique for the client.
        jti: String,
        /// Until when.
        until: i64,
    },
}

/// The certificate that a client has shown in the TLS handshake, read by the caller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientCertificate {
    /// SHA-256 of its DER, base64url: `x5t#S256`.
    pub thumbprint: String,
    /// Whether an authority that is trusted for this has issued it.
    pub trusted: bool,
    /// Its subject, as RFC 4514 writes it.
    pub subject: String,
    /// Its alternative names.
    pub dns: Vec<String>,
    /// Its alternative names that are URIs.
    pub uris: Vec<String>,
    /// Its alternative names that are addresses.
    pub ips: Vec<IpAddr>,
    /// Its alternative names that are mail addresses.
    pub emails: Vec<String>,
}

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Reads what the client sent along. More than one proof is refused (RFC 6749 §2.3), and so are
/// two names that differ.
pub fn read_client(
    authorization: Option<&str>,
    parameters: &Parameters,
) -> Result<Presented, TokenRequestError> {
    let tried_header = authorization.is_some();
    read(authorization, parameters).map_err(|error| TokenRequestError {
        tried_header,
        ..error
    })
}

fn read(
    authorization: Option<&str>,
    parameters: &Parameters,
) -> Result<Presented, TokenRequestError> {
    let names = [
        "client_id",
        "client_secret",
        "client_assertion",
        "client_assertion_type",
    ];
    if names.iter().any(|name| parameters.is_twice(name)) {
        return Err(TokenRequestError::invalid("a parameter stands twice"));
    }
    let secret = parameters.get("client_secret");
    let assertion = parameters.get("client_assertion");
    if [authorization, secret, assertion].iter().flatten().count() > 1 {
        return Err(TokenRequestError::invalid(
            "the client proves who it is in more than one way",
        ));
    }
    let named = parameters.get("client_id");
    let (client_id, proof) = match (authorization, secret, assertion) {
        (Some(header), _, _) => {
            let (id, secret) = basic(header)?;
            (id, ClientProof::Basic(secret))
        }
        (None, Some(secret), _) => {
            let proof = ClientProof::Post(Secret::new(secret.to_owned()));
            (required(named)?.to_owned(), proof)
        }
        (None, None, Some(assertion)) => {
            if parameters.get("client_assertion_type") != Some(ASSERTION_TYPE) {
                return Err(TokenRequestError::client(
                    "client_assertion_type is unknown",
                ));
            }
            let subject = unverified_subject(assertion).ok_or(TokenRequestError::client(
                "client_assertion is no assertion",
            ))?;
            (
                subject,
                ClientProof::Assertion(Secret::new(assertion.to_owned())),
            )
        }
        (None, None, None) => (required(named)?.to_owned(), ClientProof::None),
    };
    if named.is_some_and(|named| named != client_id) {
        return Err(TokenRequestError::invalid(
            "client_id is not the client that proves who it is",
        ));
    }
    Ok(Presented { client_id, proof })
}

fn required(client_id: Option<&str>) -> Result<&str, TokenRequestError> {
    client_id.ok_or(TokenRequestError::client(
        "the client does not say who it is",
    ))
}

/// RFC 7617, with id and secret form-encoded before they are joined (RFC 6749 §2.3.1). The scheme's
/// name may be written in any case.
fn basic(header: &str) -> Result<(String, Secret<String>), TokenRequestError> {
    let broken = TokenRequestError::client("the Authorization header is not Basic");
    let (scheme, rest) = header.split_once(' ').ok_or(broken)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(broken);
    }
    let bytes = STANDARD
        .decode(rest.trim_start_matches(' '))
        .map_err(|_| broken)?;
    let text = Secret::new(String::from_utf8(bytes).map_err(|_| broken)?);
    let (id, secret) = text.expose().split_once(':').ok_or(broken)?;
    let id = form_decoded(id).map_err(|_| broken)?;
    let secret = Secret::new(form_decoded(secret).map_err(|_| broken)?);
    match id.is_empty() || secret.expose().is_empty() {
        true => Err(broken),
        false => Ok((id, secret)),
    }
}

/// Checks the proof against the client that was looked up. That there is no such client and that
/// its proof is wrong sound alike.
pub fn check_client(
    client: Option<&Client>,
    presented: &Presented,
    certificate: Option<&ClientCertificate>,
    issuer: &str,
    profile: Profile,
    now: Timestamp,
) -> Result<Authenticated, TokenRequestError> {
    let refused = TokenRequestError {
        tried_header: matches!(presented.proof, ClientProof::Basic(_)),
        ..TokenRequestError::client("the client is unknown or has not proved who it is")
    };
    let client = client
        .filter(|client| client.id == presented.client_id)
        .ok_or(refused)?;
    if !profile.rules().auth_methods.contains(&client.auth.method()) {
        return Err(refused);
    }
    match (&client.auth, &presented.proof) {
        (ClientAuth::None, ClientProof::None) => Ok(Authenticated::Yes),
        // A secret is one, wherever it stands; libraries differ in what they try first.
        (
            ClientAuth::Basic | ClientAuth::Post,
            ClientProof::Basic(secret) | ClientProof::Post(secret),
        ) => Ok(Authenticated::CompareSecret(secret.clone())),
        (ClientAuth::PrivateKeyJwt, ClientProof::Assertion(assertion)) => {
            check_assertion(client, assertion.expose(), issuer, profile, now).ok_or(refused)
        }
        (ClientAuth::TlsClientAuth(subject), ClientProof::None) => {
            match certificate.is_some_and(|shown| shown.trusted && fits(shown, subject)) {
                true => Ok(Authenticated::Yes),
                false => Err(refused),
            }
        }
        (ClientAuth::SelfSignedTls { thumbprints }, ClientProof::None) => {
            match certificate.is_some_and(|shown| thumbprints.contains(&shown.thumbprint)) {
                true => Ok(Authenticated::Yes),
                false => Err(refused),
            }
        }
        (_, _) => Err(refused),
    }
}

/// RFC 7523 §3: made by the client about itself, for us alone, with an id of its own.
fn check_assertion(
    client: &Client,
    assertion: &str,
    issuer: &str,
    profile: Profile,
    now: Timestamp,
) -> Option<Authenticated> {
    let rules = profile.rules();
    let demands = Demands {
        types: &["jwt", "client-authentication+jwt"],
        algorithms: match &client.signing.token_auth {
            Some(one) if rules.algorithms.contains(one) => std::slice::from_ref(one),
            Some(_) => return None,
            None => rules.algorithms,
        },
        audience: issuer,
        longest: rules.assertion_life,
    };
    let checked = check(assertion, &client.keys, &demands, now).ok()?;
    let about_itself = checked.iss == client.id && checked.sub == client.id;
    match (about_itself, checked.jti) {
        (true, Some(jti)) => Some(Authenticated::RememberJti {
            jti,
            until: checked.until,
        }),
        (_, _) => None,
    }
}

/// RFC 8705 §2.1.2: exactly one kind of name was registered, and it stands in the certificate.
fn fits(shown: &ClientCertificate, subject: &CertificateSubject) -> bool {
    match subject {
        CertificateSubject::Name(name) => !name.is_empty() && shown.subject == *name,
        CertificateSubject::Dns(name) => shown.dns.iter().any(|dns| dns.eq_ignore_ascii_case(name)),
        CertificateSubject::Uri(uri) => shown.uris.contains(uri),
        CertificateSubject::Ip(ip) => shown.ips.contains(ip),
        CertificateSubject::Email(email) => shown.emails.contains(email),
    }
}

impl ClientProof {
    /// The method that was used, for the log; a certificate is not seen here.
    #[must_use]
    pub fn method(&self) -> AuthMethod {
        match self {
            Self::None => AuthMethod::None,
            Self::Basic(_) => AuthMethod::Basic,
            Self::Post(_) => AuthMethod::Post,
            Self::Assertion(_) => AuthMethod::PrivateKeyJwt,
        }
    }
}
