//! Registration with a proof of the address.

use serde_json::json;
use testkit::Project;

use super::{Dev, WORD, bare, on_every_engine, token};

fn confirming() -> Project {
    super::project("[auth]\nconfirm_email = true\n")
}

on_every_engine!(confirming:
    an_account_is_made_by_its_link_once,
    a_late_link_is_dead_and_another_is_to_be_had,
    a_code_is_tried_five_times,
    existing_and_new_addresses_are_answered_alike,
    of_a_hundred_uses_of_one_link_one_counts,
    names_and_addresses_reach_no_header,
);

// req: ID-15, ML-5, ML-6
async fn an_account_is_made_by_its_link_once(dev: Dev) {
    let account = json!({"email": " Ada@Example.org", "password": WORD, "username": "ada"});
    let answer = dev.post("/register", account).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    assert_eq!(answer.json(), json!({"next": "confirm_email"}));
    let mail = dev.mail("ada@example.org", 1).await;
    let link = mail["link"].as_str().expect("a link");
    assert!(
        link.starts_with(&format!("{}/auth/confirm/", dev.server.base())),
        "{link}"
    );
    // 256 bits of chance, and nothing of who it is for.
    assert_eq!(token(&mail).len(), 43, "{link}");
    let lower = link.to_lowercase();
    assert!(
        !lower.contains("ada") && !lower.contains("example.org"),
        "{link}"
    );
    let refused = dev.server.token("ada@example.org", WORD).await;
    assert_eq!(refused.status, 401, "{}", refused.body);
    let path = link.strip_prefix(dev.server.base()).expect("ours");
    for _ in 0..3 {
        let seen = dev.server.get(path).await;
        assert_eq!(seen.status, 200, "{}", seen.body);
    }
    assert!(
        dev.server
            .get("/api/people")
            .await
            .json()
            .as_array()
            .is_some_and(Vec::is_empty)
    );
    let made = dev
        .post("/auth/confirm", json!({"token": token(&mail)}))
        .await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.json()["email"], "ada@example.org");
    let again = dev
        .post("/auth/confirm", json!({"token": token(&mail)}))
        .await;
    assert_eq!(again.status, 400, "{}", again.body);
    assert_eq!(again.json()["code"], "link_invalid");
    dev.bearer("ada@example.org", WORD).await;
    let people = dev.server.get("/api/people?select=email,confirmed").await;
    assert_eq!(
        people.json(),
        json!([{"email": "ada@example.org", "confirmed": true}])
    );
    let acts = dev.audit(&["--user", "ada"]);
    let acts: Vec<&str> = acts.iter().filter_map(|act| act["act"].as_str()).collect();
    assert_eq!(acts, ["user_registered", "user_confirmed"]);
}

// req: ID-15
async fn a_late_link_is_dead_and_another_is_to_be_had(dev: Dev) {
    // A link that came too late, and one for something else.
    let late = json!({"email": "late@example.org", "password": WORD});
    assert_eq!(dev.post("/register", late).await.status, 202);
    let mail = dev.mail("late@example.org", 1).await;
    let other = json!({"token": token(&mail), "password": WORD});
    let wrong = dev.post("/auth/reset/finish", other).await;
    assert_eq!(wrong.status, 400, "{}", wrong.body);
    let path = format!("/auth/confirm/{}", token(&mail));
    assert_eq!(dev.server.get(&path).await.status, 200);
    dev.expire_tickets().await;
    let expired = dev
        .post("/auth/confirm", json!({"token": token(&mail)}))
        .await;
    assert_eq!(bare(&expired).1, bare(&wrong).1);
    // Another link is to be had, with the same account behind it.
    let resent = dev
        .post("/auth/confirm/resend", json!({"email": "late@example.org"}))
        .await;
    assert_eq!(resent.status, 202, "{}", resent.body);
    let mail = dev.mail("late@example.org", 2).await;
    let made = dev
        .post("/auth/confirm", json!({"token": token(&mail)}))
        .await;
    assert_eq!(made.status, 201, "{}", made.body);
    dev.bearer("late@example.org", WORD).await;
    // The log names neither link nor code.
    let log = dev.server.log();
    assert!(log.contains("/auth/confirm/***"), "{log}");
    assert!(!log.contains(&path), "{log}");
}

// req: ID-16
async fn a_code_is_tried_five_times(dev: Dev) {
    let email = "code@example.org";
    let account = json!({"email": email, "password": WORD});
    assert_eq!(dev.post("/register", account).await.status, 202);
    let first = dev.mail(email, 1).await["code"]
        .as_str()
        .expect("a code")
        .to_owned();
    let wrong = if first == "000000" {
        "000001"
    } else {
        "000000"
    };
    for _ in 0..5 {
        let refused = dev
            .post("/auth/confirm", json!({"email": email, "code": wrong}))
            .await;
        assert_eq!(refused.status, 400, "{}", refused.body);
    }
    let locked = dev
        .post("/auth/confirm", json!({"email": email, "code": first}))
        .await;
    assert_eq!(locked.status, 400, "{}", locked.body);
    assert_eq!(
        dev.post("/auth/confirm/resend", json!({"email": email}))
            .await
            .status,
        202
    );
    let second = dev.mail(email, 2).await["code"]
        .as_str()
        .expect("a code")
        .to_owned();
    assert_eq!(
        dev.post("/auth/confirm/resend", json!({"email": email}))
            .await
            .status,
        202
    );
    let third = dev.mail(email, 3).await["code"]
        .as_str()
        .expect("a code")
        .to_owned();
    if second != third {
        let old = dev
            .post("/auth/confirm", json!({"email": email, "code": second}))
            .await;
        assert_eq!(old.status, 400, "{}", old.body);
    }
    // Another's code is none of this mailbox.
    let other = json!({"email": "other@example.org", "code": third});
    assert_eq!(dev.post("/auth/confirm", other).await.status, 400);
    let spaced = format!("{} {}", &third[..3], &third[3..]);
    let made = dev
        .post("/auth/confirm", json!({"email": email, "code": spaced}))
        .await;
    assert_eq!(made.status, 201, "{}", made.body);
    dev.bearer(email, WORD).await;
}

async fn existing_and_new_addresses_are_answered_alike(dev: Dev) {
    dev.sign_up("ada").await;
    dev.sign_up("bob").await;
    dev.change("update auth_users set active = false where email = 'bob@example.org'")
        .await;
    let addresses = ["ada@example.org", "bob@example.org", "new@example.org"];
    for path in ["/register", "/auth/confirm/resend", "/auth/reset"] {
        let mut answers = Vec::new();
        for email in addresses {
            let body = match path {
                "/register" => json!({"email": email, "password": WORD}),
                _ => json!({"email": email}),
            };
            answers.push(bare(&dev.post(path, body).await));
        }
        assert_eq!(answers[0].0, 202, "{path}: {answers:?}");
        assert!(
            answers.iter().all(|answer| *answer == answers[0]),
            "{path}: {answers:?}"
        );
    }
    // Its owner is told, and gets no link that makes or changes anything.
    let told = dev.mails("ada@example.org").await;
    let told = told
        .iter()
        .find(|mail| mail["template"] == "account_exists");
    assert_eq!(told.expect("a mail")["link"], json!(null));
    // The old password is what it was: nobody was registered over it.
    dev.bearer("ada@example.org", WORD).await;
    let people = dev.server.get("/api/people?select=email&order=email").await;
    assert_eq!(
        people.json().as_array().map(Vec::len),
        Some(2),
        "{}",
        people.body
    );
}

async fn of_a_hundred_uses_of_one_link_one_counts(dev: Dev) {
    let account = json!({"email": "race@example.org", "password": WORD});
    assert_eq!(dev.post("/register", account).await.status, 202);
    let token = token(&dev.mail("race@example.org", 1).await);
    let uses = (0..100).map(|_| dev.post("/auth/confirm", json!({"token": token})));
    let statuses = futures_util::future::join_all(uses).await;
    let statuses: Vec<u16> = statuses.iter().map(|answer| answer.status).collect();
    let count = |wanted| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!((count(201), count(400)), (1, 99), "{statuses:?}");
    assert_eq!(dev.audit(&["--act", "user_registered"]).len(), 1);
}

async fn names_and_addresses_reach_no_header(dev: Dev) {
    for email in [
        "a@b.nl\r\nBcc: eve@evil.example",
        "a@b.nl\nX: y",
        "a\0@b.nl",
        "a@b.nl>, <eve@e.nl",
    ] {
        let body = json!({"email": email, "password": WORD});
        let refused = dev.post("/register", body).await;
        assert_eq!(refused.status, 422, "{email:?}: {}", refused.body);
    }
    let name = "Eve\r\nBcc: eve@evil.example";
    let body = json!({"email": "eve@example.org", "password": WORD, "display_name": name});
    let refused = dev.post("/register", body).await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    let name = "<a href=//evil.example>Click</a>";
    let body = json!({"email": "eve@example.org", "password": WORD, "display_name": name});
    assert_eq!(dev.post("/register", body).await.status, 202);
    let mail = dev.mail("eve@example.org", 1).await;
    // What somebody calls himself is not sent to a mailbox that is not proved to be his.
    assert!(!mail["text"].to_string().contains("evil"), "{mail}");
    dev.post("/auth/confirm", json!({"token": token(&mail)}))
        .await;
    let mail = dev.mail("eve@example.org", 2).await;
    let id = mail["id"].as_str().expect("an id");
    let html = dev.server.get(&format!("/_mail/{id}/html")).await;
    assert!(
        html.body
            .contains("&lt;a href=&#x2f;&#x2f;evil.example&gt;"),
        "{}",
        html.body
    );
    assert!(!html.body.contains("<a href=//evil"), "{}", html.body);
}
