//! Writes beyond the plain ones: rows shown with their relations, rows that are there already,
//! CSV and forms, numbers that grow, bounds; the same on every engine.

use serde_json::{Value, json};
use testkit::{Answer, Project};

use super::grammar::films;
use super::{App, on_every_engine};

on_every_engine!(
    films: written_rows_are_shown_with_their_relations, changed_rows_leave_their_filter,
    deleted_rows_are_shown, upserts_merge_or_ignore,
    upserts_name_a_key, missing_values_are_null_or_default,
    lines_and_forms_are_bodies, a_replacement_names_its_key, changes_are_bounded, rehearsals_leave_nothing,
);
on_every_engine!(counters: numbers_grow_in_the_statement, merges_keep_to_the_rules);

/// One request with a body and `Prefer` headers.
async fn send(app: &App, method: &str, path: &str, prefer: &str, body: &Value) -> Answer {
    let request = app.server.request(method, &format!("/api/{path}"));
    Answer::read(request.header("Prefer", prefer).json(body)).await
}

const SHOW: &str = "return=representation";

async fn written_rows_are_shown_with_their_relations(app: App) {
    let film = json!({"id": 7, "title": "Vagabond", "director_id": 1, "year": 1985, "info": {"mood": "cold"}});
    let select = "select=id,info->>mood,directors!director_id(last_name),nominations(id)";
    let made = send(&app, "POST", &format!("films?{select}"), SHOW, &film).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(
        made.json(),
        json!([{"id": 7, "mood": "cold", "directors": {"last_name": "Varda"}, "nominations": []}])
    );
    let both = json!([
        {"id": 9, "title": "b", "director_id": 2, "year": 1990},
        {"id": 8, "title": "a", "director_id": 1, "year": 1991}
    ]);
    let made = send(
        &app,
        "POST",
        "films?select=id,directors!director_id(id)&order=title.desc",
        SHOW,
        &both,
    )
    .await;
    assert_eq!(
        made.json(),
        json!([{"id": 9, "directors": {"id": 2}}, {"id": 8, "directors": {"id": 1}}])
    );
    let patched = send(
        &app,
        "PATCH",
        "films/8?select=title,...directors!director_id(last_name)",
        SHOW,
        &json!({"title": "c"}),
    )
    .await;
    assert_eq!(
        (patched.status, patched.json()),
        (200, json!({"title": "c", "last_name": "Varda"}))
    );
    let moved = send(
        &app,
        "PATCH",
        "films/8?select=id,directors!director_id(id)",
        SHOW,
        &json!({"id": 80, "director_id": 4}),
    )
    .await;
    assert_eq!(
        moved.json(),
        json!({"id": 80, "directors": {"id": 4}}),
        "{}",
        moved.body
    );
    let lines = app.server.request(
        "POST",
        "/api/films?select=id,title&columns=id,title,director_id,year",
    );
    let lines = lines
        .header("Prefer", SHOW)
        .header("Accept", "text/csv")
        .json(&json!([{"id": 10, "title": "x,y", "director_id": 1, "year": 2000}]));
    assert_eq!(Answer::read(lines).await.body, "id,title\n10,\"x,y\"\n");
}

async fn changed_rows_leave_their_filter(app: App) {
    let changed = send(
        &app,
        "PATCH",
        "films?language=eq.Japanese&select=id,language&order=id.desc",
        SHOW,
        &json!({"language": "Nihongo"}),
    )
    .await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    assert_eq!(
        changed.json(),
        json!([{"id": 6, "language": "Nihongo"}, {"id": 4, "language": "Nihongo"}, {"id": 2, "language": "Nihongo"}])
    );
    let plain = send(
        &app,
        "PATCH",
        "films?language=eq.French&select=language",
        SHOW,
        &json!({"language": "français"}),
    )
    .await;
    assert_eq!(
        plain.json(),
        json!([{"language": "français"}]),
        "{}",
        plain.body
    );
}

async fn deleted_rows_are_shown(app: App) {
    let gone = send(
        &app,
        "DELETE",
        "nominations?year=eq.1975&select=id,films(title)",
        SHOW,
        &json!(null),
    )
    .await;
    assert_eq!(
        gone.json(),
        json!([{"id": 3, "films": {"title": "Jeanne Dielman"}}]),
        "{}",
        gone.body
    );
    let gone = send(
        &app,
        "DELETE",
        "nominations/4?select=id,competitions(name)",
        SHOW,
        &json!(null),
    )
    .await;
    assert_eq!(
        gone.json(),
        json!({"id": 4, "competitions": {"name": "Berlin"}}),
        "{}",
        gone.body
    );
    assert_eq!(
        app.server
            .get("/api/nominations?select=id&order=id")
            .await
            .json(),
        json!([{"id": 1}, {"id": 2}])
    );
}

async fn upserts_merge_or_ignore(app: App) {
    let merge = "resolution=merge-duplicates,return=representation";
    let actors = json!([{"id": 1, "name": "C. Marchand"}, {"id": 6, "name": "Bibi Andersson"}]);
    let merged = send(
        &app,
        "POST",
        "actors?select=*,films(id)&order=id",
        merge,
        &actors,
    )
    .await;
    assert_eq!(merged.status, 201, "{}", merged.body);
    assert_eq!(
        merged.json(),
        json!([{"id": 1, "name": "C. Marchand", "films": [{"id": 1}]}, {"id": 6, "name": "Bibi Andersson", "films": []}])
    );
    let again = send(&app, "POST", "actors?select=id&order=id", merge, &actors).await;
    assert_eq!(
        (again.status, again.json()),
        (200, json!([{"id": 1}, {"id": 6}]))
    );
    let by_name = json!({"id": 60, "name": "Bibi Andersson"});
    let merged = send(
        &app,
        "POST",
        "actors?on_conflict=name&columns=name,id",
        merge,
        &by_name,
    )
    .await;
    assert_eq!(
        merged.json(),
        json!([{"id": 60, "name": "Bibi Andersson"}]),
        "{}",
        merged.body
    );
    let ignore = "resolution=ignore-duplicates,return=representation";
    let some = json!([{"id": 60, "name": "nobody"}, {"id": 7, "name": "Liv Ullmann"}, {"id": 7, "name": "twice"}]);
    let ignored = send(&app, "POST", "actors", ignore, &some).await;
    assert_eq!(
        ignored.json(),
        json!([{"id": 7, "name": "Liv Ullmann"}]),
        "{}",
        ignored.body
    );
}

async fn upserts_name_a_key(app: App) {
    let merge = "resolution=merge-duplicates,return=representation";
    let twice = json!([{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]);
    assert_eq!(
        send(&app, "POST", "actors", merge, &twice).await.json()["code"],
        "21000"
    );
    let composite = json!({"film_id": 4, "actor_id": 3, "character": "Rokurota"});
    let merged = send(&app, "POST", "roles_played", merge, &composite).await;
    assert_eq!(merged.json(), json!([composite]), "{}", merged.body);
    let no_key = send(
        &app,
        "POST",
        "actors?on_conflict=id,name",
        merge,
        &json!([{"id": 1, "name": "x"}]),
    )
    .await;
    assert_eq!(
        (no_key.status, no_key.json()["code"].as_str()),
        (400, Some("42P10"))
    );
    let other = send(
        &app,
        "POST",
        "actors",
        merge,
        &json!({"id": 5, "name": "Corinne Marchand"}),
    )
    .await;
    assert_eq!(
        (other.status, other.json()["code"].as_str()),
        (409, Some("23505")),
        "{}",
        other.body
    );
}

async fn missing_values_are_null_or_default(app: App) {
    let films = json!([
        {"id": 20, "title": "a", "director_id": 1, "year": 2001, "released": true},
        {"id": 21, "title": "b", "director_id": 1, "year": 2002, "summary": "s"}
    ]);
    let refused = send(&app, "POST", "films", SHOW, &films).await;
    assert_eq!(
        (refused.status, refused.json()["code"].as_str()),
        (400, Some("PGRST102"))
    );
    let columns =
        "films?columns=id,title,director_id,year,released,summary&select=released,summary,language";
    let nulls = send(&app, "POST", columns, SHOW, &films).await;
    assert_eq!(nulls.status, 422, "{}", nulls.body);
    let defaults = send(
        &app,
        "POST",
        columns,
        "missing=default,return=representation",
        &films,
    )
    .await;
    assert_eq!(
        defaults.json(),
        json!([{"released": true, "summary": "", "language": null}, {"released": false, "summary": "s", "language": null}]),
        "{}",
        defaults.body
    );
    let unknown = send(&app, "POST", "films?columns=id,titl", SHOW, &films).await;
    assert_eq!(
        (unknown.status, unknown.json()["code"].as_str()),
        (400, Some("PGRST204"))
    );
    assert_eq!(unknown.json()["hint"], "did you mean title?");
    let nothing = send(&app, "POST", "films", SHOW, &json!([])).await;
    assert_eq!((nothing.status, nothing.json()), (201, json!([])));
}

async fn lines_and_forms_are_bodies(app: App) {
    let send = async |kind: &str, path: &str, body: &str| {
        let request = app
            .server
            .request("POST", path)
            .header("Content-Type", kind);
        Answer::read(request.header("Prefer", SHOW).body(body.to_owned())).await
    };
    let lines = "id,first_name,last_name,born\n10,\"Céline, M.\",Sciamma,1978-11-12\n11,Lina,Wertmüller,NULL\n12,Ida,Lupino,\n";
    let made = send(
        "text/csv",
        "/api/directors?select=id,first_name,born",
        lines,
    )
    .await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(
        made.json(),
        json!([
            {"id": 10, "first_name": "Céline, M.", "born": "1978-11-12"},
            {"id": 11, "first_name": "Lina", "born": null},
            {"id": 12, "first_name": "Ida", "born": null}
        ])
    );
    let form = "id=13&first_name=Kelly&last_name=Reichardt+%26+co&born=1964-03-03";
    let made = send("application/x-www-form-urlencoded", "/api/directors", form).await;
    assert_eq!(
        made.json()[0]["last_name"],
        "Reichardt & co",
        "{}",
        made.body
    );
    let wrong = send(
        "text/csv",
        "/api/directors",
        "id,first_name,last_name\nx,a,b\n",
    )
    .await;
    assert_eq!(
        (wrong.status, &wrong.json()["errors"][0]["pointer"]),
        (422, &json!("/0/id"))
    );
    let ragged = send("text/csv", "/api/directors", "id,first_name\n1\n").await;
    assert_eq!(
        (ragged.status, ragged.json()["code"].as_str()),
        (400, Some("PGRST102"))
    );
    let image = send("image/png", "/api/directors", "").await;
    assert_eq!(image.status, 415);
}

async fn a_replacement_names_its_key(app: App) {
    let director =
        json!({"id": 5, "first_name": "Věra", "last_name": "Chytilová", "born": "1929-02-02"});
    let made = send(&app, "PUT", "directors?id=eq.5", SHOW, &director).await;
    assert_eq!(
        (made.status, made.json()),
        (201, director.clone()),
        "{}",
        made.body
    );
    let replaced = send(
        &app,
        "PUT",
        "directors?id=eq.5",
        "",
        &json!({"id": 5, "first_name": "V", "last_name": "C"}),
    )
    .await;
    assert_eq!(replaced.status, 204, "{}", replaced.body);
    assert_eq!(
        app.server.get("/api/directors/5").await.json()["born"],
        Value::Null
    );
    let pair = send(
        &app,
        "PUT",
        "competitions?name=eq.Locarno&year=eq.1990",
        "",
        &json!({"name": "Locarno", "year": 1990}),
    )
    .await;
    assert!(matches!(pair.status, 201 | 422), "{}", pair.body);
    for (path, body, status, code) in [
        (
            "directors?id=eq.5",
            json!({"id": 6, "first_name": "V", "last_name": "C"}),
            400,
            "PGRST115",
        ),
        (
            "directors?last_name=eq.C",
            director.clone(),
            405,
            "PGRST105",
        ),
        (
            "directors?id=eq.5&limit=1",
            director.clone(),
            400,
            "PGRST114",
        ),
        (
            "directors/5?last_name=eq.C",
            director.clone(),
            422,
            "PGRST114",
        ),
    ] {
        let refused = send(&app, "PUT", path, "", &body).await;
        assert_eq!(refused.status, status, "{path}: {}", refused.body);
        assert_eq!(refused.json()["code"], code, "{path}: {}", refused.body);
    }
}

async fn changes_are_bounded(app: App) {
    let body = json!({"summary": "x"});
    let most = "handling=strict,max-affected=2";
    let refused = send(&app, "PATCH", "films?language=eq.Japanese", most, &body).await;
    assert_eq!(
        (refused.status, refused.json()["code"].as_str()),
        (400, Some("PGRST124")),
        "{}",
        refused.body
    );
    let few = send(&app, "PATCH", "films?language=eq.French", most, &body).await;
    assert_eq!(few.status, 204, "{}", few.body);
    let unknown = send(
        &app,
        "PATCH",
        "films?id=eq.1",
        "handling=strict,colour=red",
        &body,
    )
    .await;
    assert_eq!(
        (unknown.status, unknown.json()["code"].as_str()),
        (400, Some("PGRST122"))
    );
    let all = send(&app, "DELETE", "nominations", "", &json!(null)).await;
    assert_eq!(
        (all.status, all.json()["code"].as_str()),
        (400, Some("21000")),
        "{}",
        all.body
    );
    let limited = send(
        &app,
        "DELETE",
        "nominations?id=gt.0&limit=1",
        "",
        &json!(null),
    )
    .await;
    assert_eq!(limited.status, 400, "{}", limited.body);
    let object = app.server.request("PATCH", "/api/films?id=gt.4&select=id");
    let object = object
        .header("Accept", "application/vnd.pgrst.object+json")
        .header("Prefer", SHOW);
    let several = Answer::read(object.json(&body)).await;
    assert_eq!(
        (several.status, several.json()["code"].as_str()),
        (406, Some("PGRST116"))
    );
    let unchanged = app.server.get("/api/films?summary=eq.x&select=id").await;
    assert_eq!(unchanged.json(), json!([{"id": 1}]));
    let gone = send(
        &app,
        "DELETE",
        "nominations?id=not.is.null",
        "",
        &json!(null),
    )
    .await;
    assert_eq!(gone.status, 204);
}

async fn rehearsals_leave_nothing(app: App) {
    let rehearse = "tx=rollback,return=representation";
    let shown = send(
        &app,
        "PATCH",
        "films?id=eq.1&select=id,title,directors!director_id(id)",
        rehearse,
        &json!({"title": "no"}),
    )
    .await;
    assert_eq!(
        shown.json(),
        json!([{"id": 1, "title": "no", "directors": {"id": 1}}]),
        "{}",
        shown.body
    );
    assert!(shown.header("preference-applied").contains("tx=rollback"));
    let made = send(
        &app,
        "POST",
        "actors",
        rehearse,
        &json!({"id": 99, "name": "nobody"}),
    )
    .await;
    assert_eq!(made.status, 201);
    assert_eq!(
        app.server.get("/api/films/1?select=title").await.json()["title"],
        "Cléo from 5 to 7"
    );
    assert_eq!(app.server.get("/api/actors/99").await.status, 404);
}

const COUNTERS: &str = "
create table counters (
  name   text primary key,
  hits   integer not null default 0 check (hits >= 0),
  price  numeric(8, 2) not null default 0,
  owner  text not null default 'anon',
  locked boolean not null default false
);
grant select, insert, update on counters to anon;
create policy seen on counters for select using (owner <> 'hidden');
create policy made on counters for insert with check (owner <> 'root');
create policy changed on counters for update using (not locked) with check (owner <> 'root');
";

fn counters() -> Project {
    let project = Project::empty();
    project.write("schema/counters.sql", COUNTERS);
    project.write(
        "seed/counters.sql",
        "insert into counters (name, hits, price, owner, locked) values \
         ('a', 1, 1.10, 'anon', false), ('b', 2, 0, 'anon', true), ('c', 3, 0, 'hidden', false);",
    );
    project
}

// req: CR-10
async fn numbers_grow_in_the_statement(app: App) {
    let raises = (0..100).map(async |_| {
        send(
            &app,
            "PATCH",
            "counters/a",
            "",
            &json!({"hits+": 1, "price-": "0.01"}),
        )
        .await
        .status
    });
    let statuses = futures_util::future::join_all(raises).await;
    assert!(statuses.iter().all(|status| *status == 204), "{statuses:?}");
    let after = app.server.get("/api/counters/a?select=hits,price").await;
    assert_eq!(after.json(), json!({"hits": 101, "price": "0.10"}));
    let shown = send(
        &app,
        "PATCH",
        "counters/a?select=hits",
        SHOW,
        &json!({"hits-": 101}),
    )
    .await;
    assert_eq!(shown.json(), json!({"hits": 0}), "{}", shown.body);
    for body in [
        json!({"hits-": 1}),
        json!({"owner+": 1}),
        json!({"hits+": null}),
        json!({"hits": 1, "hits+": 1}),
        json!({"nothing+": 1}),
    ] {
        let refused = send(&app, "PATCH", "counters/a", "", &body).await;
        assert_eq!(refused.status, 422, "{body}: {}", refused.body);
    }
}

async fn merges_keep_to_the_rules(app: App) {
    let merge = "resolution=merge-duplicates";
    let refused = [
        json!([{"name": "a", "hits": 9}, {"name": "b", "hits": 9}]),
        json!([{"name": "a", "hits": 9}, {"name": "c", "hits": 9}]),
        json!([{"name": "a", "hits": 9, "owner": "root"}]),
        json!([{"name": "a", "hits": 9, "owner": "x"}, {"name": "d", "hits": 9, "owner": "root"}]),
    ];
    for body in refused {
        let answer = send(&app, "POST", "counters", merge, &body).await;
        assert_eq!(
            (answer.status, answer.json()["code"].as_str()),
            (401, Some("42501")),
            "{body}: {}",
            answer.body
        );
    }
    assert_eq!(
        app.server
            .get("/api/counters?select=name,hits&order=name")
            .await
            .json(),
        json!([{"name": "a", "hits": 1}, {"name": "b", "hits": 2}])
    );
    let merged = send(
        &app,
        "POST",
        "counters",
        merge,
        &json!([{"name": "a", "hits": 9}, {"name": "d", "hits": 4}]),
    )
    .await;
    assert_eq!(merged.status, 201, "{}", merged.body);
    let rows = app
        .server
        .get("/api/counters?select=name,hits,price&order=name")
        .await;
    assert_eq!(
        rows.json()[0],
        json!({"name": "a", "hits": 9, "price": "1.10"})
    );
    assert_eq!(
        rows.json()[2],
        json!({"name": "d", "hits": 4, "price": "0.00"})
    );
}
