//! The layers, merged.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use stdx::nearest;

use super::clients;
use super::issuers;
use super::keys::{KEYS, Key, SECRET_KEY};
use super::redirects;
use super::webhooks::{self, Given};
use crate::failure::{Failure, Outcome};

/// A value and where it came from.
#[derive(Clone)]
pub(super) struct Value {
    pub(super) text: String,
    pub(super) origin: String,
}

/// All settings of a project.
pub(crate) struct Configuration {
    /// The folder of pilaster.toml; relative paths start there.
    pub(crate) folder: PathBuf,
    /// pilaster.toml itself.
    pub(crate) file: PathBuf,
    values: BTreeMap<&'static str, Value>,
    /// `dev`, `test` or `prod`.
    pub(crate) target: String,
    /// Variables that the target has one of its own for.
    targeted: Vec<String>,
    /// What is said of each webhook, by its name.
    pub(super) webhooks: BTreeMap<String, Given>,
    /// What is said of each client, by its id.
    pub(super) clients: BTreeMap<String, clients::Given>,
    /// What is said of each issuer whose word is taken, by its name.
    pub(super) issuers: BTreeMap<String, issuers::Given>,
    /// Where a login can lead, by name.
    pub(super) redirects: BTreeMap<String, redirects::Given>,
}

/// pilaster.toml in this folder or the nearest one above.
pub(crate) fn find_file(given: Option<&Path>) -> Outcome<PathBuf> {
    if let Some(given) = given {
        let file = if given.is_dir() {
            given.join("pilaster.toml")
        } else {
            given.to_owned()
        };
        if file.is_file() {
            return std::path::absolute(&file).map_err(|error| Failure::config(error.to_string()));
        }
        return Err(
            Failure::config(format!("{} does not exist", file.display()))
                .fix("pilaster init makes a project"),
        );
    }
    let here = std::env::current_dir().map_err(|error| Failure::config(error.to_string()))?;
    here.ancestors()
        .map(|folder| folder.join("pilaster.toml"))
        .find(|file| file.is_file())
        .ok_or_else(|| {
            Failure::config("there is no pilaster.toml in this folder or above")
                .fix("go to your project, name it with --config, or run pilaster init")
        })
}

fn known() -> impl Iterator<Item = &'static Key> {
    KEYS.iter().chain(std::iter::once(&SECRET_KEY))
}

impl Configuration {
    /// Reads all layers of the project whose pilaster.toml is `file`; `flags` are
    /// `section.name=value` and go before everything else.
    pub(crate) fn load(file: &Path, target: &str, flags: &[String]) -> Outcome<Self> {
        let folder = file.parent().unwrap_or(Path::new(".")).to_owned();
        let values = known()
            .map(|key| {
                let value = Value {
                    text: key.default.to_owned(),
                    origin: String::from("default"),
                };
                (key.name, value)
            })
            .collect();
        let mut configuration = Self {
            folder,
            file: file.to_owned(),
            values,
            target: target.to_owned(),
            targeted: Vec::new(),
            webhooks: BTreeMap::new(),
            clients: BTreeMap::new(),
            issuers: BTreeMap::new(),
            redirects: BTreeMap::new(),
        };
        configuration.read_toml()?;
        let dotenv = configuration.folder.join(".env");
        if dotenv.is_file() {
            let pairs = dotenvy::from_path_iter(&dotenv)
                .and_then(Iterator::collect::<Result<Vec<(String, String)>, _>>)
                // The parser's own message quotes the line, which may hold a secret.
                .map_err(|_| {
                    Failure::config(".env cannot be read")
                        .fix("write NAME=value lines; quote values with spaces in single quotes")
                })?;
            configuration.read_variables(pairs, ".env", false)?;
        }
        let environment: Vec<(String, String)> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        configuration.read_variables(environment, "env", true)?;
        for flag in flags {
            configuration.read_flag(flag)?;
        }
        Ok(configuration)
    }

    fn set(&mut self, key: &'static Key, text: String, origin: &str) {
        self.values.insert(
            key.name,
            Value {
                text,
                origin: origin.to_owned(),
            },
        );
    }

    fn read_toml(&mut self) -> Outcome {
        let text = std::fs::read_to_string(&self.file)
            .map_err(|error| Failure::config(format!("{}: {error}", self.file.display())))?;
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            let line = error
                .span()
                .map_or(1, |span| text[..span.start].matches('\n').count() + 1);
            Failure::config(format!("pilaster.toml:{line}: {}", error.message()))
        })?;
        for (section, value) in &table {
            let toml::Value::Table(entries) = value else {
                return Err(Self::unknown_key(&text, section));
            };
            for (entry, value) in entries {
                let name = format!("{section}.{entry}");
                if let ("webhooks", toml::Value::Table(said)) = (section.as_str(), value) {
                    let given = webhooks::read_toml(entry, said)?;
                    self.webhooks.insert(entry.clone(), given);
                    continue;
                }
                if let ("clients", toml::Value::Table(said)) = (section.as_str(), value) {
                    let given = clients::read_toml(entry, said)?;
                    self.clients.insert(entry.clone(), given);
                    continue;
                }
                if let ("issuers", toml::Value::Table(said)) = (section.as_str(), value) {
                    let given = issuers::read_toml(entry, said)?;
                    self.issuers.insert(entry.clone(), given);
                    continue;
                }
                if let ("redirects", toml::Value::Table(said)) = (section.as_str(), value) {
                    let given = redirects::read_toml(entry, said)?;
                    self.redirects.insert(entry.clone(), given);
                    continue;
                }
                let Some(key) = known().find(|key| key.name == name) else {
                    return Err(Self::unknown_key(&text, &name));
                };
                if key.secret {
                    return Err(
                        Failure::config(format!("pilaster.toml: {name} is a secret"))
                            .fix(format!("write {} into .env", key.aliases[0])),
                    );
                }
                let value = plain(value).ok_or_else(|| {
                    Failure::config(format!("pilaster.toml: {name} is no plain value"))
                })?;
                self.set(key, value, "pilaster.toml");
            }
        }
        Ok(())
    }

    fn read_flag(&mut self, flag: &str) -> Outcome {
        let Some((name, value)) = flag.split_once('=') else {
            // What was given may be a secret, so it is not shown.
            return Err(Failure::usage("--set takes SECTION.NAME=VALUE"));
        };
        let Some(key) = known().find(|key| key.name == name) else {
            let failure = Failure::usage(format!("--set: {name} is not a setting"));
            return Err(match nearest(name, known().map(|key| key.name)) {
                Some(near) => failure.fix(format!("did you mean {near}?")),
                None => failure.fix("pilaster config show lists all settings"),
            });
        };
        if key.secret {
            return Err(Failure::usage(format!(
                "--set: {name} is a secret, and everybody on this machine sees command lines"
            ))
            .fix(format!("write {} into .env", key.aliases[0])));
        }
        self.set(key, value.to_owned(), "flag");
        Ok(())
    }

    fn unknown_key(text: &str, name: &str) -> Failure {
        let last = name.rsplit('.').next().unwrap_or(name);
        let line = text
            .lines()
            .position(|line| line.trim_start().trim_start_matches('[').starts_with(last));
        let line = line.map_or(1, |line| line + 1);
        let failure = Failure::config(format!("pilaster.toml:{line}: {name} is not a setting"));
        match nearest(name, known().map(|key| key.name)) {
            Some(near) => failure.fix(format!("did you mean {near}?")),
            None => failure.fix("pilaster config show lists all settings"),
        }
    }

    fn read_variables(
        &mut self,
        pairs: Vec<(String, String)>,
        origin: &str,
        shared: bool,
    ) -> Outcome {
        let prefix = match self.target.as_str() {
            "test" => Some("TEST_"),
            "prod" => Some("PROD_"),
            _ => None,
        };
        for (name, value) in pairs {
            // PROD_DATABASE_URL goes before DATABASE_URL, wherever each of them stands.
            let own = prefix
                .and_then(|prefix| name.strip_prefix(prefix))
                .filter(|own| own.ends_with("DATABASE_URL"));
            match own {
                Some(own) => self.targeted.push(own.to_owned()),
                None if self.targeted.contains(&name) => continue,
                None => {}
            }
            let name = own.unwrap_or(&name);
            if name == "ALGORITHM" && value.to_uppercase().starts_with("HS") {
                return Err(Failure::config(format!("{origin}: ALGORITHM={value} is refused"))
                    .fix("tokens are signed with EdDSA, so that verifiers cannot make them; remove the line"));
            }
            let named = |key: &&Key| key.aliases.contains(&name) || key.variable() == name;
            if let Some(key) = known().find(named) {
                self.set(key, value, origin);
                continue;
            }
            let from_file = |key: &&Key| {
                name.strip_suffix("_FILE")
                    .is_some_and(|name| key.aliases.contains(&name))
            };
            if let Some(key) = known().find(from_file) {
                let path = self.folder.join(&value);
                let text = std::fs::read_to_string(&path).map_err(|error| {
                    Failure::config(format!("{name}: {}: {error}", path.display()))
                })?;
                self.set(key, text.trim_end().to_owned(), &format!("{origin} {name}"));
                continue;
            }
            if webhooks::read_variable(self, name, &value, origin)?
                || clients::read_variable(self, name, &value, origin)?
            {
                continue;
            }
            // Ours by its prefix, so it must be one of ours; tests of ours are not settings.
            if name.starts_with("PILASTER_") && !(shared && name.starts_with("PILASTER_TEST_")) {
                let names: Vec<String> = known().map(Key::variable).collect();
                let failure = Failure::config(format!("{origin}: {name} is not a setting"));
                return Err(match nearest(name, names.iter().map(String::as_str)) {
                    Some(near) => failure.fix(format!("did you mean {near}?")),
                    None => failure.fix("pilaster config show lists all settings"),
                });
            }
        }
        Ok(())
    }

    /// A setting's text.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.values
            .get(name)
            .map_or("", |value| value.text.as_str())
    }

    /// Where a setting came from.
    pub(crate) fn origin(&self, name: &str) -> &str {
        self.values
            .get(name)
            .map_or("", |value| value.origin.as_str())
    }

    /// Every setting: name, value for showing, origin.
    pub(crate) fn shown(&self) -> Vec<(String, String, String)> {
        let mut shown: Vec<(String, String, String)> = known()
            .map(|key| {
                let text = self.text(key.name);
                let text = match (key.secret, key.name, text.is_empty()) {
                    (true, _, false) => String::from("***"),
                    (_, "redis.url", _) => super::identity::masked_redis(text),
                    (_, "database.url", _) => super::settings::masked(text, &self.folder),
                    _ => text.to_owned(),
                };
                (key.name.to_owned(), text, self.origin(key.name).to_owned())
            })
            .collect();
        shown.extend(webhooks::shown(&self.webhooks));
        shown.extend(clients::shown(&self.clients));
        shown.extend(issuers::shown(&self.issuers));
        shown.extend(redirects::shown(&self.redirects));
        shown
    }

    /// The settings that are not what pilaster.toml or the defaults say.
    pub(crate) fn overridden(&self) -> Vec<&'static str> {
        known()
            .filter(|key| !matches!(self.origin(key.name), "default" | "pilaster.toml"))
            .map(|key| key.name)
            .collect()
    }

    /// A setting that does not have its type; never shows the value.
    pub(crate) fn ill_typed(&self, name: &str, wanted: &str) -> Failure {
        Failure::config(format!("{}: {name} is not {wanted}", self.origin(name)))
            .fix(format!("give {name} {wanted}"))
    }
}

pub(super) fn plain(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Boolean(value) => Some(value.to_string()),
        toml::Value::Array(items) => {
            let items: Option<Vec<String>> = items.iter().map(plain).collect();
            items.map(|items| items.join(","))
        }
        toml::Value::Float(_) | toml::Value::Datetime(_) | toml::Value::Table(_) => None,
    }
}
