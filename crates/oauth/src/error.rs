//! What can be wrong with a key or a token.

/// A key that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// A key that nobody should use, or no key at all.
    #[error("the key is refused: {0}")]
    Refused(&'static str),
    /// A key that may be good and that we do nothing with; a set is read without it.
    #[error("the key is of no use here: {0}")]
    Unsupported(&'static str),
    /// The library could not make it or sign with it.
    #[error("the cryptographic library failed")]
    Failed,
}

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
    /// An algorithm that is not ours or not the key's.
    #[error("the token's algorithm is not its key's")]
    Algorithm,
    /// Another kind of token.
    #[error("the token is of another kind")]
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
    /// The key could not sign.
    #[error("the token cannot be signed")]
    Signing,
}
