create table auth_migrations (
  history          varchar(20) not null,
  revision         varchar(40) not null,
  name             varchar(200) not null,
  checksum         varchar(64) not null,
  steps            integer not null,
  steps_done       integer not null,
  applied_at       timestamptz not null,
  primary key (history, revision)
);
create table auth_migration_lock (
  id          integer primary key,
  holder      varchar(64) not null,
  held_until  timestamptz not null
);
