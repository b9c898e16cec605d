-- @revision 0001
-- @parent none
-- @name init
-- @checksum sha256:48527c22c93291049b860e426eb0707ec847b49c504419b3d4f064aee877db7c
-- @up
create table auth_users (
  id                 uuid primary key,
  email              varchar(254) not null unique,
  username           varchar(40),
  username_key       varchar(80) unique,
  first_name         varchar(200),
  last_name          varchar(200),
  display_name       varchar(200),
  active             boolean not null default true,
  email_verified_at  timestamptz,
  created_at         timestamptz not null,
  updated_at         timestamptz not null,
  epoch              integer not null default 0
);

create table auth_passwords (
  user_id     uuid primary key references auth_users on delete cascade,
  hash        varchar(512) not null,
  updated_at  timestamptz not null
);

create table auth_user_roles (
  user_id     uuid not null references auth_users on delete cascade,
  role        varchar(63) not null,
  expires_at  timestamptz,
  primary key (user_id, role)
);

create table auth_signing_keys (
  kid         varchar(64) primary key,
  alg         varchar(16) not null,
  sealed      bytea not null,
  signs_for   varchar(40) unique,
  created_at  timestamptz not null,
  retired_at  timestamptz
);

create table auth_settings (
  name        varchar(120) primary key,
  value       text not null,
  updated_at  timestamptz not null
);

-- @down
drop table auth_settings;
drop table auth_signing_keys;
drop table auth_user_roles;
drop table auth_passwords;
drop table auth_users;
