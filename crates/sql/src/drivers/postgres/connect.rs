//! One connection with its prepared statements.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config, NoTls, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::error::from_postgres;
use crate::url::{ServerPlace, Tls};
use crate::{DbError, DbOptions, DbResult, Ident};

/// Statements kept prepared on each connection; the cache is emptied when it is full, because a
/// working set that large has no favourites.
const STATEMENTS: usize = 1_000;

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Read,
    Write,
}

/// How to connect.
#[derive(Clone)]
pub(super) struct Connector {
    config: Config,
    tls: Option<MakeRustlsConnect>,
}

/// A connection and what is prepared on it.
pub(super) struct Connection {
    pub(super) client: Client,
    statements: Mutex<HashMap<String, Statement>>,
}

impl Connector {
    pub(super) fn new(place: &ServerPlace, options: &DbOptions, purpose: Purpose) -> Self {
        let mut config = Config::new();
        config
            .user(&place.user)
            .password(place.password.expose())
            .dbname(&place.database)
            .port(place.port)
            .application_name(&options.application_name)
            .connect_timeout(Duration::from_secs(5))
            .options(session_options(options, purpose));
        if place.host.starts_with('/') {
            config.host_path(PathBuf::from(&place.host));
        } else {
            config.host(&place.host);
        }
        let tls = match place.tls {
            Tls::Off => {
                config.ssl_mode(SslMode::Disable);
                None
            }
            Tls::Required => {
                config.ssl_mode(SslMode::Require);
                Some(tls_connector())
            }
        };
        Self { config, tls }
    }

    pub(super) async fn connect(&self) -> Result<Connection, tokio_postgres::Error> {
        let client = match &self.tls {
            None => {
                let (client, connection) = Box::pin(self.config.connect(NoTls)).await?;
                tokio::spawn(drive(connection));
                client
            }
            Some(tls) => {
                let (client, connection) = Box::pin(self.config.connect(tls.clone())).await?;
                tokio::spawn(drive(connection));
                client
            }
        };
        Ok(Connection {
            client,
            statements: Mutex::new(HashMap::new()),
        })
    }
}

/// Runs a connection until it ends; its users see the same error as answers.
async fn drive(connection: impl Future<Output = Result<(), tokio_postgres::Error>>) {
    if let Err(error) = connection.await {
        tracing::debug!(%error, "a PostgreSQL connection ended");
    }
}

fn session_options(options: &DbOptions, purpose: Purpose) -> String {
    let timeout = options.statement_timeout.as_millis();
    let read_only = match purpose {
        Purpose::Read => " -c default_transaction_read_only=on",
        Purpose::Write => "",
    };
    // Our quoted constants double the quote and nothing else, whatever the server's default is.
    let plain = "-c standard_conforming_strings=on";
    format!("{plain} -c statement_timeout={timeout} -c TimeZone=UTC{read_only}")
}

fn tls_connector() -> MakeRustlsConnect {
    let roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider supports TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    MakeRustlsConnect::new(config)
}

impl Connection {
    /// The statement for `text`, prepared now if it is new here; each role has its own, because
    /// the server plans a statement anew whenever the role whose policies are in it changes.
    pub(super) async fn statement(&self, text: &str, role: Option<&Ident>) -> DbResult<Statement> {
        let key = key(text, role);
        if let Some(statement) = self.cached(&key) {
            return Ok(statement);
        }
        let statement = self
            .client
            .prepare(text)
            .await
            .map_err(|error| from_postgres(&error))?;
        let mut statements = self
            .statements
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if statements.len() >= STATEMENTS {
            statements.clear();
        }
        statements.insert(key.into_owned(), statement.clone());
        Ok(statement)
    }

    /// Forgets a statement whose plan no longer fits.
    pub(super) fn forget(&self, text: &str, role: Option<&Ident>) {
        self.statements
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&*key(text, role));
    }

    fn cached(&self, key: &str) -> Option<Statement> {
        self.statements
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(key)
            .cloned()
    }
}

/// By what a statement is found again.
fn key<'t>(text: &'t str, role: Option<&Ident>) -> Cow<'t, str> {
    match role {
        None => Cow::Borrowed(text),
        Some(role) => Cow::Owned(format!("{role}\0{text}")),
    }
}

/// What a connection attempt's failure means to a caller.
pub(super) fn unavailable(error: &tokio_postgres::Error) -> DbError {
    match from_postgres(error) {
        DbError::Other(text) => DbError::Unavailable(text),
        known => known,
    }
}
