//! What can be wrong with a key or a token.

/// A key that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the bytes are not an Ed25519 key")]
pub struct KeyError;

/// Why a token is refused. The text is for the log; a caller learns `invalid_token` and no more
/// (RFC 6750 §3.1).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not three base64url segments of JSON, or too long.
    #[error("not a token: {0}")]
    Malformed(&'static str),
    /// A header that we never write.
    #[error("the token's header is refused: {0}")]
    Header(&'static str),
    /// Another algorithm than the key's.
    #[error("the token's algorithm is not EdDSA")]
    Algorithm,
    /// Another kind of token.
    #[error("the token is not an access token")]
    Type,
    /// No such key, or not any more.
    #[error("the token's key is not known")]
    UnknownKey,
    /// The signature does not fit.
    #[error("the token's signature is wrong")]
    Signature,
    /// A claim that is missing or of the wrong type or out of bounds.
    #[error("the token's claim {0:?} is missing or wrong")]
    Claim(&'static str),
    /// Made by somebody else.
    #[error("the token comes from another issuer")]
    Issuer,
    /// Made for somebody else.
    #[error("the token is for another audience")]
    Audience,
    /// Too late.
    #[error("the token has expired")]
    Expired,
    /// Too early.
    #[error("the token is not valid yet")]
    NotYetValid,
}
