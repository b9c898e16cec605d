//! A mail as servers take it: headers, and the same said twice, as text and as HTML.

use std::fmt;
use std::str::FromStr;

use credentials::EmailAddress;
use jiff::Timestamp;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::{Address, Message};
use uuid::Uuid;

use super::MailSettings;
use super::templates::Rendered;

/// `Name <address>` or an address alone.
#[derive(Clone, PartialEq, Eq)]
pub struct MailAddress(Mailbox);

/// A text that is no sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no sender; write Name <mail@example.org>")]
pub struct MailAddressError;

/// A mail that cannot be written: its address is none that SMTP knows. Says nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the address has no form that SMTP knows")]
pub(super) struct Unwritable;

impl FromStr for MailAddress {
    type Err = MailAddressError;

    fn from_str(text: &str) -> Result<Self, MailAddressError> {
        if text.chars().any(char::is_control) {
            return Err(MailAddressError);
        }
        // The name as people write it: with a comma, and without the quotes that RFC 5322 asks for.
        let (name, address) = match text.trim().strip_suffix('>') {
            Some(rest) => rest.rsplit_once('<').ok_or(MailAddressError)?,
            None => ("", text.trim()),
        };
        let name = name.trim().trim_matches('"').replace('\\', "");
        let address = address.trim().parse().map_err(|_| MailAddressError)?;
        let name = (!name.is_empty()).then_some(name);
        Ok(Self(Mailbox::new(name, address)))
    }
}

impl MailAddress {
    /// The part behind the `@`.
    pub(super) fn domain(&self) -> &str {
        self.0.email.domain()
    }
}

impl fmt::Debug for MailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MailAddress({})", self.0)
    }
}

/// The mail `id`, the same at every attempt: who gets it twice can tell.
pub(super) fn compose(
    settings: &MailSettings,
    id: Uuid,
    to: &EmailAddress,
    at: Timestamp,
    rendered: Rendered,
) -> Result<Message, Unwritable> {
    let message_id = format!("<{id}@{}>", settings.from.domain());
    let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
    let mut builder = Message::builder()
        .from(settings.from.0.clone())
        .to(Mailbox::new(None, address(to)?))
        .subject(rendered.subject)
        .date(at.into())
        .message_id(Some(message_id))
        // RFC 3834 §5: no answer of a machine is wanted.
        .raw_header(HeaderValue::new(automatic, String::from("auto-generated")));
    if let Some(reply_to) = &settings.reply_to {
        builder = builder.reply_to(reply_to.0.clone());
    }
    let parts = MultiPart::alternative_plain_html(rendered.text, rendered.html);
    builder.multipart(parts).map_err(|_| Unwritable)
}

/// An address with its domain as DNS knows it (RFC 5891).
fn address(to: &EmailAddress) -> Result<Address, Unwritable> {
    let (local, domain) = to.as_str().split_once('@').ok_or(Unwritable)?;
    let domain = idna::domain_to_ascii(domain).map_err(|_| Unwritable)?;
    Address::new(local, domain).map_err(|_| Unwritable)
}

#[cfg(test)]
mod tests {
    //! Senders as people write them.

    use super::MailAddress;

    #[test]
    fn senders_are_read_as_people_write_them() {
        for (text, name, address) in [
            ("noreply@films.example", None, "noreply@films.example"),
            ("Film Club <a@b.nl>", Some("Film Club"), "a@b.nl"),
            ("Films, Inc. <a@b.nl>", Some("Films, Inc."), "a@b.nl"),
            ("\"Films, Inc.\" < a@b.nl >", Some("Films, Inc."), "a@b.nl"),
            ("Ünïcödé <a@b.nl>", Some("Ünïcödé"), "a@b.nl"),
        ] {
            let MailAddress(sender) = text.parse().expect(text);
            assert_eq!(sender.name.as_deref(), name, "{text}");
            assert_eq!(sender.email.to_string(), address);
        }
        for text in [
            "",
            "films",
            "a@b.nl>",
            "<>",
            "a@b.nl\r\nBcc: <c@d.nl>",
            "a <b> c@d.nl",
        ] {
            assert!(text.parse::<MailAddress>().is_err(), "{text}");
        }
    }
}
