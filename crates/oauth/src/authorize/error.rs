//! What is wrong with an authorization request, and who is told.

use super::{Draft, Given};
use crate::response::{ResponseMode, ResponseType};

/// The error names of RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6, RFC 9101 §7 and RFC 8707 §2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is its name on the wire")]
pub enum AuthorizeErrorCode {
    InvalidRequest,
    UnauthorizedClient,
    AccessDenied,
    UnsupportedResponseType,
    InvalidScope,
    ServerError,
    TemporarilyUnavailable,
    InteractionRequired,
    LoginRequired,
    AccountSelectionRequired,
    ConsentRequired,
    InvalidRequestUri,
    InvalidRequestObject,
    RequestNotSupported,
    RequestUriNotSupported,
    InvalidTarget,
    UnmetAuthenticationRequirements,
}

impl AuthorizeErrorCode {
    /// Its name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::AccessDenied => "access_denied",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::InteractionRequired => "interaction_required",
            Self::LoginRequired => "login_required",
            Self::AccountSelectionRequired => "account_selection_required",
            Self::ConsentRequired => "consent_required",
            Self::InvalidRequestUri => "invalid_request_uri",
            Self::InvalidRequestObject => "invalid_request_object",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::InvalidTarget => "invalid_target",
            Self::UnmetAuthenticationRequirements => "unmet_authentication_requirements",
        }
    }
}

/// An authorization request that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthorizationError {
    /// Shown on a page of ours: it is not known where else to go.
    Page {
        /// Its name.
        code: AuthorizeErrorCode,
        /// For the client's developer. Fixed texts alone, so that nothing of the request comes back
        /// and no character is forbidden (RFC 6749 §4.1.2.1).
        description: &'static str,
    },
    /// Sent to the client.
    Redirect(ErrorRedirect),
}

/// An error that is sent to the client, in the way that an answer would have been.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorRedirect {
    /// Where to: registered.
    pub redirect_uri: String,
    /// How.
    pub response_mode: ResponseMode,
    /// Its name.
    pub code: AuthorizeErrorCode,
    /// For the client's developer.
    pub description: &'static str,
    /// What the client sent along, if it was in order.
    pub state: Option<String>,
    /// Who answers (RFC 9207).
    pub iss: String,
}

impl ErrorRedirect {
    /// The parameters of the answer.
    #[must_use]
    pub fn parameters(&self) -> Vec<(&'static str, &str)> {
        let mut parameters = vec![
            ("error", self.code.name()),
            ("error_description", self.description),
            ("iss", self.iss.as_str()),
        ];
        if let Some(state) = &self.state {
            parameters.push(("state", state));
        }
        parameters
    }
}

/// What a step found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Problem {
    pub(crate) code: AuthorizeErrorCode,
    pub(crate) description: &'static str,
}

impl Problem {
    pub(crate) fn new(code: AuthorizeErrorCode, description: &'static str) -> Self {
        Self { code, description }
    }

    pub(crate) fn invalid(description: &'static str) -> Self {
        Self::new(AuthorizeErrorCode::InvalidRequest, description)
    }

    pub(crate) fn on_page(self) -> AuthorizationError {
        AuthorizationError::Page {
            code: self.code,
            description: self.description,
        }
    }

    /// A page, until it is known where the client wants its answers.
    pub(crate) fn told(self, given: &Given<'_>, draft: &Draft) -> AuthorizationError {
        let Some(redirect_uri) = draft.redirect_uri.clone() else {
            return self.on_page();
        };
        // Before the mode was checked, the one that the client names counts if it is one of the
        // profile's.
        let named = || {
            let asked = draft.parameters.get("response_mode")?;
            let allowed = given.inputs.issuer.profile.rules().response_modes;
            let is_asked = |mode: &&ResponseMode| mode.name() == asked;
            allowed.iter().find(is_asked).copied()
        };
        let by_type = || draft.response_type.map(ResponseType::default_mode);
        let response_mode = draft
            .response_mode
            .or_else(named)
            .or_else(by_type)
            .unwrap_or(ResponseMode::Query);
        AuthorizationError::Redirect(ErrorRedirect {
            redirect_uri,
            response_mode,
            code: self.code,
            description: self.description,
            state: draft.state.clone(),
            iss: given.inputs.issuer.id.to_owned(),
        })
    }
}
