//! Facts about our own tables, on every engine.

mod clients;
mod declared;
mod engines;
mod keeping;
mod mails;
mod moments;
mod outbox;
mod registering;
mod tickets;
