//! What SQL files promise beside their parameters: nested results, variants, limits, silence in the
//! log; the same on every engine.

use serde_json::{Value, json};
use testkit::{Answer, Project};

use super::grammar::films;
use super::{App, on_every_engine};

on_every_engine!(files: results_are_nested, each_engine_has_its_variant, logs_hold_no_values);
on_every_engine!(slow: what_takes_too_long_is_stopped);

fn files() -> Project {
    let project = films();
    project.write(
        "api/profile.get.sql",
        "-- @param id integer\n-- @access anon\n-- @returns one\n\
         select json_object('name', d.last_name, 'born', d.born) as director,\n\
                (select json_agg(json_object('title', f.title, 'cast',\n\
                          (select json_agg(a.name order by a.name desc) from roles_played r join actors a on a.id = r.actor_id\n\
                            where r.film_id = f.id)) order by f.year desc)\n\
                   from films f where f.director_id = d.id) as films,\n\
                (select json_agg(p.title order by p.title) from films p where p.producer_id = d.id) as produced\n\
           from directors d where d.id = :id\n",
    );
    for engine in ["sqlite", "postgres", "mariadb", "mysql"] {
        project.write(
            &format!("api/engine.get.{engine}.sql"),
            &format!("-- @access anon\n-- @returns value\nselect '{engine}' as name\n"),
        );
    }
    project.write(
        "api/echo.post.sql",
        "-- @param word text\n-- @access anon\n-- @returns value\n\
         insert into actors (id, name) values (900, :word) returning name;\n",
    );
    project
}

// req: SQ-10
async fn results_are_nested(app: App) {
    let profile = app.server.get("/api/profile?id=2").await;
    assert_eq!(
        profile.body,
        "{\"director\":{\"name\":\"Kurosawa\",\"born\":\"1910-03-23\"},\"films\":[\
         {\"title\":\"The Hidden Fortress II\",\"cast\":[]},\
         {\"title\":\"The Hidden Fortress\",\"cast\":[\"Toshiro Mifune\",\"Takashi Shimura\"]},\
         {\"title\":\"Seven Samurai\",\"cast\":[\"Toshiro Mifune\",\"Takashi Shimura\"]}],\"produced\":[]}"
    );
    let other = app.server.get("/api/profile?id=3").await.json();
    assert_eq!(other["produced"], json!(["Citizen Kane", "Seven Samurai"]));
}

// req: SQ-13
async fn each_engine_has_its_variant(app: App) {
    let engine = app.database.url().split(':').next().unwrap_or_default();
    assert_eq!(app.server.get("/api/engine").await.json(), json!(engine));
}

// req: SQ-16
async fn logs_hold_no_values(app: App) {
    let made = app
        .server
        .send("POST", "", "/api/echo", &json!({"word": "Rumpelstilzchen"}))
        .await;
    assert_eq!(made.json(), json!("Rumpelstilzchen"), "{}", made.body);
    let again = app
        .server
        .send("POST", "", "/api/echo", &json!({"word": "Rumpelstilzchen"}))
        .await;
    assert_eq!(again.status, 409, "{}", again.body);
    assert_eq!(
        app.server
            .get("/api/actors?name=eq.Rumpelstilzchen&select=id")
            .await
            .body,
        r#"[{"id":900}]"#
    );
    assert_eq!(
        app.server
            .get("/api/actors?nothing=eq.Rumpelstilzchen")
            .await
            .status,
        400
    );
    let log = app.server.log();
    assert!(log.contains("/api/echo"), "{log}");
    for word in ["Rumpelstilzchen", "insert into", "select "] {
        assert!(!log.contains(word), "{word}: {log}");
    }
}

/// A file that takes for ever, and little patience.
fn slow() -> Project {
    let project = films();
    let joins: Vec<String> = (0..12)
        .map(|place| format!("join films f{place} on f{place}.id > 0"))
        .collect();
    let joins = joins.join(" ");
    project.write(
        "api/slow.get.sql",
        &format!(
            "-- @access anon\n-- @returns value\nselect count(f.id) as rows from films f {joins}\n"
        ),
    );
    project
        .with("PILASTER_DATABASE_STATEMENT_TIMEOUT", "500ms")
        .with("PILASTER_API_MAX_ROWS", "5")
}

// req: CR-17, SQ-11
async fn what_takes_too_long_is_stopped(app: App) {
    let slow = app.server.get("/api/slow").await;
    assert_eq!(
        (slow.status, slow.json()["code"].as_str()),
        (504, Some("57014")),
        "{}",
        slow.body
    );
    assert_eq!(
        app.server.get("/api/films?select=id&limit=1").await.status,
        200
    );
    let request = app
        .server
        .request("POST", "/api/films")
        .header("Content-Type", "application/json");
    let large = Answer::read(request.body(vec![b' '; 10 << 20])).await;
    assert_eq!(large.status, 413, "{}", large.body);
    let many = app.server.get("/api/films?limit=6").await;
    assert_eq!(
        (many.status, &many.json()["hint"]),
        (
            422,
            &Value::from("read in pages with limit and offset; the limit is max_rows")
        )
    );
}
