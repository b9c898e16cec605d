//! Facts about passwords, addresses and keys.

mod addresses;
mod keys;
mod passwords;
mod webhooks;
