//! `[webhooks.NAME]`: who is told of events outside of the database.

use std::collections::BTreeMap;

use rest::Event;
use server::{Network, Webhook, WebhookSecrets, WebhookUrl, Webhooks};
use stdx::nearest;

use super::Configuration;
use super::keys::WebhookKey;
use super::layers::{Value, plain};
use super::settings::{duration, list};
use crate::failure::{Failure, Outcome};

/// What is said of one webhook.
#[derive(Default)]
pub(super) struct Given {
    url: Option<Value>,
    events: Option<Value>,
    secret: Option<Value>,
}

impl Given {
    fn get(&self, key: WebhookKey) -> Option<&Value> {
        match key {
            WebhookKey::Url => self.url.as_ref(),
            WebhookKey::Events => self.events.as_ref(),
            WebhookKey::Secret => self.secret.as_ref(),
        }
    }

    fn set(&mut self, key: WebhookKey, value: Value) {
        let place = match key {
            WebhookKey::Url => &mut self.url,
            WebhookKey::Events => &mut self.events,
            WebhookKey::Secret => &mut self.secret,
        };
        *place = Some(value);
    }
}

/// Reads `[webhooks.NAME]` of pilaster.toml.
pub(super) fn read_toml(name: &str, said: &toml::Table) -> Outcome<Given> {
    let wrong = |text: String| Failure::config(format!("pilaster.toml: webhooks.{name}{text}"));
    let letters = name
        .chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if !letters || name.len() > 40 {
        return Err(wrong(String::from(" is no name for a webhook"))
            .fix("write small letters, digits and _, at most 40"));
    }
    let mut given = Given::default();
    for (entry, value) in said {
        let key = WebhookKey::ALL.into_iter().find(|key| key.name() == entry);
        let Some(key) = key else {
            let failure = wrong(format!(".{entry} is not a setting"));
            return Err(
                match nearest(entry, WebhookKey::ALL.map(WebhookKey::name)) {
                    Some(near) => failure.fix(format!("did you mean {near}?")),
                    None => failure.fix("known are url and events; the secret stands in .env"),
                },
            );
        };
        if key == WebhookKey::Secret {
            return Err(wrong(String::from(".secret is a secret"))
                .fix(format!("write {} into .env", key.variable(name))));
        }
        let text = plain(value).ok_or_else(|| wrong(format!(".{entry} is no plain value")))?;
        let origin = String::from("pilaster.toml");
        given.set(key, Value { text, origin });
    }
    Ok(given)
}

/// Takes `WEBHOOK_NAME_URL`, `…_EVENTS` and `…_SECRET` of a webhook that pilaster.toml names, also
/// as `…_FILE`; gives whether it was one.
pub(super) fn read_variable(
    configuration: &mut Configuration,
    name: &str,
    value: &str,
    origin: &str,
) -> Outcome<bool> {
    let (bare, is_file) = match name.strip_suffix("_FILE") {
        Some(bare) => (bare, true),
        None => (name, false),
    };
    let webhooks = configuration.webhooks.keys();
    let found = webhooks
        .flat_map(|webhook| WebhookKey::ALL.map(|key| (webhook.clone(), key)))
        .find(|(webhook, key)| key.variable(webhook) == bare);
    let Some((webhook, key)) = found else {
        return Ok(false);
    };
    let read = |path: &str| {
        let path = configuration.folder.join(path);
        std::fs::read_to_string(&path)
            .map_err(|error| Failure::config(format!("{name}: {}: {error}", path.display())))
    };
    let value = match is_file {
        true => Value {
            text: read(value)?.trim_end().to_owned(),
            origin: format!("{origin} {name}"),
        },
        false => Value {
            text: value.to_owned(),
            origin: origin.to_owned(),
        },
    };
    if let Some(given) = configuration.webhooks.get_mut(&webhook) {
        given.set(key, value);
    }
    Ok(true)
}

/// Name, value for showing, origin. Of an address the origin alone is shown: its path may hold a
/// token.
pub(super) fn shown(webhooks: &BTreeMap<String, Given>) -> Vec<(String, String, String)> {
    let mut shown = Vec::new();
    for (name, given) in webhooks {
        for key in WebhookKey::ALL {
            let Some(value) = given.get(key) else {
                continue;
            };
            let text = match (key, value.text.parse::<WebhookUrl>()) {
                (WebhookKey::Url, Ok(url)) => format!("{}/…", url.origin()),
                (WebhookKey::Url, Err(_)) => String::from("(cannot be read)"),
                (WebhookKey::Secret, _) => String::from("***"),
                (WebhookKey::Events, _) => value.text.clone(),
            };
            let setting = format!("webhooks.{name}.{}", key.name());
            shown.push((setting, text, value.origin.clone()));
        }
    }
    shown
}

impl Configuration {
    /// Whether a webhook has a secret; `None` where pilaster.toml names no such webhook.
    pub(crate) fn has_webhook_secret(&self, name: &str) -> Option<bool> {
        let given = self.webhooks.get(name)?;
        Some(
            given
                .secret
                .as_ref()
                .is_some_and(|value| !value.text.is_empty()),
        )
    }
}

/// All webhooks, whole and right.
pub(super) fn webhooks(configuration: &Configuration) -> Outcome<Webhooks> {
    let wanted = "networks, as 10.0.0.0/8 or 127.0.0.1";
    let networks = list(configuration, "webhooks.allow_private");
    let networks: Result<Vec<Network>, _> = networks.iter().map(|text| text.parse()).collect();
    let timeout = duration(configuration, "webhooks.timeout")?;
    if timeout.is_zero() || timeout > std::time::Duration::from_mins(1) {
        return Err(configuration.ill_typed("webhooks.timeout", "a duration of at most 1m"));
    }
    let mut webhooks = Webhooks {
        list: Vec::new(),
        allow_private: networks
            .map_err(|_| configuration.ill_typed("webhooks.allow_private", wanted))?,
        timeout,
        authorities: authorities(configuration)?,
    };
    for (name, given) in &configuration.webhooks {
        let webhook = webhook(name, given)?;
        if let Some(refusal) = webhooks.refusal(&webhook.url) {
            return Err(Failure::config(format!("webhooks.{name}.url: {refusal}"))
                .fix("webhooks.allow_private names networks of your own that may be reached"));
        }
        webhooks.list.push(webhook);
    }
    Ok(webhooks)
}

/// Certificates of an authority of one's own.
fn authorities(configuration: &Configuration) -> Outcome<Vec<u8>> {
    let path = configuration.text("webhooks.ca_file");
    if path.is_empty() {
        return Ok(Vec::new());
    }
    let path = configuration.folder.join(path);
    let failed = |error: &dyn std::fmt::Display| {
        Failure::config(format!("webhooks.ca_file: {}: {error}", path.display()))
    };
    let text = std::fs::read(&path).map_err(|error| failed(&error))?;
    match Webhooks::are_authorities(&text) {
        true => Ok(text),
        false => Err(failed(&"no PEM certificate stands in it")),
    }
}

fn webhook(name: &str, given: &Given) -> Outcome<Webhook> {
    let text = |key: WebhookKey| given.get(key).map_or("", |value| value.text.as_str());
    let wrong = |key: WebhookKey, error: &dyn std::fmt::Display| {
        let origin = given
            .get(key)
            .map_or("pilaster.toml", |value| &value.origin);
        Failure::config(format!("{origin}: webhooks.{name}.{}: {error}", key.name()))
    };
    let url: WebhookUrl = text(WebhookKey::Url)
        .parse()
        .map_err(|error| wrong(WebhookKey::Url, &error))?;
    let mut events = Vec::new();
    let names = text(WebhookKey::Events).split(',').map(str::trim);
    for event in names.filter(|event| !event.is_empty()) {
        let known = Event::of_name(event).filter(|event| event.is_told());
        events.push(known.ok_or_else(|| {
            let told = Event::ALL.into_iter().filter(|event| event.is_told());
            let told: Vec<&str> = told.map(Event::name).collect();
            let failure = wrong(WebhookKey::Events, &format!("there is no event {event}"));
            match nearest(event, told.iter().copied()) {
                Some(near) => failure.fix(format!("did you mean {near}?")),
                None => failure.fix(format!("events are {}", told.join(", "))),
            }
        })?);
    }
    if events.is_empty() {
        return Err(wrong(WebhookKey::Events, &"it is told of nothing")
            .fix("write events = [\"user_registered\"]"));
    }
    let secrets = WebhookSecrets::parse(text(WebhookKey::Secret)).map_err(|error| {
        let variable = WebhookKey::Secret.variable(name);
        Failure::config(format!("{variable}: {error}")).fix(format!(
            "pilaster secret webhook {name} writes one into .env"
        ))
    })?;
    Ok(Webhook {
        name: name.to_owned(),
        url,
        events,
        secrets,
    })
}
