//! Configuration: defaults < pilaster.toml < .env < environment, each value with its origin.

mod clients;
mod identity;
mod issuers;
mod keys;
mod layers;
mod mail;
mod pages;
mod redirects;
mod settings;
mod traces;
mod webhooks;

pub(crate) use clients::with_defaults;
pub(crate) use keys::WebhookKey;
pub(crate) use layers::{Configuration, find_file};
pub(crate) use settings::{
    admin_url, api_options, database_options, database_url, is_automatic, is_native, logins,
    master_key, port, settings,
};
pub(crate) use traces::traces;
