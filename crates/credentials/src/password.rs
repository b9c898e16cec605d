//! A password, which can be hashed and compared and nothing else.

use std::fmt;

use stdx::{Rng, Secret};
use unicode_normalization::UnicodeNormalization as _;

/// A password in memory; wiped on drop.
///
/// No `Display`, no `Clone`, no conversion to a database value, no (de)serialisation; only this
/// room can see the text. It is normalised by the `OpaqueString` profile (RFC 8265 §4.2.2: other
/// spaces become a space, then NFC), so the same keys pressed on two systems give the same bytes.
pub struct Password(Secret<String>);

/// Why a password is refused; the sentence is fit for the person who typed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Fewer than [`Password::MIN_CHARS`] (ASVS 5.0 6.2.1).
    #[error("a password has at least 8 characters")]
    TooShort,
    /// More than [`Password::MAX_BYTES`]; never cut short (ASVS 5.0 6.2.8).
    #[error("a password has at most 1024 bytes")]
    TooLong,
    /// A control character (RFC 8265 §4.2.1, the `FreeformClass`), most likely pasted.
    #[error("a password cannot hold control characters")]
    Control,
    /// One of those that everybody tries first (ASVS 5.0 6.2.4).
    #[error("this password is one of the most used ones and is guessed at once")]
    TooCommon,
}

impl Password {
    /// The fewest characters of a new password.
    pub const MIN_CHARS: usize = 8;
    /// The most bytes, before and after normalisation.
    pub const MAX_BYTES: usize = 1024;

    /// A password made by chance, 100 bits as `abcd-efgh-…`, and its text, to be shown once.
    #[must_use]
    pub fn generate(rng: &Rng) -> (Self, Secret<String>) {
        // Letters and digits that nobody takes for each other; 32 of them, so none is likelier.
        const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
        let mut text = String::with_capacity(24);
        for (place, byte) in rng.bytes::<20>().into_iter().enumerate() {
            if place > 0 && place % 4 == 0 {
                text.push('-');
            }
            text.push(char::from(LETTERS[usize::from(byte % 32)]));
        }
        (Self(Secret::new(text.clone())), Secret::new(text))
    }

    /// A password that somebody chooses: all rules hold.
    pub fn new(text: String) -> Result<Self, PasswordError> {
        let password = Self::presented(text)?;
        let text = password.0.expose();
        if text.chars().any(char::is_control) {
            return Err(PasswordError::Control);
        }
        if text.chars().count() < Self::MIN_CHARS {
            return Err(PasswordError::TooShort);
        }
        if is_common(text) {
            return Err(PasswordError::TooCommon);
        }
        Ok(password)
    }

    /// A password that somebody shows at login: only its size is bounded, because the rules of
    /// today may not be those under which it was chosen.
    ///
    /// Gives [`PasswordError::TooLong`] or nothing; answer that as any wrong password.
    pub fn presented(text: String) -> Result<Self, PasswordError> {
        let text = Secret::new(text);
        if text.expose().len() > Self::MAX_BYTES {
            return Err(PasswordError::TooLong);
        }
        // Room for the longest normal form (NFC grows a text at most threefold, UAX #15), so
        // that the buffer is never moved and no copy is left behind.
        let mut normal = String::with_capacity(text.expose().len() * 3);
        normal.extend(text.expose().chars().map(plain_space).nfc());
        let normal = Secret::new(normal);
        if normal.expose().len() > Self::MAX_BYTES {
            return Err(PasswordError::TooLong);
        }
        Ok(Self(normal))
    }

    pub(crate) fn as_str(&self) -> &str {
        self.0.expose()
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.expose().as_bytes()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(***)")
    }
}

fn plain_space(character: char) -> char {
    match character {
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => {
            ' '
        }
        other => other,
    }
}

/// Whether it is one of a handful of worst ones, or one character over and over.
fn is_common(text: &str) -> bool {
    let mut characters = text.chars();
    let first = characters.next();
    if characters.all(|c| Some(c) == first) {
        return true;
    }
    WORST.iter().any(|worst| worst.eq_ignore_ascii_case(text))
}

/// The most used passwords of at least eight characters in published leaks.
const WORST: &[&str] = &[
    "00000000",
    "11223344",
    "12341234",
    "123123123",
    "12345678",
    "123456789",
    "1234567890",
    "1q2w3e4r",
    "1q2w3e4r5t",
    "1qaz2wsx",
    "87654321",
    "987654321",
    "9876543210",
    "aa123456",
    "aa12345678",
    "abc12345",
    "abcd1234",
    "abcdefgh",
    "admin123",
    "administrator",
    "asdfasdf",
    "asdfghjk",
    "asdfghjkl",
    "baseball",
    "changeme",
    "charlie1",
    "computer",
    "corvette",
    "football",
    "football1",
    "iloveyou",
    "iloveyou1",
    "internet",
    "jennifer",
    "letmein1",
    "liverpool",
    "michelle",
    "mustang1",
    "nintendo",
    "p@ssw0rd",
    "p@ssword",
    "pa$$word",
    "passw0rd",
    "password",
    "password!",
    "password1",
    "password1!",
    "password12",
    "password123",
    "password1234",
    "pokemon1",
    "princess",
    "princess1",
    "q1w2e3r4",
    "q1w2e3r4t5",
    "qazwsxedc",
    "qwer1234",
    "qwerty12",
    "qwerty123",
    "qwerty1234",
    "qwertyui",
    "qwertyuiop",
    "samantha",
    "secret123",
    "starwars",
    "sunshine",
    "superman",
    "test1234",
    "trustno1",
    "welcome1",
    "welcome123",
    "whatever",
    "zaq12wsx",
    "zxcvbnm1",
];
