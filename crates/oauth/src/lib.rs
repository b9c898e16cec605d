//! The protocol without HTTP or SQL: tokens, JOSE, claims, metadata. Pure.
//!
//! Access tokens are JWTs (RFC 9068) signed with Ed25519 (RFC 8037). There is one function that
//! reads them, [`decode_access_token`], and it takes nothing but what [`encode_access_token`]
//! writes: whatever a general JOSE library would also understand is refused by name.

mod claims;
mod decode;
mod encode;
mod error;
mod jwks;
mod keys;
mod strict;

pub use claims::AccessTokenClaims;
pub use decode::{Expectations, decode_access_token};
pub use encode::encode_access_token;
pub use error::{KeyError, TokenError};
pub use jwks::{Jwk, Jwks};
pub use keys::{SigningKey, VerifyingKey, VerifyingKeys};

#[cfg(test)]
mod tests;
