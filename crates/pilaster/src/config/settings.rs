//! Settings as typed values.

use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

use rest::{ApiOptions, Limits};
use server::{
    AccountSettings, HashParams, MasterKey, Network, PageSettings, RegistrationMode, Retries,
    Settings,
};
use sql::{DatabaseUrl, DbOptions, Logins, ServerParts};
use stdx::{Secret, parse_duration};

use super::Configuration;
use super::clients::oauth;
use super::identity::identity;
use super::mail::mail;
use super::pages::pages;
use super::webhooks::webhooks;
use crate::failure::{Failure, Outcome};

pub(super) fn duration(configuration: &Configuration, name: &str) -> Outcome<Duration> {
    parse_duration(configuration.text(name))
        .map_err(|_| configuration.ill_typed(name, "a duration, as 30s or 15m"))
}

pub(super) fn number<T: std::str::FromStr>(
    configuration: &Configuration,
    name: &str,
) -> Outcome<T> {
    configuration
        .text(name)
        .parse()
        .map_err(|_| configuration.ill_typed(name, "a whole number in its range"))
}

pub(super) fn list(configuration: &Configuration, name: &str) -> Vec<String> {
    let entries = configuration.text(name).split(',').map(str::trim);
    entries
        .filter(|entry| !entry.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Where the database is.
pub(crate) fn database_url(configuration: &Configuration) -> Outcome<DatabaseUrl> {
    if !configuration.text("database.host").is_empty() {
        let text = |name: &str| configuration.text(name).to_owned();
        let parts = ServerParts {
            scheme: text("database.scheme"),
            user: text("database.user"),
            host: text("database.host"),
            port: number(configuration, "database.port")?,
            database: text("database.name"),
        };
        let password = Secret::new(text("database.password"));
        return DatabaseUrl::from_parts(parts, password)
            .map_err(|error| Failure::config(error.to_string()));
    }
    let origin = configuration.origin("database.url").to_owned();
    DatabaseUrl::parse(configuration.text("database.url"), &configuration.folder)
        .map_err(|error| Failure::config(format!("{origin}: database.url: {error}")))
}

/// Another address of the same database, where there is one.
fn other_url(configuration: &Configuration, name: &str) -> Outcome<Option<DatabaseUrl>> {
    let text = configuration.text(name);
    if text.is_empty() {
        return Ok(None);
    }
    let url = DatabaseUrl::parse(text, &configuration.folder);
    url.map(Some)
        .map_err(|error| Failure::config(format!("{name}: {error}")))
}

/// The logins of a database: who migrates it, who serves from it, who only reads.
pub(crate) fn logins(configuration: &Configuration) -> Outcome<Logins> {
    Ok(Logins {
        app: database_url(configuration)?,
        migrator: other_url(configuration, "database.migrator_url")?,
        readonly: other_url(configuration, "database.readonly_url")?,
        makes_roles: is_native(configuration)?,
    })
}

/// The address of a server's administrator.
pub(crate) fn admin_url(configuration: &Configuration) -> Outcome<Option<DatabaseUrl>> {
    other_url(configuration, "database.admin_url")
}

/// An address for showing: its password masked, or nothing of it when it cannot be read.
pub(super) fn masked(text: &str, folder: &Path) -> String {
    match DatabaseUrl::parse(text, folder) {
        Ok(_) if text.starts_with("sqlite") => text.to_owned(),
        Ok(url) => url.to_string(),
        Err(_) => String::from("(cannot be read)"),
    }
}

/// How to hold on to the database.
pub(crate) fn database_options(
    configuration: &Configuration,
    url: &DatabaseUrl,
) -> Outcome<DbOptions> {
    let (read_connections, write_connections) = match configuration.text("database.connections") {
        "auto" => url.suggested_connections(),
        _ => {
            let wanted = "auto, or a whole number from 1";
            let given: NonZeroUsize = configuration
                .text("database.connections")
                .parse()
                .map_err(|_| configuration.ill_typed("database.connections", wanted))?;
            (given.get(), given.get())
        }
    };
    Ok(DbOptions {
        read_connections,
        write_connections,
        statement_timeout: duration(configuration, "database.statement_timeout")?,
        connect_deadline: duration(configuration, "database.connect_deadline")?,
        ..DbOptions::default()
    })
}

/// The master key; a missing or weak one stops the start.
pub(crate) fn master_key(configuration: &Configuration) -> Outcome<MasterKey> {
    MasterKey::parse(configuration.text("secret_key")).map_err(|error| {
        Failure::config(format!("SECRET_KEY: {error}")).fix("run pilaster secret generate")
    })
}

/// The port that is configured.
pub(crate) fn port(configuration: &Configuration) -> Outcome<u16> {
    let port = configuration.text("server.port").parse();
    port.map_err(|_| configuration.ill_typed("server.port", "a port from 0 to 65535"))
}

/// Whether `serve` applies pending migrations itself.
pub(crate) fn is_automatic(configuration: &Configuration) -> Outcome<bool> {
    match configuration.text("migrate.mode") {
        "auto" => Ok(true),
        "manual" => Ok(false),
        _ => Err(configuration.ill_typed("migrate.mode", "auto or manual")),
    }
}

/// How much work a password's hash is.
fn password_params(configuration: &Configuration) -> Outcome<HashParams> {
    let params = HashParams {
        memory_kib: number(configuration, "auth.password_memory_kib")?,
        iterations: number(configuration, "auth.password_iterations")?,
        ..HashParams::DEFAULT
    };
    if !params.are_bearable() {
        let wanted = "between 8 and 1048576 KiB, with 1 to 64 iterations";
        return Err(configuration.ill_typed("auth.password_memory_kib", wanted));
    }
    Ok(params)
}

/// Who may have an account, and how it is made.
fn accounts(configuration: &Configuration) -> Outcome<AccountSettings> {
    let registration = match configuration.text("auth.registration") {
        "open" => RegistrationMode::Open,
        "closed" => RegistrationMode::Closed,
        "approval" => RegistrationMode::Approval,
        "invite" => RegistrationMode::Invite,
        _ => {
            let wanted = "open, closed, approval or invite";
            return Err(configuration.ill_typed("auth.registration", wanted));
        }
    };
    let life = |name: &'static str, most: Duration, wanted: &'static str| {
        let life = duration(configuration, name)?;
        match life < Duration::from_mins(1) || life > most {
            true => Err(configuration.ill_typed(name, wanted)),
            false => Ok(life),
        }
    };
    let (short, month) = (Duration::from_hours(1), Duration::from_hours(24 * 31));
    Ok(AccountSettings {
        registration,
        confirm_email: is_on(configuration, "auth.confirm_email")?,
        reveal_accounts: is_on(configuration, "auth.reveal_accounts")?,
        confirm_life: life("auth.confirm_life", short, "a duration from 1m to 1h")?,
        reset_life: life("auth.reset_life", short, "a duration from 1m to 1h")?,
        invitation_life: life("auth.invitation_life", month, "a duration from 1m to 31d")?,
    })
}

/// Proxies whose word is believed.
fn trusted_proxies(configuration: &Configuration) -> Outcome<Vec<Network>> {
    let listed = list(configuration, "server.trusted_proxies");
    let networks: Result<Vec<Network>, _> = listed.iter().map(|text| text.parse()).collect();
    let wanted = "networks, as 10.0.0.0/8 or 127.0.0.1";
    networks.map_err(|_| configuration.ill_typed("server.trusted_proxies", wanted))
}

/// What the paths of this server begin with: what is said, or the path of the public address.
fn base_path(configuration: &Configuration) -> Outcome<String> {
    let given = configuration.text("server.base_path").trim_end_matches('/');
    let url = configuration
        .text("server.public_url")
        .trim_end_matches('/');
    let of_url = url
        .split_once("://")
        .and_then(|(_, rest)| rest.split_once('/'));
    let of_url = of_url.map_or(String::new(), |(_, path)| format!("/{path}"));
    let path = match given {
        "" => of_url,
        given => given.to_owned(),
    };
    if !path.is_empty() && !PageSettings::is_own_path(&path) {
        let wanted = "a path, as /credentials";
        return Err(configuration.ill_typed("server.base_path", wanted));
    }
    if !url.is_empty() && !url.ends_with(&path) {
        let failure = Failure::config("server.public_url does not end with server.base_path");
        return Err(failure.fix(format!("write public_url = \"{url}{path}\"")));
    }
    Ok(path)
}

/// The server's settings.
pub(crate) fn settings(configuration: &Configuration, port: u16, dev: bool) -> Outcome<Settings> {
    let given = configuration.text("server.public_url");
    let host = configuration.text("server.host");
    let base_path = base_path(configuration)?;
    let public_url = match given {
        "" => format!("http://{host}:{port}{base_path}"),
        given => given.trim_end_matches('/').to_owned(),
    };
    let token_life = duration(configuration, "auth.token_life")?;
    if token_life > Duration::from_hours(1) || token_life.is_zero() {
        return Err(configuration.ill_typed("auth.token_life", "a duration of at most 1h"));
    }
    Ok(Settings {
        docs: is_on(configuration, "server.docs")?,
        timings: is_on(configuration, "api.timings")?,
        password_params: password_params(configuration)?,
        title: configuration.text("server.title").to_owned(),
        accounts: accounts(configuration)?,
        mail: mail(configuration, &public_url, dev)?,
        pages: pages(configuration, &base_path)?,
        base_path,
        trusted_proxies: trusted_proxies(configuration)?,
        oauth: oauth(configuration, &public_url)?,
        public_url,
        identity: identity(configuration)?,
        token_life,
        max_body_bytes: number(configuration, "server.max_body_bytes")?,
        request_timeout: duration(configuration, "server.request_timeout")?,
        allowed_hosts: list(configuration, "server.allowed_hosts"),
        cors_origins: list(configuration, "server.cors_origins"),
        dev,
        api: api_options(configuration)?,
        webhooks: webhooks(configuration)?,
        retries: retries(configuration)?,
        native: None,
    })
}

/// Whether PostgreSQL is to apply the rules by policies of its own, too.
pub(crate) fn is_native(configuration: &Configuration) -> Outcome<bool> {
    is_on(configuration, "database.native_rls")
}

/// How often hooks of the outbox and webhooks are tried.
fn retries(configuration: &Configuration) -> Outcome<Retries> {
    let attempts: u32 = number(configuration, "hooks.attempts")?;
    let first_pause = duration(configuration, "hooks.first_pause")?;
    if !(1..=100).contains(&attempts) {
        return Err(configuration.ill_typed("hooks.attempts", "a whole number from 1 to 100"));
    }
    if first_pause.is_zero() || first_pause > Duration::from_hours(12) {
        return Err(configuration.ill_typed("hooks.first_pause", "a duration of at most 12h"));
    }
    Ok(Retries {
        attempts,
        first_pause,
    })
}

/// How the data API is made: its limits, and where it is mounted.
pub(crate) fn api_options(configuration: &Configuration) -> Outcome<ApiOptions> {
    let prefixes = server::prefixes(&list(configuration, "api.prefixes")).map_err(|error| {
        let origin = configuration.origin("api.prefixes");
        Failure::config(format!("{origin}: api.prefixes: {error}"))
            .fix("write paths that are no one else's, as prefixes = [\"/api/v1\", \"/rest/v1\"]")
    })?;
    Ok(ApiOptions {
        limits: limits(configuration)?,
        prefixes,
    })
}

/// How much a request of the data API may ask for.
fn limits(configuration: &Configuration) -> Outcome<Limits> {
    Ok(Limits {
        default_rows: number(configuration, "api.default_rows")?,
        max_rows: number(configuration, "api.max_rows")?,
        max_nodes: number(configuration, "api.max_nodes")?,
        max_depth: number(configuration, "api.max_depth")?,
        max_insert_rows: number(configuration, "api.max_insert_rows")?,
        max_related_rows: number(configuration, "api.max_related_rows")?,
        max_count: number(configuration, "api.max_count")?,
        max_response_bytes: number(configuration, "api.max_response_bytes")?,
        aggregates: is_on(configuration, "api.aggregates")?,
        plans: is_on(configuration, "api.plans")?,
        // That of everybody is `database.statement_timeout`.
        statement_timeout: None,
    })
}

fn is_on(configuration: &Configuration, key: &'static str) -> Outcome<bool> {
    match configuration.text(key) {
        "on" | "true" => Ok(true),
        "off" | "false" => Ok(false),
        _ => Err(configuration.ill_typed(key, "on or off")),
    }
}
