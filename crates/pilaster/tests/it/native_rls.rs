//! `database.native_rls`: PostgreSQL applies the rules by policies of its own, too.

mod door;
mod force;
mod logins;
mod same;

use std::path::Path;

use sql::{Console, DatabaseUrl, DbOptions, Ident};
use testkit::{Project, ThrowAwayDatabase};

use crate::access::give_role;
use crate::http::App;

/// Notes of their owners; editors see those that were handed in, nobody sees what is gone.
pub(crate) const SCHEMA: &str = "
create role reader;
create role editor;
grant reader to editor;
create role printer;
create table notes (
  id      integer primary key,
  owner   uuid not null default auth.uid(),
  title   text not null unique,
  body    text,
  marks   integer not null default 0,
  gone_at timestamptz
);
create table handed_in (
  note integer primary key references notes on delete cascade,
  by   text not null
);
comment on column notes.gone_at is '@expires';
grant select (id, title), insert (id, title, body), update (title, body, marks), delete
  on notes to authenticated;
grant select (body) on notes to reader;
grant select on notes to editor;
grant select, insert on handed_in to editor;
create policy own on notes to authenticated using (owner = auth.uid());
create policy handed_in on notes for select to editor, printer
  using (exists (select 1 from handed_in h where h.note = notes.id));
create policy no_swearing on notes as restrictive for all using (title <> 'damn');
create policy all_of_them on handed_in for all to editor using (true);
create view totals with (security_invoker = false) as select count(*) as notes from notes;
create view mine as select id, title from notes;
grant select on totals to anon, authenticated;
grant select on mine to authenticated;
";

/// The same project with the setting on or off.
pub(crate) fn notes(native_rls: &str) -> Project {
    let project = Project::empty().with("PILASTER_DATABASE_NATIVE_RLS", native_rls);
    project.write("schema/notes.sql", SCHEMA);
    project.write(
        "api/titles.get.sql",
        "-- @access authenticated\n-- @returns many\nselect id, title from notes order by id\n",
    );
    project.write(
        "api/everything.get.sql",
        "-- @access authenticated\n-- @security definer\n-- @returns many\n\
         select id, title, body from notes order by id\n",
    );
    project.write(
        "hooks/user_registered.sql",
        "insert into notes (id, owner, title) \
         select coalesce(max(id), 0) + 100, cast(:user_id as uuid), 'welcome, ' || :username from notes\n",
    );
    project
}

/// A served project with two people; the second one is an editor.
pub(crate) struct Stage {
    pub(crate) app: App,
    /// `ada`, `bob`
    pub(crate) tokens: [String; 2],
    pub(crate) ids: [String; 2],
}

impl Stage {
    pub(crate) async fn build(native_rls: &str) -> Option<Self> {
        let app = App::of("postgres", notes(native_rls)).await?;
        let (mut tokens, mut ids) = (Vec::new(), Vec::new());
        for name in ["ada", "bob"] {
            let token = app.server.sign_up(name).await;
            let me = app.server.get_as(&token, "/auth/me").await.json();
            let id = me["id"].as_str().expect("an id").to_owned();
            if name == "bob" {
                give_role(&app.database, &id, "editor").await;
            }
            ids.push(id);
        }
        for name in ["ada", "bob"] {
            let token = app
                .server
                .token(&format!("{name}@example.org"), "a long pass phrase")
                .await;
            let token = token.json()["access_token"].as_str().map(str::to_owned);
            tokens.push(token.expect("a token"));
        }
        let stage = Self {
            app,
            tokens: tokens.try_into().expect("two"),
            ids: ids.try_into().expect("two"),
        };
        let mut console = console(&stage.app.database).await;
        let [ada, bob] = &stage.ids;
        for (id, owner, title, gone) in [
            (1, ada, "one", "null"),
            (2, ada, "two", "null"),
            (3, bob, "three", "null"),
            (4, ada, "damn", "null"),
            (5, ada, "past", "'2020-01-01'"),
        ] {
            let row = format!(
                "insert into notes values ({id}, '{owner}', '{title}', 'body {id}', 0, {gone})"
            );
            run(&mut console, &row).await;
        }
        run(&mut console, "insert into handed_in values (2, 'ada')").await;
        Some(stage)
    }
}

/// A connection as the one who owns everything.
pub(crate) async fn console(database: &ThrowAwayDatabase) -> Console {
    let url = DatabaseUrl::parse(database.url(), Path::new("")).expect("our own address");
    let console = Console::connect(&url, &DbOptions::default()).await;
    console.expect("it is reached")
}

/// The rows of a statement, each as its values joined by `|`.
pub(crate) async fn run(console: &mut Console, statement: &str) -> Vec<String> {
    let shown = console.run(statement).await;
    let shown = shown.unwrap_or_else(|error| panic!("{error}: {statement}"));
    let rows = shown.into_iter().next_back().map(|shown| shown.rows);
    let text = |row: Vec<Option<String>>| {
        let values = row.into_iter().map(Option::unwrap_or_default);
        values.collect::<Vec<_>>().join("|")
    };
    rows.unwrap_or_default().into_iter().map(text).collect()
}

/// The names of the database's roles, as its own `auth` functions know them.
pub(crate) async fn role_of(console: &mut Console, declared: &[&str]) -> Ident {
    let number = run(
        console,
        "select oid from pg_database where datname = current_database()",
    )
    .await;
    let plain = |name: &str| format!("pilaster_{}_{name}", number[0]);
    if let [only] = declared {
        return Ident::new(&plain(only)).expect("a name");
    }
    let members: Vec<String> = declared.iter().map(|name| plain(name)).collect();
    let found = run(
        console,
        &format!(
            "select m.rolname from pg_roles m where m.rolname like 'pilaster\\_{}+%' and array(\
             select r.rolname::text from pg_auth_members a join pg_roles r on r.oid = a.roleid \
             where a.member = m.oid order by 1) = array['{}']",
            number[0],
            members.join("', '")
        ),
    )
    .await;
    Ident::new(found.first().expect("a role for the set")).expect("a name")
}
