//! Rows within rows, inserted at once; the same on every engine.

use serde_json::{Value, json};
use testkit::{Answer, Project};

use super::grammar::films;
use super::{App, on_every_engine};

on_every_engine!(films: rows_hold_rows, nested_rows_are_all_or_nothing);
on_every_engine!(orders: numbered_rows_hold_rows);

async fn post(app: &App, path: &str, body: &Value) -> Answer {
    let request = app.server.request("POST", &format!("/api/{path}"));
    Answer::read(request.header("Prefer", "return=representation").json(body)).await
}

async fn rows_hold_rows(app: App) {
    let film = json!({
        "id": 40, "title": "Daisies", "year": 1966,
        "directors!director_id": {"id": 20, "first_name": "Věra", "last_name": "Chytilová"},
        "technical_specs": {"runtime": 76},
        "roles_played": [
            {"character": "Marie I", "actors": {"id": 30, "name": "Jitka Cerhová"}},
            {"character": "Marie II", "actors": {"id": 31, "name": "Ivana Karbanová"}}
        ]
    });
    let select = "select=title,directors!director_id(last_name),technical_specs(runtime),actors(name)&actors.order=name";
    let made = post(&app, &format!("films?{select}"), &film).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.header("location"), "/api/films/40");
    assert_eq!(
        made.json(),
        json!([{"title": "Daisies", "directors": {"last_name": "Chytilová"}, "technical_specs": {"runtime": 76},
                "actors": [{"name": "Ivana Karbanová"}, {"name": "Jitka Cerhová"}]}])
    );
    let directors = json!([
        {"id": 21, "first_name": "Jacques", "last_name": "Tati",
         "films!director_id": [{"id": 41, "title": "Playtime", "year": 1967}, {"id": 42, "title": "Trafic", "year": 1971}]},
        {"id": 22, "first_name": "Alice", "last_name": "Rohrwacher", "films!director_id": [{"id": 43, "title": "Lazzaro", "year": 2018}]}
    ]);
    let made = post(
        &app,
        "directors?select=id,films!director_id(id)&order=id&films.order=id",
        &directors,
    )
    .await;
    assert_eq!(
        made.json(),
        json!([{"id": 21, "films": [{"id": 41}, {"id": 42}]}, {"id": 22, "films": [{"id": 43}]}]),
        "{}",
        made.body
    );
    let quiet = app.server.send("POST", "anon", "/api/films", &json!(
        {"id": 44, "title": "q", "year": 2000, "director_id": 1, "nominations": [{"id": 60, "competition": "Venice", "year": 1954}]})).await;
    assert_eq!((quiet.status, quiet.body.as_str()), (201, ""));
    assert_eq!(
        app.server
            .get("/api/nominations/60?select=film_id")
            .await
            .json()["film_id"],
        44
    );
}

async fn nested_rows_are_all_or_nothing(app: App) {
    let film = |nominations: Value| json!({"id": 40, "title": "x", "year": 2000, "director_id": 1, "nominations": nominations});
    for (body, status, code) in [
        (
            film(
                json!([{"id": 50, "competition": "Venice", "year": 1954}, {"id": 51, "competition": "Nowhere", "year": 1}]),
            ),
            409,
            "23503",
        ),
        (
            film(json!([{"id": 50, "competition": "Venice", "year": "x"}])),
            422,
            "22000",
        ),
        (
            film(json!([{"id": 1, "competition": "Venice", "year": 1954}])),
            409,
            "23505",
        ),
        (
            json!({"id": 40, "title": "x", "year": 2000, "directors": {"id": 9, "first_name": "a", "last_name": "b"}}),
            300,
            "PGRST201",
        ),
        (
            json!({"id": 40, "title": "x", "year": 2000, "director_id": 1, "actors": [{"id": 9, "name": "a"}]}),
            400,
            "PGRST100",
        ),
        (
            json!({"id": 40, "title": "x", "year": 2000, "director_id": 1, "nothing": {"id": 9}}),
            422,
            "22000",
        ),
    ] {
        let refused = post(&app, "films", &body).await;
        assert_eq!(
            (refused.status, refused.json()["code"].as_str()),
            (status, Some(code)),
            "{body}: {}",
            refused.body
        );
    }
    assert_eq!(app.server.get("/api/films/40").await.status, 404);
    assert_eq!(
        app.server
            .get("/api/nominations?select=count()")
            .await
            .json(),
        json!([{"count": 4}])
    );
    let deep = post(
        &app,
        "films",
        &film(json!([{"id": 1, "competition": "Venice", "year": 1954}])),
    )
    .await;
    assert!(
        deep.json()["message"]
            .as_str()
            .is_some_and(|text| text.starts_with("nominations/0: ")),
        "{}",
        deep.body
    );
}

const ORDERS: &str = "
create table orders (
  id    bigint generated always as identity primary key,
  buyer text not null
);
create table lines (
  id       bigint generated always as identity primary key,
  order_id bigint not null references orders on delete cascade,
  item     text not null
);
grant select, insert on orders, lines to anon;
create policy everybody on orders using (true) with check (true);
create policy everybody on lines using (true) with check (item <> 'forbidden');
";

fn orders() -> Project {
    let project = Project::empty();
    project.write("schema/orders.sql", ORDERS);
    project
}

async fn numbered_rows_hold_rows(app: App) {
    let orders = json!([
        {"buyer": "a", "lines": [{"item": "x"}, {"item": "y"}]},
        {"buyer": "b", "lines": [{"item": "z"}]}
    ]);
    let made = post(
        &app,
        "orders?select=buyer,lines(item)&order=buyer&lines.order=id",
        &orders,
    )
    .await;
    assert_eq!(
        made.json(),
        json!([{"buyer": "a", "lines": [{"item": "x"}, {"item": "y"}]}, {"buyer": "b", "lines": [{"item": "z"}]}]),
        "{}",
        made.body
    );
    let one = post(
        &app,
        "orders?select=id,lines(order_id)",
        &json!({"buyer": "c", "lines": [{"item": "w"}]}),
    )
    .await;
    let row = one.json()[0].clone();
    assert_eq!(row["lines"][0]["order_id"], row["id"], "{}", one.body);
    let denied = post(
        &app,
        "orders",
        &json!({"buyer": "d", "lines": [{"item": "forbidden"}]}),
    )
    .await;
    assert_eq!(
        (denied.status, denied.json()["code"].as_str()),
        (401, Some("42501")),
        "{}",
        denied.body
    );
    assert_eq!(app.server.get("/api/orders?buyer=eq.d").await.body, "[]");
}
