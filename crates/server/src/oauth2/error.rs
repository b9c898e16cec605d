//! Errors by the names of RFC 6749 §5.2, in the envelope of the house.

use axum::http::StatusCode;
use oauth::token::TokenRequestError;

use crate::error::{Challenge, Refusal};

/// A refusal of the token endpoint, or of one that answers like it.
pub(super) fn refusal(error: &TokenRequestError) -> Refusal {
    let name = error.code.name();
    let status = match error.code.is_about_the_client() {
        true => StatusCode::UNAUTHORIZED,
        false => StatusCode::BAD_REQUEST,
    };
    named(status, name, error.description, error.tried_header)
}

/// The same of an error's own name.
pub(super) fn named(
    status: StatusCode,
    name: &'static str,
    description: &str,
    tried_header: bool,
) -> Refusal {
    let mut refusal = Refusal::new(status, name, description);
    refusal.oauth = Some(name);
    if tried_header && status == StatusCode::UNAUTHORIZED {
        refusal.challenge = Some(Box::new(Challenge::Basic));
    }
    refusal
}

/// The request itself is wrong.
pub(super) fn invalid_request(description: &str) -> Refusal {
    named(
        StatusCode::BAD_REQUEST,
        "invalid_request",
        description,
        false,
    )
}

/// What was brought is not good, or no longer.
pub(super) fn invalid_grant(description: &str) -> Refusal {
    named(StatusCode::BAD_REQUEST, "invalid_grant", description, false)
}
