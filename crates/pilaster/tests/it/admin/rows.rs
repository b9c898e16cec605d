//! What accounts promise whatever the application does with them.

use serde_json::{Value, json};
use testkit::{Answer, Project};

use super::{WORD, signed_in, somebody};
use crate::http::{App, PILASTER, on_every_engine};
use crate::oauth2::flows::Browser;
use crate::oauth2::replays::{code, redeeming, refreshing, text, token};

fn club() -> Project {
    let project = Project::empty();
    project.write(
        "schema/club.sql",
        "create table members (
           sub            uuid primary key default auth.uid(),
           name           text not null,
           birthday       date not null,
           shows_birthday boolean not null default false
         );
         grant select, insert, update (shows_birthday) on members to authenticated;
         create policy own on members using (sub = auth.uid()) with check (sub = auth.uid());
         create policy consenting on members for select using (shows_birthday);",
    );
    let toml = project.read("pilaster.toml");
    let toml = format!("{toml}{}", crate::oauth2::SPA);
    project.write("pilaster.toml", &toml);
    project
}

on_every_engine!(
    club: who_is_disabled_gets_nothing_at_any_door,
    a_flag_of_ones_own_decides_what_others_see,
    long_passwords_are_whole_or_refused,
    any_name_has_an_id_that_fits_into_an_address,
);

// req: ID-22
async fn who_is_disabled_gets_nothing_at_any_door(app: App) {
    somebody(&app, "ada").await;
    let (_, key) = super::keys::made(&app, "ada", json!({"name": "nightly"})).await;
    let browser = Browser::new(&app.server);
    browser.sign_in("ada").await;
    let code = code(&browser, "openid offline_access data:read").await;
    let redeemed = token(&app.server, &redeeming(&code)).await;
    let refresh = text(&redeemed, "refresh_token");
    let refreshed = token(&app.server, &refreshing(&refresh)).await;
    let refresh = text(&refreshed, "refresh_token");
    let access = text(&refreshed, "access_token");
    let with = async |secret: &str| {
        let request = app.server.request("GET", "/api/members");
        Answer::read(request.bearer_auth(secret)).await.status
    };
    assert_eq!((with(&key).await, with(&access).await), (200, 200));
    app.project.succeed(PILASTER, &["user", "disable", "ada"]);
    assert_eq!(app.server.token("ada", WORD).await.status, 401);
    let body = json!({"identifier": "ada", "password": WORD});
    let session = app.server.send("POST", "", "/auth/session", &body).await;
    assert_eq!(session.status, 401, "{}", session.body);
    let refused = token(&app.server, &refreshing(&refresh)).await;
    assert_eq!(refused.status, 400, "{}", refused.body);
    assert_eq!((with(&key).await, with(&access).await), (401, 401));
}

// req: ID-24
async fn a_flag_of_ones_own_decides_what_others_see(app: App) {
    let ada = somebody(&app, "ada").await;
    let bob = somebody(&app, "bob").await;
    for (who, name, birthday) in [(&ada, "Ada", "1815-12-10"), (&bob, "Bob", "1990-02-03")] {
        let body = json!({"name": name, "birthday": birthday});
        let made = who.send(&app.server, "POST", "/api/members", body).await;
        assert_eq!(made.status, 201, "{}", made.body);
    }
    let seen = async |token: &str| {
        let path = "/api/members?select=name&order=name";
        let list = app.server.get_as(token, path).await.json();
        let list = list.as_array().cloned().unwrap_or_default();
        let name = |row: &Value| row["name"].as_str().unwrap_or_default().to_owned();
        list.iter().map(name).collect::<Vec<_>>()
    };
    assert_eq!(seen(&ada.token).await, ["Ada"]);
    assert_eq!(seen(&bob.token).await, ["Bob"]);
    let path = format!("/api/members/{}", ada.id);
    assert_eq!(bob.get(&app.server, &path).await.status, 404);
    let set = async |flag: bool| {
        let body = json!({"shows_birthday": flag});
        let answer = ada.send(&app.server, "PATCH", &path, body).await;
        assert!(answer.status < 300, "{}", answer.body);
    };
    set(true).await;
    assert_eq!(seen(&bob.token).await, ["Ada", "Bob"]);
    // Nobody consents for somebody else.
    let body = json!({"shows_birthday": false});
    let foreign = bob.send(&app.server, "PATCH", &path, body).await;
    assert!(foreign.status >= 400, "{}", foreign.body);
    assert_eq!(seen(&bob.token).await, ["Ada", "Bob"]);
    set(false).await;
    assert_eq!(seen(&bob.token).await, ["Bob"]);
    assert_eq!(seen(&ada.token).await, ["Ada"]);
}

// req: ID-7
async fn long_passwords_are_whole_or_refused(app: App) {
    let stem = "wörd ".repeat(12);
    assert_eq!(stem.len(), 72);
    let (one, other) = (
        format!("{stem}{}", "a".repeat(28)),
        format!("{stem}{}", "b".repeat(28)),
    );
    let register = async |name: &str, password: &str| {
        let email = format!("{name}@example.org");
        let body = json!({"email": email, "password": password, "username": name});
        app.server.send("POST", "", "/register", &body).await
    };
    let made = register("ada", &one).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(app.server.token("ada", &one).await.status, 200);
    assert_eq!(app.server.token("ada", &other).await.status, 401);
    assert_eq!(app.server.token("ada", &stem).await.status, 401);
    let long = register("eve", &"x".repeat(5000)).await;
    assert_eq!(long.status, 422, "{}", long.body);
}

// req: ID-27
async fn any_name_has_an_id_that_fits_into_an_address(app: App) {
    for (name, email) in [
        ("😀 Ünïcödé", "ada@example.org"),
        ("Ἀδα/?#%", "bob@example.org"),
    ] {
        let body = json!({"email": email, "password": WORD, "username": name});
        let made = app.server.send("POST", "", "/register", &body).await;
        assert_eq!(made.status, 201, "{}", made.body);
        let made = made.json();
        let id = made["id"].as_str().expect("an id");
        let fits = |letter: char| letter.is_ascii_alphanumeric() || "_~-".contains(letter);
        assert!(!id.is_empty() && id.chars().all(fits), "{id}");
        let token = signed_in(&app, name).await;
        let body = json!({"name": name, "birthday": "1990-02-03"});
        let row = app.server.send("POST", &token, "/api/members", &body).await;
        assert_eq!(row.status, 201, "{}", row.body);
        let row = app
            .server
            .get_as(&token, &format!("/api/members/{id}"))
            .await;
        assert_eq!(row.json()["name"], name, "{}", row.body);
    }
}
