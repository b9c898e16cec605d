//! The verbs of `pilaster db`.

use std::path::PathBuf;

use clap::Subcommand;

use super::Confirmed;

#[derive(Debug, Subcommand)]
pub(crate) enum Database {
    #[command(flatten)]
    Life(DatabaseLife),
    #[command(flatten)]
    Look(DatabaseLook),
    #[command(flatten)]
    Rows(DatabaseRows),
}

/// Verbs about the database as a whole.
#[derive(Debug, Subcommand)]
pub(crate) enum DatabaseLife {
    /// Make the database and its logins where they are missing, each with the rights it needs.
    #[command(
        after_help = "DATABASE_URL serves, MIGRATOR_DATABASE_URL changes the structure, READONLY_DATABASE_URL reads; ADMIN_DATABASE_URL makes them.\nExample: pilaster db create --target prod"
    )]
    Create,
    /// Drop the database.
    #[command(after_help = "Example: pilaster db drop --confirm myapp")]
    Drop {
        #[command(flatten)]
        confirmed: Confirmed,
    },
    /// Create, migrate and seed.
    #[command(after_help = "Example: pilaster db setup")]
    Setup {
        #[command(flatten)]
        confirmed: Confirmed,
    },
    /// Drop, create, migrate and seed.
    #[command(after_help = "Example: pilaster db reset --confirm app")]
    Reset {
        #[command(flatten)]
        confirmed: Confirmed,
    },
    /// End somebody's connection.
    #[command(after_help = "Example: pilaster db kill 4711")]
    Kill {
        /// Its number in `db sessions`.
        id: i64,
    },
}

/// Verbs that look.
#[derive(Debug, Subcommand)]
pub(crate) enum DatabaseLook {
    /// Whether it answers: version, role, encryption, latency.
    #[command(after_help = "Example: pilaster db check --target prod")]
    Check,
    /// Open the engine's own client, or the built-in shell; the password is in no list of processes.
    ///
    /// The built-in shell opens where the client is not installed. From a pipe it stops at the first
    /// statement that fails and takes the ones before it back, where the engine can; several
    /// statements are one transaction unless they begin one themselves.
    #[command(
        after_help = "Examples: pilaster db connect -e \"select 1\"\n          pilaster db connect --builtin < changes.sql"
    )]
    Connect {
        /// Run this and end.
        #[arg(short, long, value_name = "SQL")]
        execute: Option<String>,
        /// The built-in shell, even where the engine's client is installed.
        #[arg(long)]
        builtin: bool,
    },
    /// Who is connected.
    #[command(after_help = "Example: pilaster db sessions")]
    Sessions,
    /// The columns of a table as the database has them.
    #[command(after_help = "Example: pilaster db describe activities -x")]
    Describe {
        /// A table of schema/, or `users` and other tables of Pilaster's own.
        table: String,
        /// One property on each line.
        #[arg(short = 'x', long)]
        expanded: bool,
    },
    /// The tables that the database has.
    #[command(after_help = "Example: pilaster db tables")]
    Tables,
    /// The roles of schema/, whose rights each has besides its own.
    #[command(after_help = "Example: pilaster db roles")]
    Roles,
    /// Write schema/ from a database that is there, and say that it is migrated.
    #[command(after_help = "Example: pilaster db pull")]
    Pull,
}

/// Verbs about rows.
#[derive(Debug, Subcommand)]
pub(crate) enum DatabaseRows {
    /// Put the rows of seed/*.sql in, unless they are there.
    #[command(after_help = "Example: pilaster db seed")]
    Seed {
        /// Also into production.
        #[arg(long)]
        force: bool,
    },
    /// Write all rows, accounts included, to a file that every engine can take.
    #[command(after_help = "Example: pilaster db dump all.jsonl")]
    Dump {
        /// The file; standard output by default.
        file: Option<PathBuf>,
    },
    /// Put the rows of such a file into an empty database.
    #[command(after_help = "Example: pilaster db load all.jsonl --target test")]
    Load {
        /// The file.
        file: PathBuf,
    },
    /// Copy everything into another database, of any engine; goes on where it was cut off.
    #[command(after_help = "Example: pilaster db move --to postgres://app:secret@db/app")]
    Move {
        /// The other database's address.
        #[arg(long)]
        to: String,
    },
    /// Delete rows that have expired now: those of columns whose comment says @expires. The server
    /// does it every minute.
    #[command(after_help = "Example: pilaster db purge")]
    Purge,
    /// Make accounts to try things out with.
    #[command(after_help = "Example: pilaster db fake --users 99")]
    Fake {
        /// How many.
        #[arg(long, default_value_t = 20)]
        users: usize,
        #[command(flatten)]
        confirmed: Confirmed,
    },
}
