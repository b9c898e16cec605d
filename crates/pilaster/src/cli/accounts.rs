//! `admin` and `audit`.

use clap::Subcommand;

/// Administrators.
#[derive(Debug, Subcommand)]
pub(crate) enum Admin {
    /// Print a link with which whoever opens it sets a password and is an administrator; it is good
    /// for half an hour, once. An older one dies.
    #[command(after_help = "Example: pilaster admin create ada@example.org")]
    Create {
        /// The administrator's e-mail address.
        email: String,
    },
}

/// Which acts are wanted.
#[derive(Debug, clap::Args)]
pub(crate) struct AuditFilter {
    /// By that account or to it: an e-mail address, a user name or an id. An address that has no
    /// account is looked for, too.
    #[arg(long)]
    pub(crate) user: Option<String>,
    /// What was done, as `password_changed`.
    #[arg(long)]
    pub(crate) act: Option<String>,
    /// How far back, as 12h or 30d, or a moment, as 2026-11-21T10:00:00Z.
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// How many at most.
    #[arg(long, default_value_t = 200)]
    pub(crate) limit: u64,
}
