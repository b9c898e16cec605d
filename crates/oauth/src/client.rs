//! Clients, as values.

pub mod redirect;
mod registration;

use crate::response::ResponseType;
use crate::{Algorithm, VerifyingKeys};

pub use registration::{Registration, RegistrationError, validate_registration};

/// A program that asks for tokens.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its id. Never a user's id: see [`Client::subject`].
    pub id: String,
    /// What people see.
    pub name: String,
    /// Where it runs.
    pub application: Application,
    /// How it proves who it is.
    pub auth: ClientAuth,
    /// Whose it is.
    pub party: Party,
    /// Where answers may be sent, exactly.
    pub redirect_uris: Vec<String>,
    /// Where a browser may be sent after logout, exactly.
    pub post_logout_redirect_uris: Vec<String>,
    /// From where its request objects may be fetched, exactly.
    pub request_uris: Vec<String>,
    /// What it may ask the token endpoint for.
    pub grants: Vec<Grant>,
    /// What it may ask the authorization endpoint for.
    pub response_types: Vec<ResponseType>,
    /// The scopes that it may ask for.
    pub scopes: Vec<String>,
    /// The resource servers that its tokens may be for; the first is meant when it names none.
    pub resources: Vec<String>,
    /// Its public keys: for assertions and request objects.
    pub keys: VerifyingKeys,
    /// What it wants signed and how.
    pub signing: ClientSigning,
    /// How users are named to it.
    pub subjects: SubjectType,
    /// What it takes upon itself beyond its profile.
    pub demands: Demands,
}

/// Where a client runs (OpenID Connect Dynamic Registration §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Application {
    /// On a server, or as a page from one.
    Web,
    /// On a person's device: loopback addresses with any port and schemes of its own are taken
    /// (RFC 8252).
    Native,
}

/// Whose a client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// Of those who run the server: people are not asked for consent.
    First,
    /// Somebody else's.
    Third,
}

/// How a client proves who it is, with what that is checked against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    /// Not at all: a public client.
    None,
    /// By a secret in the `Authorization` header. What is stored of it is not known here.
    Basic,
    /// By a secret in the body.
    Post,
    /// By an assertion that one of its keys signed.
    PrivateKeyJwt,
    /// By a certificate of a known authority with this subject (RFC 8705 §2.1).
    TlsClientAuth(CertificateSubject),
    /// By one of these certificates (RFC 8705 §2.2).
    SelfSignedTls {
        /// `x5t#S256` of each: SHA-256 of its DER, base64url.
        thumbprints: Vec<String>,
    },
}

/// The one name in a certificate that has to fit (RFC 8705 §2.1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateSubject {
    /// `tls_client_auth_subject_dn`, as RFC 4514 writes it.
    Name(String),
    /// `tls_client_auth_san_dns`.
    Dns(String),
    /// `tls_client_auth_san_uri`.
    Uri(String),
    /// `tls_client_auth_san_ip`.
    Ip(std::net::IpAddr),
    /// `tls_client_auth_san_email`.
    Email(String),
}

/// How clients prove who they are, without the particulars.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuthMethod {
    /// Not at all.
    None,
    /// A secret in the header.
    Basic,
    /// A secret in the body.
    Post,
    /// A signed assertion (RFC 7523).
    PrivateKeyJwt,
    /// A certificate of an authority (RFC 8705 §2.1).
    TlsClientAuth,
    /// A certificate of its own (RFC 8705 §2.2).
    SelfSignedTls,
}

/// What can be asked for at the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Grant {
    /// RFC 6749 §4.1.
    AuthorizationCode,
    /// RFC 6749 §6.
    RefreshToken,
    /// RFC 6749 §4.4.
    ClientCredentials,
    /// RFC 8628.
    DeviceCode,
    /// RFC 8693.
    TokenExchange,
    /// RFC 7523 §2.1.
    JwtBearer,
    /// A word in registrations of clients whose tokens come from the authorization endpoint; the
    /// token endpoint does not know it.
    Implicit,
}

/// What a client wants signed, and how; `None` means plain JSON, or an algorithm of its choice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClientSigning {
    /// ID tokens; our preferred key signs where it says nothing.
    pub id_token: Option<Algorithm>,
    /// Userinfo.
    pub userinfo: Option<Algorithm>,
    /// Introspection.
    pub introspection: Option<Algorithm>,
    /// Authorization responses (JARM).
    pub authorization: Option<Algorithm>,
    /// The one algorithm of its request objects.
    pub request_object: Option<Algorithm>,
    /// The one algorithm of its assertions.
    pub token_auth: Option<Algorithm>,
}

/// How users are named to a client (OpenID Connect Core §8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubjectType {
    /// By the same name as to every other one.
    Public,
    /// By a name that only the clients of this sector know.
    Pairwise {
        /// A host.
        sector: String,
    },
}

/// What a client takes upon itself beyond its profile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Demands {
    /// Its requests have to be pushed (RFC 9126 §6).
    pub pushed: bool,
    /// Its requests have to be signed (RFC 9101 §10.5).
    pub signed_request: bool,
    /// Its tokens have to be bound to a key or certificate (RFC 9449 §5.2).
    pub bound_tokens: bool,
}

impl Client {
    /// Whether it has no way to prove who it is.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.auth.method() == AuthMethod::None
    }

    /// Whether it may use that grant.
    #[must_use]
    pub fn may_use(&self, grant: Grant) -> bool {
        self.grants.contains(&grant)
    }

    /// What stands as `sub` in tokens in which no user takes part. A user's id is a UUID and has no
    /// colon, so the two can never be the same (RFC 9700 §4.15).
    #[must_use]
    pub fn subject(&self) -> String {
        format!("client:{}", self.id)
    }
}

impl ClientAuth {
    /// The method alone.
    #[must_use]
    pub fn method(&self) -> AuthMethod {
        match self {
            Self::None => AuthMethod::None,
            Self::Basic => AuthMethod::Basic,
            Self::Post => AuthMethod::Post,
            Self::PrivateKeyJwt => AuthMethod::PrivateKeyJwt,
            Self::TlsClientAuth(_) => AuthMethod::TlsClientAuth,
            Self::SelfSignedTls { .. } => AuthMethod::SelfSignedTls,
        }
    }
}

impl AuthMethod {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::None,
        Self::Basic,
        Self::Post,
        Self::PrivateKeyJwt,
        Self::TlsClientAuth,
        Self::SelfSignedTls,
    ];

    /// Its name in metadata and registrations.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Basic => "client_secret_basic",
            Self::Post => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::TlsClientAuth => "tls_client_auth",
            Self::SelfSignedTls => "self_signed_tls_client_auth",
        }
    }

    /// The method of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.name() == name)
    }
}

impl Grant {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::AuthorizationCode,
        Self::RefreshToken,
        Self::ClientCredentials,
        Self::DeviceCode,
        Self::TokenExchange,
        Self::JwtBearer,
        Self::Implicit,
    ];

    /// Its name in requests, metadata and registrations.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
            Self::DeviceCode => "urn:ietf:params:oauth:grant-type:device_code",
            Self::TokenExchange => "urn:ietf:params:oauth:grant-type:token-exchange",
            Self::JwtBearer => "urn:ietf:params:oauth:grant-type:jwt-bearer",
            Self::Implicit => "implicit",
        }
    }

    /// The grant of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.name() == name)
    }
}
