-- Everything that the grammar speaks of: one row and many, tables between two others, a table that
-- points to itself, keys of two columns, and a column of every portable type.
create table directors (
  id         integer primary key,
  first_name text not null,
  last_name  text not null,
  born       date
);

create table films (
  id          integer primary key,
  title       text not null,
  director_id integer not null references directors,
  producer_id integer references directors,
  year        smallint not null,
  language    varchar(20),
  rating      numeric(3, 1),
  budget      bigint,
  score       double precision,
  released    boolean not null default false,
  shown_at    timestamptz,
  starts      time,
  token       uuid,
  sleeve      bytea,
  info        jsonb,
  tags        jsonb not null default '[]',
  summary     text not null default '',
  sequel_to   integer references films
);

create table technical_specs (
  film_id integer primary key references films on delete cascade,
  runtime integer not null,
  camera  text
);

create table actors (
  id   integer primary key,
  name text not null unique
);

create table roles_played (
  film_id  integer not null references films on delete cascade,
  actor_id integer not null references actors on delete cascade,
  "character" text,
  primary key (film_id, actor_id)
);

create table competitions (
  name text not null,
  year smallint not null,
  primary key (name, year)
);

create table nominations (
  id          integer primary key,
  competition text not null,
  year        smallint not null,
  film_id     integer not null references films on delete cascade,
  rank        integer,
  foreign key (competition, year) references competitions (name, year)
);

grant select, insert, update, delete
   on directors, films, technical_specs, actors, roles_played, competitions, nominations to anon;
create policy everybody on directors using (true) with check (true);
create policy everybody on films using (true) with check (true);
create policy everybody on technical_specs using (true) with check (true);
create policy everybody on actors using (true) with check (true);
create policy everybody on roles_played using (true) with check (true);
create policy everybody on competitions using (true) with check (true);
create policy everybody on nominations using (true) with check (true);
