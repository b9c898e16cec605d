//! Signatures over JSON: algorithms, keys, key sets and the one compact form that is read.

mod algorithm;
mod compact;
mod der;
mod jwk;
mod jwks;
mod keys;
mod strict;
mod verifying;

pub use algorithm::Algorithm;
pub(crate) use compact::{Author, Compact, Rules, sign, unverified_subject, verified};
pub use jwk::{read_jwk, read_jwks};
pub use jwks::{Jwk, Jwks};
pub use keys::SigningKey;
pub(crate) use strict::Members;
pub use verifying::{VerifyingKey, VerifyingKeys};
