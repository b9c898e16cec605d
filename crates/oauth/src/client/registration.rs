//! Clients that register themselves (RFC 7591, OpenID Connect Dynamic Registration).

use serde_json::{Map, Value};

use super::redirect::check_redirect_uri;
use super::{Application, AuthMethod, ClientSigning, Demands, Grant};
use crate::jose::{Members, read_jwks};
use crate::profile::Profile;
use crate::response::ResponseType;
use crate::uri::Uri;
use crate::{Algorithm, VerifyingKeys, pairwise};

/// What a client asks to be. What it may do is decided by who runs the server.
#[derive(Clone, Debug)]
pub struct Registration {
    /// What people see.
    pub name: Option<String>,
    /// Where it runs.
    pub application: Application,
    /// How it will prove who it is.
    pub auth_method: AuthMethod,
    /// Where answers may be sent.
    pub redirect_uris: Vec<String>,
    /// Where a browser may be sent after logout.
    pub post_logout_redirect_uris: Vec<String>,
    /// From where its request objects may be fetched.
    pub request_uris: Vec<String>,
    /// What it will ask the token endpoint for.
    pub grants: Vec<Grant>,
    /// What it will ask the authorization endpoint for.
    pub response_types: Vec<ResponseType>,
    /// The scopes that it will ask for.
    pub scopes: Vec<String>,
    /// Its public keys, if it sent them along.
    pub keys: VerifyingKeys,
    /// Where they can be fetched, if it did not.
    pub jwks_uri: Option<String>,
    /// What it wants signed.
    pub signing: ClientSigning,
    /// What it takes upon itself.
    pub demands: Demands,
    /// Whether users are to have a name for it alone.
    pub pairwise: bool,
    /// The document that lists the redirect URIs of its sector.
    pub sector_identifier_uri: Option<String>,
    /// Addresses that are shown or called, by their names in the request.
    pub addresses: Vec<(&'static str, String)>,
}

/// Why a registration is refused (RFC 7591 §3.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistrationError {
    /// `invalid_redirect_uri`.
    #[error("invalid_redirect_uri: {0}")]
    RedirectUri(&'static str),
    /// `invalid_client_metadata`.
    #[error("invalid_client_metadata: {0}")]
    Metadata(&'static str),
}

use RegistrationError::{Metadata, RedirectUri};

impl RegistrationError {
    /// Its name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            RedirectUri(_) => "invalid_redirect_uri",
            Metadata(_) => "invalid_client_metadata",
        }
    }
}

/// Addresses that are shown or called; all have to be `https`.
const ADDRESSES: &[&str] = &[
    "client_uri",
    "logo_uri",
    "policy_uri",
    "tos_uri",
    "initiate_login_uri",
    "backchannel_logout_uri",
];

/// The longest request, bytes, and the most addresses of one kind.
const MAX_BYTES: usize = 64 * 1024;
const MAX_ADDRESSES: usize = 50;

/// Checks a registration. Members that nobody knows are passed over (RFC 7591 §2); what is known
/// has to be in order, fit together, and be something that `profile` takes.
pub fn validate_registration(
    body: &[u8],
    profile: Profile,
) -> Result<Registration, RegistrationError> {
    if body.len() > MAX_BYTES {
        return Err(Metadata("the request is longer than 64 KiB"));
    }
    let members = serde_json::from_slice::<Members>(body)
        .map_err(|_| Metadata("the body is not a JSON object whose names all differ"))?
        .0;
    let members = &members;
    let application = match text(members, "application_type")? {
        None | Some("web") => Application::Web,
        Some("native") => Application::Native,
        Some(_) => return Err(Metadata("application_type is web or native")),
    };
    let keys = match members.get("jwks") {
        None => VerifyingKeys::default(),
        Some(set) => read_jwks(set.to_string().as_bytes())
            .map_err(|_| Metadata("jwks holds a key that is refused"))?,
    };
    let scope = text(members, "scope")?.unwrap_or("");
    let mut registration = Registration {
        name: text(members, "client_name")?.map(str::to_owned),
        application,
        auth_method: auth_method(members)?,
        redirect_uris: redirects(members, "redirect_uris", application)?,
        post_logout_redirect_uris: redirects(members, "post_logout_redirect_uris", application)?,
        request_uris: texts(members, "request_uris")?,
        grants: named(members, "grant_types", Grant::from_name)?
            .unwrap_or_else(|| vec![Grant::AuthorizationCode]),
        response_types: named(members, "response_types", ResponseType::parse)?
            .unwrap_or_else(|| vec![ResponseType::Code]),
        scopes: crate::parameters::words(scope)
            .into_iter()
            .map(str::to_owned)
            .collect(),
        keys,
        jwks_uri: address(members, "jwks_uri")?,
        signing: signing(members)?,
        demands: Demands {
            pushed: flag(members, "require_pushed_authorization_requests")?,
            signed_request: flag(members, "require_signed_request_object")?,
            bound_tokens: flag(members, "dpop_bound_access_tokens")?,
        },
        pairwise: match text(members, "subject_type")? {
            None | Some("public") => false,
            Some("pairwise") => true,
            Some(_) => return Err(Metadata("subject_type is public or pairwise")),
        },
        sector_identifier_uri: address(members, "sector_identifier_uri")?,
        addresses: addresses(members)?,
    };
    if let Some(uri) = front_channel(members, &registration.redirect_uris)? {
        registration
            .addresses
            .push(("frontchannel_logout_uri", uri));
    }
    check_together(&registration, members, profile)?;
    Ok(registration)
}

/// What has to fit together, and to the profile.
fn check_together(
    one: &Registration,
    members: &Map<String, Value>,
    profile: Profile,
) -> Result<(), RegistrationError> {
    let rules = profile.rules();
    if !rules.auth_methods.contains(&one.auth_method) {
        return Err(Metadata(
            "the issuer does not take this token_endpoint_auth_method",
        ));
    }
    if one.grants.iter().any(|grant| !rules.grants.contains(grant)) {
        return Err(Metadata(
            "the issuer does not support one of these grant_types",
        ));
    }
    if one
        .response_types
        .iter()
        .any(|each| !rules.response_types.contains(each))
    {
        return Err(Metadata(
            "the issuer does not support one of these response_types",
        ));
    }
    // RFC 7591 §2.1: the two lists say the same thing.
    let codes = one.response_types.iter().any(|each| each.has_code());
    let redirects =
        one.grants.contains(&Grant::AuthorizationCode) || one.grants.contains(&Grant::Implicit);
    if codes && redirects && !one.grants.contains(&Grant::AuthorizationCode) {
        return Err(Metadata(
            "a response type with code needs the grant authorization_code",
        ));
    }
    let direct = |each: &ResponseType| each.has_id_token() || each.has_token();
    if one.response_types.iter().any(direct) && !one.grants.contains(&Grant::Implicit) {
        return Err(Metadata(
            "a response type with tokens needs the grant implicit",
        ));
    }
    if redirects && one.redirect_uris.is_empty() {
        return Err(RedirectUri("redirect_uris is empty"));
    }
    if members.contains_key("jwks") && one.jwks_uri.is_some() {
        return Err(Metadata("jwks and jwks_uri exclude each other"));
    }
    let has_keys = !one.keys.is_empty() || one.jwks_uri.is_some();
    if one.auth_method == AuthMethod::PrivateKeyJwt && !has_keys {
        return Err(Metadata("private_key_jwt needs jwks or jwks_uri"));
    }
    if one.grants.contains(&Grant::ClientCredentials) && one.auth_method == AuthMethod::None {
        return Err(Metadata(
            "client_credentials needs a client that proves who it is",
        ));
    }
    if one.grants.contains(&Grant::TokenExchange) && one.auth_method == AuthMethod::None {
        return Err(Metadata(
            "token-exchange needs a client that proves who it is",
        ));
    }
    if one.pairwise {
        pairwise::sector(&one.redirect_uris, one.sector_identifier_uri.as_deref()).map_err(
            |_| {
                Metadata(
                    "pairwise subjects need redirect URIs of one host, or a sector_identifier_uri",
                )
            },
        )?;
    }
    Ok(())
}

fn auth_method(members: &Map<String, Value>) -> Result<AuthMethod, RegistrationError> {
    match text(members, "token_endpoint_auth_method")? {
        None => Ok(AuthMethod::Basic),
        Some(name) => {
            AuthMethod::from_name(name).ok_or(Metadata("token_endpoint_auth_method is unknown"))
        }
    }
}

fn redirects(
    members: &Map<String, Value>,
    name: &str,
    application: Application,
) -> Result<Vec<String>, RegistrationError> {
    let uris = texts(members, name)?;
    for uri in &uris {
        check_redirect_uri(uri, application).map_err(RedirectUri)?;
    }
    Ok(uris)
}

fn signing(members: &Map<String, Value>) -> Result<ClientSigning, RegistrationError> {
    let algorithm = |name| match text(members, name)? {
        None => Ok(None),
        Some(text) => Algorithm::from_name(text)
            .map(Some)
            .ok_or(Metadata("a signing algorithm is none of ours")),
    };
    if members.keys().any(|name| {
        name.contains("_encrypted_response_") || name.starts_with("request_object_encryption_")
    }) {
        return Err(Metadata("the issuer does not encrypt"));
    }
    Ok(ClientSigning {
        id_token: algorithm("id_token_signed_response_alg")?,
        userinfo: algorithm("userinfo_signed_response_alg")?,
        introspection: algorithm("introspection_signed_response_alg")?,
        authorization: algorithm("authorization_signed_response_alg")?,
        request_object: algorithm("request_object_signing_alg")?,
        token_auth: algorithm("token_endpoint_auth_signing_alg")?,
    })
}

fn addresses(
    members: &Map<String, Value>,
) -> Result<Vec<(&'static str, String)>, RegistrationError> {
    let mut addresses = Vec::new();
    for name in ADDRESSES {
        if let Some(uri) = address(members, name)? {
            addresses.push((*name, uri));
        }
    }
    Ok(addresses)
}

/// Where a browser tells it of logouts: on the origin of one of its redirect URIs (Front-Channel Logout
/// §2), which were checked before.
fn front_channel(
    members: &Map<String, Value>,
    redirect_uris: &[String],
) -> Result<Option<String>, RegistrationError> {
    let Some(text) = text(members, "frontchannel_logout_uri")? else {
        return Ok(None);
    };
    let uri = Uri::parse(text).map_err(|_| Metadata("frontchannel_logout_uri is no address"))?;
    let is_own = |redirect: &String| {
        Uri::parse(redirect).is_ok_and(|redirect| {
            (redirect.scheme, redirect.host, redirect.port) == (uri.scheme, uri.host, uri.port)
        })
    };
    let is_web = matches!(uri.scheme, "https" | "http");
    match is_web && redirect_uris.iter().any(is_own) {
        true => Ok(Some(text.to_owned())),
        false => Err(Metadata(
            "frontchannel_logout_uri is not on the origin of a redirect URI",
        )),
    }
}

fn address(members: &Map<String, Value>, name: &str) -> Result<Option<String>, RegistrationError> {
    match text(members, name)? {
        None => Ok(None),
        Some(text) => match Uri::parse(text) {
            Ok(uri) if uri.scheme == "https" && !uri.host.is_empty() => Ok(Some(text.to_owned())),
            Ok(_) | Err(_) => Err(Metadata("an address is not an https URI")),
        },
    }
}

fn flag(members: &Map<String, Value>, name: &str) -> Result<bool, RegistrationError> {
    match members.get(name) {
        None => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(Metadata("a flag is neither true nor false")),
    }
}

fn text<'m>(
    members: &'m Map<String, Value>,
    name: &str,
) -> Result<Option<&'m str>, RegistrationError> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.len() <= 2000 && !text.chars().any(char::is_control) => {
            Ok(Some(text))
        }
        Some(_) => Err(Metadata(
            "a member is no text, too long, or has control characters",
        )),
    }
}

fn texts(members: &Map<String, Value>, name: &str) -> Result<Vec<String>, RegistrationError> {
    let list = match members.get(name) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(list)) if list.len() <= MAX_ADDRESSES => list,
        Some(_) => return Err(Metadata("a member is no list, or has more than 50 members")),
    };
    list.iter()
        .map(|member| match member {
            Value::String(text) => Ok(text.clone()),
            _ => Err(Metadata("a list holds something that is no text")),
        })
        .collect()
}

fn named<T>(
    members: &Map<String, Value>,
    name: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Option<Vec<T>>, RegistrationError> {
    if !members.contains_key(name) {
        return Ok(None);
    }
    texts(members, name)?
        .iter()
        .map(|text| read(text).ok_or(Metadata("a grant type or response type is unknown")))
        .collect::<Result<Vec<T>, RegistrationError>>()
        .map(Some)
}
