//! What travels between client and server: six kinds of message, each a type of its own.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{OpaqueError, Suite, of_message};

/// A message: read from base64url of exactly its length, written back as the same text.
macro_rules! message {
    ($(#[$doc:meta])* $name:ident, $inner:ident, $bytes:literal) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(pub(super) opaque_ke::$inner<Suite>);

        impl $name {
            /// The length before it is written as base64url.
            pub const BYTES: usize = $bytes;

            /// Reads base64url without padding.
            pub fn from_base64url(text: &str) -> Result<Self, OpaqueError> {
                let bytes = decode::<$bytes>(text)?;
                let inner = opaque_ke::$inner::deserialize(&bytes).map_err(of_message)?;
                Ok(Self(inner))
            }

            /// Base64url without padding.
            #[must_use]
            pub fn to_base64url(&self) -> String {
                URL_SAFE_NO_PAD.encode(self.0.serialize())
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(***)"))
            }
        }
    };
}

message!(
    /// The client asks to register: its password, blinded.
    RegistrationRequest,
    RegistrationRequest,
    32
);
message!(
    /// The server's part of the key that the client makes of its password.
    RegistrationResponse,
    RegistrationResponse,
    64
);
message!(
    /// What the client leaves with the server: a public key and an envelope that only the
    /// password opens.
    RegistrationRecord,
    RegistrationUpload,
    192
);
message!(
    /// The client asks to log in (KE1).
    LoginRequest,
    CredentialRequest,
    96
);
message!(
    /// The server's answer (KE2), of the same length whoever asks.
    LoginResponse,
    CredentialResponse,
    320
);
message!(
    /// The client's proof that it knows the password (KE3).
    LoginFinish,
    CredentialFinalization,
    64
);

fn decode<const N: usize>(text: &str) -> Result<[u8; N], OpaqueError> {
    // Four characters for three bytes; before anything is decoded, so that a megabyte is refused.
    if text.len() != (N * 4).div_ceil(3) {
        return Err(OpaqueError::Malformed);
    }
    URL_SAFE_NO_PAD
        .decode(text)
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or(OpaqueError::Malformed)
}
