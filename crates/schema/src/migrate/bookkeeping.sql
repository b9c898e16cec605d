create table auth_migrations (
  history          varchar(20) not null,
  revision         varchar(40) not null,
  name             varchar(200) not null,
  checksum         varchar(64) not null,
  -- 'up' while it is applied and afterwards, 'down' while it is taken back
  direction        varchar(4) not null,
  steps            integer not null,
  -- one more than steps_done while a statement runs that nobody knows the end of
  steps_begun      integer not null,
  steps_done       integer not null,
  applied_at       timestamptz not null,
  primary key (history, revision)
);
create table auth_migration_lock (
  id          integer primary key,
  holder      varchar(64) not null,
  held_until  timestamptz not null
);
