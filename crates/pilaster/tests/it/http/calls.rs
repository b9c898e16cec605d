//! SQL files called by name, and the grammar of reads on top of what they give; the same on every
//! engine.

use serde_json::{Value, json};
use testkit::{Answer, Project};

use super::grammar::films;
use super::{App, on_every_engine};

on_every_engine!(calling: files_are_called_by_name,
    wrong_calls_say_why, results_are_read_like_tables, results_have_forms, calls_are_bounded);

/// The films, with files that read and write them.
pub(crate) fn calling() -> Project {
    let project = films();
    project.write(
        "api/films/of.get.sql",
        "-- @summary Films of a director, the newest first\n\
         -- @param director integer\n-- @param released boolean null\n\
         -- @access anon\n-- @returns many\n\
         select f.id, f.title, f.year, f.rating, json_object('name', d.last_name, 'born', d.born) as director,\n\
                (select json_agg(n.rank order by n.id) from nominations n where n.film_id = f.id) as ranks\n\
           from films f join directors d on d.id = f.director_id\n\
          where f.director_id = :director and (:released is null or f.released = :released)\n\
          order by f.year desc, f.id\n",
    );
    project.write(
        "api/actors/[id]/rename.post.sql",
        "-- @param id integer in path\n-- @param name text\n-- @access anon\n-- @returns many\n\
         update actors set name = :name where id = :id returning id, name;\n",
    );
    project.write(
        "api/forget.post.sql",
        "-- @param below integer\n-- @access anon\n-- @returns none\n\
         delete from nominations where rank < :below;\n",
    );
    project.write(
        "api/total.get.sql",
        "-- @access anon\n-- @returns value\nselect count(*) as total from films\n",
    );
    project
}

async fn get(app: &App, path: &str) -> Answer {
    app.server.get(&format!("/api/{path}")).await
}

async fn call(app: &App, path: &str, prefer: &str, body: &Value) -> Answer {
    let request = app.server.request("POST", &format!("/api/{path}"));
    Answer::read(request.header("Prefer", prefer).json(body)).await
}

async fn files_are_called_by_name(app: App) {
    let newest = json!([
        "The Hidden Fortress II",
        "The Hidden Fortress",
        "Seven Samurai"
    ]);
    let titles = |answer: &Answer| -> Value {
        let rows = answer.json();
        let rows = rows.as_array().expect("rows").iter();
        rows.map(|row| row["title"].clone()).collect()
    };
    for path in [
        "films/of?director=2",
        "rpc/films_of?director=2",
        "rpc/films_of/?director=2",
    ] {
        let answer = get(&app, path).await;
        assert_eq!(
            (answer.status, titles(&answer)),
            (200, newest.clone()),
            "{path}: {}",
            answer.body
        );
    }
    let posted = call(
        &app,
        "rpc/films_of",
        "",
        &json!({"director": 2, "released": true}),
    )
    .await;
    assert_eq!(
        titles(&posted),
        json!(["The Hidden Fortress", "Seven Samurai"]),
        "{}",
        posted.body
    );
    let renamed = call(
        &app,
        "rpc/actors_rename",
        "",
        &json!({"id": 4, "name": "O. Welles"}),
    )
    .await;
    assert_eq!(
        renamed.json(),
        json!([{"id": 4, "name": "O. Welles"}]),
        "{}",
        renamed.body
    );
    assert_eq!(get(&app, "rpc/total").await.json(), json!(6));
    let nothing = call(&app, "rpc/forget", "", &json!({"below": 2})).await;
    assert_eq!((nothing.status, nothing.body.as_str()), (204, ""));
}

async fn wrong_calls_say_why(app: App) {
    for (answer, status, code) in [
        (get(&app, "rpc/film_of?director=2").await, 404, "PGRST202"),
        (
            get(&app, "rpc/actors_rename?id=1&name=x").await,
            405,
            "PGRST117",
        ),
        (get(&app, "rpc/films_of").await, 422, "22000"),
        (
            get(&app, "rpc/films_of?director=2&titel=eq.x").await,
            422,
            "22000",
        ),
        (
            call(&app, "rpc/films_of", "", &json!({"director": 2, "year": 3})).await,
            422,
            "22000",
        ),
    ] {
        assert_eq!(answer.status, status, "{}", answer.body);
        assert_eq!(answer.json()["code"], code, "{}", answer.body);
    }
    assert_eq!(
        get(&app, "rpc/film_of?director=2").await.json()["hint"],
        "did you mean films_of?"
    );
}

// req: SQ-15
async fn results_are_read_like_tables(app: App) {
    let cases = [
        ("select=id", json!([{"id": 6}, {"id": 4}, {"id": 2}])),
        (
            "select=id&order=rating.desc.nullslast&limit=1",
            json!([{"id": 2}]),
        ),
        ("select=id&limit=1&offset=1", json!([{"id": 4}])),
        (
            "select=title,by:director->>name&year=lt.1958",
            json!([{"title": "Seven Samurai", "by": "Kurosawa"}]),
        ),
        (
            "select=id&director->>name=eq.Kurosawa&title=ilike.*fortress*&order=id",
            json!([{"id": 4}, {"id": 6}]),
        ),
        (
            "select=id,ranks&or=(id.eq.2,title.match.II$)",
            json!([{"id": 6, "ranks": []}, {"id": 2, "ranks": [2]}]),
        ),
        (
            "select=count(),year.max()",
            json!([{"count": 3, "max": 2030}]),
        ),
    ];
    for (query, expected) in cases {
        for path in ["films/of", "rpc/films_of"] {
            let found = get(&app, &format!("{path}?director=2&{query}")).await;
            assert_eq!(found.status, 200, "{query}: {}", found.body);
            assert_eq!(found.json(), expected, "{path} {query}");
        }
    }
    let posted = app
        .server
        .request("POST", "/api/rpc/films_of?select=id&order=id.desc");
    let posted = Answer::read(posted.json(&json!({"director": 3}))).await;
    assert_eq!(posted.json(), json!([{"id": 3}]), "{}", posted.body);
    let hidden = get(&app, "films/of?director=2&select=id,director_id").await;
    assert_eq!(
        (hidden.status, hidden.json()["code"].as_str()),
        (400, Some("PGRST204"))
    );
}

async fn results_have_forms(app: App) {
    let ask = async |path: &str, name: &str, value: &str| {
        let request = app.server.request("GET", &format!("/api/{path}"));
        Answer::read(request.header(name, value)).await
    };
    let one = ask(
        "rpc/films_of?director=3",
        "Accept",
        "application/vnd.pgrst.object+json",
    )
    .await;
    assert_eq!(one.json()["title"], "Citizen Kane", "{}", one.body);
    let lines = ask("films/of?director=3&select=id,title", "Accept", "text/csv").await;
    assert_eq!(lines.body, "id,title\n3,Citizen Kane\n");
    let counted = ask("films/of?director=2&limit=1", "Prefer", "count=exact").await;
    assert_eq!(
        (counted.status, counted.header("content-range")),
        (206, "0-0/3")
    );
    let page = ask("films/of?director=2&select=id", "Range", "1-1").await;
    assert_eq!(
        (page.json(), page.header("content-range")),
        (json!([{"id": 4}]), "1-1/*")
    );
    let plain = get(&app, "films/of?director=2").await;
    assert_eq!(plain.header("content-range"), "0-2/*");
}

async fn calls_are_bounded(app: App) {
    let strict = "handling=strict,max-affected=1";
    let refused = call(&app, "rpc/forget", strict, &json!({"below": 100})).await;
    assert_eq!(
        (refused.status, refused.json()["code"].as_str()),
        (400, Some("PGRST128")),
        "{}",
        refused.body
    );
    assert_eq!(
        get(&app, "nominations?select=count()").await.json(),
        json!([{"count": 4}])
    );
    let kept = call(&app, "rpc/forget", "tx=rollback", &json!({"below": 100})).await;
    assert_eq!(kept.status, 204, "{}", kept.body);
    assert_eq!(
        get(&app, "nominations?select=count()").await.json(),
        json!([{"count": 4}])
    );
}
