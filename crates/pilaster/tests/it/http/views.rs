//! Views through the public door: the caller's grants and policies decide beneath them.

use serde_json::{Value, json};
use testkit::Project;

use super::{App, PILASTER, on_every_engine};

on_every_engine!(diary: a_view_shows_what_its_caller_may_see, a_view_is_only_read);

const SCHEMA: &str = "
create table diaries (
  id     integer primary key,
  owner  uuid not null default auth.uid(),
  title  text not null,
  secret text,
  words  integer not null
);
create table pages (
  id    integer primary key,
  diary integer not null references diaries,
  body  text not null
);
grant select (id, owner, title, words) on diaries to authenticated;
grant insert on diaries to authenticated;
grant select, insert on pages to authenticated;
create policy own_diaries on diaries using (owner = auth.uid()) with check (true);
create policy all_pages on pages using (true) with check (true);

create view overview (diary, title, pages, owner_of) as
  select d.id, d.title, count(p.id), d.owner
    from diaries d left join pages p on p.diary = d.id
   group by d.id, d.title, d.owner;
create view totals with (security_invoker = false) as
  select count(*) as diaries, sum(words) as words, max(secret) as last from diaries;
create view page_titles as
  select p.id, p.diary, d.title, p.body from pages p join diaries d on d.id = p.diary;
comment on view totals is 'How much is written, by all.';
grant select (diary, title, pages) on overview to authenticated;
grant select (diaries, words) on totals to anon, authenticated;
grant select on page_titles to authenticated;
";

fn diary() -> Project {
    let project = Project::empty();
    project.write("schema/diary.sql", SCHEMA);
    project.write(
        "api/mine.get.sql",
        "-- @access authenticated\n-- @returns many\n\
         select o.title, t.diaries from overview o join totals t on t.diaries > 0 \
         order by o.title\n",
    );
    project
}

async fn list(app: &App, token: &str, path: &str) -> Value {
    let answer = app.server.get_as(token, path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.json()
}

async fn write(app: &App, token: &str, id: i64, title: &str) {
    let row = json!({"id": id, "title": title, "secret": "s", "words": id * 10});
    let answer = app.server.send("POST", token, "/api/diaries", &row).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let pages = json!([{"id": id * 10, "diary": id, "body": "a"},
                       {"id": id * 10 + 1, "diary": id, "body": "b"}]);
    let answer = app.server.send("POST", token, "/api/pages", &pages).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
}

async fn a_view_shows_what_its_caller_may_see(app: App) {
    let ada = app.server.sign_up("ada").await;
    let bob = app.server.sign_up("bob").await;
    write(&app, &ada, 1, "first").await;
    write(&app, &bob, 2, "second").await;
    write(&app, &ada, 3, "third").await;
    // The policies of the tables beneath.
    let path = "/api/overview?select=title,pages&order=title.desc";
    let found = list(&app, &ada, path).await;
    assert_eq!(
        found,
        json!([{"title": "third", "pages": 2}, {"title": "first", "pages": 2}])
    );
    assert_eq!(
        list(&app, &bob, path).await,
        json!([{"title": "second", "pages": 2}])
    );
    let found = list(
        &app,
        &ada,
        "/api/overview?pages=gte.2&title=like.t*&select=diary",
    )
    .await;
    assert_eq!(found, json!([{"diary": 3}]));
    // A column that was not granted cannot be read, filtered or sorted by.
    for query in ["select=owner_of", "owner_of=not.is.null", "order=owner_of"] {
        let answer = app
            .server
            .get_as(&ada, &format!("/api/overview?{query}"))
            .await;
        assert_eq!(answer.status, 400, "{query}: {}", answer.body);
    }
    // A view that decides alone, for anybody.
    let found = app.server.get("/api/totals?select=diaries,words").await;
    assert_eq!(
        found.json(),
        json!([{"diaries": 3, "words": 60}]),
        "{}",
        found.body
    );
    assert_eq!(app.server.get("/api/totals?select=last").await.status, 400);
    assert_eq!(app.server.get("/api/overview").await.status, 404);
    // Relations of a view's columns, and back; and a view in an SQL file.
    let path = "/api/page_titles?select=id,title,diaries(words)&order=id&limit=1";
    let found = list(&app, &bob, path).await;
    assert_eq!(
        found,
        json!([{"id": 20, "title": "second", "diaries": {"words": 20}}])
    );
    let path = "/api/diaries?select=id,page_titles(body)&id=eq.2";
    let found = list(&app, &bob, path).await;
    assert_eq!(
        found,
        json!([{"id": 2, "page_titles": [{"body": "a"}, {"body": "b"}]}])
    );
    let found = list(&app, &ada, "/api/mine").await;
    assert_eq!(
        found,
        json!([{"title": "first", "diaries": 3}, {"title": "third", "diaries": 3}])
    );
    // The document says so, too.
    let document = list(&app, &ada, "/openapi.json").await;
    let paths = &document["paths"]["/api/overview"];
    assert!(
        paths["get"].is_object() && paths["post"].is_null(),
        "{paths}"
    );
    let fields = &document["components"]["schemas"]["overview"]["properties"];
    assert!(
        fields["pages"].is_object() && fields["owner_of"].is_null(),
        "{fields}"
    );
}

async fn a_view_is_only_read(app: App) {
    let ada = app.server.sign_up("ada").await;
    let row = json!({"diary": 1});
    for method in ["POST", "PATCH", "DELETE"] {
        let answer = app.server.send(method, &ada, "/api/overview", &row).await;
        assert_eq!(answer.status, 405, "{method}: {}", answer.body);
        assert_eq!(answer.header("allow"), "GET, HEAD, OPTIONS");
    }
    // The same columns on every engine, by the declared types.
    let described = app
        .project
        .succeed(PILASTER, &["db", "describe", "overview"]);
    let expected = "diary                    integer              not null\n\
                    title                    text                 not null\n\
                    pages                    bigint               not null\n\
                    owner_of                 uuid                 not null\n";
    assert_eq!(described.out, expected);
    let names = app.project.succeed(PILASTER, &["db", "tables"]);
    assert!(
        names.out.contains("page_titles\npages\ntotals\n"),
        "{}",
        names.out
    );
    // A grant without the one beneath is found before anything is served.
    let wrong = format!("{SCHEMA}\ngrant select on page_titles to anon;");
    app.project.write("schema/diary.sql", &wrong);
    let refused = app.project.run(PILASTER, &["check", "--offline"]);
    assert_eq!(refused.code, 3, "{}", refused.text());
    assert!(
        refused.text().contains("anon may not read"),
        "{}",
        refused.text()
    );
    // Counting needs a grant as well, in a view and in an SQL file.
    let hidden = "create table hidden (id integer primary key);
        create policy all_hidden on hidden using (true);";
    let count = "create view counted as select count(*) as n from hidden;
        grant select on counted to anon;";
    app.project
        .write("schema/diary.sql", &format!("{SCHEMA}{hidden}{count}"));
    let refused = app.project.run(PILASTER, &["check", "--offline"]).text();
    assert!(
        refused.contains("anon may not read hidden, which the view counted reads"),
        "{refused}"
    );
    app.project
        .write("schema/diary.sql", &format!("{SCHEMA}{hidden}"));
    let file = "-- @access anon\n-- @returns one\nselect count(*) as n from hidden\n";
    app.project.write("api/count.get.sql", file);
    let refused = app.project.run(PILASTER, &["check", "--offline"]).text();
    assert!(refused.contains("anon may not select hidden"), "{refused}");
}
