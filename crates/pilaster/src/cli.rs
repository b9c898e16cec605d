//! The command line.

mod accounts;
mod address;
mod client;
mod database;
mod user;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

pub(crate) use accounts::{Admin, AuditFilter};
pub(crate) use address::Address;
pub(crate) use client::{Client, Keys, NewClient, Snippet};
pub(crate) use database::{Database, DatabaseLife, DatabaseLook, DatabaseRows};
pub(crate) use user::{Roles, User, UserChange, UserFile, UserFilter};

/// A backend is a folder of SQL.
#[derive(Debug, Parser)]
#[command(
    name = "pilaster",
    version,
    about,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 done, 1 failed, 2 the command line is wrong, 3 configuration or a file is wrong, 4 the database cannot be reached, 5 somebody has to decide, 6 a check found something, 7 the login may not do it, 8 no space left"
)]
pub(crate) struct Arguments {
    /// The project's pilaster.toml; found in this folder or above by default.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Which database: dev, test or prod; the last two read `TEST_DATABASE_URL` and `PROD_DATABASE_URL`.
    #[arg(long, global = true, default_value = "dev", value_parser = ["dev", "test", "prod"])]
    pub(crate) target: String,
    /// A setting for this run, before every other layer; may be given several times.
    #[arg(long = "set", global = true, value_name = "SECTION.NAME=VALUE")]
    pub(crate) set: Vec<String>,
    /// Print JSON for programs.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a new project.
    #[command(after_help = "Example: pilaster init myapp")]
    Init {
        /// The folder; this one by default.
        #[arg(default_value = ".")]
        folder: PathBuf,
        /// Begin with an example instead of a single table.
        #[arg(long, value_parser = ["blank", "cruddur"], default_value = "blank")]
        example: String,
    },
    /// Serve while you edit: applies schema changes, reloads files, explains errors.
    #[command(after_help = "Example: pilaster dev")]
    Dev {
        /// The project's folder; found from here by default.
        folder: Option<PathBuf>,
        #[command(flatten)]
        address: Address,
    },
    /// Serve.
    #[command(
        visible_alias = "start",
        after_help = "Example: pilaster serve --host 0.0.0.0 --port 8080"
    )]
    Serve {
        #[command(flatten)]
        address: Address,
        /// Print the spans of every request to standard output, a line of JSON each.
        #[arg(long)]
        trace_console: bool,
    },
    /// Sign in to the project's own server and print a bearer token. The password is read from
    /// standard input.
    #[command(after_help = "Example: pilaster login --opaque ada@example.org < password.txt")]
    Login {
        /// An e-mail address or a user name.
        user: String,
        /// Prove the password without showing it to the server.
        #[arg(long)]
        opaque: bool,
        /// A code of the authenticator app, where the account has one.
        #[arg(long)]
        code: Option<String>,
    },
    /// Write, apply and list migrations.
    #[command(subcommand)]
    Migrate(Migrate),
    /// Fill, describe and watch the database.
    #[command(subcommand)]
    Db(Database),
    /// Write everything to a file of its own, and keep the last ones.
    #[command(after_help = "Example: pilaster backup --to /backups --keep 14")]
    Backup {
        /// The folder.
        #[arg(long, default_value = "backups")]
        to: PathBuf,
        /// How many to keep.
        #[arg(long, default_value_t = 7)]
        keep: usize,
    },
    /// Replace everything by a backup, after writing what is there to a file.
    #[command(
        after_help = "Example: pilaster restore backups/dev-20261121T101500000Z.jsonl --target test"
    )]
    Restore {
        /// The backup.
        file: PathBuf,
        #[command(flatten)]
        confirmed: Confirmed,
    },
    /// Check schema, rules, SQL files and configuration.
    #[command(after_help = "Examples: pilaster check --offline\n          pilaster check --strict")]
    Check {
        /// Ask no database.
        #[arg(long)]
        offline: bool,
        /// Also refuse what callers without credentials can reach and schema/exposure.lock does
        /// not name.
        #[arg(long)]
        strict: bool,
    },
    /// Who may do what: every role with every table, view and SQL file.
    #[command(
        after_help = "Examples: pilaster rules\n          pilaster rules explain --as anon GET /api/users\n          pilaster rules accept"
    )]
    Rules {
        #[command(subcommand)]
        verb: Option<Rules>,
    },
    /// Run tests/*.http and tests/*.rules, each file against a database of its own that is gone
    /// afterwards.
    #[command(after_help = "Example: pilaster test --db postgres")]
    Test {
        /// Files or folders; tests/ by default.
        paths: Vec<PathBuf>,
        /// The engine; all but SQLite need a server, named by `TEST_POSTGRES_URL` and so on.
        #[arg(long, default_value = "sqlite", value_parser = ["sqlite", "postgres", "mysql", "mariadb"])]
        db: String,
    },
    /// List and change accounts.
    #[command(subcommand)]
    User(User),
    /// What accounts can be given.
    #[command(subcommand)]
    Role(Roles),
    /// Programs that people log in to with their account here.
    #[command(subcommand)]
    Client(Client),
    /// The keys that sign tokens.
    #[command(subcommand)]
    Keys(Keys),
    /// Make the first administrator.
    #[command(subcommand)]
    Admin(Admin),
    /// Who did what to whom, the newest last.
    #[command(
        after_help = "Examples: pilaster audit --since 7d\n          pilaster audit --user ada@example.org --act password_changed --json"
    )]
    Audit(AuditFilter),
    /// What is run and told when something happens to an account.
    #[command(subcommand)]
    Hooks(Hooks),
    /// List every route and who may use it.
    #[command(after_help = "Example: pilaster routes")]
    Routes,
    /// Show the configuration and where each value comes from.
    #[command(subcommand)]
    Config(Config),
    /// Make secrets.
    #[command(subcommand)]
    Secret(Secret),
    /// Print the OpenAPI document as a role sees it, or compare two.
    #[command(
        after_help = "Examples: pilaster openapi --role authenticated --out openapi.json\n          pilaster openapi diff openapi.json"
    )]
    Openapi(OpenApi),
    /// Write types for programs.
    #[command(subcommand)]
    Types(Types),
    /// Print the version.
    #[command(after_help = "Example: pilaster version")]
    Version,
}

/// The API's description.
#[derive(Debug, clap::Args)]
pub(crate) struct OpenApi {
    /// Whose: anon, authenticated, service or a role of schema/.
    #[arg(long, global = true, default_value = "anon")]
    pub(crate) role: String,
    /// The file; standard output by default.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) verb: Option<OpenApiVerb>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum OpenApiVerb {
    /// Say what of a newer document breaks clients of an older one; exits with 1 when something does.
    #[command(
        after_help = "Examples: pilaster openapi diff v1.json v2.json\n          pilaster openapi diff v1.json --role authenticated"
    )]
    Diff {
        /// The older document.
        old: PathBuf,
        /// The newer one; the project's, as the role sees it, by default.
        new: Option<PathBuf>,
    },
}

/// Languages that there are types in.
#[derive(Debug, Subcommand)]
pub(crate) enum Types {
    /// TypeScript, for `createClient<Database>()` of @supabase/supabase-js.
    #[command(after_help = "Example: pilaster types ts --out src/database.ts")]
    Ts {
        /// For whom: anon, authenticated, service or a role of schema/.
        #[arg(long, default_value = "authenticated")]
        role: String,
        /// The file; standard output by default.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Hooks {
    /// Hook files and webhooks, and how many deliveries each is owed.
    #[command(after_help = "Example: pilaster hooks list")]
    List,
    /// Deliveries that failed: dead letters, then those that are still tried. Exits with 6 when
    /// there is a dead letter.
    #[command(after_help = "Example: pilaster hooks failed --json")]
    Failed,
    /// Make failed deliveries due at once; a running server takes them within a second.
    #[command(
        after_help = "Examples: pilaster hooks retry 019aa6f0-7d1c-7f39-9a51-2f1f6d0c7f11\n          pilaster hooks retry --all"
    )]
    Retry {
        /// One delivery, as `hooks failed` names it.
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        id: Option<String>,
        /// Every dead letter.
        #[arg(long)]
        all: bool,
    },
    /// Give a failed delivery up for good, or everything that a target is owed; it is not told.
    #[command(
        after_help = "Examples: pilaster hooks discard 019aa6f0-7d1c-7f39-9a51-2f1f6d0c7f11\n          pilaster hooks discard webhooks.crm --confirm webhooks.crm"
    )]
    Discard {
        /// One delivery, as `hooks failed` names it, or a target, as `hooks list` does.
        what: String,
        /// The target's name, where nobody can be asked for it.
        #[arg(long, value_name = "TARGET")]
        confirm: Option<String>,
    },
    /// Run a hook file for the accounts that it has not run for: those from before the file, say.
    #[command(
        after_help = "Examples: pilaster hooks backfill user_registered\n          pilaster hooks backfill user_registered --stamp"
    )]
    Backfill {
        /// Whose file.
        #[arg(value_parser = ["user_registered", "user_confirmed"])]
        event: String,
        /// Only say that it has run for all of them.
        #[arg(long)]
        stamp: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Migrate {
    #[command(flatten)]
    Files(MigrationFiles),
    #[command(flatten)]
    Runs(MigrationRuns),
}

/// Verbs that read and write migrations/ and ask no database.
#[derive(Debug, Subcommand)]
pub(crate) enum MigrationFiles {
    /// Write a migration from the difference between migrations/ and schema/.
    #[command(after_help = "Example: pilaster migrate new \"add likes\"")]
    New {
        /// What it does, in a few words.
        #[arg(required_unless_present = "message")]
        name: Option<String>,
        /// The same, as other tools have it.
        #[arg(short, long)]
        message: Option<String>,
        /// Without statements, to be written by hand.
        #[arg(long)]
        empty: bool,
    },
    /// The same as new.
    #[command(hide = true)]
    Diff {
        /// What it does, in a few words.
        #[arg(short, long)]
        message: String,
    },
    /// Make one file out of several.
    #[command(after_help = "Example: pilaster migrate squash \"first release\" --to v1")]
    Squash {
        /// What the new file is called.
        name: String,
        /// The last one to put in: a revision or a tag.
        #[arg(long, default_value = "head")]
        to: String,
    },
    /// Put two branches of migrations into one line.
    #[command(after_help = "Example: pilaster migrate merge 0003_add_bio")]
    Merge {
        /// The files that go behind the others; the later ones by name by default.
        behind: Vec<String>,
    },
    /// Give the state behind a migration a name.
    #[command(after_help = "Example: pilaster migrate tag v1")]
    Tag {
        /// The name.
        tag: String,
        /// A revision or a tag.
        #[arg(default_value = "head")]
        at: String,
    },
    /// List migrations with their tags and steps, without a database.
    #[command(after_help = "Example: pilaster migrate history")]
    History,
}

/// Verbs that ask or change a database.
#[derive(Debug, Subcommand)]
pub(crate) enum MigrationRuns {
    /// Apply what is pending.
    #[command(after_help = "Example: pilaster migrate up --target prod")]
    Up {
        /// The last one to apply: a revision or a tag; all of them by default.
        to: Option<String>,
        /// Also steps that take rows or values away.
        #[arg(long)]
        allow_destructive: bool,
        /// Print the statements instead, for the engine's own shell.
        #[arg(long)]
        sql: bool,
    },
    /// Take applied migrations back.
    #[command(
        after_help = "Examples: pilaster migrate down\n          pilaster migrate down 2\n          pilaster migrate down --to v1\n          pilaster migrate down --to base"
    )]
    Down {
        /// How many.
        #[arg(default_value = "1", conflicts_with = "to")]
        steps: usize,
        /// The last one to keep: a revision or a tag; base keeps none.
        #[arg(long)]
        to: Option<String>,
        /// Also steps that take rows or values away.
        #[arg(long)]
        allow_destructive: bool,
        /// Print the statements instead, for the engine's own shell.
        #[arg(long)]
        sql: bool,
        /// The database's name, where it is production and nobody can be asked.
        #[arg(long, value_name = "DATABASE")]
        confirm: Option<String>,
    },
    /// List migrations and how they stand.
    #[command(after_help = "Example: pilaster migrate status")]
    Status,
    /// The last migration that is applied.
    #[command(after_help = "Example: pilaster migrate current")]
    Current,
    /// What `up` would do: statements, rows, locks, losses.
    #[command(after_help = "Example: pilaster migrate plan --target prod")]
    Plan {
        /// The last one to apply: a revision or a tag; all of them by default.
        to: Option<String>,
    },
    /// Compare the database with what its migrations lead to.
    #[command(after_help = "Example: pilaster migrate check --target prod")]
    Check,
    /// Say that the migrations up to one are applied, without running anything.
    #[command(after_help = "Example: pilaster migrate stamp head")]
    Stamp {
        /// A revision, a tag, head, or base for none.
        to: String,
    },
}

/// The answer of somebody who cannot be asked.
#[derive(Debug, clap::Args)]
pub(crate) struct Confirmed {
    /// The database's name, where nobody can be asked for it.
    #[arg(long, value_name = "DATABASE")]
    pub(crate) confirm: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Rules {
    /// Why a request is let or refused, and which policy cuts the row of its URL.
    #[command(
        after_help = "Examples: pilaster rules explain --as anon GET '/api/activities?select=message'\n          pilaster rules explain --as ada@example.org DELETE /api/activities/0193a8c0-0000-7000-8000-000000000001\n          pilaster rules explain --as authenticated POST /api/activities --body '{\"message\": \"Hello\"}'\nEnds with 0 where it is let through, with 6 where a grant is missing or a policy cuts the row."
    )]
    Explain(Explain),
    /// Write what callers without credentials can reach into schema/exposure.lock, for
    /// `check --strict`.
    #[command(after_help = "Example: pilaster rules accept && git diff schema/exposure.lock")]
    Accept,
    /// Put the rules into force as PostgreSQL's own roles, grants and policies, or take them away,
    /// as `database.native_rls` says.
    #[command(
        after_help = "Example: pilaster rules native --sql\nmigrate up, serve and dev do the same by themselves."
    )]
    Native {
        /// Print the statements instead of running them.
        #[arg(long, visible_alias = "dry-run")]
        sql: bool,
    },
}

/// A request to be explained.
#[derive(Debug, clap::Args)]
pub(crate) struct Explain {
    /// Who asks: anon, a role, or an account's address, name or id.
    #[arg(long = "as", value_name = "USER|ROLE")]
    pub(crate) caller: String,
    /// GET, POST, PATCH, PUT or DELETE.
    pub(crate) method: String,
    /// The URL: /api/table?filters, or /api/table/key to look at a row of the database.
    pub(crate) url: String,
    /// The body, to look at the row that it makes.
    #[arg(long, value_name = "JSON")]
    pub(crate) body: Option<String>,
    /// Ask no database: no rows, and roles alone.
    #[arg(long)]
    pub(crate) offline: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Every setting with its value and origin; secrets are masked.
    #[command(after_help = "Example: pilaster config show")]
    Show,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Secret {
    /// Write a `SECRET_KEY` into .env, mode 0600; prints nothing secret, replaces nothing.
    #[command(after_help = "Example: pilaster secret generate")]
    Generate,
    /// Write a webhook's secret into .env, mode 0600; its receiver needs the same.
    #[command(after_help = "Example: pilaster secret webhook crm")]
    Webhook {
        /// The NAME of [webhooks.NAME] in pilaster.toml.
        name: String,
    },
}

#[cfg(test)]
mod tests {
    //! The definition itself.

    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_defined() {
        super::Arguments::command().debug_assert();
    }
}
