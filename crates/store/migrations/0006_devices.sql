-- @revision 0006
-- @parent 0005
-- @name devices
-- @checksum sha256:2c05e0442258030be57acb0c88b2c4b4f1093146a02ffd29663fa4ca7828b66e
-- @up
create table auth_devices (
  id            varchar(64) primary key,
  user_code     varchar(64) not null unique,
  client_id     varchar(200) not null,
  content       text not null,
  status        varchar(10) not null,
  grant_id      uuid references auth_grants on delete cascade,
  pause_seconds integer not null,
  polled_at     timestamptz,
  expires_at    timestamptz not null
);

create index auth_devices_grant on auth_devices (grant_id);
create index auth_devices_expiry on auth_devices (expires_at);

-- @down
drop table auth_devices;
