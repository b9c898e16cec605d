//! Parts of JSON values in every place of a project that holds expressions, with the same answers
//! on every engine.

use serde_json::{Value, json};
use testkit::{Project, Running, ThrowAwayDatabase};

use super::PILASTER;

const ENGINES: [&str; 4] = ["sqlite", "postgres", "mariadb", "mysql"];

const SCHEMA: &str = r#"
create function kind_of(doc jsonb) returns text language sql return doc ->> 'kind';

create table notes (
  id   integer primary key,
  data jsonb not null,
  raw  text,
  kind text generated always as (kind_of(data)) stored,
  last text generated always as (data -> 'tags' ->> -1) stored,
  check (data ->> 'kind' <> 'secret'),
  check (raw <> 'a\b'),
  check (data -> 'c\d' is null),
  check (data -> 'no "\''s' ->> 'x' is null)
);
create unique index notes_slug on notes ((data -> 'meta' ->> 'slug'));
create unique index notes_first on notes ((data -> 'tags' ->> 0)) where data ->> 'kind' = 'memo';

create view shown as
  select id, data ->> 'kind' as kind, data -> 'meta' as meta, data -> 'tags' ->> -1 as last
    from notes where data -> 'meta' is not null;

grant select, insert, update (data) on notes to authenticated;
grant select on shown to authenticated;
create policy seen on notes for select to authenticated
  using (data ->> 'owner' = cast(auth.uid() as text) or data -> 'shared' ->> 0 = 'all');
create policy made on notes for insert to authenticated
  with check (data ->> 'owner' = cast(auth.uid() as text));
create policy changed on notes for update to authenticated
  using (data ->> 'owner' = cast(auth.uid() as text)) with check (data ->> 'locked' is null);
"#;

const PARTS: &str = r#"-- @access authenticated
-- @returns many
-- @param kind text
-- @param doc json
select id,
       data -> 'meta' as meta,
       data ->> 'meta' as meta_text,
       data ->> 'n' as n,
       data ->> 'yes' as yes,
       data -> 'nothing' as json_null,
       data ->> 'nothing' as no_text,
       data -> 'missing' as missing,
       data -> 'no "\''s' ->> 'y' as quoted,
       json_object('first', data -> 'tags' -> 0, 'last', data -> 'tags' ->> -1) as ends,
       coalesce(data -> 'missing', data) ->> 'kind' as either,
       json_object('a', id) ->> 'a' as built,
       cast('{"a": {"b": [2]}}' as jsonb) -> 'a' -> 'b' ->> 0 as written,
       cast(raw as jsonb) ->> 'x' as raw,
       :doc -> 'x' ->> -1 as sent,
       (select json_agg(data -> 'tags' order by n.id) from notes n where n.id = notes.id)
         -> 0 ->> 1 as gathered
  from notes
 where data ->> 'kind' = :kind
 order by data ->> 'kind', data -> 'meta' ->> 'slug' desc, id
"#;

const PARTS_WANTED: &str = concat!(
    r#"[{"id":2,"meta":{"slug":"two"},"meta_text":"{\"slug\": \"two\"}","n":"-7","yes":null,"#,
    r#""json_null":null,"no_text":null,"missing":null,"quoted":null,"#,
    r#""ends":{"first":null,"last":null},"either":"memo","built":"2","written":"2","raw":null,"#,
    r#""sent":"end","gathered":null},"#,
    r#"{"id":1,"meta":{"n":{"deep":[1,{"x":", \": "}]},"slug":"one"},"#,
    r#""meta_text":"{\"n\": {\"deep\": [1, {\"x\": \", \\\": \"}]}, \"slug\": \"one\"}","#,
    r#""n":"1.5","yes":"true","json_null":null,"no_text":null,"missing":null,"quoted":"z","#,
    r#""ends":{"first":"a","last":"b \"c\""},"either":"memo","built":"1","written":"2","#,
    r#""raw":"ä","sent":"end","gathered":"b \"c\""}]"#,
);

fn project(database: &ThrowAwayDatabase) -> Project {
    let project = Project::empty().with("DATABASE_URL", database.url());
    project.write("schema/notes.sql", SCHEMA);
    project.write("api/parts.post.sql", PARTS);
    project.succeed(PILASTER, &["migrate", "new", "init"]);
    project.succeed(PILASTER, &["migrate", "up"]);
    project.succeed(PILASTER, &["migrate", "check"]);
    project
}

async fn insert(server: &Running, token: &str, row: &Value) -> u16 {
    server.send("POST", token, "/api/notes", row).await.status
}

async fn fill(server: &Running, ada: &str, me: &Value, engine: &str) {
    for (row, wanted) in [
        (
            json!({"id": 1, "raw": "{\"x\": \"ä\"}", "data": {
                "owner": me, "kind": "memo", "meta": {"slug": "one", "n": {"deep": [1, {"x": ", \": "}]}},
                "tags": ["a", "b \"c\""], "n": 1.5, "yes": true, "nothing": null,
                "no \"\\'s": {"y": "z"}}}),
            201,
        ),
        (
            json!({"id": 2, "data": {"owner": me, "kind": "memo", "meta": {"slug": "two"},
                "tags": "a", "shared": ["all"], "n": -7}}),
            201,
        ),
        (
            json!({"id": 3, "data": {"owner": me, "shared": "all", "tags": []}}),
            201,
        ),
        // Alike by their slugs; by their first tags, among memos.
        (
            json!({"id": 4, "data": {"owner": me, "meta": {"slug": "one"}}}),
            409,
        ),
        (
            json!({"id": 5, "data": {"owner": me, "kind": "memo", "tags": ["a"]}}),
            409,
        ),
        (
            json!({"id": 5, "data": {"owner": me, "kind": "else", "tags": ["a"]}}),
            201,
        ),
        // Not the caller's own.
        (json!({"id": 6, "data": {"owner": "somebody"}}), 403),
        (json!({"id": 6, "data": [me]}), 403),
    ] {
        assert_eq!(insert(server, ada, &row).await, wanted, "{engine}: {row}");
    }
    for row in [
        json!({"id": 7, "data": {"owner": me, "kind": "secret"}}),
        json!({"id": 7, "data": {"owner": me, "no \"\\'s": {"x": 1}}}),
        json!({"id": 7, "data": {"owner": me, "c\\d": 1}}),
        json!({"id": 7, "data": {"owner": me}, "raw": "a\\b"}),
    ] {
        let got = insert(server, ada, &row).await;
        assert!(got == 400 || got == 422, "{engine}: {row}: {got}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_of_json_mean_the_same_everywhere() {
    for engine in ENGINES {
        let Some(database) = ThrowAwayDatabase::create(engine).await else {
            continue;
        };
        let project = project(&database);
        let server = Running::serve(PILASTER, &project).await;
        let ada = server.sign_up("ada").await;
        let bob = server.sign_up("bob").await;
        let me = server.get_as(&ada, "/auth/me").await.json()["id"].clone();
        fill(&server, &ada, &me, engine).await;

        // Policies: all of one's own, and what is shared with all by an array.
        let path = "/api/notes?select=id,kind,last&order=id";
        let all = server.get_as(&ada, path).await.body;
        let wanted = r#"[{"id":1,"kind":"memo","last":"b \"c\""},{"id":2,"kind":"memo","last":null},{"id":3,"kind":null,"last":null},{"id":5,"kind":"else","last":"a"}]"#;
        assert_eq!(all, wanted, "{engine}");
        let shared = server.get_as(&bob, path).await.body;
        let wanted = r#"[{"id":2,"kind":"memo","last":null}]"#;
        assert_eq!(shared, wanted, "{engine}");

        // A view, filtered by a part.
        let path = "/api/shown?last=like.b*";
        let found = server.get_as(&ada, path).await.body;
        let wanted = r#"[{"id":1,"kind":"memo","meta":{"n":{"deep":[1,{"x":", \": "}]},"slug":"one"},"last":"b \"c\""}]"#;
        assert_eq!(found, wanted, "{engine}");
        assert_eq!(server.get_as(&bob, path).await.body, "[]", "{engine}");

        let body = json!({"kind": "memo", "doc": {"x": [1, "end"]}});
        let parts = server.send("POST", &ada, "/api/parts", &body).await;
        assert_eq!(parts.body, PARTS_WANTED, "{engine}");

        // The new row has to pass.
        for (data, wanted) in [
            (json!({"owner": me, "locked": false}), 403),
            (json!({"owner": me, "locked": null, "kind": "memo"}), 200),
        ] {
            let path = "/api/notes?id=eq.3";
            let body = json!({"data": data});
            let got = server.send("PATCH", &ada, path, &body).await;
            let done = got.status == wanted || (wanted == 200 && got.status == 204);
            assert!(done, "{engine}: {data}: {} {}", got.status, got.body);
        }
        drop(server);
        project.succeed(PILASTER, &["migrate", "check"]);
        project.succeed(PILASTER, &["migrate", "down", "--allow-destructive"]);
    }
}
