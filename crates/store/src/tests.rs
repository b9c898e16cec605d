//! Facts about our own tables, on every engine.

mod declared;
mod engines;
mod keeping;
mod moments;
mod outbox;
mod registering;
