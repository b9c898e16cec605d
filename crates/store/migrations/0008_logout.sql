-- @revision 0008
-- @parent 0007
-- @name logout
-- @checksum sha256:ef3154cb6bbce6f0956596173315d4dd53a7ce4b0e582d2152c968a5fc3c6b5d
-- @up
alter table auth_grants add column begun_in varchar(64);

create index auth_grants_begun on auth_grants (begun_in);

-- @down
drop index auth_grants_begun;

alter table auth_grants drop column begun_in;
