//! `SECRET_KEY`: read, judged, and turned into keys for one purpose each.

use aws_lc_rs::hkdf;
use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, general_purpose::URL_SAFE_NO_PAD};
use stdx::{Rng, Secret};

use crate::token::CsrfKey;
use crate::{CodeKey, KeyEncryptionKey, MailKey, OpaqueSetupKey, Pepper, Peppers, TotpKey};

/// The one secret of an installation. It is used for nothing but to derive others.
pub struct MasterKey(Secret<Vec<u8>>);

/// Why a text is no `SECRET_KEY`. Never holds the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MasterKeyError {
    /// Nothing there.
    #[error("SECRET_KEY is empty; make one with `pilaster secret generate`")]
    Empty,
    /// Words that stand in documentation, not in production.
    #[error("SECRET_KEY is a placeholder; make a real one with `pilaster secret generate`")]
    Placeholder,
    /// A key that anybody can read in a tutorial.
    #[error("SECRET_KEY is published in a tutorial; make one with `pilaster secret generate`")]
    Published,
    /// Neither hex nor base64.
    #[error("SECRET_KEY is neither hex nor base64; make one with `pilaster secret generate`")]
    Encoding,
    /// Fewer than [`MasterKey::MIN_BYTES`].
    #[error("SECRET_KEY has fewer than 32 bytes; make one with `pilaster secret generate`")]
    TooShort,
    /// Repeated, counted up, or written by hand.
    #[error("SECRET_KEY is not random; make one with `pilaster secret generate`")]
    NotRandom,
}

impl MasterKey {
    /// The fewest bytes: 256 bits.
    pub const MIN_BYTES: usize = 32;

    /// Reads hex, base64 or base64url text of at least 32 bytes.
    pub fn parse(text: &str) -> Result<Self, MasterKeyError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(MasterKeyError::Empty);
        }
        // Judged before the encoding, so that `changeme` is called what it is.
        if is_placeholder(text) {
            return Err(MasterKeyError::Placeholder);
        }
        if PUBLISHED
            .iter()
            .any(|known| known.eq_ignore_ascii_case(text))
        {
            return Err(MasterKeyError::Published);
        }
        let bytes = Secret::new(decode(text)?);
        if bytes.expose().len() < Self::MIN_BYTES {
            return Err(MasterKeyError::TooShort);
        }
        if is_patterned(bytes.expose()) {
            return Err(MasterKeyError::NotRandom);
        }
        Ok(Self(bytes))
    }

    /// The text of a new key: 32 random bytes, base64url, 43 characters.
    #[must_use]
    pub fn generate(rng: &Rng) -> Secret<String> {
        loop {
            let bytes = Secret::new(rng.bytes::<32>());
            let text = Secret::new(URL_SAFE_NO_PAD.encode(bytes.expose()));
            // One in millions reads like a placeholder; it would be refused at the next start.
            if Self::parse(text.expose()).is_ok() {
                return text;
            }
        }
    }

    /// The pepper of that version.
    #[must_use]
    pub fn pepper(&self, version: u32) -> Pepper {
        let version_text = version.to_string();
        let key = Secret::new(self.derive(&["pilaster/pepper/", &version_text]));
        Pepper::new(version, key.expose())
    }

    /// The pepper of version `current` for new hashes, and all earlier versions to verify with.
    ///
    /// To rotate, count one up. To replace `SECRET_KEY` itself, count one up and hand the old
    /// key's peppers to [`Peppers::new`] as previous ones.
    #[must_use]
    pub fn peppers(&self, current: u32) -> Peppers {
        // A hundred rotations back is further than anybody goes; it bounds a slip of the pen.
        let oldest = current.saturating_sub(100).max(1);
        let previous = (oldest..current).map(|version| self.pepper(version));
        Peppers::new(self.pepper(current), previous.collect())
    }

    /// The key for private signing keys at rest.
    #[must_use]
    pub fn key_encryption_key(&self) -> KeyEncryptionKey {
        let key = Secret::new(self.derive(&["pilaster/signing-key-encryption/1"]));
        KeyEncryptionKey::new(key.expose())
    }

    /// The key for OPAQUE's set-ups at rest.
    #[must_use]
    pub fn opaque_setup_key(&self) -> OpaqueSetupKey {
        let key = Secret::new(self.derive(&["pilaster/opaque-setup-encryption/1"]));
        OpaqueSetupKey(KeyEncryptionKey::new(key.expose()))
    }

    /// The key for the secrets of authenticator apps at rest.
    #[must_use]
    pub fn totp_key(&self) -> TotpKey {
        let key = Secret::new(self.derive(&["pilaster/totp-encryption/1"]));
        TotpKey(KeyEncryptionKey::new(key.expose()))
    }

    /// The key for mails at rest.
    #[must_use]
    pub fn mail_key(&self) -> MailKey {
        let key = Secret::new(self.derive(&["pilaster/mail-encryption/1"]));
        MailKey(KeyEncryptionKey::new(key.expose()))
    }

    /// The key for hashes of short codes.
    #[must_use]
    pub fn code_key(&self) -> CodeKey {
        let key = Secret::new(self.derive(&["pilaster/code-hash/1"]));
        CodeKey::new(key.expose())
    }

    /// The key for the tokens of forms.
    #[must_use]
    pub fn csrf_key(&self) -> CsrfKey {
        let key = Secret::new(self.derive(&["pilaster/csrf/1"]));
        CsrfKey::new(key.expose())
    }

    /// The key that refresh tokens are made with.
    #[must_use]
    pub fn refresh_token_key(&self) -> Secret<[u8; 32]> {
        Secret::new(self.derive(&["pilaster/refresh-token/1"]))
    }

    /// What names of users that one site alone knows are made with.
    #[must_use]
    pub fn pairwise_salt(&self) -> Secret<[u8; 32]> {
        Secret::new(self.derive(&["pilaster/pairwise-subject/1"]))
    }

    /// HKDF-SHA256 (RFC 5869) with the purpose as `info`: knowing one key tells nothing about
    /// another or about the master.
    fn derive(&self, purpose: &[&str]) -> [u8; 32] {
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"pilaster");
        let extracted = salt.extract(self.0.expose());
        let info: Vec<&[u8]> = purpose.iter().map(|part| part.as_bytes()).collect();
        let mut key = [0; 32];
        extracted
            .expand(&info, hkdf::HKDF_SHA256)
            .and_then(|output| output.fill(&mut key))
            .expect("one block of output is within HKDF's limit");
        key
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(***)")
    }
}

fn decode(text: &str) -> Result<Vec<u8>, MasterKeyError> {
    // Any text of hex digits is hex: a random base64 text is one less often than 1 in 2^80.
    if text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(text
            .as_bytes()
            .chunks_exact(2)
            .map(|pair| hex_digit(pair[0]) << 4 | hex_digit(pair[1]))
            .collect());
    }
    let alphabet = if text.contains(['+', '/']) {
        &base64::alphabet::STANDARD
    } else {
        &base64::alphabet::URL_SAFE
    };
    // A random text that somebody cut to a length is as good as one that was encoded.
    let lenient = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let bytes = GeneralPurpose::new(alphabet, lenient)
        .decode(text)
        .map_err(|_| MasterKeyError::Encoding)?;
    // Forty random base64 characters without a capital (or without a small letter) are less
    // likely than 2^-30; a sentence that happens to be base64 looks exactly like that.
    let lower = text.bytes().any(|byte| byte.is_ascii_lowercase());
    let upper = text.bytes().any(|byte| byte.is_ascii_uppercase());
    if bytes.len() >= MasterKey::MIN_BYTES && !(lower && upper) {
        return Err(MasterKeyError::NotRandom);
    }
    Ok(bytes)
}

fn hex_digit(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => byte - b'0',
        b'a'..=b'f' => byte - b'a' + 10,
        _ => byte
            .to_ascii_lowercase()
            .wrapping_sub(b'a')
            .wrapping_add(10),
    }
}

/// Words of six letters and more: a random key of 43 characters holds one of them, whatever the
/// case, about once in a hundred million.
fn is_placeholder(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "secret",
        "changeme",
        "change-me",
        "change_me",
        "changethis",
        "replace",
        "password",
        "passwort",
        "example",
        "placeholder",
        "default",
        "insecure",
        "yourkey",
        "your-key",
        "your_key",
        "jwt-key",
        "jwtkey",
        "django-",
        "pilaster",
        "letmein",
        "qwerty",
        "testtest",
        "123456789",
        "abcdefgh",
        "todotodo",
        "xxxxxx",
    ];
    let lower = text.to_ascii_lowercase();
    WORDS.iter().any(|word| lower.contains(word))
        || matches!(
            lower.as_str(),
            "test" | "dev" | "none" | "null" | "todo" | "key"
        )
}

/// Whether the bytes repeat, count, or use far fewer values than chance would: 32 random bytes
/// hold about 30 different ones, and fewer than 16 never.
fn is_patterned(bytes: &[u8]) -> bool {
    let mut seen = [false; 256];
    for byte in bytes {
        seen[usize::from(*byte)] = true;
    }
    let different = seen.iter().filter(|seen| **seen).count();
    let steady = bytes
        .windows(3)
        .all(|w| w[1].wrapping_sub(w[0]) == w[2].wrapping_sub(w[1]));
    let repeats =
        (1..=bytes.len() / 2).any(|period| bytes.iter().zip(&bytes[period..]).all(|(a, b)| a == b));
    different < 16 || steady || repeats
}

/// Keys that stand in much-copied documentation.
const PUBLISHED: &[&str] = &[
    "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "404E635266556A586E3272357538782F413F4428472B4B6250645367566B5970",
    "5367566B59703373367639792F423F4528482B4D6251655468576D5A71347437",
];
