-- Cruddur: a micro-blog. Messages expire, replies nest one level, likes are counted.
--
-- Nothing is reachable without a GRANT, and a granted table shows and changes no row
-- without a POLICY. Run `pilaster check` after each edit.

create table users (
  uuid          uuid primary key,               -- the account's id, see hooks/user_registered.sql
  display_name  text not null check (length(display_name) between 1 and 200),
  handle        text not null unique check (length(handle) between 1 and 40),
  email         text not null unique check (length(email) <= 254),
  bio           text check (length(bio) <= 500),
  created_at    timestamptz not null default now()
);
comment on table users is 'Public profiles, one for each account.';
comment on column users.email is 'Granted to nobody, so it can be neither read, filtered nor sorted by.';

create table activities (
  uuid                   uuid primary key default gen_random_uuid(),
  user_uuid              uuid not null default auth.uid() references users on delete cascade,
  message                text not null check (length(message) between 1 and 280),
  replies_count          integer not null default 0 check (replies_count >= 0),
  reposts_count          integer not null default 0 check (reposts_count >= 0),
  likes_count            integer not null default 0 check (likes_count >= 0),
  reply_to_activity_uuid uuid references activities on delete cascade,
  expires_at             timestamptz,
  created_at             timestamptz not null default now(),
  check (expires_at is null or expires_at > created_at)
);
create index activities_feed_idx  on activities (created_at desc, uuid desc);
create index activities_user_idx  on activities (user_uuid);
create index activities_reply_idx on activities (reply_to_activity_uuid);
comment on table activities is 'Messages and the replies to them.';

create table likes (
  activity_uuid uuid not null references activities on delete cascade,
  user_uuid     uuid not null default auth.uid() references users on delete cascade,
  created_at    timestamptz not null default now(),
  primary key (activity_uuid, user_uuid)
);
comment on table likes is 'Who likes what; one like for each person and message.';

-- Who may touch which columns.
grant select (uuid, display_name, handle, bio, created_at) on users to anon, authenticated;
grant update (display_name, handle, bio) on users to authenticated;

grant select on activities to anon, authenticated;
grant insert (message, expires_at), update (message, expires_at), delete on activities to authenticated;

grant select on likes to authenticated;

-- Which rows.
create policy users_public on users for select using (true);
create policy users_self   on users for update to authenticated
  using (uuid = auth.uid()) with check (uuid = auth.uid());

create policy activities_live on activities for select
  using (expires_at is null or expires_at > now());
create policy activities_own on activities for all to authenticated
  using (user_uuid = auth.uid()) with check (user_uuid = auth.uid());

create policy likes_own on likes for select to authenticated using (user_uuid = auth.uid());
