-- @revision 0004
-- @parent 0003
-- @name identity
-- @checksum sha256:e26e8879c3636270f6ff48e41b8131ce187dc48900f7658f1643254939a9672b
-- @up
alter table auth_users add column external_id varchar(200);

alter table auth_users add constraint auth_users_external_id_key unique (external_id);

alter table auth_users add column language varchar(35);

create table auth_opaque_setups (
  id          integer primary key,
  sealed      bytea not null,
  is_current  boolean unique,
  created_at  timestamptz not null
);

create table auth_opaque_records (
  user_id     uuid primary key references auth_users on delete cascade,
  setup_id    integer not null references auth_opaque_setups,
  record      varchar(320) not null,
  updated_at  timestamptz not null
);

create table auth_sessions (
  id               varchar(64) primary key,
  user_id          uuid not null references auth_users on delete cascade,
  epoch            integer not null,
  proven           varchar(400) not null,
  authenticated_at timestamptz not null,
  created_at       timestamptz not null,
  seen_at          timestamptz not null,
  expires_at       timestamptz not null,
  address          varchar(64),
  user_agent       varchar(300)
);

create index auth_sessions_user on auth_sessions (user_id);
create index auth_sessions_expiry on auth_sessions (expires_at);

create table auth_moments (
  id          varchar(64) primary key,
  purpose     varchar(40) not null,
  content     text not null,
  counted     integer not null default 0,
  expires_at  timestamptz not null
);

create index auth_moments_expiry on auth_moments (expires_at);

create table auth_tickets (
  id          varchar(64) primary key,
  purpose     varchar(40) not null,
  user_id     uuid references auth_users on delete cascade,
  mailbox     varchar(254),
  code        varchar(120),
  attempts    integer not null default 0,
  content     text not null,
  created_at  timestamptz not null,
  expires_at  timestamptz not null,
  used_at     timestamptz
);

create index auth_tickets_mailbox on auth_tickets (mailbox, purpose, created_at);
create index auth_tickets_user on auth_tickets (user_id, purpose);
create index auth_tickets_expiry on auth_tickets (expires_at);

create table auth_invitations (
  id           uuid primary key,
  email        varchar(254) not null unique,
  first_name   varchar(200),
  last_name    varchar(200),
  content      text not null,
  confirmed_at timestamptz,
  approved_at  timestamptz,
  created_at   timestamptz not null
);

create table auth_totp (
  user_id      uuid primary key references auth_users on delete cascade,
  sealed       bytea not null,
  confirmed_at timestamptz,
  last_step    bigint,
  created_at   timestamptz not null
);

create table auth_recovery_codes (
  user_id     uuid not null references auth_users on delete cascade,
  hash        varchar(120) not null,
  used_at     timestamptz,
  created_at  timestamptz not null,
  primary key (user_id, hash)
);

create table auth_passkeys (
  id            uuid primary key,
  user_id       uuid not null references auth_users on delete cascade,
  credential_id varchar(64) not null unique,
  name          varchar(120) not null,
  content       text not null,
  created_at    timestamptz not null,
  used_at       timestamptz
);

create index auth_passkeys_user on auth_passkeys (user_id);

create table auth_api_keys (
  id          uuid primary key,
  hash        varchar(64) not null unique,
  hint        varchar(16) not null,
  user_id     uuid references auth_users on delete cascade,
  role        varchar(63),
  name        varchar(120) not null,
  scopes      varchar(1000) not null,
  created_at  timestamptz not null,
  expires_at  timestamptz,
  used_at     timestamptz,
  revoked_at  timestamptz
);

create index auth_api_keys_user on auth_api_keys (user_id);

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

create table auth_mails (
  id           uuid primary key,
  mailbox      varchar(254) not null,
  template     varchar(60) not null,
  language     varchar(35) not null,
  sealed       bytea not null,
  attempts     integer not null default 0,
  version      integer not null default 0,
  due_at       timestamptz not null,
  leased_until timestamptz,
  dead_at      timestamptz,
  last_error   varchar(500),
  created_at   timestamptz not null
);

create index auth_mails_due on auth_mails (dead_at, due_at);

create table auth_audit (
  id          uuid primary key,
  at          timestamptz not null,
  act         varchar(60) not null,
  actor_id    uuid,
  actor       varchar(254) not null,
  target_id   uuid,
  target      varchar(254),
  address     varchar(64),
  request_id  varchar(64),
  details     text
);

create index auth_audit_target on auth_audit (target_id, id);
create index auth_audit_actor on auth_audit (actor_id, id);
create index auth_audit_act on auth_audit (act, id);

-- @down
drop table auth_audit;
drop table auth_mails;
drop table auth_identities;
drop table auth_api_keys;
drop table auth_passkeys;
drop table auth_recovery_codes;
drop table auth_totp;
drop table auth_invitations;
drop table auth_tickets;
drop table auth_moments;
drop table auth_sessions;
drop table auth_opaque_records;
drop table auth_opaque_setups;

alter table auth_users drop column language;

alter table auth_users drop constraint auth_users_external_id_key;

alter table auth_users drop column external_id;
