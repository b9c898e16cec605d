//! The token endpoint: bad requests, codes and refresh tokens that come twice, and what ends with
//! what.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Answer, Project, Running};

use super::flows::{Browser, parameter, request};
use super::{SECRET, project};
use crate::http::{App, PILASTER, on_every_engine};

on_every_engine!(
    project: bad_token_requests_have_names,
    a_family_ends_when_a_copy_shows_up,
    what_is_read_afresh_at_each_refresh,
    a_client_acts_for_itself,
);
on_every_engine!(shared: keys_are_replaced_under_load);

/// What the challenge of [`request`] is the hash of.
const VERIFIER: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

pub(crate) async fn token(server: &Running, form: &[(&str, &str)]) -> Answer {
    Answer::read(server.request("POST", "/oauth2/token").form(form)).await
}

/// A code for the house's own client.
pub(crate) async fn code(browser: &Browser, scope: &str) -> String {
    let (_, location, _) = browser.get(&request(&[("scope", scope)])).await;
    let code = parameter(&location, "code");
    assert!(!code.is_empty(), "{location}");
    code
}

pub(crate) fn redeeming(code: &str) -> Vec<(&str, &str)> {
    vec![
        ("grant_type", "authorization_code"),
        ("client_id", "spa"),
        ("redirect_uri", "http://localhost:9/callback"),
        ("code_verifier", VERIFIER),
        ("code", code),
    ]
}

pub(crate) fn refreshing(token: &str) -> [(&str, &str); 3] {
    [
        ("grant_type", "refresh_token"),
        ("client_id", "spa"),
        ("refresh_token", token),
    ]
}

pub(crate) fn text(answer: &Answer, member: &str) -> String {
    assert_eq!(answer.status, 200, "{}", answer.body);
    let text = answer.json()[member].as_str().map(str::to_owned);
    text.unwrap_or_default()
}

/// A parameter in another way, and what the endpoint says of it.
const BAD: [(&str, &str, u16, &str); 13] = [
    ("grant_type", "", 400, "invalid_request"),
    ("grant_type", "password", 400, "unsupported_grant_type"),
    ("grant_type", "implicit", 400, "unsupported_grant_type"),
    ("client_id", "", 401, "invalid_client"),
    ("client_id", "nobody", 401, "invalid_client"),
    ("client_id", "web", 401, "invalid_client"),
    ("client_id", "other", 400, "invalid_grant"),
    ("code", "", 400, "invalid_request"),
    ("code", OTHER, 400, "invalid_grant"),
    ("code_verifier", "", 400, "invalid_grant"),
    ("code_verifier", OTHER, 400, "invalid_grant"),
    ("code_verifier", "short", 400, "invalid_request"),
    (
        "redirect_uri",
        "http://localhost:9/other",
        400,
        "invalid_grant",
    ),
];

/// As long as a code or a verifier.
const OTHER: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

fn is_refused(answer: &Answer, status: u16, error: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(answer.json()["error"], error, "{}", answer.body);
    assert_eq!(answer.header("cache-control"), "no-store");
}

// req: OA-8 OA-9 OA-10
async fn bad_token_requests_have_names(app: App) {
    app.server.sign_up("ada").await;
    let browser = Browser::new(&app.server);
    browser.sign_in("ada").await;
    let code = code(&browser, "openid").await;
    let good = redeeming(&code);
    for (name, value, status, error) in BAD {
        let mut form = good.clone();
        form.retain(|(known, _)| *known != name);
        if !value.is_empty() {
            form.push((name, value));
        }
        is_refused(&token(&app.server, &form).await, status, error);
    }
    let twice = [good.clone(), vec![("code", "x")]].concat();
    is_refused(&token(&app.server, &twice).await, 400, "invalid_request");
    let basic = app.server.request("POST", "/oauth2/token");
    let basic = basic.basic_auth("web", Some("wrong"));
    let refused = Answer::read(basic.form(&[("grant_type", "client_credentials")])).await;
    is_refused(&refused, 401, "invalid_client");
    assert!(refused.header("www-authenticate").starts_with("Basic "));
    // None of them used the code up, and JSON does as well as a form.
    let body = good
        .iter()
        .map(|(name, value)| ((*name).to_owned(), json!(value)));
    let body: Value = body.collect();
    let given = app.server.send("POST", "", "/oauth2/token", &body).await;
    assert_eq!(given.status, 200, "{}", given.body);
    assert_eq!(given.header("cache-control"), "no-store");
    let another = self::code(&browser, "openid").await;
    let given = token(&app.server, &redeeming(&another)).await;
    assert_eq!(given.status, 200, "{}", given.body);
    assert_eq!(given.header("cache-control"), "no-store");
    let log = app.server.log();
    assert!(
        !log.contains(&code) && !log.contains("af0ifjsldkj"),
        "{log}"
    );
}

// req: OA-18 SC-11 X-9
async fn a_family_ends_when_a_copy_shows_up(app: App) {
    app.server.sign_up("ada").await;
    let browser = Browser::new(&app.server);
    browser.sign_in("ada").await;
    let code = code(&browser, "openid offline_access data:read").await;
    let first = text(
        &token(&app.server, &redeeming(&code)).await,
        "refresh_token",
    );
    let second = token(&app.server, &refreshing(&first)).await;
    let access = text(&second, "access_token");
    let second = text(&second, "refresh_token");
    let third = text(
        &token(&app.server, &refreshing(&second)).await,
        "refresh_token",
    );
    assert_eq!(app.server.get_as(&access, "/api/notes").await.status, 200);
    // A byte of it in another way is not a token.
    let last = if third.ends_with('A') { "B" } else { "A" };
    let flipped = format!("{}{last}", &third[..third.len() - 1]);
    let refused = token(&app.server, &refreshing(&flipped)).await;
    is_refused(&refused, 400, "invalid_grant");
    // The thief comes with the first: both are out, and it is written down.
    let refused = token(&app.server, &refreshing(&first)).await;
    is_refused(&refused, 400, "invalid_grant");
    let App {
        server,
        project,
        database,
    } = app;
    drop(server);
    let server = Running::serve(PILASTER, &project).await;
    for dead in [&first, &second, &third] {
        let refused = token(&server, &refreshing(dead)).await;
        is_refused(&refused, 400, "invalid_grant");
    }
    let read = server.request("GET", "/api/notes").bearer_auth(&access);
    assert_eq!(Answer::read(read).await.status, 401);
    let rows = database.dump().await;
    let line = "auth_audit.act: grant_replayed";
    assert!(rows.iter().any(|row| row == line), "{rows:#?}");
    let logged = project.succeed(PILASTER, &["--json", "audit", "--act", "grant_replayed"]);
    assert!(
        logged.out.contains("\"spa\"") || logged.out.contains("spa"),
        "{}",
        logged.out
    );
}

// req: OA-22 X-21
async fn what_is_read_afresh_at_each_refresh(app: App) {
    let person = app.server.sign_up("ada").await;
    let browser = Browser::new(&app.server);
    browser.sign_in("ada").await;
    let code = code(&browser, "openid profile offline_access data:read").await;
    let refresh = text(
        &token(&app.server, &redeeming(&code)).await,
        "refresh_token",
    );
    app.project.succeed(
        PILASTER,
        &["user", "update", "ada", "--username", "augusta"],
    );
    let refreshed = token(&app.server, &refreshing(&refresh)).await;
    let claims = claims(&text(&refreshed, "id_token"));
    assert_eq!(claims["preferred_username"], "augusta", "{claims}");
    // What is taken from the client is gone with the next refresh.
    let toml = app.project.read("pilaster.toml");
    let narrower = toml.replace(
        "scope = \"openid profile email offline_access data:read data:write\"",
        "scope = \"openid profile email offline_access\"",
    );
    assert_ne!(toml, narrower);
    app.project.write("pilaster.toml", &narrower);
    let App {
        server,
        project,
        database,
    } = app;
    drop(server);
    let server = Running::serve(PILASTER, &project).await;
    let refresh = text(&refreshed, "refresh_token");
    let refreshed = token(&server, &refreshing(&refresh)).await;
    assert_eq!(text(&refreshed, "scope"), "openid profile offline_access");
    // Who is switched off refreshes nothing, and the token of before is dead at once.
    let access = text(&refreshed, "access_token");
    let refresh = text(&refreshed, "refresh_token");
    project.succeed(PILASTER, &["user", "disable", "augusta"]);
    let refused = token(&server, &refreshing(&refresh)).await;
    is_refused(&refused, 400, "invalid_grant");
    let info = server
        .request("GET", "/oauth2/userinfo")
        .bearer_auth(&access);
    assert_eq!(Answer::read(info).await.status, 401);
    drop((person, database));
}

pub(super) fn claims(token: &str) -> Value {
    use base64::Engine as _;
    let middle = token.split('.').nth(1).expect("three parts");
    let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let claims = engine.decode(middle).expect("base64url");
    serde_json::from_slice(&claims).expect("JSON")
}

async fn a_client_acts_for_itself(app: App) {
    let form = [("grant_type", "client_credentials"), ("scope", "data:read")];
    let request = app.server.request("POST", "/oauth2/token");
    let given = Answer::read(request.basic_auth("web", Some(SECRET)).form(&form)).await;
    let access = text(&given, "access_token");
    assert!(given.json()["refresh_token"].is_null() && given.json()["id_token"].is_null());
    let claims = claims(&access);
    assert_eq!(
        (&claims["sub"], &claims["roles"]),
        (&"client:web".into(), &json!(["reports"]))
    );
    assert_eq!(app.server.get_as(&access, "/api/notes").await.status, 200);
    let note = json!({"id": 1, "body": "x"});
    let refused = app.server.send("POST", &access, "/api/notes", &note).await;
    assert_eq!(refused.status, 403, "{}", refused.body);
    assert!(
        refused
            .header("www-authenticate")
            .contains("scope=\"data:write\"")
    );
    // It is nobody's account.
    assert_eq!(app.server.get_as(&access, "/auth/me").await.status, 403);
    assert_eq!(
        app.server.get_as(&access, "/oauth2/userinfo").await.status,
        403
    );
    let form = [("token", access.as_str())];
    let request = app.server.request("POST", "/oauth2/revoke");
    let revoked = Answer::read(request.basic_auth("web", Some(SECRET)).form(&form)).await;
    assert_eq!(revoked.status, 200, "{}", revoked.body);
    assert_eq!(app.server.get_as(&access, "/api/notes").await.status, 401);
}

/// The same at one address, whatever port a server has: as behind a proxy.
fn shared() -> Project {
    project().with("PILASTER_SERVER_PUBLIC_URL", "http://films.example")
}

async fn own_token(server: &Running) -> String {
    let form = [("grant_type", "client_credentials"), ("scope", "data:read")];
    let request = server.request("POST", "/oauth2/token");
    let given = Answer::read(request.basic_auth("web", Some(SECRET)).form(&form)).await;
    text(&given, "access_token")
}

/// Tokens of one server that are shown to another, until it is told to stop; how many were good.
async fn load(from: &Running, to: &Running, stop: &AtomicBool) -> usize {
    let mut good = 0;
    while !stop.load(Ordering::Relaxed) {
        let access = own_token(from).await;
        let read = to.get_as(&access, "/api/notes").await;
        assert_eq!(read.status, 200, "{}", read.body);
        good += 1;
    }
    good
}

// req: OA-26
async fn keys_are_replaced_under_load(app: App) {
    let other = Running::serve(PILASTER, &app.project).await;
    let stop = AtomicBool::new(false);
    let runtime = tokio::runtime::Handle::current();
    let before = own_token(&app.server).await;
    let goods = tokio::task::block_in_place(|| {
        std::thread::scope(|scope| {
            let one = scope.spawn(|| runtime.block_on(load(&app.server, &other, &stop)));
            let two = scope.spawn(|| runtime.block_on(load(&other, &app.server, &stop)));
            for _ in 0..3 {
                app.project.succeed(PILASTER, &["keys", "rotate"]);
                std::thread::sleep(Duration::from_millis(300));
            }
            stop.store(true, Ordering::Relaxed);
            [one, two].map(|thread| thread.join().expect("no token was refused"))
        })
    });
    assert!(goods.iter().all(|good| *good > 0), "{goods:?}");
    let listed = app
        .project
        .succeed(PILASTER, &["--json", "keys", "list"])
        .out;
    let listed: Vec<Value> = serde_json::from_str(&listed).expect("JSON");
    assert_eq!(
        (listed.len(), &listed[0]["signs"]),
        (4, &json!(true)),
        "{listed:?}"
    );
    // Who is started now signs with the newest key. The others have never seen it, and look.
    let late = Running::serve(PILASTER, &app.project).await;
    let published = late.get("/oauth2/jwks").await.json();
    assert_eq!(
        published["keys"].as_array().map(Vec::len),
        Some(4),
        "{published}"
    );
    let newest = own_token(&late).await;
    for server in [&app.server, &other, &late] {
        for access in [&before, &newest] {
            assert_eq!(server.get_as(access, "/api/notes").await.status, 200);
        }
    }
}
