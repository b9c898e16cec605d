//! Clients: those of the project's file and those of the database, found alike.

use axum::http::Uri;
use credentials::token::{ClientSecret, ClientSecretHash};
use jiff::{SignedDuration, Timestamp};
use oauth::client::Party;
use oauth::client::{
    AuthMethod, ClientAuth, Registration, RegistrationError, SubjectType, validate_registration,
};
use oauth::{Client, Profile, pairwise};
use store::clients::{self, ClientRecord};
use uuid::Uuid;

use super::settings::{DeclaredClient, OPENID_SCOPES};
use crate::app::State;
use crate::error::Refusal;
use crate::identity::of_store;

/// How strict this issuer is.
pub(crate) const PROFILE: Profile = Profile::Oauth21;

/// A client and what this server keeps of it besides.
#[derive(Debug)]
pub(crate) struct Registered {
    pub(crate) client: Client,
    /// The role of tokens in which no user takes part.
    pub(crate) role: Option<String>,
    /// Where it wants to be told of logouts.
    pub(crate) back_channel_uri: Option<Uri>,
    /// Where a browser tells it of them.
    pub(crate) front_channel_uri: Option<Uri>,
    record: ClientRecord,
}

/// Why a client cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// Its metadata.
    #[error(transparent)]
    Metadata(#[from] RegistrationError),
    /// Its id.
    #[error("a client's id is 1 to 200 letters, digits and -._~")]
    Id,
    /// Something that is not served.
    #[error("{0} is not served here")]
    NotServed(&'static str),
    /// Where it wants to be told of logouts.
    #[error("an address for logouts cannot be asked")]
    LogoutUri,
    /// A secret that it needs.
    #[error("it proves who it is by a secret, and has none")]
    NoSecret,
    /// A secret that it does not need.
    #[error("it has a secret, and does not prove who it is by one")]
    Secret,
}

impl Registered {
    /// Whether this is its secret now.
    pub(super) fn accepts(&self, secret: &ClientSecret, now: Timestamp) -> bool {
        self.record.accepts(secret, now)
    }

    /// How it knows a user.
    pub(crate) fn subject(&self, state: &State, user: Uuid) -> String {
        match &self.client.subjects {
            SubjectType::Public => user.to_string(),
            SubjectType::Pairwise { sector } => {
                pairwise::pairwise_subject(sector, &user.to_string(), &state.pairwise_salt)
            }
        }
    }
}

/// The client of that id, if there is one that can be used.
pub(crate) async fn find(state: &State, id: &str) -> Result<Option<Registered>, Refusal> {
    if !is_id(id) {
        return Ok(None);
    }
    let declared = state.settings.oauth.clients.iter();
    let record = match declared.into_iter().find(|client| client.id == id) {
        Some(declared) => Some(record_of(declared)),
        None => {
            let found = clients::find(&state.store, id).await;
            found.map_err(|error| of_store(&error))?
        }
    };
    let Some(record) = record else {
        return Ok(None);
    };
    match registered(&state.settings.public_url, record) {
        Ok(registered) => Ok(Some(registered)),
        Err(error) => {
            tracing::error!(%error, client = id, "a client cannot be used");
            Ok(None)
        }
    }
}

/// How long a client is in use before that is noted again.
const TOUCH: SignedDuration = SignedDuration::from_hours(1);

/// Notes that a client which registered itself is in use, so that it is kept.
pub(super) async fn note_use(state: &State, registered: &Registered) -> Result<(), Refusal> {
    let record = &registered.record;
    let now = state.clock.now();
    let is_noted = record
        .used_at
        .is_some_and(|at| now.duration_since(at) < TOUCH);
    if record.registration.is_none() || is_noted || state.is_read_only {
        return Ok(());
    }
    let touched = clients::touch(&state.store, &record.id).await;
    touched.map_err(|error| of_store(&error))
}

/// Checks what is said of a client; `resource` is the address of the data API.
pub fn check_client_record(resource: &str, record: &ClientRecord) -> Result<(), ClientError> {
    registered(resource, record.clone()).map(drop)
}

/// The same for one of the project's file.
pub fn check_declared_client(resource: &str, client: &DeclaredClient) -> Result<(), ClientError> {
    registered(resource, record_of(client)).map(drop)
}

fn record_of(declared: &DeclaredClient) -> ClientRecord {
    let secret = declared.secret.clone().map(ClientSecret::of_text);
    ClientRecord {
        id: declared.id.clone(),
        metadata: declared.metadata.clone(),
        secret: secret.map(|secret| secret.hash()),
        previous: None,
        is_first_party: declared.is_first_party,
        role: declared.role.clone(),
        registration: None,
        used_at: None,
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
    }
}

fn registered(resource: &str, record: ClientRecord) -> Result<Registered, ClientError> {
    if !is_id(&record.id) {
        return Err(ClientError::Id);
    }
    let registration = validate_registration(record.metadata.as_bytes(), PROFILE)?;
    let auth = auth(&registration, record.secret.as_ref())?;
    let subjects = match registration.pairwise {
        false => SubjectType::Public,
        true => {
            let sector = registration.sector_identifier_uri.as_deref();
            let sector = pairwise::sector(&registration.redirect_uris, sector)
                .map_err(|_| ClientError::NotServed("a pairwise client without a sector"))?;
            SubjectType::Pairwise { sector }
        }
    };
    let back_channel_uri = logout_uri(&registration, "backchannel_logout_uri")?;
    let front_channel_uri = logout_uri(&registration, "frontchannel_logout_uri")?;
    let party = match record.is_first_party {
        true => Party::First,
        false => Party::Third,
    };
    let scopes = match registration.scopes.is_empty() {
        true => OPENID_SCOPES.map(str::to_owned).to_vec(),
        false => registration.scopes,
    };
    let client = Client {
        id: record.id.clone(),
        name: registration.name.unwrap_or_else(|| record.id.clone()),
        application: registration.application,
        auth,
        party,
        redirect_uris: registration.redirect_uris,
        post_logout_redirect_uris: registration.post_logout_redirect_uris,
        request_uris: registration.request_uris,
        grants: registration.grants,
        response_types: registration.response_types,
        scopes,
        resources: vec![resource.to_owned()],
        keys: registration.keys,
        signing: registration.signing,
        subjects,
        demands: registration.demands,
    };
    Ok(Registered {
        client,
        role: record.role.clone(),
        back_channel_uri,
        front_channel_uri,
        record,
    })
}

/// Where it wants to be told of logouts: an address that can be asked (Back-Channel Logout §2.2,
/// Front-Channel Logout §2).
fn logout_uri(registration: &Registration, member: &str) -> Result<Option<Uri>, ClientError> {
    let mut addresses = registration.addresses.iter();
    let Some((_, uri)) = addresses.find(|(name, _)| *name == member) else {
        return Ok(None);
    };
    let uri: Uri = uri.parse().map_err(|_| ClientError::LogoutUri)?;
    let has_user = uri
        .authority()
        .is_none_or(|host| host.as_str().contains('@'));
    match has_user {
        true => Err(ClientError::LogoutUri),
        false => Ok(Some(uri)),
    }
}

/// How it proves who it is, which its secret has to fit.
fn auth(
    registration: &Registration,
    secret: Option<&ClientSecretHash>,
) -> Result<ClientAuth, ClientError> {
    if registration.jwks_uri.is_some() {
        return Err(ClientError::NotServed("jwks_uri"));
    }
    if !registration.request_uris.is_empty() {
        return Err(ClientError::NotServed("request_uris"));
    }
    let auth = match registration.auth_method {
        AuthMethod::None => ClientAuth::None,
        AuthMethod::Basic => ClientAuth::Basic,
        AuthMethod::Post => ClientAuth::Post,
        AuthMethod::PrivateKeyJwt => ClientAuth::PrivateKeyJwt,
        AuthMethod::TlsClientAuth | AuthMethod::SelfSignedTls => {
            return Err(ClientError::NotServed("a client's certificate"));
        }
    };
    let needs = matches!(auth, ClientAuth::Basic | ClientAuth::Post);
    match (needs, secret) {
        (true, None) => Err(ClientError::NoSecret),
        (false, Some(_)) => Err(ClientError::Secret),
        (true, Some(_)) | (false, None) => Ok(auth),
    }
}

/// Unreserved characters (RFC 3986 §2.3), so that an id reads the same in a header, an address and a
/// log.
fn is_id(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    (1..=200).contains(&text.len()) && text.bytes().all(fits)
}
