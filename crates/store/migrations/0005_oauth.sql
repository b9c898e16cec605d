-- @revision 0005
-- @parent 0004
-- @name oauth
-- @checksum sha256:446a5023df525eae345d4cfb18c6d27169786d7d9d7073e5f03b300c1d213234
-- @up
create table auth_clients (
  id              varchar(200) primary key,
  metadata        text not null,
  secret          varchar(64),
  previous_secret varchar(64),
  previous_until  timestamptz,
  is_first_party  boolean not null,
  role            varchar(63),
  created_at      timestamptz not null,
  updated_at      timestamptz not null
);

create table auth_grants (
  id          uuid primary key,
  client_id   varchar(200) not null,
  user_id     uuid not null references auth_users on delete cascade,
  session_id  varchar(64),
  epoch       integer not null,
  content     text not null,
  member      integer not null default 0,
  jkt         varchar(64),
  started_at  timestamptz,
  rotated_at  timestamptz,
  revoked_at  timestamptz,
  expires_at  timestamptz not null
);

create index auth_grants_user on auth_grants (user_id, client_id);
create index auth_grants_session on auth_grants (session_id);
create index auth_grants_expiry on auth_grants (expires_at);

create table auth_codes (
  id          varchar(64) primary key,
  grant_id    uuid not null references auth_grants on delete cascade,
  content     text not null,
  expires_at  timestamptz not null,
  used_at     timestamptz
);

create index auth_codes_grant on auth_codes (grant_id);
create index auth_codes_expiry on auth_codes (expires_at);
create table auth_consents (
  user_id     uuid not null references auth_users on delete cascade,
  client_id   varchar(200) not null,
  scopes      text not null,
  agreed_at   timestamptz not null,
  primary key (user_id, client_id)
);

-- @down
drop table auth_consents;

drop table auth_codes;

drop table auth_grants;

drop table auth_clients;
