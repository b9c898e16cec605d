//! `[mail]`: how mails are written and sent.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use server::{
    MailAddress, MailLimits, MailSettings, Retries, SmtpUrl, Transport, Webhooks, check_templates,
};

use super::Configuration;
use super::settings::{duration, number};
use crate::failure::{Failure, Outcome};

/// Where a project's own templates stand.
const FOLDER: &str = "templates/mail";

/// How mails are written and sent; `public_url` is what their links begin with by default.
pub(super) fn mail(
    configuration: &Configuration,
    public_url: &str,
    dev: bool,
) -> Outcome<MailSettings> {
    let transport = transport(configuration, dev)?;
    let files = files(configuration)?;
    let language = configuration.text("mail.language").to_owned();
    check_templates(&files, &language).map_err(|error| Failure::config(error.to_string()))?;
    let link_base = match configuration.text("mail.link_base") {
        "" => format!("{public_url}/auth"),
        given if given.starts_with("https://") || given.starts_with("http://") => {
            given.trim_end_matches('/').to_owned()
        }
        _ => {
            let wanted = "an address, as https://example.org/account";
            return Err(configuration.ill_typed("mail.link_base", wanted));
        }
    };
    Ok(MailSettings {
        from: from(configuration, &transport)?,
        reply_to: address(configuration, "mail.reply_to")?,
        authorities: authorities(configuration)?,
        timeout: bounded(configuration, "mail.timeout", Duration::from_mins(5), "5m")?,
        retries: Retries {
            attempts: counted(configuration, "mail.attempts", 100)?,
            first_pause: bounded(
                configuration,
                "mail.first_pause",
                Duration::from_hours(12),
                "12h",
            )?,
        },
        limits: MailLimits {
            per_mailbox: counted(configuration, "mail.per_mailbox", 1000)?,
            per_address: counted(configuration, "mail.per_address", 1_000_000)?,
            window: bounded(
                configuration,
                "mail.window",
                Duration::from_hours(12),
                "12h",
            )?,
        },
        transport,
        language,
        link_base,
        files,
    })
}

fn transport(configuration: &Configuration, dev: bool) -> Outcome<Transport> {
    match (configuration.text("mail.smtp_url"), dev) {
        ("", true) => Ok(Transport::Sink),
        ("", false) => Ok(Transport::Nowhere),
        (text, _) => {
            let url: Result<SmtpUrl, _> = text.parse();
            url.map(Transport::Smtp).map_err(|error| {
                let origin = configuration.origin("mail.smtp_url");
                Failure::config(format!("{origin}: SMTP_URL: {error}"))
            })
        }
    }
}

/// The sender; one for tests where nothing leaves the machine.
fn from(configuration: &Configuration, transport: &Transport) -> Outcome<MailAddress> {
    if let Some(from) = address(configuration, "mail.from")? {
        return Ok(from);
    }
    match transport {
        Transport::Smtp(_) => Err(Failure::config("mail.from is missing: who are mails from?")
            .fix("write [mail] from = \"Films <mail@example.org>\" into pilaster.toml")),
        Transport::Sink | Transport::Nowhere => "pilaster@localhost"
            .parse()
            .map_err(|_| Failure::failed("the sender of unsent mails cannot be read")),
    }
}

fn address(configuration: &Configuration, name: &str) -> Outcome<Option<MailAddress>> {
    match configuration.text(name) {
        "" => Ok(None),
        text => text
            .parse()
            .map(Some)
            .map_err(|_| configuration.ill_typed(name, "a sender, as Films <mail@example.org>")),
    }
}

fn bounded(
    configuration: &Configuration,
    name: &'static str,
    most: Duration,
    shown: &str,
) -> Outcome<Duration> {
    let given = duration(configuration, name)?;
    match given.is_zero() || given > most {
        true => Err(configuration.ill_typed(name, &format!("a duration of at most {shown}"))),
        false => Ok(given),
    }
}

fn counted(configuration: &Configuration, name: &'static str, most: u32) -> Outcome<u32> {
    let given: u32 = number(configuration, name)?;
    match (1..=most).contains(&given) {
        true => Ok(given),
        false => Err(configuration.ill_typed(name, &format!("a whole number from 1 to {most}"))),
    }
}

/// Certificates of an authority of one's own.
fn authorities(configuration: &Configuration) -> Outcome<Vec<u8>> {
    let path = configuration.text("mail.ca_file");
    if path.is_empty() {
        return Ok(Vec::new());
    }
    let path = configuration.folder.join(path);
    let failed = |error: &dyn std::fmt::Display| {
        Failure::config(format!("mail.ca_file: {}: {error}", path.display()))
    };
    let text = std::fs::read(&path).map_err(|error| failed(&error))?;
    match Webhooks::are_authorities(&text) {
        true => Ok(text),
        false => Err(failed(&"no PEM certificate stands in it")),
    }
}

/// The project's own templates, by their names.
fn files(configuration: &Configuration) -> Outcome<BTreeMap<String, String>> {
    read_folder(&configuration.folder, FOLDER)
}

/// The texts of a folder of templates; `.toml` as JSON.
pub(super) fn read_folder(project: &Path, name: &str) -> Outcome<BTreeMap<String, String>> {
    let folder = project.join(name);
    let mut files = BTreeMap::new();
    if !folder.is_dir() {
        return Ok(files);
    }
    let failed = |error: std::io::Error| Failure::config(format!("{name}: {error}"));
    let within = name;
    for entry in std::fs::read_dir(&folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        // What editors leave behind, and folders.
        if name.starts_with('.') || name.ends_with('~') || !entry.path().is_file() {
            continue;
        }
        let text = std::fs::read_to_string(entry.path()).map_err(failed)?;
        let is_toml = entry.path().extension().is_some_and(|end| end == "toml");
        let text = match is_toml {
            true => as_json(within, &name, &text)?,
            false => text,
        };
        files.insert(name, text);
    }
    Ok(files)
}

/// The words of a language, as the server reads them.
fn as_json(folder: &str, name: &str, text: &str) -> Outcome<String> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let line = error
            .span()
            .map_or(1, |span| text[..span.start].matches('\n').count() + 1);
        Failure::config(format!("{folder}/{name}:{line}: {}", error.message()))
    })?;
    serde_json::to_string(&table).map_err(|error| Failure::config(error.to_string()))
}
