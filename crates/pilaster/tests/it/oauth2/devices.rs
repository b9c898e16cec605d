//! Devices without a browser (RFC 8628): what they are told while they wait, who may say yes, and how
//! often somebody may guess.

use std::process::Command;

use jiff::SignedDuration;
use serde_json::{Value, json};
use sql::{Sql, Step};
use stdx::Clock;
use testkit::{Answer, Project, Running, tool};

use super::clients::facts;
use super::flows::Browser;
use super::project;
use crate::http::{App, PILASTER, on_every_engine};

on_every_engine!(
    project: a_device_waits_for_a_yes,
    a_no_and_an_end_are_told,
    a_yes_is_of_its_own_client_and_of_who_may_say_it,
    openid_client_for_devices,
);
on_every_engine!(guarded: guesses_are_limited);

/// The same with few attempts.
fn guarded() -> Project {
    project()
        .with("PILASTER_AUTH_LOGIN_ATTEMPTS", "3")
        .with("PILASTER_AUTH_ADDRESS_ATTEMPTS", "5")
}

async fn form(server: &Running, path: &str, form: &[(&str, &str)]) -> Answer {
    Answer::read(server.request("POST", path).form(form)).await
}

/// A device's own code, and the one that people type.
async fn begun(server: &Running) -> (String, String) {
    let asked = [("client_id", "tv"), ("scope", "openid email data:read")];
    let answer = form(server, "/oauth2/device_authorization", &asked).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("cache-control"), "no-store");
    let said = answer.json();
    let text = |name: &str| said[name].as_str().expect("a text").to_owned();
    let (place, code) = (text("verification_uri"), text("user_code"));
    assert_eq!(place, format!("{}/oauth2/device", server.base()));
    let complete = text("verification_uri_complete");
    assert_eq!(complete, format!("{place}?user_code={code}"));
    assert_eq!(
        (&said["interval"], &said["expires_in"]),
        (&json!(5), &json!(600))
    );
    let letters = |part: &str| {
        part.len() == 4
            && part
                .bytes()
                .all(|byte| b"BCDFGHJKLMNPQRSTVWXZ".contains(&byte))
    };
    let (one, other) = code.split_once('-').expect("a hyphen");
    assert!(letters(one) && letters(other), "{code}");
    (text("device_code"), code)
}

async fn poll(server: &Running, client: &str, code: &str) -> Answer {
    let asked = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("client_id", client),
        ("device_code", code),
    ];
    form(server, "/oauth2/token", &asked).await
}

fn is_told(answer: &Answer, error: &str) {
    assert_eq!(answer.status, 400, "{}", answer.body);
    assert_eq!(answer.json()["error"], error, "{}", answer.body);
    assert_eq!(answer.header("cache-control"), "no-store");
}

fn is_refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(answer.json()["code"], code, "{}", answer.body);
}

async fn signed_in(server: &Running, name: &str) -> (Browser, String) {
    server.sign_up(name).await;
    let browser = Browser::new(server);
    let token = browser.sign_in(name).await;
    (browser, token)
}

fn decision(code: &str, decision: &str) -> Value {
    json!({"user_code": code, "decision": decision})
}

async fn a_device_waits_for_a_yes(app: App) {
    let (browser, token) = signed_in(&app.server, "ada").await;
    let (device, code) = begun(&app.server).await;
    let (other, _) = begun(&app.server).await;
    is_told(
        &poll(&app.server, "tv", &device).await,
        "authorization_pending",
    );
    // Too soon: it waits five seconds longer from now on.
    is_told(&poll(&app.server, "tv", &device).await, "slow_down");
    let rows = app.database.dump().await;
    let slowed = rows
        .iter()
        .filter(|row| *row == "auth_devices.pause_seconds: 10");
    assert_eq!(slowed.count(), 1, "{rows:#?}");
    let plain = code.replace('-', "");
    for secret in [&device, &code, &plain] {
        assert!(
            !rows.iter().any(|row| row.contains(secret.as_str())),
            "{rows:#?}"
        );
    }
    // Opening the page says nothing yet, whatever its address holds.
    let (status, _, page) = browser
        .get(&format!("/oauth2/device?user_code={code}"))
        .await;
    assert!(status == 200 && page.contains(&code), "{status} {page}");
    // Typed in another way it is the same code.
    let typed = json!({"user_code": format!(" {} ", plain.to_lowercase())});
    let shown = browser.post("/oauth2/device", &token, &typed).await;
    assert_eq!(shown.status, 200, "{}", shown.body);
    let shown = shown.json();
    assert_eq!(shown["client"]["name"], "The television");
    assert_eq!(shown["scopes"], json!(["openid", "email", "data:read"]));
    is_told(&poll(&app.server, "tv", &device).await, "slow_down");
    let without = browser
        .post("/oauth2/device/decision", "", &decision(&code, "allow"))
        .await;
    assert_eq!(without.status, 403, "{}", without.body);
    let odd = browser
        .post(
            "/oauth2/device/decision",
            &token,
            &decision(&code, "perhaps"),
        )
        .await;
    is_refused(&odd, 422, "22000");
    let said = browser
        .post("/oauth2/device/decision", &token, &decision(&code, "allow"))
        .await;
    assert_eq!(said.status, 200, "{}", said.body);
    let again = browser
        .post("/oauth2/device/decision", &token, &decision(&code, "deny"))
        .await;
    is_refused(&again, 400, "user_code_unknown");
    let given = poll(&app.server, "tv", &device).await;
    assert_eq!(given.status, 200, "{}", given.body);
    let given = given.json();
    assert_eq!(given["scope"], "openid email data:read");
    assert!(
        given["id_token"].is_string() && given["refresh_token"].is_string(),
        "{given}"
    );
    let access = given["access_token"].as_str().expect("a token");
    assert_eq!(app.server.get_as(access, "/api/notes").await.status, 200);
    is_told(&poll(&app.server, "tv", &device).await, "invalid_grant");
    is_told(
        &poll(&app.server, "tv", &other).await,
        "authorization_pending",
    );
    lives_on_until_it_is_ended(&app, &browser, &token, &given).await;
}

/// A device is no part of the browser's session; its owner's account ends it.
async fn lives_on_until_it_is_ended(app: &App, browser: &Browser, token: &str, given: &Value) {
    let text = |given: &Value, name: &str| given[name].as_str().expect("a text").to_owned();
    let refreshing = async |token: &str| {
        let asked = [
            ("grant_type", "refresh_token"),
            ("client_id", "tv"),
            ("refresh_token", token),
        ];
        form(&app.server, "/oauth2/token", &asked).await
    };
    let ended = browser.delete("/auth/session", token).await;
    assert_eq!(ended.status, 200, "{}", ended.body);
    let refreshed = refreshing(&text(given, "refresh_token")).await;
    assert_eq!(refreshed.status, 200, "{}", refreshed.body);
    let refreshed = refreshed.json();
    let token = browser.sign_in("ada").await;
    let ended = browser.delete("/auth/apps/tv", &token).await;
    assert_eq!(ended.status, 200, "{}", ended.body);
    let access = text(&refreshed, "access_token");
    assert_eq!(app.server.get_as(&access, "/api/notes").await.status, 401);
    is_told(
        &refreshing(&text(&refreshed, "refresh_token")).await,
        "invalid_grant",
    );
    let words = ["--json", "audit", "--act", "device_approved"];
    let logged = app.project.succeed(PILASTER, &words).out;
    assert!(
        logged.contains("ada@example.org") && logged.contains("tv"),
        "{logged}"
    );
}

async fn a_no_and_an_end_are_told(app: App) {
    let (browser, token) = signed_in(&app.server, "ada").await;
    let (device, code) = begun(&app.server).await;
    let said = browser
        .post("/oauth2/device/decision", &token, &decision(&code, "deny"))
        .await;
    assert_eq!(said.status, 200, "{}", said.body);
    is_told(&poll(&app.server, "tv", &device).await, "access_denied");
    let words = ["--json", "audit", "--act", "device_denied"];
    let logged = app.project.succeed(PILASTER, &words).out;
    assert!(logged.contains("ada@example.org"), "{logged}");
    // One whose time is over, before and after a yes.
    let (late, late_code) = begun(&app.server).await;
    let (later, later_code) = begun(&app.server).await;
    let said = browser
        .post(
            "/oauth2/device/decision",
            &token,
            &decision(&later_code, "allow"),
        )
        .await;
    assert_eq!(said.status, 200, "{}", said.body);
    let db = app.database.connect().await;
    let mut sql = Sql::new(db.dialect());
    let past = Clock::System.now() - SignedDuration::from_secs(5);
    sql.push("update auth_devices set expires_at = ").arg(past);
    db.write(vec![Step::new(sql)]).await.expect("it is written");
    db.close().await.expect("it is closed");
    for code in [&late, &later] {
        is_told(&poll(&app.server, "tv", code).await, "expired_token");
    }
    let shown = browser
        .post("/oauth2/device", &token, &json!({"user_code": late_code}))
        .await;
    is_refused(&shown, 400, "user_code_unknown");
    let said = browser
        .post(
            "/oauth2/device/decision",
            &token,
            &decision(&late_code, "allow"),
        )
        .await;
    is_refused(&said, 400, "user_code_unknown");
}

async fn a_yes_is_of_its_own_client_and_of_who_may_say_it(app: App) {
    let (browser, token) = signed_in(&app.server, "ada").await;
    let (device, code) = begun(&app.server).await;
    // Who is not signed in is led to the login, and back with the code.
    let stranger = Browser::new(&app.server);
    let (status, place, _) = stranger
        .get(&format!("/oauth2/device?user_code={code}"))
        .await;
    assert_eq!(status, 303, "{place}");
    let back = super::flows::parameter(&place, "next");
    assert_eq!(back, format!("/oauth2/device?user_code={code}"), "{place}");
    let shown = stranger
        .post("/oauth2/device", "", &json!({"user_code": code}))
        .await;
    assert_eq!(shown.status, 401, "{}", shown.body);
    // A client that may not, scopes that it may not have, and nobody.
    let refused = |asked: Vec<(&'static str, &'static str)>| {
        let server = &app.server;
        async move { form(server, "/oauth2/device_authorization", &asked).await }
    };
    is_told(
        &refused(vec![("client_id", "spa")]).await,
        "unauthorized_client",
    );
    let wide = vec![("client_id", "tv"), ("scope", "openid data:write")];
    is_told(&refused(wide).await, "invalid_scope");
    let elsewhere = vec![
        ("client_id", "tv"),
        ("resource", "https://elsewhere.example"),
    ];
    is_told(&refused(elsewhere).await, "invalid_target");
    let nobody = refused(vec![("client_id", "nobody")]).await;
    assert_eq!(
        (nobody.status, &nobody.json()["error"]),
        (401, &json!("invalid_client"))
    );
    // Another client's question neither helps nor harms.
    let words = ["radio", "--public", "--grant", "device_code"];
    super::added(&app.project, &words);
    is_told(&poll(&app.server, "radio", &device).await, "invalid_grant");
    is_told(
        &poll(&app.server, "spa", &device).await,
        "unauthorized_client",
    );
    is_told(&poll(&app.server, "tv", "no code").await, "invalid_grant");
    let said = browser
        .post("/oauth2/device/decision", &token, &decision(&code, "allow"))
        .await;
    assert_eq!(said.status, 200, "{}", said.body);
    is_told(&poll(&app.server, "radio", &device).await, "invalid_grant");
    // Who is disabled before the device asks has let it do nothing.
    app.project.succeed(PILASTER, &["user", "disable", "ada"]);
    is_told(&poll(&app.server, "tv", &device).await, "invalid_grant");
    app.project.succeed(PILASTER, &["user", "enable", "ada"]);
}

async fn guesses_are_limited(app: App) {
    let (ada, token) = signed_in(&app.server, "ada").await;
    let (bob, others) = signed_in(&app.server, "bob").await;
    let (_, code) = begun(&app.server).await;
    let right = json!({"user_code": code});
    let wrong = json!({"user_code": "BBBB-BBBB"});
    for _ in 0..2 {
        let guessed = ada.post("/oauth2/device", &token, &wrong).await;
        is_refused(&guessed, 400, "user_code_unknown");
    }
    // A right one makes no wrong one undone, whether it is looked at or answered.
    let known = ada.post("/oauth2/device", &token, &right).await;
    assert_eq!(known.status, 200, "{}", known.body);
    let guessed = ada
        .post(
            "/oauth2/device/decision",
            &token,
            &decision("BBBB-BBBB", "allow"),
        )
        .await;
    is_refused(&guessed, 400, "user_code_unknown");
    let pause = ada.post("/oauth2/device", &token, &right).await;
    is_refused(&pause, 429, "too_many_attempts");
    assert!(!pause.header("retry-after").is_empty());
    // Another session of the same person is no way around.
    let again = Browser::new(&app.server);
    let own = again.sign_in("ada").await;
    let pause = again.post("/oauth2/device", &own, &right).await;
    is_refused(&pause, 429, "too_many_attempts");
    // Nor another account behind the same address: three of five were Ada's.
    for _ in 0..2 {
        let guessed = bob.post("/oauth2/device", &others, &wrong).await;
        is_refused(&guessed, 400, "user_code_unknown");
    }
    let pause = bob.post("/oauth2/device", &others, &right).await;
    is_refused(&pause, 429, "too_many_attempts");
}

// req: OA-35
async fn openid_client_for_devices(app: App) {
    let Some(packages) = tool("TEST_NODE_MODULES") else {
        return;
    };
    app.server.sign_up("ada").await;
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/it/oauth2/openid_client_device.mjs"
    );
    let mut node = Command::new("node");
    node.args([script, app.server.base(), "tv", "ada"]);
    node.env("TEST_NODE_MODULES", packages);
    assert_eq!(facts(&app, "tv", node).await, 4);
}
