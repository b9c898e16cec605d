//! What goes over the wire.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A public profile.
#[derive(Serialize)]
pub(crate) struct User {
    pub(crate) uuid: Uuid,
    pub(crate) display_name: String,
    pub(crate) handle: String,
    pub(crate) bio: Option<String>,
    pub(crate) created_at: String,
}

/// Who wrote a message.
#[derive(Serialize)]
pub(crate) struct Author {
    pub(crate) handle: String,
    pub(crate) display_name: String,
}

/// A message of the list.
#[derive(Serialize)]
pub(crate) struct Activity {
    pub(crate) uuid: Uuid,
    pub(crate) message: String,
    pub(crate) likes_count: i32,
    pub(crate) created_at: String,
    pub(crate) author: Option<Author>,
}

/// A message to insert.
#[derive(Deserialize)]
pub(crate) struct NewActivity {
    pub(crate) message: String,
}

/// A moment as the wire has it.
pub(crate) fn spell(moment: jiff::Timestamp) -> String {
    format!("{moment:.6}")
}

/// The present moment, whole microseconds.
#[expect(
    clippy::disallowed_methods,
    reason = "the reference stands outside the house"
)]
pub(crate) fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// A fresh id.
#[expect(
    clippy::disallowed_methods,
    reason = "the reference stands outside the house"
)]
pub(crate) fn new_uuid() -> Uuid {
    Uuid::new_v4()
}
