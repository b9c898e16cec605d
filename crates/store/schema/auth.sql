-- Pilaster's own tables: accounts, their passwords and roles, signing keys, settings.
--
-- No GRANT stands here, so none of these tables can be reached through the data API.

create table auth_users (
  id                 uuid primary key,
  email              varchar(254) not null unique,   -- normal form: trimmed, NFC, lower-case
  username           varchar(40),                    -- as its owner writes it
  username_key       varchar(80) unique,             -- as it is compared
  first_name         varchar(200),
  last_name          varchar(200),
  display_name       varchar(200),
  active             boolean not null default true,
  email_verified_at  timestamptz,
  created_at         timestamptz not null,
  updated_at         timestamptz not null,
  epoch              integer not null default 0,     -- grows when all tokens of the user die
  external_id        varchar(200),                   -- the key of whoever imports accounts
  language           varchar(35),                    -- BCP 47, of pages and mails
  external_source    varchar(60) not null default '', -- who imports: each has keys of its own
  unique (external_source, external_id)
);

create table auth_passwords (
  user_id     uuid primary key references auth_users on delete cascade,
  hash        varchar(512) not null,                 -- $argon2id$…, never a password
  updated_at  timestamptz not null
);

create table auth_user_roles (
  user_id     uuid not null references auth_users on delete cascade,
  role        varchar(63) not null,
  expires_at  timestamptz,
  version     integer not null default 0,            -- written by who asks whether anybody else administers
  primary key (user_id, role)
);

create index auth_user_roles_role on auth_user_roles (role);

create table auth_signing_keys (
  kid         varchar(64) primary key,               -- RFC 7638 thumbprint
  alg         varchar(16) not null,
  sealed      bytea not null,                        -- PKCS#8 under a key derived from SECRET_KEY
  signs_for   varchar(40) unique,                    -- 'access_token', or the algorithm that a key signs with
  created_at  timestamptz not null,
  retired_at  timestamptz
);

create table auth_settings (
  name        varchar(120) primary key,
  value       text not null,
  updated_at  timestamptz not null
);

create table auth_deliveries (
  id           uuid primary key,                     -- the same at every attempt
  event_id     uuid not null,                        -- the same for everybody who is told
  event        varchar(40) not null,
  target       varchar(120) not null,                -- hooks/login.sql, webhooks.NAME
  message      text not null,                        -- {"type", "timestamp", "data"}
  attempts     integer not null default 0,
  version      integer not null default 0,           -- grows with each change; guards the next one
  due_at       timestamptz not null,
  leased_until timestamptz,                          -- while somebody is at it
  dead_at      timestamptz,                          -- when it was given up
  last_error   varchar(500),
  created_at   timestamptz not null
);

create index auth_deliveries_due on auth_deliveries (target, dead_at, due_at);

create table auth_hook_runs (
  user_id  uuid not null references auth_users on delete cascade,
  event    varchar(40) not null,
  ran_at   timestamptz not null,
  primary key (user_id, event)
);

create table auth_kept_answers (
  id            varchar(64) primary key,             -- SHA-256 of caller and Idempotency-Key
  fingerprint   varchar(64) not null,                -- SHA-256 of the request
  status        integer not null,
  content_type  varchar(80),
  location      text,
  content_range varchar(80),
  body          text not null,
  expires_at    timestamptz not null
);

create index auth_kept_answers_expiry on auth_kept_answers (expires_at);

-- Passwords that never reach the server (OPAQUE, RFC 9807), beside those whose hashes do.

create table auth_opaque_setups (
  id          integer primary key,                   -- counted from 1; each record says it
  sealed      bytea not null,                        -- seed and key pair under a key derived from SECRET_KEY
  is_current  boolean unique,                        -- true for the one that registers, null for the others
  created_at  timestamptz not null
);

create table auth_opaque_records (
  user_id     uuid primary key references auth_users on delete cascade,
  setup_id    integer not null references auth_opaque_setups,
  record      varchar(320) not null,                 -- $opaque$v=…: suite, set-up, stretching, RFC 9807 §3.2
  updated_at  timestamptz not null
);

create table auth_sessions (
  id               varchar(64) primary key,          -- SHA-256 of the cookie's value
  user_id          uuid not null references auth_users on delete cascade,
  epoch            integer not null,                 -- of the user, when it began
  proven           varchar(400) not null,            -- what was proved and when: method:seconds, separated by spaces
  authenticated_at timestamptz not null,             -- when it was proved last
  created_at       timestamptz not null,
  seen_at          timestamptz not null,
  expires_at       timestamptz not null,             -- whatever is done with it
  address          varchar(64),
  user_agent       varchar(300)
);

create index auth_sessions_user on auth_sessions (user_id);
create index auth_sessions_expiry on auth_sessions (expires_at);

-- What lives for seconds or minutes and is taken once; Redis does the same where there is one.
create table auth_moments (
  id          varchar(64) primary key,               -- SHA-256 of purpose and name
  purpose     varchar(40) not null,
  content     text not null,
  counted     integer not null default 0,            -- of a counter
  expires_at  timestamptz not null
);

create index auth_moments_expiry on auth_moments (expires_at);

-- Links and codes that somebody has in his mailbox, each for one purpose, to be used once.
create table auth_tickets (
  id          varchar(64) primary key,               -- SHA-256 of the link's token
  purpose     varchar(40) not null,
  user_id     uuid references auth_users on delete cascade,
  mailbox     varchar(254),                          -- to which it was sent, in normal form
  code        varchar(120),                          -- keyed hash of the code beside the link
  attempts    integer not null default 0,            -- wrong codes
  content     text not null,                         -- JSON, by purpose
  created_at  timestamptz not null,
  expires_at  timestamptz not null,
  used_at     timestamptz
);

create index auth_tickets_mailbox on auth_tickets (mailbox, purpose, created_at);
create index auth_tickets_user on auth_tickets (user_id, purpose);
create index auth_tickets_expiry on auth_tickets (expires_at);

-- Who may become a user: asked by an administrator, or asking for it.
create table auth_invitations (
  id           uuid primary key,
  email        varchar(254) not null unique,         -- normal form
  first_name   varchar(200),
  last_name    varchar(200),
  content      text not null,                        -- JSON: roles, external_id, the application's own fields
  confirmed_at timestamptz,                          -- when the address was proved
  approved_at  timestamptz,                          -- when an administrator said yes
  created_at   timestamptz not null
);

-- Second factors.

create table auth_totp (
  user_id      uuid primary key references auth_users on delete cascade,
  sealed       bytea not null,                       -- the secret under a key derived from SECRET_KEY
  confirmed_at timestamptz,                          -- null until a first code was right
  last_step    bigint,                               -- RFC 6238's T of the last code; no older one is taken
  created_at   timestamptz not null
);

create table auth_recovery_codes (
  user_id     uuid not null references auth_users on delete cascade,
  hash        varchar(120) not null,                 -- keyed
  used_at     timestamptz,
  created_at  timestamptz not null,
  primary key (user_id, hash)
);

create table auth_passkeys (
  id            uuid primary key,
  user_id       uuid not null references auth_users on delete cascade,
  credential_id varchar(64) not null unique,         -- SHA-256 of WebAuthn's credential id
  name          varchar(120) not null,
  content       text not null,                       -- public key, counter, flags: WebAuthn §6.5
  created_at    timestamptz not null,
  used_at       timestamptz
);

create index auth_passkeys_user on auth_passkeys (user_id);

-- Keys of programs.

create table auth_api_keys (
  id          uuid primary key,
  hash        varchar(64) not null unique,           -- SHA-256 of the key
  hint        varchar(16) not null,                  -- how it begins, for its owner to know it by
  user_id     uuid references auth_users on delete cascade,
  role        varchar(63),                           -- of a key that belongs to nobody
  name        varchar(120) not null,
  scopes      varchar(1000) not null,                -- separated by spaces; empty for all of its owner's
  created_at  timestamptz not null,
  expires_at  timestamptz,
  used_at     timestamptz,
  revoked_at  timestamptz,
  rate        varchar(20)                            -- 600/min; null for auth.api_key_rate
);

create index auth_api_keys_user on auth_api_keys (user_id);

-- Accounts elsewhere that somebody signs in with.
create table auth_identities (
  issuer      varchar(300) not null,
  subject     varchar(255) not null,
  user_id     uuid not null references auth_users on delete cascade,
  email       varchar(254),
  created_at  timestamptz not null,
  used_at     timestamptz,
  primary key (issuer, subject)
);

create index auth_identities_user on auth_identities (user_id);

-- Mails on their way; a sent one is deleted.
create table auth_mails (
  id           uuid primary key,
  mailbox      varchar(254) not null,
  template     varchar(60) not null,
  language     varchar(35) not null,
  sealed       bytea not null,                       -- what the template is given: it may hold a link
  attempts     integer not null default 0,
  version      integer not null default 0,           -- grows with each change; guards the next one
  due_at       timestamptz not null,
  leased_until timestamptz,
  dead_at      timestamptz,
  last_error   varchar(500),
  created_at   timestamptz not null
);

create index auth_mails_due on auth_mails (dead_at, due_at);

-- Who did what to whom, written with the act itself.
create table auth_audit (
  id          uuid primary key,                      -- version 7: in the order of the acts
  at          timestamptz not null,
  act         varchar(60) not null,
  actor_id    uuid,                                  -- a user, or null for the shell and for nobody
  actor       varchar(254) not null,                 -- how the actor was called then
  target_id   uuid,
  target      varchar(254),
  address     varchar(64),
  request_id  varchar(64),
  details     text                                   -- JSON
);

create index auth_audit_target on auth_audit (target_id, id);
create index auth_audit_actor on auth_audit (actor_id, id);
create index auth_audit_act on auth_audit (act, id);

-- Programs that people log in to with their account here (OAuth 2.1, OpenID Connect).

-- Clients that were added while the server ran; others stand in pilaster.toml.
create table auth_clients (
  id              varchar(200) primary key,
  metadata        text not null,                     -- JSON, RFC 7591 §2
  secret          varchar(64),                       -- SHA-256; null for clients without one
  previous_secret varchar(64),                       -- good until previous_until, while a secret is replaced
  previous_until  timestamptz,
  is_first_party  boolean not null,                  -- whether people are asked for no consent
  role            varchar(63),                       -- of tokens in which no user takes part
  created_at      timestamptz not null,
  updated_at      timestamptz not null,
  registration    varchar(64),                       -- SHA-256 of what it is managed by; null: added by the operator
  used_at         timestamptz                        -- of one that registered itself: when last, within an hour
);

-- What a user lets a client do, from one login on: a family of refresh tokens.
create table auth_grants (
  id          uuid primary key,
  client_id   varchar(200) not null,
  user_id     uuid not null references auth_users on delete cascade,
  session_id  varchar(64),                           -- it ends with that session; null: it outlives it
  epoch       integer not null,                      -- of the user, when it began
  content     text not null,                         -- JSON: scopes, resources, what was proved
  member      integer not null default 0,            -- the number of the refresh token that is good
  jkt         varchar(64),                           -- RFC 9449: the key that its refresh tokens are bound to
  started_at  timestamptz,                           -- null until its code was redeemed
  rotated_at  timestamptz,
  revoked_at  timestamptz,
  expires_at  timestamptz not null,
  begun_in    varchar(64)                            -- the session of the browser that it was begun in
);

create index auth_grants_user on auth_grants (user_id, client_id);
create index auth_grants_session on auth_grants (session_id);
create index auth_grants_expiry on auth_grants (expires_at);
create index auth_grants_begun on auth_grants (begun_in);

create table auth_codes (
  id          varchar(64) primary key,               -- SHA-256 of the code
  grant_id    uuid not null references auth_grants on delete cascade,
  content     text not null,                         -- JSON: what the code is bound to
  expires_at  timestamptz not null,
  used_at     timestamptz                            -- a second use ends the grant
);

create index auth_codes_grant on auth_codes (grant_id);
create index auth_codes_expiry on auth_codes (expires_at);

-- What users have agreed to.
create table auth_consents (
  user_id     uuid not null references auth_users on delete cascade,
  client_id   varchar(200) not null,
  scopes      text not null,                         -- separated by spaces
  agreed_at   timestamptz not null,
  primary key (user_id, client_id)
);

-- Devices without a browser that wait for somebody to say yes elsewhere (RFC 8628).
create table auth_devices (
  id            varchar(64) primary key,             -- SHA-256 of the device's code
  user_code     varchar(64) not null unique,         -- SHA-256 of the code that people type
  client_id     varchar(200) not null,
  content       text not null,                       -- JSON: scopes, resources
  status        varchar(10) not null,                -- pending, approved, denied, used
  grant_id      uuid references auth_grants on delete cascade,
  pause_seconds integer not null,                    -- between two questions of the device
  polled_at     timestamptz,                         -- its last question
  expires_at    timestamptz not null
);

create index auth_devices_grant on auth_devices (grant_id);
create index auth_devices_expiry on auth_devices (expires_at);

-- Tokens by which programs register themselves as clients.
create table auth_client_invitations (
  id         varchar(64) primary key,                -- SHA-256
  uses_left  integer not null,
  created_at timestamptz not null,
  expires_at timestamptz not null
);
