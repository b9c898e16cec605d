//! Clients are told by the server that a login is over (Back-Channel Logout 1.0).

use oauth::{LoggedOut, LogoutTokenClaims, VerifyingKeys, decode_logout_token, jose::read_jwks};
use serde_json::{Value, json};
use stdx::Clock;
use testkit::Running;

use super::added;
use super::flows::{Browser, parameter, request};
use super::project;
use super::replays::{claims, token};
use crate::hooks::receiver::{AUTHORITY, Conduct, Receiver};
use crate::hooks::{dead_letter, eventually, pilaster};
use crate::http::App;

const CALLBACK: &str = "http://localhost:9/callback";

/// Runs a fact on every engine that was asked for: an app with two clients that want to be told, and
/// where they are.
async fn on_engines(networks: &str, fact: impl AsyncFn(App, Receiver)) {
    for engine in ["sqlite", "postgres", "mariadb", "mysql"] {
        if !testkit::is_enabled(engine) {
            continue;
        }
        let receiver = Receiver::start_tls(Conduct::Answer("200 OK")).await;
        let project = project()
            .with("PILASTER_WEBHOOKS_ALLOW_PRIVATE", networks)
            .with("PILASTER_WEBHOOKS_CA_FILE", "ca.pem")
            .with("PILASTER_HOOKS_FIRST_PAUSE", "10ms")
            .with("PILASTER_HOOKS_ATTEMPTS", "2");
        project.write("ca.pem", AUTHORITY);
        let app = App::of(engine, project).await.expect("it is enabled");
        for id in ["one", "two"] {
            let uri = format!("https://localhost:{}/out/{id}", receiver.port);
            let words = [
                id,
                "--public",
                "--first-party",
                "--redirect",
                CALLBACK,
                "--logout-url",
                &uri,
            ];
            added(&app.project, &words);
        }
        fact(app, receiver).await;
    }
}

/// Logs in to a client; gives its ID token's claims and its access token.
async fn log_in(server: &Running, browser: &Browser, client: &str, scope: &str) -> (Value, String) {
    let changes = [("client_id", client), ("scope", scope)];
    let (_, location, _) = browser.get(&request(&changes)).await;
    let code = parameter(&location, "code");
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", client),
        ("redirect_uri", CALLBACK),
        (
            "code_verifier",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        ),
        ("code", &code),
    ];
    let given = token(server, &form).await;
    assert_eq!(given.status, 200, "{}", given.body);
    let given = given.json();
    let text = |name: &str| given[name].as_str().expect("a token").to_owned();
    (claims(&text("id_token")), text("id_token"))
}

/// The logout tokens that were sent, verified with the issuer's published keys.
async fn told(server: &Running, receiver: &Receiver, number: usize) -> Vec<LogoutTokenClaims> {
    let sent = eventually("the logouts", async || {
        Some(receiver.received()).filter(|sent| sent.len() == number)
    })
    .await;
    let keys = server.get("/oauth2/jwks").await.body;
    let keys: VerifyingKeys = read_jwks(keys.as_bytes()).expect("keys");
    let now = Clock::System.now();
    let read = sent.iter().map(|one| {
        assert_eq!(
            one.header("content-type"),
            "application/x-www-form-urlencoded"
        );
        let body = String::from_utf8(one.body.clone()).expect("text");
        let token = body.strip_prefix("logout_token=").expect("a form");
        let client = one.path.strip_prefix("/out/").expect("its own address");
        decode_logout_token(token, &keys, server.base(), client, now).expect("a logout token")
    });
    read.collect()
}

fn sid(told: &LogoutTokenClaims) -> (&str, Value) {
    match &told.whom {
        LoggedOut::Session { sid, .. } => (told.aud.as_str(), json!(sid)),
        LoggedOut::Everywhere { .. } => panic!("{told:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_are_told_of_each_end() {
    on_engines("127.0.0.0/8,::1", async |app, receiver| {
        let server = &app.server;
        server.sign_up("ada").await;
        let metadata = server.get("/.well-known/openid-configuration").await.json();
        for name in [
            "backchannel_logout_supported",
            "backchannel_logout_session_supported",
        ] {
            assert_eq!(metadata[name], true, "{metadata}");
        }
        let browser = Browser::new(server);
        let csrf = browser.sign_in("ada").await;
        let (one, hint) = log_in(server, &browser, "one", "openid").await;
        // What outlives the session is told of its end all the same.
        let (two, _) = log_in(server, &browser, "two", "openid offline_access").await;
        assert_ne!(one["sid"], two["sid"]);
        // Another browser's login is another one's.
        let other = Browser::new(server);
        let others = other.sign_in("ada").await;
        let (far, _) = log_in(server, &other, "one", "openid").await;
        browser
            .get(&format!("/oauth2/logout?id_token_hint={hint}"))
            .await;
        let ends = told(server, &receiver, 2).await;
        let mut sids: Vec<_> = ends.iter().map(sid).collect();
        sids.sort_by_key(|(client, _)| *client);
        assert_eq!(
            sids,
            [("one", one["sid"].clone()), ("two", two["sid"].clone())]
        );
        for end in &ends {
            assert_eq!(
                (end.exp - end.iat, &end.iss),
                (120, &server.base().to_owned())
            );
        }
        assert_ne!(ends[0].jti, ends[1].jti);
        // The account ends one app's access, and then its own session.
        let ended = other.delete("/auth/apps/one", &others).await;
        assert_eq!(ended.status, 200, "{}", ended.body);
        let ends = told(server, &receiver, 3).await;
        assert_eq!(sid(&ends[2]), ("one", far["sid"].clone()));
        let ended = other.delete("/auth/session", &others).await;
        assert_eq!(ended.status, 200, "{}", ended.body);
        // A session that its owner ends from elsewhere.
        let csrf_again = browser.sign_in("ada").await;
        assert_ne!(csrf, csrf_again);
        let (here, _) = log_in(server, &browser, "one", "openid").await;
        let far = Browser::new(server);
        let remote = far.sign_in("ada").await;
        let (_, _, list) = far.get("/auth/sessions").await;
        let list: Value = serde_json::from_str(&list).expect("JSON");
        let listed = list.as_array().expect("a list").iter();
        let mut foreign = listed.filter(|one| one["current"] == false);
        let id = foreign.next().expect("another session")["id"].as_str();
        let path = format!("/auth/sessions/{}", id.expect("an id"));
        let ended = far.delete(&path, &remote).await;
        assert_eq!(ended.status, 200, "{}", ended.body);
        let ends = told(server, &receiver, 4).await;
        assert_eq!(sid(&ends[3]), ("one", here["sid"].clone()));
        let rows = app.database.dump().await;
        let left = rows
            .iter()
            .filter(|row| row.starts_with("auth_deliveries.id:"));
        assert_eq!(left.count(), 0, "{rows:#?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_is_sent_again_with_the_same_id() {
    on_engines("127.0.0.0/8,::1", async |app, receiver| {
        let server = &app.server;
        server.sign_up("ada").await;
        receiver.behave(Conduct::Answer("500 No\r\nretry-after: 0"));
        let browser = Browser::new(server);
        let csrf = browser.sign_in("ada").await;
        log_in(server, &browser, "one", "openid").await;
        let ended = browser.delete("/auth/session", &csrf).await;
        assert_eq!(ended.status, 200, "{}", ended.body);
        let dead = dead_letter(&app).await;
        assert_eq!(
            (&dead["target"], &dead["error"]),
            (&json!("oauth.logouts"), &json!("it answered 500"))
        );
        receiver.behave(Conduct::Answer("204 Fine"));
        pilaster(&app, &["hooks", "retry", "--all"]);
        let ends = told(server, &receiver, 3).await;
        assert!(ends.iter().all(|end| end.jti == ends[0].jti), "{ends:?}");
    })
    .await;
}

// req: SC-3
#[tokio::test(flavor = "multi_thread")]
async fn a_client_in_a_private_network_is_not_reached() {
    on_engines("10.0.0.0/8", async |app, receiver| {
        let server = &app.server;
        server.sign_up("ada").await;
        let browser = Browser::new(server);
        let csrf = browser.sign_in("ada").await;
        log_in(server, &browser, "one", "openid").await;
        let ended = browser.delete("/auth/session", &csrf).await;
        assert_eq!(ended.status, 200, "{}", ended.body);
        let dead = dead_letter(&app).await;
        let error = dead["error"].as_str().unwrap_or_default();
        assert!(error.contains("is refused"), "{dead}");
        assert!(receiver.received().is_empty());
    })
    .await;
}
