//! The protocol without HTTP or SQL: tokens, JOSE, claims, metadata. Pure.
//!
//! Every kind of token is read by the one strict reader of [`jose`], and takes nothing but what its
//! kind needs: whatever a general JOSE library would also understand is refused by name. Access
//! tokens (RFC 9068) are made by [`encode_access_token`] and read by [`decode_access_token`].
//!
//! A request is a list of checks over its [`Parameters`]: [`authorize`] for the browser's,
//! [`token`] for the client's own. What an issuer allows stands in one table, [`profile`].
//!
//! Times and chance are arguments. Two things draw chance by themselves, inside the cryptographic
//! library: the salt of ECDSA and PSS signatures, and the primes of new RSA keys.

pub mod authorize;
mod claims;
pub mod client;
pub mod confirmation;
mod decode;
pub mod device;
pub mod dpop;
mod encode;
mod error;
mod id_token;
pub mod jose;
mod logout_token;
mod members;
pub mod metadata;
pub mod pairwise;
mod parameters;
pub mod profile;
pub mod refresh;
mod requested_claims;
mod response;
mod signed_response;
pub mod token;
mod uri;

pub use claims::AccessTokenClaims;
pub use client::Client;
pub use decode::{Expectations, decode_access_token};
pub use encode::encode_access_token;
pub use error::{KeyError, TokenError};
pub use id_token::{
    Hashes, IdTokenClaims, IdTokenExpectations, decode_foreign_id_token, decode_id_token_hint,
    encode_id_token,
};
pub use jose::{Algorithm, Jwk, Jwks, SigningKey, VerifyingKey, VerifyingKeys};
pub use logout_token::{LoggedOut, LogoutTokenClaims, decode_logout_token, encode_logout_token};
pub use parameters::Parameters;
pub use profile::Profile;
pub use requested_claims::{ClaimsRequest, RequestedClaim, claims_by_scope, select_claims};
pub use response::{ResponseMode, ResponseType};
pub use signed_response::{sign_authorization_response, sign_introspection, sign_userinfo};

#[cfg(test)]
mod tests;
