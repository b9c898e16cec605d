//! `user` and `role`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Accounts.
#[derive(Debug, Subcommand)]
pub(crate) enum User {
    /// The accounts, newest first.
    #[command(
        after_help = "Examples: pilaster user list\n          pilaster user list --role editor --find lovelace"
    )]
    List(UserFilter),
    /// One account.
    #[command(after_help = "Example: pilaster user show ada@example.org")]
    Show {
        /// An e-mail address, a user name or an id.
        user: String,
    },
    /// Make accounts of a file, and change those that it knows by their key; nothing of it or all of
    /// it. What would change accounts that are there is shown first.
    #[command(
        after_help = "Examples: pilaster user import users.csv --dry-run\n          pilaster user import members.jsonl --source crm --yes\nColumns: email, username, first_name, last_name, display_name, language, active, email_confirmed, password_hash, roles, external_id"
    )]
    Import(UserFile),
    /// The same, and let nobody use the accounts of this source that the file knows no more.
    #[command(after_help = "Example: pilaster user sync members.csv --source crm --yes")]
    Sync(UserFile),
    #[command(flatten)]
    Change(UserChange),
}

/// Which accounts are wanted.
#[derive(Debug, Args)]
pub(crate) struct UserFilter {
    /// Those whose address, user name or names hold this text.
    #[arg(long, value_name = "TEXT")]
    pub(crate) find: Option<String>,
    /// Those that hold this role.
    #[arg(long)]
    pub(crate) role: Option<String>,
    /// Those that nobody may use.
    #[arg(long)]
    pub(crate) disabled: bool,
    /// Those whose address is not proved.
    #[arg(long)]
    pub(crate) unconfirmed: bool,
    /// How many at most.
    #[arg(long, default_value_t = 1000)]
    pub(crate) limit: u64,
}

/// A list of accounts that somebody else keeps.
#[derive(Debug, Args)]
pub(crate) struct UserFile {
    /// A .csv file whose first line names the columns, or a .jsonl file with an object on each line.
    pub(crate) file: PathBuf,
    /// Who keeps it; each source has keys of its own.
    #[arg(long, default_value = "")]
    pub(crate) source: String,
    /// Only say what would be done.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Change accounts that are there without asking.
    #[arg(long)]
    pub(crate) yes: bool,
}

/// Roles.
#[derive(Debug, Subcommand)]
pub(crate) enum Roles {
    /// The roles that can be given, and how many accounts hold each.
    #[command(after_help = "Example: pilaster role list")]
    List,
}

/// Verbs that change an account.
#[derive(Debug, Subcommand)]
pub(crate) enum UserChange {
    /// Change an account.
    #[command(after_help = "Example: pilaster user update ada@example.org --email ada@new.example")]
    Update {
        /// An e-mail address, a user name or an id.
        user: String,
        /// The new e-mail address; it has to be confirmed again.
        #[arg(long)]
        email: Option<String>,
        /// The new user name.
        #[arg(long)]
        username: Option<String>,
        /// The key by which a source knows it; empty for none.
        #[arg(long, value_name = "KEY")]
        external_id: Option<String>,
        /// Which source that is.
        #[arg(long, default_value = "", requires = "external_id")]
        source: String,
    },
    /// Say that an account's address is proved.
    #[command(after_help = "Example: pilaster user confirm ada@example.org")]
    Confirm {
        /// An e-mail address, a user name or an id.
        user: String,
    },
    /// Give an account a role of schema/, or a new end to one that it has.
    #[command(after_help = "Example: pilaster user grant ada@example.org editor --for 30d")]
    Grant {
        /// An e-mail address, a user name or an id.
        user: String,
        /// The role.
        role: String,
        /// For how long, as 12h or 30d; for good by default.
        #[arg(long = "for", value_name = "TIME", conflicts_with = "expires")]
        time: Option<String>,
        /// Up to when, as 2027-01-31T12:00:00Z.
        #[arg(long, value_name = "MOMENT")]
        expires: Option<String>,
    },
    /// Take a role away.
    #[command(after_help = "Example: pilaster user revoke ada@example.org editor")]
    Revoke {
        /// An e-mail address, a user name or an id.
        user: String,
        /// The role.
        role: String,
    },
    /// Give an account a new password, made by chance and printed once; its tokens are dead.
    #[command(after_help = "Example: pilaster user password ada@example.org")]
    Password {
        /// An e-mail address, a user name or an id.
        user: String,
    },
    /// Let nobody use an account; its sessions and tokens are dead at once.
    #[command(after_help = "Example: pilaster user disable ada@example.org")]
    Disable {
        /// An e-mail address, a user name or an id.
        user: String,
    },
    /// Let an account be used again.
    #[command(after_help = "Example: pilaster user enable ada@example.org")]
    Enable {
        /// An e-mail address, a user name or an id.
        user: String,
    },
    /// End all sessions of an account, and make its tokens worthless.
    #[command(after_help = "Example: pilaster user logout ada@example.org")]
    Logout {
        /// An e-mail address, a user name or an id.
        user: String,
    },
    /// Forget failed sign-ins, so that somebody who was locked out may try again at once.
    #[command(after_help = "Example: pilaster user unlock ada@example.org")]
    Unlock {
        /// An e-mail address, a user name or an id.
        user: String,
    },
    /// Delete an account with its password and roles.
    #[command(
        after_help = "Example: pilaster user delete ada@example.org --confirm ada@example.org"
    )]
    Delete {
        /// An e-mail address, a user name or an id.
        user: String,
        /// The account's e-mail address, where nobody can be asked for it.
        #[arg(long, value_name = "ADDRESS")]
        confirm: Option<String>,
    },
}
