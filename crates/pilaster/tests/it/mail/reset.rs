//! A new password by mail.

use serde_json::json;
use testkit::Project;

use super::{Dev, WORD, on_every_engine, token};
use crate::oauth2::flows::Browser;
use crate::oauth2::replays::{self as oauth2, code, redeeming, refreshing, text};

fn plain() -> Project {
    super::project("")
}

fn with_a_client() -> Project {
    super::project(crate::oauth2::SPA)
}

on_every_engine!(with_a_client: a_reset_ends_what_was_begun_before);
on_every_engine!(plain: a_new_password_is_set_once_and_told, links_open_what_they_are_for_alone);

const NEW: &str = "another long pass phrase";

async fn a_new_password_is_set_once_and_told(dev: Dev) {
    dev.sign_up("ada").await;
    let asked = dev
        .post("/auth/reset", json!({"email": " ADA@example.org"}))
        .await;
    assert_eq!(asked.status, 202, "{}", asked.body);
    let mail = dev.mail("ada@example.org", 1).await;
    assert_eq!(mail["template"], "reset");
    let link = token(&mail);
    let page = dev.server.get(&format!("/auth/reset/{link}")).await;
    assert_eq!(page.status, 200);
    assert!(!page.body.contains(&link), "{}", page.body);
    let short = dev
        .post(
            "/auth/reset/finish",
            json!({"token": link, "password": "short"}),
        )
        .await;
    assert_eq!(short.status, 422, "{}", short.body);
    let body = json!({"token": link, "password": NEW});
    let uses = (0..20).map(|_| dev.post("/auth/reset/finish", body.clone()));
    let answers = futures_util::future::join_all(uses).await;
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    let count = |wanted| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!((count(200), count(400)), (1, 19), "{statuses:?}");
    assert_eq!(dev.server.token("ada@example.org", WORD).await.status, 401);
    dev.bearer("ada@example.org", NEW).await;
    let told = dev.mail("ada@example.org", 2).await;
    assert_eq!(
        (&told["template"], &told["link"]),
        (&json!("password_changed"), &json!(null))
    );
    assert_eq!(dev.acts().await, ["password_changed ada@example.org"]);
    assert_eq!(dev.audit(&["--act", "password_changed"]).len(), 1);
    // The same by the code.
    dev.post("/auth/reset", json!({"email": "ada@example.org"}))
        .await;
    let code = dev.mail("ada@example.org", 3).await["code"].clone();
    let body = json!({"email": "ada@example.org", "code": code, "password": WORD});
    assert_eq!(
        dev.post("/auth/reset/finish", body.clone()).await.status,
        200
    );
    assert_eq!(dev.post("/auth/reset/finish", body).await.status, 400);
    dev.bearer("ada@example.org", WORD).await;
    // Nobody's address: alike, and no mail.
    let asked = dev
        .post("/auth/reset", json!({"email": "nobody@example.org"}))
        .await;
    assert_eq!(asked.status, 202, "{}", asked.body);
    assert!(dev.mails("nobody@example.org").await.is_empty());
}

// req: ID-18
async fn a_reset_ends_what_was_begun_before(dev: Dev) {
    dev.sign_up("ada").await;
    let browser = Browser::new(&dev.server);
    browser.sign_in("ada").await;
    let code = code(&browser, "openid offline_access").await;
    let redeemed = oauth2::token(&dev.server, &redeeming(&code)).await;
    let refresh = text(&redeemed, "refresh_token");
    let refreshed = oauth2::token(&dev.server, &refreshing(&refresh)).await;
    let refresh = text(&refreshed, "refresh_token");
    assert_eq!(browser.get("/auth/session").await.0, 200);
    dev.post("/auth/reset", json!({"email": "ada@example.org"}))
        .await;
    let link = token(&dev.mail("ada@example.org", 1).await);
    let body = json!({"token": link, "password": NEW});
    let reset = dev.post("/auth/reset/finish", body.clone()).await;
    assert_eq!(reset.status, 200, "{}", reset.body);
    let refused = oauth2::token(&dev.server, &refreshing(&refresh)).await;
    assert_eq!(refused.status, 400, "{}", refused.body);
    assert_eq!(browser.get("/auth/session").await.0, 401);
    assert_eq!(dev.post("/auth/reset/finish", body).await.status, 400);
    let told = dev.mail("ada@example.org", 2).await;
    assert_eq!(told["template"], "password_changed");
    dev.bearer("ada@example.org", NEW).await;
    // A link that nobody follows in time is worth nothing.
    dev.post("/auth/reset", json!({"email": "ada@example.org"}))
        .await;
    let late = token(&dev.mail("ada@example.org", 3).await);
    dev.expire_tickets().await;
    let body = json!({"token": late, "password": WORD});
    assert_eq!(dev.post("/auth/reset/finish", body).await.status, 400);
}

async fn links_open_what_they_are_for_alone(dev: Dev) {
    let ada = dev.sign_up("ada").await;
    dev.sign_up("bob").await;
    for email in ["ada@example.org", "bob@example.org"] {
        dev.post("/auth/reset", json!({"email": email})).await;
    }
    let reset = token(&dev.mail("ada@example.org", 1).await);
    // Another purpose, another owner, another spelling.
    let confirm = dev.post("/auth/confirm", json!({"token": reset})).await;
    assert_eq!(confirm.status, 400, "{}", confirm.body);
    let email = dev
        .post_as(&ada, "/auth/email/confirm", json!({"token": reset}))
        .await;
    assert_eq!(email.status, 400, "{}", email.body);
    let delete = dev
        .server
        .send("DELETE", &ada, "/auth/me", &json!({"token": reset}))
        .await;
    assert_eq!(delete.status, 400, "{}", delete.body);
    let code = dev.mail("ada@example.org", 1).await["code"].clone();
    let body = json!({"email": "bob@example.org", "code": code, "password": NEW});
    assert_eq!(dev.post("/auth/reset/finish", body).await.status, 400);
    for wrong in [
        String::new(),
        format!("{reset}x"),
        reset.to_lowercase(),
        String::from("../x"),
    ] {
        let body = json!({"token": wrong, "password": NEW});
        assert_eq!(
            dev.post("/auth/reset/finish", body).await.status,
            400,
            "{wrong}"
        );
    }
    // An older link dies with a newer one, and with the address that it was sent to.
    dev.post("/auth/reset", json!({"email": "ada@example.org"}))
        .await;
    let newer = token(&dev.mail("ada@example.org", 2).await);
    let body = json!({"token": reset, "password": NEW});
    assert_eq!(dev.post("/auth/reset/finish", body).await.status, 400);
    let words = ["user", "update", "ada", "--email", "ada@moved.example"];
    dev.project.succeed(crate::http::PILASTER, &words);
    let body = json!({"token": newer, "password": NEW});
    assert_eq!(dev.post("/auth/reset/finish", body).await.status, 400);
    // Too late.
    let bob = token(&dev.mail("bob@example.org", 1).await);
    dev.expire_tickets().await;
    let body = json!({"token": bob, "password": NEW});
    assert_eq!(dev.post("/auth/reset/finish", body).await.status, 400);
    dev.bearer("bob", WORD).await;
}
