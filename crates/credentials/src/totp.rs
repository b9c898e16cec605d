//! One-time passwords from an app (RFC 6238): SHA-1, six digits, thirty seconds, which is what
//! every app reads from a QR code.

use aws_lc_rs::hmac;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};
use stdx::{Rng, Secret};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};
use uuid::Uuid;

use crate::{OpenError, TotpKey};

/// Seconds that one code is for (RFC 6238 §4.1, X).
const PERIOD: i64 = 30;
/// What a code is less than.
const CODES: u32 = 1_000_000;
/// All but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
/// The most bytes of issuer and account together: what still makes a QR code that a phone reads
/// from a screen at once.
const MOST_NAME_BYTES: usize = 400;

/// The secret that a person's app and this server share: 160 bits (RFC 4226 §4, R6).
pub struct TotpSecret(Secret<[u8; 20]>);

/// Six digits that somebody typed.
pub struct TotpCode(u32);

/// The thirty seconds that a code belongs to, counted from 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TotpStep(i64);

/// Why a text is no code, or a name fits no QR code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TotpError {
    /// Not six digits.
    #[error("the code of an authenticator app has six digits")]
    Code,
    /// Issuer and account are longer than a QR code bears.
    #[error("the names of the service and the account are too long for a QR code")]
    Name,
}

impl TotpSecret {
    /// A new secret.
    #[must_use]
    pub fn generate(rng: &Rng) -> Self {
        Self(Secret::new(rng.bytes()))
    }

    /// For who cannot scan: 32 letters and digits of RFC 4648's base 32.
    #[must_use]
    pub fn to_base32(&self) -> Secret<String> {
        Secret::new(base32(self.0.expose()))
    }

    /// What the QR code holds: `otpauth://totp/ISSUER:ACCOUNT?secret=…&issuer=ISSUER&…`.
    ///
    /// Colons in the names are encoded, so the app splits the label where we do.
    pub fn uri(&self, issuer: &str, account: &str) -> Result<Secret<String>, TotpError> {
        if issuer.len() + account.len() > MOST_NAME_BYTES {
            return Err(TotpError::Name);
        }
        let issuer = utf8_percent_encode(issuer, RESERVED);
        let account = utf8_percent_encode(account, RESERVED);
        let secret = self.to_base32();
        Ok(Secret::new(format!(
            "otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}\
             &algorithm=SHA1&digits=6&period={PERIOD}",
            secret.expose()
        )))
    }

    /// [`TotpSecret::uri`] as an SVG element, to stand within a page: black on white whatever the
    /// page's colours, because not every app reads the inverse.
    pub fn qr_svg(&self, issuer: &str, account: &str) -> Result<Secret<String>, TotpError> {
        let uri = self.uri(issuer, account)?;
        let code = QrCode::with_error_correction_level(uri.expose(), EcLevel::M)
            .map_err(|_| TotpError::Name)?;
        let image = code
            .render::<svg::Color<'_>>()
            .min_dimensions(240, 240)
            .build();
        // The XML declaration has no place inside of a page.
        let element = image.find("<svg").map_or(image.as_str(), |at| &image[at..]);
        Ok(Secret::new(element.to_owned()))
    }

    /// The step that `code` belongs to, if it is the present one or a neighbour (RFC 6238 §5.2) and
    /// later than `last`, the step of the last code that was taken.
    ///
    /// `now` is seconds since 1970. Store the step where a code was taken, in the same transaction:
    /// a code is good once.
    #[must_use]
    pub fn check(&self, code: &TotpCode, now: i64, last: Option<TotpStep>) -> Option<TotpStep> {
        let present = now.div_euclid(PERIOD);
        let (mut found, mut matched) = (Choice::from(0), i64::MIN);
        // All three are compared, so the time does not tell which one it was.
        for step in [present - 1, present, present + 1] {
            let same = self.code(step).ct_eq(&code.0);
            matched.conditional_assign(&step, same);
            found |= same;
        }
        let step = TotpStep(matched);
        (bool::from(found) && last.is_none_or(|last| step > last)).then_some(step)
    }

    /// HOTP of a step (RFC 4226 §5.3).
    fn code(&self, step: i64) -> u32 {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.0.expose());
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let tag = tag.as_ref();
        let offset = usize::from(tag[19] & 0x0f);
        let four = [
            tag[offset],
            tag[offset + 1],
            tag[offset + 2],
            tag[offset + 3],
        ];
        (u32::from_be_bytes(four) & 0x7fff_ffff) % CODES
    }

    /// For the database: it opens under the same key and for the same user only.
    #[must_use]
    pub fn seal(&self, user: Uuid, key: &TotpKey, rng: &Rng) -> Vec<u8> {
        key.0.seal(&seal_name(user), self.0.expose(), rng)
    }

    /// Takes a secret out of the database.
    pub fn open(user: Uuid, sealed: &[u8], key: &TotpKey) -> Result<Self, OpenError> {
        let bytes = key.0.open(&seal_name(user), sealed)?;
        let bytes = <[u8; 20]>::try_from(bytes.expose().as_slice()).map_err(|_| OpenError)?;
        Ok(Self(Secret::new(bytes)))
    }

    #[cfg(test)]
    pub(crate) fn from_bytes(bytes: [u8; 20]) -> Self {
        Self(Secret::new(bytes))
    }
}

impl TotpCode {
    /// Reads six ASCII digits; blanks between them, as apps show them, are left out.
    pub fn parse(text: &str) -> Result<Self, TotpError> {
        let mut digits = 0;
        let mut code = 0;
        // Six digits and as many blanks as anybody types: a megabyte is not read to its end.
        for character in text.chars().take(32) {
            match character.to_digit(10) {
                Some(digit) if digits < 6 => {
                    digits += 1;
                    code = code * 10 + digit;
                }
                None if character == ' ' || character == '\u{a0}' => {}
                _ => return Err(TotpError::Code),
            }
        }
        match digits == 6 && text.len() <= 32 {
            true => Ok(Self(code)),
            false => Err(TotpError::Code),
        }
    }
}

impl TotpStep {
    /// To be stored as the last step that was taken.
    #[must_use]
    pub fn number(self) -> i64 {
        self.0
    }

    /// Taken out of the database.
    #[must_use]
    pub fn from_number(number: i64) -> Self {
        Self(number)
    }
}

impl std::fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TotpSecret(***)")
    }
}

impl std::fmt::Debug for TotpCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TotpCode(***)")
    }
}

fn seal_name(user: Uuid) -> String {
    format!("totp/{user}")
}

/// RFC 4648 §6 without padding, for lengths that need none.
fn base32(bytes: &[u8; 20]) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::with_capacity(32);
    for group in bytes.as_chunks::<5>().0 {
        let bits = group
            .iter()
            .fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        for shift in (0..40).step_by(5).rev() {
            let at = usize::try_from(bits >> shift & 31).unwrap_or_default();
            text.push(char::from(LETTERS[at]));
        }
    }
    text
}
