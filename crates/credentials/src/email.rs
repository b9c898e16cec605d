//! E-mail addresses, in one form only.

use std::fmt;

use unicode_normalization::UnicodeNormalization as _;

/// An address in normal form: trimmed, NFC, lower-case throughout.
///
/// RFC 5321 §2.4 lets a mail host tell `A@x` from `a@x`; no host in use does, and two accounts
/// that differ in case alone lock their owners out. So the whole address is folded, here, once.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EmailAddress(String);

/// Why a text is no e-mail address; the sentence is fit for the person who typed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmailAddressError {
    /// Nothing but white space.
    #[error("an e-mail address is needed")]
    Empty,
    /// Longer than RFC 5321 §4.5.3.1.3 lets a mail path be.
    #[error("an e-mail address has at most 254 characters")]
    TooLong,
    /// White space, control characters or invisible ones.
    #[error("an e-mail address cannot hold white space or invisible characters")]
    Character,
    /// No `@`, more than one, or nothing at one of its sides.
    #[error("an e-mail address has one @ with something before and after it")]
    Shape,
    /// A domain that cannot exist.
    #[error("the part after the @ is not a domain name, as in example.org")]
    Domain,
}

impl EmailAddress {
    /// The most bytes an address has (RFC 5321 §4.5.3.1.3 less the angle brackets).
    pub const MAX_BYTES: usize = 254;

    /// Reads and normalises what somebody typed.
    pub fn parse(text: &str) -> Result<Self, EmailAddressError> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Err(EmailAddressError::Empty);
        }
        // Before the normalisation, so that a megabyte is refused and not folded first.
        if trimmed.len() > Self::MAX_BYTES {
            return Err(EmailAddressError::TooLong);
        }
        // Lower-casing can leave a text that is not NFC any more, hence the second pass.
        let folded: String = trimmed.nfc().collect::<String>().to_lowercase();
        let normal: String = folded.nfc().collect();
        if normal.len() > Self::MAX_BYTES {
            return Err(EmailAddressError::TooLong);
        }
        if normal.chars().any(is_unseen) {
            return Err(EmailAddressError::Character);
        }
        let (local, domain) = normal.split_once('@').ok_or(EmailAddressError::Shape)?;
        // RFC 5321 §4.5.3.1.1: the local part has at most 64 octets.
        if local.is_empty() || local.len() > 64 || domain.is_empty() || domain.contains('@') {
            return Err(EmailAddressError::Shape);
        }
        if local.contains(['<', '>', '"', ',', ';', ':', '\\', '(', ')', '[', ']']) {
            return Err(EmailAddressError::Shape);
        }
        if !is_domain(domain) {
            return Err(EmailAddressError::Domain);
        }
        Ok(Self(normal))
    }

    /// The normal form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a character would deceive a reader or break a header: white space, controls, and the
/// format characters that show nothing or turn the line round.
pub(crate) fn is_unseen(character: char) -> bool {
    character.is_control()
        || character.is_whitespace()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Labels of letters, digits and hyphens (any script's, RFC 5890), at least two of them.
fn is_domain(domain: &str) -> bool {
    if domain == "localhost" {
        return true;
    }
    let labels = || domain.split('.');
    labels().count() >= 2
        && labels().all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| {
                    c == '-'
                        || if c.is_ascii() {
                            c.is_alphanumeric()
                        } else {
                            true
                        }
                })
        })
}
