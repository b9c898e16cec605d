//! `client` and `keys`.

use clap::{Args, Subcommand, ValueEnum};

/// Clients.
#[derive(Debug, Subcommand)]
pub(crate) enum Client {
    /// Add a client, and print what is pasted into it. Its secret is shown this once.
    #[command(
        after_help = "Examples: pilaster client add web --redirect https://films.example/callback\n          pilaster client add spa --public --redirect http://localhost:5173/callback\n          pilaster client add nightly --grant client_credentials --scope data:read --role reports\n          pilaster client add tv --public --grant device_code --grant refresh_token"
    )]
    Add(NewClient),
    /// Print a token by which programs register themselves, where oauth.registration is token. It is
    /// shown this once.
    #[command(after_help = "Example: pilaster client invite --clients 3 --days 7")]
    Invite {
        /// How many clients it is good for.
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        clients: u32,
        /// How many days it is good.
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=366))]
        days: u16,
    },
    /// List the clients, those of pilaster.toml first.
    List,
    /// Show one client.
    Show {
        /// Its id.
        id: String,
    },
    /// Give a client another secret; the old one stays good for a day.
    #[command(after_help = "Example: pilaster client rotate web")]
    Rotate {
        /// Its id.
        id: String,
        /// The old secret is not good any more.
        #[arg(long)]
        now: bool,
    },
    /// Remove a client with everything that users let it do.
    Remove {
        /// Its id.
        id: String,
        /// The id again, instead of being asked for it.
        #[arg(long)]
        confirm: Option<String>,
    },
}

/// A client to be added.
#[derive(Debug, Args)]
pub(crate) struct NewClient {
    /// Its id: letters, digits and -._~
    pub(crate) id: String,
    /// Where answers are sent, exactly; may be given several times.
    #[arg(long = "redirect", value_name = "URL")]
    pub(crate) redirect_uris: Vec<String>,
    /// Where a browser may be sent after logout; may be given several times.
    #[arg(long = "after-logout", value_name = "URL")]
    pub(crate) post_logout_redirect_uris: Vec<String>,
    /// Where it is told of logouts by this server (Back-Channel Logout): an https address.
    #[arg(long, value_name = "URL")]
    pub(crate) logout_url: Option<String>,
    /// What a browser loads after a logout so that it knows (Front-Channel Logout): on the origin of a
    /// redirect address.
    #[arg(long, value_name = "URL")]
    pub(crate) logout_page: Option<String>,
    /// What people see; its id by default.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// A scope that it may ask for; may be given several times. By default openid, profile, email and
    /// `offline_access`.
    #[arg(long = "scope", value_name = "SCOPE")]
    pub(crate) scopes: Vec<String>,
    /// A grant type that it may use, as `client_credentials` or `device_code`; may be given several
    /// times. By default `authorization_code` and `refresh_token`.
    #[arg(long = "grant", value_name = "GRANT")]
    pub(crate) grants: Vec<String>,
    /// It has no secret: it runs in a browser or on people's devices.
    #[arg(long)]
    pub(crate) public: bool,
    /// It runs on people's devices: its loopback address may have any port (RFC 8252).
    #[arg(long)]
    pub(crate) native: bool,
    /// It is your own: people are asked for no consent.
    #[arg(long)]
    pub(crate) first_party: bool,
    /// The role of tokens in which no user takes part.
    #[arg(long)]
    pub(crate) role: Option<String>,
    /// What its ID tokens are signed with; RS256 by default.
    #[arg(long, value_name = "ALG")]
    pub(crate) id_token_alg: Option<String>,
    /// Print what is pasted into a framework.
    #[arg(long)]
    pub(crate) snippet: Option<Snippet>,
}

/// A framework.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Snippet {
    /// Next.js with Auth.js.
    Nextjs,
    /// `FastAPI` with authlib.
    Fastapi,
    /// Spring Boot.
    Spring,
    /// Apache with `mod_auth_openidc`.
    Apache,
    /// Express with openid-client.
    Express,
}

/// Keys that sign.
#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// List the keys that verify, those that sign first.
    List,
    /// Put new keys in the place of those that sign; the old ones go on verifying until the last
    /// token that they signed has expired. Running servers notice by themselves.
    #[command(after_help = "Example: pilaster keys rotate EdDSA")]
    Rotate {
        /// Of one algorithm alone: `EdDSA`, ES256, PS256 or RS256.
        algorithm: Option<String>,
    },
}
