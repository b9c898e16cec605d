//! The errors of the token endpoint and those that share its form.

/// The error names of RFC 6749 §5.2, RFC 8628 §3.5, RFC 8707 §2, RFC 9449 §5 and §8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is its name on the wire")]
pub enum TokenErrorCode {
    InvalidRequest,
    InvalidClient,
    InvalidGrant,
    UnauthorizedClient,
    UnsupportedGrantType,
    InvalidScope,
    InvalidTarget,
    AuthorizationPending,
    SlowDown,
    AccessDenied,
    ExpiredToken,
    InvalidDpopProof,
    UseDpopNonce,
}

impl TokenErrorCode {
    /// Its name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::AuthorizationPending => "authorization_pending",
            Self::SlowDown => "slow_down",
            Self::AccessDenied => "access_denied",
            Self::ExpiredToken => "expired_token",
            Self::InvalidDpopProof => "invalid_dpop_proof",
            Self::UseDpopNonce => "use_dpop_nonce",
        }
    }

    /// Whether the answer says that the client has not proved who it is (401), rather than that
    /// its request is wrong (400): RFC 6749 §5.2.
    #[must_use]
    pub fn is_about_the_client(self) -> bool {
        self == Self::InvalidClient
    }
}

/// A token request that is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {description}", code.name())]
pub struct TokenRequestError {
    /// Its name.
    pub code: TokenErrorCode,
    /// For the client's developer; a fixed text (RFC 6749 §5.2 allows few characters).
    pub description: &'static str,
    /// Whether the client tried the `Authorization` header, so that the answer names the scheme
    /// (RFC 6749 §5.2).
    pub tried_header: bool,
}

impl TokenRequestError {
    pub(crate) fn new(code: TokenErrorCode, description: &'static str) -> Self {
        Self {
            code,
            description,
            tried_header: false,
        }
    }

    pub(crate) fn invalid(description: &'static str) -> Self {
        Self::new(TokenErrorCode::InvalidRequest, description)
    }

    pub(crate) fn client(description: &'static str) -> Self {
        Self::new(TokenErrorCode::InvalidClient, description)
    }

    pub(crate) fn grant(description: &'static str) -> Self {
        Self::new(TokenErrorCode::InvalidGrant, description)
    }
}
