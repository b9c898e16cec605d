//! Who somebody is: accounts, signing in, what one may do with one's own. One file for each noun.

mod act;
pub(crate) mod admin;
mod administration;
pub(crate) mod administrator;
pub(crate) mod api_keys;
mod assignable;
pub(crate) mod body;
pub(crate) mod by_link;
pub(crate) mod confirm;
pub(crate) mod cookie;
pub(crate) mod deletion;
pub(crate) mod door;
pub(crate) mod email;
pub(crate) mod export;
pub(crate) mod factor;
pub(crate) mod invitations;
mod me;
pub(crate) mod opaque;
pub(crate) mod passkeys;
pub(crate) mod password;
mod rate;
pub(crate) mod recovery_codes;
mod register;
pub(crate) mod reset;
mod secret;
pub(crate) mod session;
mod settings;
pub(crate) mod step_up;
mod token;
pub(crate) mod totp;

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use rest::RestError;
use serde_json::Value;
use store::StoreError;

use crate::error::Refusal;

pub use administration::{AccountChange, Administration, ChangeError, Granted};
pub use assignable::{RoleError, assignable, find_role};
pub(crate) use me::{change_me, me};
pub use rate::{Rate, RateError};
pub(crate) use register::register;
pub use settings::{
    AdministrationSettings, IdentitySettings, MomentsPlace, PasswordMode, Throttle, unlock,
};
pub(crate) use token::{FIRST_PARTY, claims_of_hook, hook_claims, token};

/// An answer that nobody may keep.
pub(crate) fn json_answer(status: StatusCode, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// What people say of themselves stands in these statements, so it is not logged.
pub(crate) fn of_store(error: &StoreError) -> Refusal {
    match error {
        StoreError::Db(error) => {
            let refusal = Refusal::from(RestError::of_read(error));
            if refusal.status.is_server_error() {
                tracing::error!(error = error.without_values(), "an account's unit failed");
            }
            refusal
        }
        StoreError::Moments(_) => {
            tracing::error!(%error, "short-lived state cannot be kept");
            Refusal::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "state_unavailable",
                "signing in is not possible for a moment",
            )
        }
        other => Refusal::internal("account", other),
    }
}
