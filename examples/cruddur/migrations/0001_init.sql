-- @revision 0001
-- @parent none
-- @name init
-- @checksum sha256:6b70558c423aac565eeaf0510b70f5a6bb9b5075fad75cd4788e4c89cfa4044a
-- @up
create table "users" (
  "uuid" uuid not null,
  "display_name" text not null,
  "handle" text not null,
  "email" text not null,
  "bio" text,
  "created_at" timestamptz not null default now(),
  constraint "users_pkey" primary key ("uuid"),
  constraint "users_handle_key" unique ("handle"),
  constraint "users_email_key" unique ("email"),
  constraint "users_display_name_check" check (((length("display_name") >= 1) and (length("display_name") <= 200))),
  constraint "users_handle_check" check (((length("handle") >= 1) and (length("handle") <= 40))),
  constraint "users_email_check" check ((length("email") <= 254)),
  constraint "users_bio_check" check ((length("bio") <= 500))
);
create table "activities" (
  "uuid" uuid not null default gen_random_uuid(),
  "user_uuid" uuid not null,
  "message" text not null,
  "replies_count" integer not null default 0,
  "reposts_count" integer not null default 0,
  "likes_count" integer not null default 0,
  "reply_to_activity_uuid" uuid,
  "expires_at" timestamptz,
  "created_at" timestamptz not null default now(),
  constraint "activities_pkey" primary key ("uuid"),
  constraint "activities_message_check" check (((length("message") >= 1) and (length("message") <= 280))),
  constraint "activities_replies_count_check" check (("replies_count" >= 0)),
  constraint "activities_reposts_count_check" check (("reposts_count" >= 0)),
  constraint "activities_likes_count_check" check (("likes_count" >= 0)),
  constraint "activities_check" check ((("expires_at" is null) or ("expires_at" > "created_at"))),
  constraint "activities_user_uuid_fkey" foreign key ("user_uuid") references "users" ("uuid") on delete cascade,
  constraint "activities_reply_to_activity_uuid_fkey" foreign key ("reply_to_activity_uuid") references "activities" ("uuid") on delete cascade
);
create index "activities_feed_idx" on "activities" ("created_at" desc, "uuid" desc);
create index "activities_user_idx" on "activities" ("user_uuid");
create index "activities_reply_idx" on "activities" ("reply_to_activity_uuid");
create table "likes" (
  "activity_uuid" uuid not null,
  "user_uuid" uuid not null,
  "created_at" timestamptz not null default now(),
  constraint "likes_pkey" primary key ("activity_uuid", "user_uuid"),
  constraint "likes_activity_uuid_fkey" foreign key ("activity_uuid") references "activities" ("uuid") on delete cascade,
  constraint "likes_user_uuid_fkey" foreign key ("user_uuid") references "users" ("uuid") on delete cascade
);
comment on table "users" is 'Public profiles, one for each account.';
comment on column "users"."email" is 'Granted to nobody, so it can be neither read, filtered nor sorted by.';
comment on table "activities" is 'Messages and the replies to them.';
comment on table "likes" is 'Who likes what; one like for each person and message.';
-- @down
drop table "likes";
drop index "activities_reply_idx";
drop index "activities_user_idx";
drop index "activities_feed_idx";
drop table "activities";
drop table "users";
