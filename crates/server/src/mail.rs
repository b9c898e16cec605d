//! Mails: what they say, how they are sent, and where they are shown while one develops.
//!
//! A mail is written in the unit of the act that it tells of (`store::mails`), and sent by a worker
//! behind it. What stands in a mail reaches no log.

mod compose;
mod deliver;
mod limits;
mod sink;
mod smtp;
mod templates;

use std::collections::BTreeMap;
use std::time::Duration;

use credentials::{CodeKey, EmailAddress, MailKey, MasterKey};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sql::Step;
use stdx::Secret;
use store::mails::{self, NewMail};
use store::tickets::Issued;
use store::{Store, StoreResult};
use tokio::sync::Notify;

use crate::error::Refusal;
use crate::events::Retries;

pub use compose::{MailAddress, MailAddressError};
pub(crate) use deliver::Mailer;
pub use limits::MailLimits;
pub(crate) use limits::{Admission, Limits};
pub(crate) use sink::{Sink, html, list, one, source};
pub use smtp::{SmtpUrl, SmtpUrlError};
pub(crate) use templates::Templates;
pub use templates::{TemplateError, check_templates};

/// How mails are written and sent.
#[derive(Clone, Debug)]
pub struct MailSettings {
    /// Where they go.
    pub transport: Transport,
    /// Who they are from.
    pub from: MailAddress,
    /// Who answers to them.
    pub reply_to: Option<MailAddress>,
    /// Certificates that are trusted besides the web's authorities, PEM.
    pub authorities: Vec<u8>,
    /// The longest that sending one may take.
    pub timeout: Duration,
    /// How often it is tried.
    pub retries: Retries,
    /// The language of whoever asks for none.
    pub language: String,
    /// What links begin with; behind it come what they are for and their token.
    pub link_base: String,
    /// How many are sent.
    pub limits: MailLimits,
    /// Files of `templates/mail/` by their names: they go before those of the program.
    pub files: BTreeMap<String, String>,
}

impl MailSettings {
    /// The link that makes an administrator of whoever opens it.
    #[must_use]
    pub fn administrator_link(&self, token: &str) -> String {
        format!("{}/administrator/{token}", self.link_base)
    }

    /// Where mails go, in words.
    #[must_use]
    pub fn shown(&self) -> String {
        match &self.transport {
            Transport::Smtp(url) => url.shown(),
            Transport::Sink => String::from("the page /_mail"),
            Transport::Nowhere => String::from("nowhere: SMTP_URL is not set"),
        }
    }
}

/// Where mails go.
#[derive(Clone, Debug)]
pub enum Transport {
    /// To a server.
    Smtp(SmtpUrl),
    /// To a page of this server, while one develops.
    Sink,
    /// Nowhere: what needs a mail is refused.
    Nowhere,
}

/// A mail that the server writes; its name is that of its template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Letter {
    Confirm,
    AccountExists,
    Welcome,
    Reset,
    PasswordChanged,
    EmailChange,
    EmailChanged,
    AccountDeleted,
    ConfirmApplication,
    Invitation,
    FactorsRemoved,
}

impl Letter {
    pub(crate) const ALL: [Self; 11] = [
        Self::Confirm,
        Self::AccountExists,
        Self::Welcome,
        Self::Reset,
        Self::PasswordChanged,
        Self::EmailChange,
        Self::EmailChanged,
        Self::AccountDeleted,
        Self::ConfirmApplication,
        Self::Invitation,
        Self::FactorsRemoved,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::AccountExists => "account_exists",
            Self::Welcome => "welcome",
            Self::Reset => "reset",
            Self::PasswordChanged => "password_changed",
            Self::EmailChange => "email_change",
            Self::EmailChanged => "email_changed",
            Self::AccountDeleted => "account_deleted",
            Self::ConfirmApplication => "confirm_application",
            Self::Invitation => "invitation",
            Self::FactorsRemoved => "factors_removed",
        }
    }
}

/// To whom a mail goes, and how they are called.
pub(crate) struct Addressee<'a> {
    pub(crate) mailbox: &'a EmailAddress,
    /// `None` in mails to those who have not proved their address: what somebody calls himself
    /// is not sent to others.
    pub(crate) name: Option<&'a str>,
    /// BCP 47, one that there is.
    pub(crate) language: &'a str,
}

/// What a link leads to; the word stands in its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkTo {
    Confirm,
    Reset,
    Email,
    Invitation,
}

impl LinkTo {
    fn path(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Reset => "reset",
            Self::Email => "email",
            Self::Invitation => "invitations",
        }
    }
}

/// All that is needed to write mails, and to count them.
pub(crate) struct Post {
    settings: MailSettings,
    key: MailKey,
    /// For the codes beside links.
    pub(crate) codes: CodeKey,
    pub(crate) templates: Templates,
    pub(crate) limits: Limits,
    /// Where `dev` keeps them.
    pub(crate) sink: Sink,
    /// Rung when a mail was written.
    pub(crate) written: Notify,
}

impl Post {
    pub(crate) fn new(settings: MailSettings, master: &MasterKey) -> Result<Self, TemplateError> {
        Ok(Self {
            templates: Templates::new(&settings.files, &settings.language)?,
            limits: Limits::new(settings.limits),
            sink: Sink::new(),
            written: Notify::new(),
            key: master.mail_key(),
            codes: master.code_key(),
            settings,
        })
    }

    /// Whether mails go anywhere.
    pub(crate) fn is_there(&self) -> bool {
        !matches!(self.settings.transport, Transport::Nowhere)
    }

    /// Whether mails go to the page of `dev`.
    pub(crate) fn is_sink(&self) -> bool {
        matches!(self.settings.transport, Transport::Sink)
    }

    /// Refuses what cannot be done without a mail.
    pub(crate) fn require(&self) -> Result<(), Refusal> {
        match self.is_there() {
            true => Ok(()),
            false => Err(Refusal::no_mail()),
        }
    }

    /// The step that sends a link and its code.
    pub(crate) fn link_step(
        &self,
        store: &Store,
        to: &Addressee<'_>,
        letter: Letter,
        leads: LinkTo,
        issued: &Issued,
    ) -> Step {
        let (base, path) = (&self.settings.link_base, leads.path());
        let link = format!("{base}/{path}/{}", issued.token.to_text().expose());
        let left = issued.expires_at.duration_since(store.clock.now());
        let mut values = Map::new();
        values.insert(String::from("link"), json!(link));
        values.insert(String::from("code"), json!(issued.code.to_text().expose()));
        values.insert(String::from("minutes"), json!((left.as_secs() + 59) / 60));
        let until = issued.expires_at.strftime("%Y-%m-%d %H:%M UTC").to_string();
        values.insert(String::from("until"), json!(until));
        self.step(store, to, letter, values, Some(issued.expires_at))
    }

    /// The step that sends a mail without a link; none where mails go nowhere.
    pub(crate) fn notice_step(
        &self,
        store: &Store,
        to: &Addressee<'_>,
        letter: Letter,
    ) -> Option<Step> {
        let step = || self.step(store, to, letter, Map::new(), None);
        self.is_there().then(step)
    }

    fn step(
        &self,
        store: &Store,
        to: &Addressee<'_>,
        letter: Letter,
        mut values: Map<String, Value>,
        expires_at: Option<Timestamp>,
    ) -> Step {
        if let Some(name) = to.name {
            values.insert(String::from("name"), json!(name));
        }
        values.insert(String::from("email"), json!(to.mailbox.as_str()));
        let expires_at = expires_at.map(|moment| moment.to_string());
        let content = json!({"values": values, "expires_at": expires_at});
        let mail = NewMail {
            mailbox: to.mailbox,
            template: letter.name(),
            language: to.language,
            content: Secret::new(content.to_string()),
        };
        mails::insert_step(store, &self.key, &mail)
    }

    /// The language of an account, or what its request asks for, or the project's.
    pub(crate) async fn language_of(
        &self,
        store: &Store,
        user: Option<uuid::Uuid>,
        asked: &str,
    ) -> StoreResult<String> {
        if let Some(user) = user
            && let Some(own) = store::users::language_of(store, user).await?
            && let Some(known) = self.templates.known(&own)
        {
            return Ok(known);
        }
        Ok(self.templates.choose(asked))
    }
}
