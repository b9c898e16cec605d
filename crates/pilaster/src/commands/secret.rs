//! `secret generate | webhook`

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use server::{MasterKey, WebhookSecrets};
use stdx::Rng;

use crate::cli::Secret as Verb;
use crate::config::{Configuration, WebhookKey};
use crate::failure::{Failure, Outcome};

pub(super) fn run(configuration: &Configuration, verb: &Verb) -> Outcome {
    match verb {
        Verb::Generate => generate(configuration),
        Verb::Webhook { name } => webhook(configuration, name),
    }
}

fn generate(configuration: &Configuration) -> Outcome {
    if !configuration.text("secret_key").is_empty() {
        let origin = configuration.origin("secret_key");
        return Err(Failure::failed(format!("SECRET_KEY is set already ({origin})"))
            .fix("a new key makes stored keys and passwords useless; remove the old one by hand if that is wanted"));
    }
    write(&configuration.folder)?;
    println!("wrote SECRET_KEY to .env (mode 0600)");
    Ok(())
}

/// Adds a fresh secret of a webhook that pilaster.toml names.
fn webhook(configuration: &Configuration, name: &str) -> Outcome {
    let variable = WebhookKey::Secret.variable(name);
    match configuration.has_webhook_secret(name) {
        None => {
            let failure = Failure::config(format!("pilaster.toml has no [webhooks.{name}]"));
            return Err(failure.fix(format!(
                "write [webhooks.{name}] with url and events into pilaster.toml"
            )));
        }
        Some(true) => {
            return Err(
                Failure::failed(format!("{variable} is set already")).fix(format!(
                    "to change it, write the new one before the old one, with a blank between: \
                 {variable}='whsec_… whsec_…'"
                )),
            );
        }
        Some(false) => {}
    }
    let secret = WebhookSecrets::generate(&Rng::System);
    add(&configuration.folder, &variable, secret.expose())?;
    println!("wrote {variable} to .env (mode 0600)");
    Ok(())
}

/// Adds a fresh `SECRET_KEY` to `.env`, readable by its owner alone.
pub(super) fn write(folder: &Path) -> Outcome {
    let key = MasterKey::generate(&Rng::System);
    add(folder, "SECRET_KEY", key.expose())
}

fn add(folder: &Path, variable: &str, secret: &str) -> Outcome {
    let path = folder.join(".env");
    let failed = |error: std::io::Error| Failure::failed(format!("{}: {error}", path.display()));
    let mut file: File = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&path)
        .map_err(failed)?;
    file.set_permissions(std::fs::Permissions::from_mode(0o600))
        .map_err(failed)?;
    writeln!(file, "{variable}={secret}").map_err(failed)
}
