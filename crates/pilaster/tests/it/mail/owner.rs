//! What the owner of an account does with it: another address, the end.

use serde_json::json;
use testkit::Project;

use super::{Dev, WORD, on_every_engine, token};

fn plain() -> Project {
    super::project("")
}

on_every_engine!(plain: an_account_moves_to_another_address, an_account_is_deleted);

// req: ID-13 ID-19
async fn an_account_moves_to_another_address(dev: Dev) {
    let ada = dev.sign_up("ada").await;
    let bob = dev.sign_up("bob").await;
    let body = |password: &str| json!({"email": " New@Example.org ", "password": password});
    assert_eq!(dev.post("/auth/email", body(WORD)).await.status, 401);
    let wrong = dev
        .post_as(&ada, "/auth/email", body("a wrong pass phrase"))
        .await;
    assert_eq!(
        (wrong.status, &wrong.json()["code"]),
        (403, &json!("wrong_password"))
    );
    let taken = json!({"email": "BOB@example.org", "password": WORD});
    assert_eq!(dev.post_as(&ada, "/auth/email", taken).await.status, 409);
    let asked = dev.post_as(&ada, "/auth/email", body(WORD)).await;
    assert_eq!(asked.status, 202, "{}", asked.body);
    let link = token(&dev.mail("new@example.org", 1).await);
    let body = json!({"token": link});
    // Nobody, somebody else: whose mailbox it is does not count.
    assert_eq!(
        dev.post("/auth/email/confirm", body.clone()).await.status,
        401
    );
    assert_eq!(
        dev.post_as(&bob, "/auth/email/confirm", body.clone())
            .await
            .status,
        400
    );
    for _ in 0..3 {
        assert_eq!(
            dev.server.get(&format!("/auth/email/{link}")).await.status,
            200
        );
    }
    let moved = dev.post_as(&ada, "/auth/email/confirm", body.clone()).await;
    assert_eq!(moved.status, 200, "{}", moved.body);
    let both = json!({"email": "new@example.org", "old_email": "ada@example.org"});
    assert_eq!(moved.json(), both);
    assert_eq!(dev.server.get_as(&ada, "/auth/me").await.status, 401);
    let told = dev.mail("ada@example.org", 1).await;
    assert_eq!(told["template"], "email_changed");
    assert!(
        !told["text"].to_string().contains("new@example.org"),
        "{told}"
    );
    assert_eq!(dev.acts().await, ["email_changed new@example.org"]);
    let fresh = dev.bearer("new@example.org", WORD).await;
    assert_eq!(dev.server.token("ada@example.org", WORD).await.status, 401);
    assert_eq!(
        dev.post_as(&fresh, "/auth/email/confirm", body)
            .await
            .status,
        400
    );
    one_gets_what_two_want(&dev, &fresh, &bob).await;
}

/// Of two who want one address, one gets it.
async fn one_gets_what_two_want(dev: &Dev, one: &str, two: &str) {
    for who in [one, two] {
        let body = json!({"email": "prize@example.org", "password": WORD});
        assert_eq!(dev.post_as(who, "/auth/email", body).await.status, 202);
    }
    dev.mail("prize@example.org", 2).await;
    let mails = dev.mails("prize@example.org").await;
    let mut statuses = Vec::new();
    for mail in &mails {
        for who in [one, two] {
            let body = json!({"token": token(mail)});
            statuses.push(dev.post_as(who, "/auth/email/confirm", body).await.status);
        }
    }
    statuses.retain(|status| *status != 400 && *status != 401);
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
}

// req: ID-20
async fn an_account_is_deleted(dev: Dev) {
    let ada = dev.sign_up("ada").await;
    let bob = dev.sign_up("bob").await;
    let wrong = dev
        .post_as(&ada, "/auth/deletion", json!({"password": "wrong"}))
        .await;
    assert_eq!(wrong.status, 403, "{}", wrong.body);
    let asked = dev
        .post_as(&ada, "/auth/deletion", json!({"password": WORD}))
        .await;
    assert_eq!(asked.status, 200, "{}", asked.body);
    let body = json!({"token": asked.json()["token"]});
    let other = dev.server.send("DELETE", &bob, "/auth/me", &body).await;
    assert_eq!(other.status, 400, "{}", other.body);
    // What signs in, or gives a new password, deletes nothing.
    let login = json!({"identifier": "ada@example.org", "password": WORD});
    let login = dev.post("/auth/session", login).await;
    dev.post("/auth/reset", json!({"email": "ada@example.org"}))
        .await;
    let mail = dev.mail("ada@example.org", 1).await;
    for code in [
        login.json()["csrf_token"].clone(),
        json!(ada),
        json!(token(&mail)),
        mail["code"].clone(),
    ] {
        let body = json!({"token": code});
        let refused = dev.server.send("DELETE", &ada, "/auth/me", &body).await;
        assert_eq!(refused.status, 400, "{code}: {}", refused.body);
    }
    let nothing = dev
        .server
        .send("DELETE", &ada, "/auth/me", &json!({}))
        .await;
    assert_eq!(nothing.status, 422, "{}", nothing.body);
    let gone = dev.server.send("DELETE", &ada, "/auth/me", &body).await;
    assert_eq!(gone.status, 200, "{}", gone.body);
    assert_eq!(dev.server.get_as(&ada, "/auth/me").await.status, 401);
    assert_eq!(dev.server.token("ada", WORD).await.status, 401);
    let people = dev.server.get("/api/people?select=email").await.json();
    assert_eq!(people, json!([{"email": "bob@example.org"}]));
    let notes = dev.server.get("/api/notes").await.json();
    assert_eq!(notes.as_array().map(Vec::len), Some(1), "{notes}");
    assert_eq!(dev.acts().await, ["user_deleted ada@example.org"]);
    let told = dev.mail("ada@example.org", 2).await;
    assert_eq!(told["template"], "account_deleted");
    // The log outlives the account, and the address is free again.
    assert_eq!(
        dev.audit(&["--user", "ada@example.org", "--act", "user_deleted"])
            .len(),
        1
    );
    dev.sign_up("ada").await;
}
