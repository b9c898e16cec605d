//! Profiles: how strict an issuer is, as one table.

use crate::Algorithm;
use crate::client::{AuthMethod, Grant};
use crate::response::{ResponseMode, ResponseType};

/// How strict an issuer is. One process can serve several issuers, each with its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Profile {
    /// OAuth 2.1: code with PKCE for all. The one that is taken when nobody says otherwise.
    Oauth21,
    /// All of OpenID Connect that a certification asks for, hybrid and implicit included.
    OidcFull,
    /// FAPI 2.0 Security Profile and Message Signing.
    Fapi2,
}

/// What a profile allows and demands.
#[derive(Clone, Copy, Debug)]
pub struct ProfileRules {
    /// What can be asked for at the authorization endpoint.
    pub response_types: &'static [ResponseType],
    /// How it can be answered.
    pub response_modes: &'static [ResponseMode],
    /// What can be asked for at the token endpoint.
    pub grants: &'static [Grant],
    /// How clients prove who they are.
    pub auth_methods: &'static [AuthMethod],
    /// What tokens, assertions and request objects are signed with.
    pub algorithms: &'static [Algorithm],
    /// Who has to send a code challenge.
    pub pkce: Pkce,
    /// How an authorization request gets here.
    pub requests: Requests,
    /// Whether an access token has to be bound to a key or certificate.
    pub binding: Binding,
    /// How long a code is good, seconds.
    pub code_life: i64,
    /// The longest life of a client's assertion and of a request object, seconds.
    pub assertion_life: i64,
}

/// Who has to send a code challenge. Where one is sent, it is `S256` in every profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pkce {
    /// Every client.
    Everyone,
    /// Clients without a secret; the others may (OpenID's Basic tests do not).
    PublicClients,
}

/// How an authorization request gets here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requests {
    /// In the address, as a request object whose parameters are the only ones (RFC 9101 §6.3), or
    /// pushed.
    Any,
    /// The same, and a request object adds to the parameters beside it (OpenID Connect Core §6.1).
    Merged,
    /// Pushed (RFC 9126) and no other way.
    Pushed,
}

/// Whether an access token has to be bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// If the client brings a key or a certificate.
    Optional,
    /// Always (FAPI 2.0 Security Profile §5.3.2.1).
    Required,
}

const EVERY_GRANT: &[Grant] = &[
    Grant::AuthorizationCode,
    Grant::RefreshToken,
    Grant::ClientCredentials,
    Grant::DeviceCode,
    Grant::TokenExchange,
    Grant::JwtBearer,
];

const EVERY_AUTH_METHOD: &[AuthMethod] = &[
    AuthMethod::None,
    AuthMethod::Basic,
    AuthMethod::Post,
    AuthMethod::PrivateKeyJwt,
    AuthMethod::TlsClientAuth,
    AuthMethod::SelfSignedTls,
];

impl Profile {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Oauth21, Self::OidcFull, Self::Fapi2];

    /// Its name in configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Oauth21 => "oauth21",
            Self::OidcFull => "oidc-full",
            Self::Fapi2 => "fapi2",
        }
    }

    /// The profile of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.name() == name)
    }

    /// What it allows and demands.
    #[must_use]
    pub fn rules(self) -> &'static ProfileRules {
        match self {
            Self::Oauth21 => &OAUTH21,
            Self::OidcFull => &OIDC_FULL,
            Self::Fapi2 => &FAPI2,
        }
    }
}

const OAUTH21: ProfileRules = ProfileRules {
    response_types: &[ResponseType::Code],
    response_modes: &[
        ResponseMode::Query,
        ResponseMode::FormPost,
        ResponseMode::QueryJwt,
        ResponseMode::FormPostJwt,
    ],
    grants: EVERY_GRANT,
    auth_methods: EVERY_AUTH_METHOD,
    algorithms: Algorithm::ALL,
    pkce: Pkce::Everyone,
    requests: Requests::Any,
    binding: Binding::Optional,
    code_life: 60,
    assertion_life: 3600,
};

const OIDC_FULL: ProfileRules = ProfileRules {
    response_types: &[
        ResponseType::Code,
        ResponseType::IdToken,
        ResponseType::IdTokenToken,
        ResponseType::CodeIdToken,
        ResponseType::CodeToken,
        ResponseType::CodeIdTokenToken,
    ],
    response_modes: ResponseMode::ALL,
    grants: &[
        Grant::AuthorizationCode,
        Grant::RefreshToken,
        Grant::ClientCredentials,
        Grant::DeviceCode,
        Grant::TokenExchange,
        Grant::JwtBearer,
        Grant::Implicit,
    ],
    auth_methods: EVERY_AUTH_METHOD,
    algorithms: Algorithm::ALL,
    pkce: Pkce::PublicClients,
    requests: Requests::Merged,
    binding: Binding::Optional,
    code_life: 60,
    assertion_life: 3600,
};

const FAPI2: ProfileRules = ProfileRules {
    response_types: &[ResponseType::Code],
    response_modes: &[
        ResponseMode::Query,
        ResponseMode::FormPost,
        ResponseMode::QueryJwt,
        ResponseMode::FormPostJwt,
    ],
    grants: EVERY_GRANT,
    // Security Profile §5.3.2.1: confidential clients alone, and no shared secrets.
    auth_methods: &[
        AuthMethod::PrivateKeyJwt,
        AuthMethod::TlsClientAuth,
        AuthMethod::SelfSignedTls,
    ],
    algorithms: Algorithm::FAPI2,
    pkce: Pkce::Everyone,
    requests: Requests::Pushed,
    binding: Binding::Required,
    code_life: 60,
    // Message Signing §5.3.1: at most 60 minutes from `nbf` to `exp`.
    assertion_life: 3600,
};
