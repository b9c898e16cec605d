//! `[oauth]` and `[clients.NAME]`: the authorization server, and programs that people log in to.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value as Json, json};
use server::{ClientRegistration, DeclaredClient, OAuthSettings, check_declared_client};
use stdx::{Secret, nearest};

use super::Configuration;
use super::issuers;
use super::layers::Value;
use super::settings::{duration, list};
use crate::failure::{Failure, Outcome};

/// What is said of one client.
#[derive(Clone)]
pub(super) struct Given {
    /// Members of RFC 7591 §2.
    metadata: Map<String, Json>,
    is_first_party: bool,
    role: Option<String>,
    secret: Option<Value>,
}

/// The members of RFC 7591 §2, OpenID Connect Dynamic Registration §2, RFC 9126 §6, RFC 9101 §10.5,
/// RFC 9449 §5.2 and Back-Channel Logout §2.2 that can be said of a client.
const METADATA: [&str; 22] = [
    "client_name",
    "application_type",
    "redirect_uris",
    "post_logout_redirect_uris",
    "token_endpoint_auth_method",
    "grant_types",
    "response_types",
    "scope",
    "jwks",
    "subject_type",
    "sector_identifier_uri",
    "id_token_signed_response_alg",
    "userinfo_signed_response_alg",
    "introspection_signed_response_alg",
    "authorization_signed_response_alg",
    "request_object_signing_alg",
    "require_pushed_authorization_requests",
    "dpop_bound_access_tokens",
    "backchannel_logout_uri",
    "backchannel_logout_session_required",
    "frontchannel_logout_uri",
    "frontchannel_logout_session_required",
];

/// What is ours to say.
const OWN: [&str; 2] = ["first_party", "role"];

/// The variable of a client's secret: `CLIENT_WEB_SECRET`.
fn variable(client: &str) -> String {
    let plain = |c: char| match c.is_ascii_alphanumeric() {
        true => c.to_ascii_uppercase(),
        false => '_',
    };
    let name: String = client.chars().map(plain).collect();
    format!("CLIENT_{name}_SECRET")
}

/// Reads `[clients.NAME]` of pilaster.toml.
pub(super) fn read_toml(name: &str, said: &toml::Table) -> Outcome<Given> {
    let wrong = |text: String| Failure::config(format!("pilaster.toml: clients.{name}{text}"));
    let mut given = Given {
        metadata: Map::new(),
        is_first_party: false,
        role: None,
        secret: None,
    };
    for (entry, value) in said {
        match (entry.as_str(), value) {
            ("first_party", toml::Value::Boolean(is)) => given.is_first_party = *is,
            ("first_party", _) => return Err(wrong(String::from(".first_party is true or false"))),
            ("role", toml::Value::String(role)) => given.role = Some(role.clone()),
            ("role", _) => return Err(wrong(String::from(".role is the name of a role"))),
            ("secret" | "client_secret", _) => {
                return Err(wrong(format!(".{entry} is a secret"))
                    .fix(format!("write {} into .env", variable(name))));
            }
            (member, value) if METADATA.contains(&member) => {
                let value = serde_json::to_value(value)
                    .map_err(|error| wrong(format!(".{member}: {error}")))?;
                given.metadata.insert(member.to_owned(), value);
            }
            (member, _) => {
                let failure = wrong(format!(".{member} is not a setting"));
                return Err(match nearest(member, METADATA.into_iter().chain(OWN)) {
                    Some(near) => failure.fix(format!("did you mean {near}?")),
                    None => failure.fix("docs/oauth.md lists what can be said of a client"),
                });
            }
        }
    }
    Ok(given)
}

/// Takes `CLIENT_NAME_SECRET` of a client that pilaster.toml names, also as `…_FILE`; gives whether
/// it was one.
pub(super) fn read_variable(
    configuration: &mut Configuration,
    name: &str,
    value: &str,
    origin: &str,
) -> Outcome<bool> {
    let (bare, is_file) = match name.strip_suffix("_FILE") {
        Some(bare) => (bare, true),
        None => (name, false),
    };
    let folder = configuration.folder.clone();
    let mut clients = configuration.clients.iter_mut();
    let Some((_, given)) = clients.find(|(client, _)| variable(client) == bare) else {
        return Ok(false);
    };
    let text = match is_file {
        true => {
            let path = folder.join(value);
            let text = std::fs::read_to_string(&path)
                .map_err(|error| Failure::config(format!("{name}: {}: {error}", path.display())))?;
            text.trim_end().to_owned()
        }
        false => value.to_owned(),
    };
    let origin = origin.to_owned();
    given.secret = Some(Value { text, origin });
    Ok(true)
}

/// Name, value for showing, origin.
pub(super) fn shown(clients: &BTreeMap<String, Given>) -> Vec<(String, String, String)> {
    let mut shown = Vec::new();
    for (name, given) in clients {
        for (member, value) in &given.metadata {
            let text = match value {
                Json::String(text) => text.clone(),
                other => other.to_string(),
            };
            let origin = String::from("pilaster.toml");
            shown.push((format!("clients.{name}.{member}"), text, origin));
        }
        if let Some(secret) = &given.secret {
            let setting = format!("clients.{name}.secret");
            shown.push((setting, String::from("***"), secret.origin.clone()));
        }
    }
    shown
}

/// The shortest secret of a client, characters.
const SHORTEST: usize = 32;

/// How the authorization server behaves; `public_url` is the issuer.
pub(super) fn oauth(configuration: &Configuration, public_url: &str) -> Outcome<OAuthSettings> {
    let access_life = duration(configuration, "oauth.access_life")?;
    if access_life.is_zero() || access_life > Duration::from_hours(1) {
        return Err(configuration.ill_typed("oauth.access_life", "a duration of at most 1h"));
    }
    let refresh_life = duration(configuration, "oauth.refresh_life")?;
    if refresh_life.is_zero() || refresh_life > Duration::from_hours(24 * 366) {
        return Err(configuration.ill_typed("oauth.refresh_life", "a duration of at most 366d"));
    }
    let refresh_idle = match configuration.text("oauth.refresh_idle") {
        "" | "off" => None,
        _ => Some(duration(configuration, "oauth.refresh_idle")?),
    };
    let mut clients = Vec::new();
    for (id, given) in &configuration.clients {
        let client = declared(id, given)?;
        check_declared_client(public_url, &client).map_err(|error| {
            Failure::config(format!("pilaster.toml: clients.{id}: {error}")).fix(format!(
                "look at [clients.{id}], and at {} in .env",
                variable(id)
            ))
        })?;
        clients.push(client);
    }
    Ok(OAuthSettings {
        clients,
        registration: registration(configuration)?,
        registration_scopes: list(configuration, "oauth.registration_scopes"),
        registration_unused: duration(configuration, "oauth.registration_unused")?,
        issuers: issuers::issuers(configuration)?,
        scopes: scopes(configuration)?,
        access_life,
        refresh_life,
        refresh_idle,
        login_url: configuration.text("oauth.login_url").to_owned(),
        register_url: configuration.text("oauth.register_url").to_owned(),
        consent_url: configuration.text("oauth.consent_url").to_owned(),
        device_url: configuration.text("oauth.device_url").to_owned(),
    })
}

/// Whether programs register themselves as clients.
fn registration(configuration: &Configuration) -> Outcome<ClientRegistration> {
    match configuration.text("oauth.registration") {
        "off" | "false" => Ok(ClientRegistration::Off),
        "token" => Ok(ClientRegistration::Token),
        "open" => Ok(ClientRegistration::Open),
        _ => Err(configuration.ill_typed("oauth.registration", "off, token or open")),
    }
}

/// The scopes of the project's own (RFC 6749 §3.3).
fn scopes(configuration: &Configuration) -> Outcome<Vec<String>> {
    let scopes = list(configuration, "oauth.scopes");
    let fits = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    match scopes.iter().all(|scope| scope.bytes().all(fits)) {
        true => Ok(scopes),
        false => Err(configuration.ill_typed(
            "oauth.scopes",
            "names of printable ASCII without spaces, quotes and backslashes",
        )),
    }
}

fn declared(id: &str, given: &Given) -> Outcome<DeclaredClient> {
    let secret = given.secret.as_ref().filter(|value| !value.text.is_empty());
    if let Some(secret) = secret
        && secret.text.chars().count() < SHORTEST
    {
        return Err(Failure::config(format!(
            "{}: {} has less than {SHORTEST} characters",
            secret.origin,
            variable(id)
        ))
        .fix("take 32 random bytes, as openssl rand -base64 32 gives them"));
    }
    Ok(DeclaredClient {
        id: id.to_owned(),
        metadata: with_defaults(given.metadata.clone(), secret.is_some()).to_string(),
        secret: secret.map(|value| Secret::new(value.text.clone())),
        is_first_party: given.is_first_party,
        role: given.role.clone(),
    })
}

/// What most clients are, where nothing else is said: they refresh their tokens, and prove who they
/// are by their secret if they have one.
pub(crate) fn with_defaults(mut metadata: Map<String, Json>, has_secret: bool) -> Json {
    let method = match has_secret {
        true => "client_secret_basic",
        false => "none",
    };
    for (name, value) in [
        (
            "grant_types",
            json!(["authorization_code", "refresh_token"]),
        ),
        ("token_endpoint_auth_method", json!(method)),
    ] {
        metadata.entry(name).or_insert(value);
    }
    Json::Object(metadata)
}
