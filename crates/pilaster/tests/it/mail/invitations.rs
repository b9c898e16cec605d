//! Who becomes a user where not everybody may, and the first administrator.

use serde_json::{Value, json};
use testkit::Project;

use super::{Dev, WORD, on_every_engine, token};
use crate::http::PILASTER;

fn approving() -> Project {
    super::project("[auth]\nregistration = \"approval\"\nprotected_roles = \"\"\n")
}

on_every_engine!(approving: an_administrator_approves_of_who_asks, an_invitation_is_sent_and_taken_back, the_first_administrator_has_a_link_once);

/// An administrator, by the link that the shell prints.
async fn administrator(dev: &Dev) -> String {
    administrator_called(dev, "root@example.org").await
}

async fn administrator_called(dev: &Dev, email: &str) -> String {
    let said = dev
        .project
        .succeed(PILASTER, &["admin", "create", email, "--json"]);
    let said: Value = serde_json::from_str(&said.out).expect("JSON");
    let body = json!({"token": token(&said), "password": WORD});
    let made = dev.post("/auth/administrator", body).await;
    assert_eq!(made.status, 201, "{}", made.body);
    dev.bearer(email, WORD).await
}

/// The invitations of a stage, as an administrator sees them.
async fn listed(dev: &Dev, root: &str, stage: &str) -> Vec<Value> {
    let path = format!("/admin/api/invitations?stage={stage}");
    let answer = dev.server.get_as(root, &path).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json().as_array().cloned().unwrap_or_default()
}

/// Lets Ada ask for an account and prove her address; gives the id of her application.
async fn apply(dev: &Dev, root: &str) -> String {
    let direct = json!({"email": "ada@example.org", "password": WORD});
    assert_eq!(dev.post("/register", direct).await.status, 403);
    let application =
        json!({"email": "Ada@example.org", "first_name": "Ada", "fields": {"club": "Chess"}});
    let asked = dev.post("/auth/invitations", application.clone()).await;
    assert_eq!(asked.status, 202, "{}", asked.body);
    let confirm = token(&dev.mail("ada@example.org", 1).await);
    let unconfirmed = listed(dev, root, "unconfirmed").await;
    assert_eq!(unconfirmed.len(), 1, "{unconfirmed:?}");
    let id = unconfirmed[0]["id"].as_str().expect("an id").to_owned();
    let approve = format!("/admin/api/invitations/{id}/approve");
    let early = dev.post_as(root, &approve, json!({})).await;
    assert_eq!(early.status, 409, "{}", early.body);
    // A link that proves an address makes no account.
    let wrong = json!({"token": confirm, "password": WORD});
    assert_eq!(
        dev.post("/auth/invitations/accept", wrong).await.status,
        400
    );
    let confirmed = dev.post("/auth/confirm", json!({"token": confirm})).await;
    assert_eq!(
        confirmed.json(),
        json!({"next": "approval"}),
        "{}",
        confirmed.body
    );
    assert_eq!(dev.server.token("ada@example.org", WORD).await.status, 401);
    // Who asks again changes nothing of it.
    let again = dev.post("/auth/invitations", application).await;
    assert_eq!((again.status, again.body), (202, asked.body));
    assert_eq!(listed(dev, root, "waiting").await.len(), 1);
    id
}

// req: ID-17
async fn an_administrator_approves_of_who_asks(dev: Dev) {
    let root = administrator(&dev).await;
    let approve = format!(
        "/admin/api/invitations/{}/approve",
        apply(&dev, &root).await
    );
    // Nobody but an administrator says yes.
    for (who, status) in [("", 401), (root.as_str(), 200)] {
        let body = json!({"roles": ["admin"], "external_id": "M-17", "fields": {"fee": 12}});
        let answer = dev.post_as(who, &approve, body).await;
        assert_eq!(answer.status, status, "{}", answer.body);
    }
    let unknown = json!({"roles": ["emperor"]});
    assert_eq!(dev.post_as(&root, &approve, unknown).await.status, 422);
    let approved = listed(&dev, &root, "approved").await;
    assert_eq!(approved[0]["fields"], json!({"club": "Chess", "fee": 12}));
    let invited = token(&dev.mail("ada@example.org", 2).await);
    for _ in 0..3 {
        assert_eq!(
            dev.server
                .get(&format!("/auth/invitations/{invited}"))
                .await
                .status,
            200
        );
    }
    let body = json!({"token": invited, "password": WORD, "username": "ada", "last_name": "L"});
    let made = dev.post("/auth/invitations/accept", body.clone()).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let made = made.json();
    assert_eq!(
        (&made["first_name"], &made["last_name"]),
        (&json!("Ada"), &json!("L"))
    );
    assert_eq!(dev.post("/auth/invitations/accept", body).await.status, 400);
    let people = dev
        .server
        .get("/api/people?select=fields&email=eq.ada@example.org")
        .await;
    assert_eq!(
        people.json(),
        json!([{"fields": {"fee": 12, "club": "Chess"}}])
    );
    let ada = dev.bearer("ada", WORD).await;
    assert_eq!(
        dev.server
            .get_as(&ada, "/admin/api/invitations")
            .await
            .status,
        200
    );
    assert!(listed(&dev, &root, "any").await.is_empty());
}

async fn an_invitation_is_sent_and_taken_back(dev: Dev) {
    administrator(&dev).await;
    let ada = dev.bearer("root@example.org", WORD).await;
    // Invited without having asked, then taken back; an ordinary user may not look.
    let body = json!({"email": "bob@example.org", "language": "nl"});
    let invited = dev
        .post_as(&ada, "/admin/api/invitations", body.clone())
        .await;
    assert_eq!(invited.status, 201, "{}", invited.body);
    assert_eq!(
        dev.post_as(&ada, "/admin/api/invitations", body.clone())
            .await
            .status,
        409
    );
    let mail = dev.mail("bob@example.org", 1).await;
    assert!(
        mail["subject"].to_string().contains("uitnodiging"),
        "{mail}"
    );
    let path = format!(
        "/admin/api/invitations/{}",
        invited.json()["id"].as_str().expect("an id")
    );
    assert_eq!(
        dev.server
            .send("DELETE", &ada, &path, &json!({}))
            .await
            .status,
        200
    );
    assert_eq!(
        dev.server
            .send("DELETE", &ada, &path, &json!({}))
            .await
            .status,
        404
    );
    let body = json!({"token": token(&mail), "password": WORD});
    assert_eq!(dev.post("/auth/invitations/accept", body).await.status, 400);
    administrator_called(&dev, "next@example.org").await;
    dev.project
        .succeed(PILASTER, &["user", "revoke", "root@example.org", "admin"]);
    let noted = dev.audit(&["--user", "root@example.org", "--act", "role_revoked"]);
    assert_eq!(
        (&noted[0]["actor"], &noted[0]["details"]["role"]),
        (&json!("shell"), &json!("admin"))
    );

    let refused = dev.server.get_as(&ada, "/admin/api/invitations").await;
    assert_eq!(refused.status, 403, "{}", refused.body);
}

// req: ID-21
async fn the_first_administrator_has_a_link_once(dev: Dev) {
    for name in [
        "admin",
        "root",
        "administrator",
        "pilaster",
        "admin@example.org",
    ] {
        for word in ["admin", "password", "pilaster", "changeme"] {
            assert_eq!(dev.server.token(name, word).await.status, 401);
        }
    }
    let body = json!({"token": "x", "password": WORD});
    assert_eq!(
        dev.post("/auth/administrator", body.clone()).await.status,
        404
    );
    assert_eq!(dev.server.get("/auth/administrator/x").await.status, 404);
    let port = dev.server.base().rsplit_once(':').expect("a port").1;
    let words = ["admin", "create", "a@b.nl"];
    let set = format!("server.port={port}");
    let said = dev
        .project
        .succeed(PILASTER, &[&words[..], &["--set", &set]].concat());
    let link = said.out.trim();
    assert!(
        link.starts_with(&format!("{}/auth/administrator/", dev.server.base())),
        "{link}"
    );
    assert!(!said.err.contains(link), "{}", said.err);
    let first = token(&json!({"link": link}));
    // A newer link kills the older one.
    let said = dev
        .project
        .succeed(PILASTER, &[&words[..], &["--json"]].concat());
    let said: Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(dev.server.get("/auth/administrator/x").await.status, 200);
    assert_eq!(dev.post("/auth/administrator", body).await.status, 404);
    let old = json!({"token": first, "password": WORD});
    assert_eq!(dev.post("/auth/administrator", old).await.status, 404);
    let body = json!({"token": token(&said), "password": WORD});
    let uses = (0..20).map(|_| dev.post("/auth/administrator", body.clone()));
    let answers = futures_util::future::join_all(uses).await;
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    let count = |wanted| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!((count(201), count(404)), (1, 19), "{statuses:?}");
    assert_eq!(dev.server.get("/auth/administrator/x").await.status, 404);
    let admin = dev.bearer("a@b.nl", WORD).await;
    assert_eq!(
        dev.server
            .get_as(&admin, "/admin/api/invitations")
            .await
            .status,
        200
    );
    // Half an hour later it would have been too late.
    dev.project
        .succeed(PILASTER, &["admin", "create", "late@b.nl"]);
    dev.expire_tickets().await;
    assert_eq!(dev.server.get("/auth/administrator/x").await.status, 404);
    let again = dev.project.run(PILASTER, &words);
    assert_eq!(again.code, 1, "{}", again.text());
}
