//! Where a database is: `sqlite:data/app.db`, `postgres://user:password@host/name`, `mysql://…`,
//! `mariadb://…`.

use std::fmt;
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;
use stdx::Secret;

use crate::Dialect;

/// A parsed database address. `Debug` and `Display` mask the password.
#[derive(Clone)]
pub struct DatabaseUrl(pub(crate) Place);

#[derive(Clone)]
pub(crate) enum Place {
    Sqlite(PathBuf),
    Server(ServerPlace),
}

/// Which protocol a server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Postgres,
    MySql,
}

#[derive(Clone)]
pub(crate) struct ServerPlace {
    pub(crate) family: Family,
    pub(crate) user: String,
    pub(crate) password: Secret<String>,
    /// A host name, an address, or a folder of sockets when it begins with `/`.
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) database: String,
    pub(crate) tls: Tls,
}

/// Whether the connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tls {
    Off,
    /// Encrypted, and the server's certificate is checked.
    Required,
}

/// Why a database address could not be read; never holds the password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DatabaseUrlError(pub String);

/// The parts of a server's address, for configurations that keep them apart.
#[derive(Clone, Debug, Default)]
pub struct ServerParts {
    /// `postgres`, `mysql` or `mariadb`.
    pub scheme: String,
    /// The role.
    pub user: String,
    /// The host name or address.
    pub host: String,
    /// The port; 0 for the protocol's own.
    pub port: u16,
    /// The database's name.
    pub database: String,
}

impl DatabaseUrl {
    /// Reads an address. Relative SQLite paths are taken from `base`.
    ///
    /// A password may hold `@`, `:` and `/` as they are: the address is cut at its last `@`.
    /// `%` begins an escape where two hexadecimal digits follow and is itself otherwise.
    pub fn parse(text: &str, base: &Path) -> Result<Self, DatabaseUrlError> {
        let text = text.trim();
        let (scheme, rest) = text.split_once(':').ok_or_else(no_scheme)?;
        match scheme.split('+').next().unwrap_or_default() {
            "sqlite" | "sqlite3" => Self::parse_sqlite(rest, base),
            "postgres" | "postgresql" => Self::parse_server(Family::Postgres, rest),
            "mysql" | "mariadb" => Self::parse_server(Family::MySql, rest),
            _ => Err(no_scheme()),
        }
    }

    /// How many connections serve this engine well, for reading and for writing.
    ///
    /// PostgreSQL runs many callers' statements one behind the other on one connection. MySQL's
    /// protocol cannot, and its group commit wants writers side by side.
    #[must_use]
    pub fn suggested_connections(&self) -> (usize, usize) {
        match &self.0 {
            Place::Sqlite(_) => (4, 1),
            Place::Server(place) => match place.family {
                Family::Postgres => (4, 4),
                Family::MySql => (8, 16),
            },
        }
    }

    /// Puts an address together from its parts; nothing needs encoding.
    pub fn from_parts(
        parts: ServerParts,
        password: Secret<String>,
    ) -> Result<Self, DatabaseUrlError> {
        let family = match parts.scheme.as_str() {
            "postgres" | "postgresql" => Family::Postgres,
            "mysql" | "mariadb" => Family::MySql,
            _ => return Err(no_scheme()),
        };
        let port = if parts.port == 0 {
            default_port(family)
        } else {
            parts.port
        };
        Ok(Self(Place::Server(ServerPlace {
            family,
            user: parts.user,
            password,
            host: parts.host,
            port,
            database: parts.database,
            tls: Tls::Off,
        })))
    }

    /// The same server with another database.
    #[must_use]
    pub fn with_database(&self, name: &str) -> Self {
        let mut other = self.clone();
        if let Place::Server(place) = &mut other.0 {
            name.clone_into(&mut place.database);
        }
        other
    }

    /// The login and its password; `None` for a file.
    #[must_use]
    pub fn login(&self) -> Option<(&str, &Secret<String>)> {
        match &self.0 {
            Place::Sqlite(_) => None,
            Place::Server(place) => Some((&place.user, &place.password)),
        }
    }

    /// Host (or folder of sockets) and port; `None` for a file.
    #[must_use]
    pub fn address(&self) -> Option<(&str, u16)> {
        match &self.0 {
            Place::Sqlite(_) => None,
            Place::Server(place) => Some((&place.host, place.port)),
        }
    }

    /// The same server's database that is always there.
    #[must_use]
    pub fn maintenance(&self) -> Self {
        match &self.0 {
            Place::Server(place) if place.family == Family::Postgres => {
                self.with_database("postgres")
            }
            Place::Server(_) => self.with_database(""),
            Place::Sqlite(_) => self.clone(),
        }
    }

    /// A SQLite database in memory, for its writer alone.
    pub(crate) fn in_memory() -> Self {
        Self(Place::Sqlite(PathBuf::from(":memory:")))
    }

    /// The engine, as far as the address tells: MariaDB and MySQL are told apart when they answer.
    #[must_use]
    pub fn likely_dialect(&self) -> Dialect {
        match &self.0 {
            Place::Sqlite(_) => Dialect::Sqlite,
            Place::Server(place) => match place.family {
                Family::Postgres => Dialect::Postgres,
                Family::MySql => Dialect::MySql,
            },
        }
    }

    /// The file of a SQLite database.
    #[must_use]
    pub fn sqlite_path(&self) -> Option<&Path> {
        match &self.0 {
            Place::Sqlite(path) => Some(path),
            Place::Server(_) => None,
        }
    }

    /// The name of a server's database, or the file's stem.
    #[must_use]
    pub fn database_name(&self) -> String {
        match &self.0 {
            Place::Sqlite(path) => path
                .file_stem()
                .map(|stem| stem.to_string_lossy().into_owned())
                .unwrap_or_default(),
            Place::Server(place) => place.database.clone(),
        }
    }

    fn parse_sqlite(rest: &str, base: &Path) -> Result<Self, DatabaseUrlError> {
        // `sqlite:///x` is SQLAlchemy's relative path, `sqlite:////x` its absolute one.
        let path = rest
            .strip_prefix("///")
            .or_else(|| rest.strip_prefix("//"))
            .unwrap_or(rest);
        if path.is_empty() || path.contains(":memory:") {
            return Err(DatabaseUrlError(String::from(
                "a SQLite database is a file, so that readers and the writer share it: \
                 write sqlite:data/app.db",
            )));
        }
        Ok(Self(Place::Sqlite(base.join(path))))
    }

    fn parse_server(family: Family, rest: &str) -> Result<Self, DatabaseUrlError> {
        let rest = rest.strip_prefix("//").ok_or_else(no_scheme)?;
        let (who, place) = rest.rsplit_once('@').unwrap_or(("", rest));
        let (place, options) = place.split_once('?').unwrap_or((place, ""));
        let (host, database) = place.split_once('/').unwrap_or((place, ""));
        if who.is_empty() && place.contains('#') {
            return Err(DatabaseUrlError(String::from(
                "write # as %23 in a database address",
            )));
        }
        let (user, password) = who.split_once(':').unwrap_or((who, ""));
        let (host, port) = split_port(host, default_port(family))?;
        let mut server = ServerPlace {
            family,
            user: decode(user),
            password: Secret::new(decode(password)),
            host,
            port,
            database: decode(database),
            tls: Tls::Off,
        };
        for option in options.split('&').filter(|option| !option.is_empty()) {
            server.apply(option)?;
        }
        if server.host.is_empty() {
            server.host = String::from("localhost");
        }
        Ok(Self(Place::Server(server)))
    }
}

impl ServerPlace {
    fn apply(&mut self, option: &str) -> Result<(), DatabaseUrlError> {
        let (key, value) = option.split_once('=').unwrap_or((option, ""));
        let value = decode(value);
        match (key, value.as_str()) {
            ("host" | "socket", _) => self.host = value,
            ("sslmode" | "ssl-mode" | "ssl_mode", "disable" | "DISABLED" | "prefer") => {
                self.tls = Tls::Off;
            }
            ("sslmode" | "ssl-mode" | "ssl_mode", _) => self.tls = Tls::Required,
            ("charset" | "application_name", _) => {}
            _ => {
                return Err(DatabaseUrlError(format!(
                    "unknown option {key} in the database address; known are host, socket, sslmode"
                )));
            }
        }
        Ok(())
    }
}

fn no_scheme() -> DatabaseUrlError {
    DatabaseUrlError(String::from(
        "a database address begins with sqlite:, postgres://, mysql:// or mariadb://",
    ))
}

fn default_port(family: Family) -> u16 {
    match family {
        Family::Postgres => 5432,
        Family::MySql => 3306,
    }
}

fn split_port(host: &str, default: u16) -> Result<(String, u16), DatabaseUrlError> {
    let bracketed = host.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let (name, port) = match bracketed {
        Some((address, rest)) => (address, rest.strip_prefix(':')),
        None => match host.rsplit_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (host, None),
        },
    };
    let port = match port {
        None | Some("") => default,
        Some(port) => port.parse().map_err(|_| {
            DatabaseUrlError(String::from(
                "the port in the database address is no number from 1 to 65535; if it is part of \
                 the password, write / as %2F, : as %3A, @ as %40, # as %23, % as %25",
            ))
        })?,
    };
    Ok((decode(name), port))
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Place::Server(place) => {
                let scheme = match place.family {
                    Family::Postgres => "postgres",
                    Family::MySql => "mysql",
                };
                let ServerPlace {
                    user,
                    host,
                    port,
                    database,
                    ..
                } = place;
                write!(f, "{scheme}://{user}:***@{host}:{port}/{database}")
            }
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
