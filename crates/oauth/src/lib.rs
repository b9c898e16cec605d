//! The protocol without HTTP or SQL: tokens, JOSE, claims, metadata. Pure.
//!
//! Every kind of token is read by the one strict reader of [`jose`], and takes nothing but what its
//! kind needs: whatever a general JOSE library would also understand is refused by name. Access
//! tokens (RFC 9068) are made by [`encode_access_token`] and read by [`decode_access_token`].
//!
//! Times and chance are arguments. Two things draw chance by themselves, inside the cryptographic
//! library: the salt of ECDSA and PSS signatures, and the primes of new RSA keys.

mod claims;
mod decode;
mod encode;
mod error;
pub mod jose;
mod members;

pub use claims::AccessTokenClaims;
pub use decode::{Expectations, decode_access_token};
pub use encode::encode_access_token;
pub use error::{KeyError, TokenError};
pub use jose::{Algorithm, Jwk, Jwks, SigningKey, VerifyingKey, VerifyingKeys};

#[cfg(test)]
mod tests;
