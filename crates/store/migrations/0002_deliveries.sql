-- @revision 0002
-- @parent 0001
-- @name deliveries
-- @checksum sha256:759b990146a176b5e5eb1b94051117ff747a0386d4c57e112c9a73332c2a3a41
-- @up
create table auth_deliveries (
  id           uuid primary key,
  event_id     uuid not null,
  event        varchar(40) not null,
  target       varchar(120) not null,
  message      text not null,
  attempts     integer not null default 0,
  version      integer not null default 0,
  due_at       timestamptz not null,
  leased_until timestamptz,
  dead_at      timestamptz,
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

-- @down
drop table auth_hook_runs;
drop table auth_deliveries;
