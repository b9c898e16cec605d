-- @revision 0007
-- @parent 0006
-- @name registration
-- @checksum sha256:62fb92054c7f0a32dbd6301248a73a81ae8535559e488ce14a040eeb841778d5
-- @up
alter table auth_clients add column registration varchar(64);

alter table auth_clients add column used_at timestamptz;

create table auth_client_invitations (
  id         varchar(64) primary key,
  uses_left  integer not null,
  created_at timestamptz not null,
  expires_at timestamptz not null
);

-- @down
drop table auth_client_invitations;

alter table auth_clients drop column used_at;

alter table auth_clients drop column registration;
