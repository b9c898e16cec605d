//! The one table of outcomes and statuses.

use axum::http::StatusCode;
use rest::{ErrorKind, SuccessKind};

/// What a success answers with.
pub(crate) fn of_success(kind: SuccessKind) -> StatusCode {
    match kind {
        SuccessKind::Rows => StatusCode::OK,
        SuccessKind::PartialRows => StatusCode::PARTIAL_CONTENT,
        SuccessKind::Created => StatusCode::CREATED,
        SuccessKind::NoContent => StatusCode::NO_CONTENT,
        SuccessKind::Declared(code) => StatusCode::from_u16(code).unwrap_or(StatusCode::OK),
    }
}

/// What a refusal answers with.
pub(crate) fn of_error(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::BadRequest => StatusCode::BAD_REQUEST,
        ErrorKind::Unauthenticated => StatusCode::UNAUTHORIZED,
        ErrorKind::Denied => StatusCode::FORBIDDEN,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        ErrorKind::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
        ErrorKind::Conflict => StatusCode::CONFLICT,
        ErrorKind::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorKind::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ErrorKind::Unprocessable => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorKind::Ambiguous => StatusCode::MULTIPLE_CHOICES,
        ErrorKind::RangeNotSatisfiable => StatusCode::RANGE_NOT_SATISFIABLE,
        ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        ErrorKind::Timeout => StatusCode::GATEWAY_TIMEOUT,
        ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorKind::StorageFull => StatusCode::INSUFFICIENT_STORAGE,
    }
}
