//! Facts about passwords, addresses and keys.

mod addresses;
mod assurance;
mod keys;
mod legacy;
mod opaque;
mod opaque_vectors;
mod passkey;
mod passwords;
mod recovery;
mod strength;
mod token;
mod totp;
mod webhooks;
