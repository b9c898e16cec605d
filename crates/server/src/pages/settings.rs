//! How the pages look and where they lead; plain values.

use std::collections::{BTreeMap, BTreeSet};

use super::brand::Colour;
use super::next::{Target, own_path};

/// A page, as settings, templates and routes call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PageName {
    /// Signing in, with whatever proves it.
    Login,
    /// Making an account, or asking for one.
    Register,
    /// Proving an address.
    Confirm,
    /// A new password for who has lost his.
    Reset,
    /// Moving to another address.
    Email,
    /// Making the account that one was invited to.
    Invitation,
    /// The first administrator.
    Administrator,
    /// What somebody may do with the own account.
    Account,
    /// Whether an app may have what it asks for.
    Consent,
    /// Whether a device may have what it asks for, whose code somebody types.
    Device,
}

impl PageName {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Login,
        Self::Register,
        Self::Confirm,
        Self::Reset,
        Self::Email,
        Self::Invitation,
        Self::Administrator,
        Self::Account,
        Self::Consent,
        Self::Device,
    ];

    /// The name of its template, without its ending.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Register => "register",
            Self::Confirm => "confirm",
            Self::Reset => "reset",
            Self::Email => "email",
            Self::Invitation => "invitation",
            Self::Administrator => "administrator",
            Self::Account => "account",
            Self::Consent => "consent",
            Self::Device => "device",
        }
    }

    /// Reads [`PageName::name`].
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|page| page.name() == name)
    }
}

/// How the pages look and where they lead.
#[derive(Clone, Debug)]
pub struct PageSettings {
    /// Whose pages these are.
    pub organisation: String,
    /// The colour of buttons and links.
    pub accent: Colour,
    /// Shown above each page.
    pub logo: Option<Logo>,
    /// Where somebody goes who has signed in and wanted nothing else; `None` for the account.
    pub home: Option<Target>,
    /// The language of who asks for none.
    pub language: String,
    /// Pages that are not served.
    pub off: BTreeSet<PageName>,
    /// Where a login can lead by name, and why it is asked for.
    pub redirects: BTreeMap<String, Redirect>,
    /// Files of `templates/pages/` by their names: they go before those of the program.
    pub files: BTreeMap<String, String>,
}

/// An image.
#[derive(Clone, Debug)]
pub struct Logo {
    pub(super) bytes: Vec<u8>,
    pub(super) kind: &'static str,
}

/// A file that is no image which a page can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a logo is a file that ends in .svg, .png, .webp or .jpg, of at most 512 KiB")]
pub struct LogoError;

impl Logo {
    const MOST: usize = 512 << 10;

    /// An image of that name.
    pub fn new(name: &str, bytes: Vec<u8>) -> Result<Self, LogoError> {
        let kind = match name.rsplit_once('.').map(|(_, ending)| ending) {
            Some("svg") => "image/svg+xml",
            Some("png") => "image/png",
            Some("webp") => "image/webp",
            Some("jpg" | "jpeg") => "image/jpeg",
            _ => return Err(LogoError),
        };
        match bytes.len() <= Self::MOST {
            true => Ok(Self { bytes, kind }),
            false => Err(LogoError),
        }
    }
}

/// Where a login for a purpose leads.
#[derive(Clone, Debug)]
pub struct Redirect {
    pub(super) target: Target,
    /// Why somebody is asked to sign in.
    pub(super) text: String,
}

/// An address that a login cannot lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is neither a path, as /billing, nor an address, as https://example.org/billing")]
pub struct RedirectError;

impl Redirect {
    /// To an own path or any address on the web; `text` says why.
    pub fn new(url: &str, text: &str) -> Result<Self, RedirectError> {
        Ok(Self {
            target: Target::parse(url)?,
            text: text.to_owned(),
        })
    }
}

impl PageSettings {
    /// Reads where somebody goes after signing in; nothing for the account.
    pub fn home(text: &str) -> Result<Option<Target>, RedirectError> {
        match text {
            "" => Ok(None),
            text => Target::parse(text).map(Some),
        }
    }

    /// Whether a path is one of this server's own.
    #[must_use]
    pub fn is_own_path(text: &str) -> bool {
        own_path(text).is_some()
    }
}
