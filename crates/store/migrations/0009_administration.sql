-- @revision 0009
-- @parent 0008
-- @name administration
-- @checksum sha256:bb58a5098d059baa9b54f00bac2b58c8c0a391c53c5aa118f5ff1c8c76ffda1d
-- @up
alter table auth_users drop constraint auth_users_external_id_key;
alter table auth_users add column external_source varchar(60) not null default '';
alter table auth_users add constraint auth_users_external_source_external_id_key unique (external_source, external_id);
alter table auth_user_roles add column version integer not null default 0;
create index auth_user_roles_role on auth_user_roles (role);
alter table auth_api_keys add column rate varchar(20);
-- @down
alter table auth_api_keys drop column rate;
drop index auth_user_roles_role;
alter table auth_user_roles drop column version;
alter table auth_users drop constraint auth_users_external_source_external_id_key;
alter table auth_users drop column external_source;
alter table auth_users add constraint auth_users_external_id_key unique (external_id);
