-- @revision 0003
-- @parent 0002
-- @name kept_answers
-- @checksum sha256:c5d257a32d0946acffc8a4f81a55aa73bec06d5798b58733ec8a71f9e35768b8
-- @up
create table auth_kept_answers (
  id            varchar(64) primary key,
  fingerprint   varchar(64) not null,
  status        integer not null,
  content_type  varchar(80),
  location      text,
  content_range varchar(80),
  body          text not null,
  expires_at    timestamptz not null
);

create index auth_kept_answers_expiry on auth_kept_answers (expires_at);

-- @down
drop table auth_kept_answers;
