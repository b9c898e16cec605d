//! What every request shares.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use credentials::opaque::ServerSetups;
use credentials::passkey::RelyingParty;
use credentials::token::CsrfKey;
use credentials::{CodeKey, HashParams, MasterKey, Peppers, TotpKey};
use oauth::Expectations;
use rest::{Api, ApiOptions, BaseRole, Caller, Hooks, OpenApiInfo, RoleSet};
use sql::Db;
use stdx::{Clock, Rng, Secret};
use store::moments::{Moments, RedisUrlError};
use store::signing_keys;
use store::{Store, StoreError, access, opaque};
use tokio::sync::Notify;

use crate::auth::TokenCache;
use crate::data::Watchers;
use crate::events::{Announcer, Network, Retries, Webhooks};
use crate::identity::{IdentitySettings, MomentsPlace};
use crate::mail::{MailSettings, Post, TemplateError, Transport};
use crate::middleware::RequestIds;
use crate::native::{NativeRls, Roles};
use crate::oauth2::{KeyRing, OAuthSettings};
use crate::pages::{PageError, PageSettings, Pages};
use crate::passwords::{PEPPER, PasswordPool};

/// How the server behaves; plain values, already read from wherever they come.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The project's name, shown in the docs.
    pub title: String,
    /// The address that clients use: the issuer of tokens.
    pub public_url: String,
    /// Who may have an account, and how it is made.
    pub accounts: AccountSettings,
    /// How mails are written and sent.
    pub mail: MailSettings,
    /// How the pages look and where they lead.
    pub pages: PageSettings,
    /// What the paths of this server begin with: nothing, or as `/credentials`.
    pub base_path: String,
    /// Proxies of the operator's own, whose word on a client's address is believed.
    pub trusted_proxies: Vec<Network>,
    /// How one signs in, and for how long.
    pub identity: IdentitySettings,
    /// How the authorization server behaves.
    pub oauth: OAuthSettings,
    /// How long a token of `/token` is good.
    pub token_life: Duration,
    /// The largest body.
    pub max_body_bytes: usize,
    /// The longest that a request may take.
    pub request_timeout: Duration,
    /// Names that a `Host` header may carry; empty for any.
    pub allowed_hosts: Vec<String>,
    /// Origins that may call from a browser.
    pub cors_origins: Vec<String>,
    /// Whether replies explain more than a stranger should know.
    pub dev: bool,
    /// Whether the API's description and its pages are served.
    pub docs: bool,
    /// Whether answers of the data API tell where their time went.
    pub timings: bool,
    /// How much work a password's hash is.
    pub password_params: HashParams,
    /// The data API's limits, and where it is mounted.
    pub api: ApiOptions,
    /// Who is told of events.
    pub webhooks: Webhooks,
    /// How often hooks of the outbox and webhooks are tried.
    pub retries: Retries,
    /// The database's own roles, where it has them.
    pub native: Option<NativeRls>,
}

/// Who may have an account, and how it is made.
#[derive(Clone, Debug)]
pub struct AccountSettings {
    /// Who may make one.
    pub registration: RegistrationMode,
    /// Whether an account is made when its address was proved, and not before.
    pub confirm_email: bool,
    /// Whether a registration tells that an address has an account already.
    pub reveal_accounts: bool,
    /// How long the link of a registration is good.
    pub confirm_life: Duration,
    /// How long the link to a new password is good.
    pub reset_life: Duration,
    /// How long an invitation is good.
    pub invitation_life: Duration,
}

/// Who may make an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegistrationMode {
    /// Anybody.
    Open,
    /// Nobody, but for the command line.
    Closed,
    /// Who asked for it, and whom an administrator approved of; and whom he invites.
    Approval,
    /// Whom an administrator invites.
    Invite,
}

impl Settings {
    /// The public address without its path: what browsers call an origin.
    #[must_use]
    pub fn origin(&self) -> &str {
        let url = self.public_url.as_str();
        let host = url.find("://").map_or(0, |scheme| scheme + 3);
        let end = url[host..].find('/').map_or(url.len(), |path| host + path);
        &url[..end]
    }

    /// What cannot be done because mails go nowhere; `None` where they go somewhere.
    #[must_use]
    pub fn without_mail(&self) -> Option<&'static str> {
        let is_needed = self.accounts.confirm_email
            || matches!(
                self.accounts.registration,
                RegistrationMode::Approval | RegistrationMode::Invite
            );
        match (&self.mail.transport, is_needed) {
            (Transport::Nowhere, true) => Some(
                "SMTP_URL is not set: nobody can register, be invited or get a new password by \
                 mail; those requests answer 503",
            ),
            (Transport::Nowhere, false) => Some(
                "SMTP_URL is not set: nobody can get a new password or another address by mail; \
                 those requests answer 503",
            ),
            (Transport::Smtp(_) | Transport::Sink, _) => None,
        }
    }
}

/// The schema and the files, compiled; swapped whole when they change.
pub(crate) struct Compiled {
    pub(crate) api: Api,
    pub(crate) hooks: Hooks,
    pub(crate) anonymous: Caller,
}

/// The server's state; cheap to clone.
#[derive(Clone)]
pub struct App(pub(crate) Arc<State>);

pub(crate) struct State {
    pub(crate) db: Db,
    pub(crate) store: Store,
    pub(crate) settings: Settings,
    pub(crate) compiled: ArcSwap<Compiled>,
    /// Whether the database takes no change from this server; asked at the start.
    pub(crate) is_read_only: bool,
    pub(crate) keys: KeyRing,
    /// What refresh tokens are made with.
    pub(crate) refresh_key: Secret<[u8; 32]>,
    /// What users are called by for one site alone is made with.
    pub(crate) pairwise_salt: Secret<[u8; 32]>,
    pub(crate) expectations: Expectations,
    pub(crate) tokens: TokenCache,
    pub(crate) passwords: PasswordPool,
    /// What the forms of sessions are known by.
    pub(crate) csrf: CsrfKey,
    /// What passwords are proved with that the server never sees.
    pub(crate) opaque: ServerSetups,
    /// What the secrets of authenticator apps are sealed with.
    pub(crate) totp_key: TotpKey,
    /// What short codes are hashed with.
    pub(crate) code_key: CodeKey,
    /// The site that passkeys are made for; `None` where browsers allow none.
    pub(crate) relying_party: Option<RelyingParty>,
    /// State that lives for minutes.
    pub(crate) moments: Moments,
    pub(crate) request_ids: RequestIds,
    pub(crate) clock: Clock,
    pub(crate) rng: Rng,
    /// What mails are written with.
    pub(crate) post: Post,
    /// What pages are written with.
    pub(crate) pages: Pages,
    /// Rung when something was put into the outbox.
    pub(crate) outbox: Notify,
    /// What watchers of rows wait for.
    pub(crate) watchers: Watchers,
    /// The database's own roles, where requests run as them.
    pub(crate) native: Option<Roles>,
}

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// Pilaster's own tables cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file of `templates/mail/`.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A file of `templates/pages/`.
    #[error(transparent)]
    Page(#[from] PageError),
    /// The address of Redis cannot be used.
    #[error("redis.url: {0}")]
    Redis(#[from] RedisUrlError),
}

/// Pilaster's own migrations, to be applied before the server starts.
#[must_use]
pub fn system_migrations() -> Vec<lang::Source> {
    store::system_migrations()
}

impl App {
    /// Puts the parts together; loads or makes the signing key. Where the database takes no change,
    /// nothing is written.
    pub async fn new(
        db: Db,
        master: &MasterKey,
        settings: Settings,
        api: Api,
        hooks: Hooks,
    ) -> Result<Self, AppError> {
        let (clock, rng) = (Clock::System, Rng::System);
        let store = Store::new(db.clone(), clock.clone(), rng.clone());
        let is_read_only = access::is_read_only(&db, api.catalog()).await?;
        let seal = master.key_encryption_key();
        let keys = match is_read_only {
            true => signing_keys::load_or_lend(&store, &seal).await?,
            false => signing_keys::load_or_create(&store, &seal).await?,
        };
        let peppers: Peppers = master.peppers(PEPPER);
        let expectations = Expectations {
            issuer: settings.public_url.clone(),
            audience: settings.public_url.clone(),
            leeway: Duration::from_secs(5),
        };
        let moments = match &settings.identity.moments {
            // What takes no change is no place for counts of attempts.
            MomentsPlace::Database if is_read_only => Moments::in_memory(&store),
            place => place.open(&store)?,
        };
        let setup_key = master.opaque_setup_key();
        let setups = match is_read_only {
            true => opaque::load_or_lend(&store, &setup_key).await?,
            false => opaque::load_or_create(&store, &setup_key).await?,
        };
        let compiled = Compiled::new(api, hooks);
        let relying_party = relying_party(&settings);
        let passwords = PasswordPool::new(peppers, settings.password_params);
        let native = settings.native.clone().map(Roles::new);
        let post = Post::new(settings.mail.clone(), master)?;
        let pages = Pages::new(&settings.pages, &settings.base_path)?;
        Ok(Self(Arc::new(State {
            db,
            store,
            settings,
            compiled: ArcSwap::from_pointee(compiled),
            is_read_only,
            keys: KeyRing::new(keys, seal),
            refresh_key: master.refresh_token_key(),
            pairwise_salt: master.pairwise_salt(),
            expectations,
            tokens: TokenCache::new(),
            passwords,
            post,
            pages,
            csrf: master.csrf_key(),
            opaque: setups,
            totp_key: master.totp_key(),
            code_key: master.code_key(),
            relying_party,
            moments,
            request_ids: RequestIds::new(&rng),
            clock,
            rng,
            outbox: Notify::new(),
            watchers: Watchers::new(),
            native,
        })))
    }

    /// Takes a new schema and new files into use; requests under way finish with the old ones.
    pub fn replace(&self, api: Api, hooks: Hooks) {
        self.0.compiled.store(Arc::new(Compiled::new(api, hooks)));
        self.0.tokens.clear();
        if let Some(roles) = &self.0.native {
            roles.forget();
        }
    }

    /// Whether the database takes no change from this server.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.0.is_read_only
    }

    /// The OpenAPI document that anonymous callers get.
    #[must_use]
    pub fn openapi(&self) -> serde_json::Value {
        let compiled = self.0.compiled.load();
        self.0.document(&compiled, &compiled.anonymous.roles)
    }
}

/// The site of passkeys: the host of the public address. Browsers allow none at plain addresses of
/// other hosts than localhost.
fn relying_party(settings: &Settings) -> Option<RelyingParty> {
    let origin = settings.origin();
    let (_, rest) = origin.split_once("://")?;
    let host = rest.split(':').next()?;
    let made = RelyingParty::new(&settings.title, host, &[origin]);
    if let Err(error) = &made {
        tracing::debug!(%error, "there are no passkeys");
    }
    made.ok()
}

impl Compiled {
    fn new(api: Api, hooks: Hooks) -> Self {
        let anonymous = Caller::anonymous(api.catalog());
        Self {
            api,
            hooks,
            anonymous,
        }
    }
}

impl State {
    pub(crate) fn document(&self, compiled: &Compiled, roles: &RoleSet) -> serde_json::Value {
        let info = OpenApiInfo {
            title: self.settings.title.clone(),
            server_url: self.settings.public_url.clone(),
        };
        compiled.api.openapi(roles, &info)
    }

    /// Who is told of events.
    pub(crate) fn announcer<'s>(&'s self, compiled: &'s Compiled) -> Announcer<'s> {
        Announcer {
            store: &self.store,
            hooks: &compiled.hooks,
            webhooks: &self.settings.webhooks.list,
        }
    }

    /// The roles of a signed-in user with these own roles, who proved that much.
    pub(crate) fn roles(compiled: &Compiled, own: &[String], acr: Option<&str>) -> RoleSet {
        RoleSet::proved(compiled.api.catalog(), BaseRole::Authenticated, own, acr)
    }
}
