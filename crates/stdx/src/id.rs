//! Row ids that sort by the time they were made.

use uuid::Uuid;

use crate::{Clock, Rng};

/// A `UUIDv7` (RFC 9562 §5.7): milliseconds of `clock`, then 74 bits of `rng`.
#[must_use]
pub fn new_id(clock: &Clock, rng: &Rng) -> Uuid {
    let millis = u64::try_from(clock.now().as_millisecond()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &rng.bytes::<10>()).into_uuid()
}
