//! Every setting there is.

/// A setting.
pub(crate) struct Key {
    /// `section.name` in pilaster.toml; `PILASTER_SECTION_NAME` in the environment.
    pub(crate) name: &'static str,
    /// Further names in the environment.
    pub(crate) aliases: &'static [&'static str],
    /// Its value when nobody says otherwise.
    pub(crate) default: &'static str,
    /// Never shown, and never read from pilaster.toml.
    pub(crate) secret: bool,
}

const fn key(name: &'static str, aliases: &'static [&'static str], default: &'static str) -> Key {
    Key {
        name,
        aliases,
        default,
        secret: false,
    }
}

const fn secret(name: &'static str, aliases: &'static [&'static str]) -> Key {
    Key {
        secret: true,
        ..key(name, aliases, "")
    }
}

/// In the order in which `config show` lists them.
pub(crate) static KEYS: &[Key] = &[
    key("server.title", &[], "Pilaster"),
    key("server.host", &["HOST"], "127.0.0.1"),
    key("server.port", &["PORT"], "8000"),
    key("server.public_url", &[], ""),
    key("server.base_path", &[], ""),
    key("server.max_body_bytes", &[], "1048576"),
    key("server.request_timeout", &[], "30s"),
    key("server.allowed_hosts", &["ALLOWED_HOSTS"], ""),
    key("server.cors_origins", &[], ""),
    key("server.docs", &[], "on"),
    key("server.trusted_proxies", &[], ""),
    key("database.url", &["DATABASE_URL"], "sqlite:data/app.db"),
    secret("database.migrator_url", &["MIGRATOR_DATABASE_URL"]),
    secret("database.readonly_url", &["READONLY_DATABASE_URL"]),
    secret("database.admin_url", &["ADMIN_DATABASE_URL"]),
    key("database.scheme", &["DB_TYPE"], "postgres"),
    key("database.host", &["DB_HOST"], ""),
    key("database.port", &["DB_PORT"], "0"),
    key("database.user", &["DB_USER"], ""),
    secret("database.password", &["DB_PASSWORD"]),
    key("database.name", &["DB_NAME"], ""),
    key("database.connections", &[], "auto"),
    key("database.statement_timeout", &[], "30s"),
    key("database.connect_deadline", &[], "30s"),
    key("database.native_rls", &[], "off"),
    key("auth.registration", &[], "open"),
    key("auth.confirm_email", &[], "off"),
    key("auth.reveal_accounts", &[], "off"),
    key("auth.confirm_life", &[], "15m"),
    key("auth.reset_life", &[], "30m"),
    key("auth.invitation_life", &[], "7d"),
    key("auth.token_life", &[], "15m"),
    key("auth.password_memory_kib", &[], "19456"),
    key("auth.password_iterations", &[], "2"),
    key("auth.password_mode", &[], "opaque"),
    key("auth.session_idle", &[], "24h"),
    key("auth.session_life", &[], "30d"),
    key("auth.login_attempts", &[], "10"),
    key("auth.address_attempts", &[], "100"),
    key("auth.factor_attempts", &[], "5"),
    key("auth.first_pause", &[], "30s"),
    key("auth.longest_pause", &[], "15m"),
    key("auth.moments", &[], "auto"),
    key("auth.admin_acr", &[], "single"),
    key("auth.protected_roles", &[], "admin"),
    key("auth.api_key_rate", &[], "600/min"),
    key("oauth.scopes", &[], ""),
    key("oauth.access_life", &[], "15m"),
    key("oauth.refresh_life", &[], "30d"),
    key("oauth.refresh_idle", &[], "off"),
    key("oauth.registration", &[], "off"),
    key(
        "oauth.registration_scopes",
        &[],
        "openid,profile,email,offline_access",
    ),
    key("oauth.registration_unused", &[], "90d"),
    key("oauth.login_url", &[], "/auth/login"),
    key("oauth.register_url", &[], "/auth/register"),
    key("oauth.consent_url", &[], "/auth/consent"),
    key("oauth.device_url", &[], "/oauth2/device"),
    key("redis.url", &["REDIS_URL"], ""),
    key("redis.prefix", &[], "pilaster:"),
    key("api.prefixes", &[], "/api,/rest/v1"),
    key("api.default_rows", &[], "100"),
    key("api.max_rows", &[], "1000"),
    key("api.max_related_rows", &[], "10000"),
    key("api.max_insert_rows", &[], "10000"),
    key("api.max_count", &[], "10000"),
    key("api.max_nodes", &[], "200"),
    key("api.max_depth", &[], "10"),
    key("api.max_response_bytes", &[], "10485760"),
    key("api.aggregates", &[], "off"),
    key("api.plans", &[], "off"),
    key("api.timings", &[], "off"),
    key("hooks.attempts", &[], "12"),
    key("hooks.first_pause", &[], "5s"),
    key("mail.from", &[], ""),
    key("mail.reply_to", &[], ""),
    secret("mail.smtp_url", &["SMTP_URL"]),
    key("mail.ca_file", &[], ""),
    key("mail.timeout", &[], "30s"),
    key("mail.attempts", &[], "12"),
    key("mail.first_pause", &[], "5s"),
    key("mail.language", &[], "en"),
    key("mail.link_base", &[], ""),
    key("mail.per_mailbox", &[], "5"),
    key("mail.per_address", &[], "100"),
    key("mail.window", &[], "10m"),
    key("pages.organisation", &[], ""),
    key("pages.accent", &[], "#2f5d50"),
    key("pages.logo", &[], ""),
    key("pages.home", &[], ""),
    key("pages.language", &[], "en"),
    key("pages.off", &[], ""),
    key("webhooks.timeout", &[], "10s"),
    key("webhooks.allow_private", &[], ""),
    key("webhooks.ca_file", &[], ""),
    key("migrate.mode", &[], "manual"),
    key("log.level", &["LOG_LEVEL"], "info"),
    key("traces.exporter", &["OTEL_TRACES_EXPORTER"], "otlp"),
    key("traces.endpoint", &["OTEL_EXPORTER_OTLP_ENDPOINT"], ""),
    key(
        "traces.own_endpoint",
        &["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"],
        "",
    ),
    secret("traces.headers", &["OTEL_EXPORTER_OTLP_HEADERS"]),
    secret("traces.own_headers", &["OTEL_EXPORTER_OTLP_TRACES_HEADERS"]),
    key(
        "traces.protocol",
        &[
            "OTEL_EXPORTER_OTLP_PROTOCOL",
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
        ],
        "http/protobuf",
    ),
    key(
        "traces.timeout_ms",
        &[
            "OTEL_EXPORTER_OTLP_TIMEOUT",
            "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
        ],
        "10000",
    ),
    key("traces.service_name", &["OTEL_SERVICE_NAME"], ""),
    key("traces.resource", &["OTEL_RESOURCE_ATTRIBUTES"], ""),
    key(
        "traces.sampler",
        &["OTEL_TRACES_SAMPLER"],
        "parentbased_always_on",
    ),
    key("traces.sampler_argument", &["OTEL_TRACES_SAMPLER_ARG"], ""),
    key("traces.disabled", &["OTEL_SDK_DISABLED"], "false"),
    secret("test.postgres_url", &["TEST_POSTGRES_URL"]),
    secret("test.mysql_url", &["TEST_MYSQL_URL"]),
    secret("test.mariadb_url", &["TEST_MARIADB_URL"]),
];

/// The master key; it has no place in pilaster.toml.
pub(crate) static SECRET_KEY: Key = secret("secret_key", &["SECRET_KEY"]);

impl Key {
    /// `PILASTER_SECTION_NAME`.
    pub(crate) fn variable(&self) -> String {
        format!("PILASTER_{}", self.name.replace('.', "_").to_uppercase())
    }
}

/// What can be said of one webhook: `[webhooks.NAME]` in pilaster.toml, `WEBHOOK_NAME_…` in the
/// environment.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum WebhookKey {
    Url,
    Events,
    /// Never shown, and never read from pilaster.toml.
    Secret,
}

impl WebhookKey {
    pub(crate) const ALL: [Self; 3] = [Self::Url, Self::Events, Self::Secret];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Url => "url",
            Self::Events => "events",
            Self::Secret => "secret",
        }
    }

    /// `WEBHOOK_NAME_SECRET`.
    pub(crate) fn variable(self, webhook: &str) -> String {
        format!("WEBHOOK_{webhook}_{}", self.name()).to_uppercase()
    }
}
