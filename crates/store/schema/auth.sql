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
  epoch              integer not null default 0      -- grows when all tokens of the user die
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
  primary key (user_id, role)
);

create table auth_signing_keys (
  kid         varchar(64) primary key,               -- RFC 7638 thumbprint
  alg         varchar(16) not null,
  sealed      bytea not null,                        -- PKCS#8 under a key derived from SECRET_KEY
  signs_for   varchar(40) unique,                    -- 'access_token' for the one key that signs
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
