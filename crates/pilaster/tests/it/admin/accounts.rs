//! Looking at accounts and changing them.

use serde_json::json;
use testkit::Answer;

use super::{acts, administrator, emails, nothing, project, rewrite, signed_in, somebody};
use crate::http::{App, PILASTER, on_every_engine};

on_every_engine!(
    project: accounts_are_listed_page_by_page,
    accounts_are_filtered,
    an_account_is_changed_and_all_of_it_is_noted,
    a_disabled_account_is_nobody,
    sessions_and_factors_are_taken_away,
);

// req: ID-23
async fn accounts_are_listed_page_by_page(app: App) {
    let root = administrator(&app, "root").await;
    for name in ["ada", "bob", "cy_d"] {
        somebody(&app, name).await;
    }
    let server = &app.server;
    // Nobody else looks, at any of it.
    let ada = signed_in(&app, "ada").await;
    for path in [
        "/admin/api/users",
        "/admin/api/audit",
        "/admin/api/roles",
        &root.path(""),
        &root.path("/roles"),
    ] {
        assert_eq!(server.get(path).await.status, 401, "{path}");
        assert_eq!(server.get_as(&ada, path).await.status, 403, "{path}");
        assert_eq!(root.get(server, path).await.status, 200, "{path}");
    }
    for (token, status) in [("", 401), (ada.as_str(), 200)] {
        assert_eq!(server.get_as(token, "/auth/me").await.status, status);
    }
    // Pages: two, two, none twice.
    let mut found = Vec::new();
    let mut path = String::from("/admin/api/users?limit=3&active=true");
    loop {
        let page = root.get(server, &path).await;
        assert_eq!(page.status, 200, "{}", page.body);
        found.extend(emails(&page.json()));
        let link = page.headers.get("link").and_then(|link| link.to_str().ok());
        let Some(link) = link else { break };
        let (next, _) = link.split_once('>').expect("a link ends");
        next.trim_start_matches('<').clone_into(&mut path);
    }
    let all = ["cy_d", "bob", "ada", "root"].map(|name| format!("{name}@example.org"));
    assert_eq!(found, all);
}

async fn accounts_are_filtered(app: App) {
    let root = administrator(&app, "root").await;
    for name in ["ada", "bob", "cy_d"] {
        somebody(&app, name).await;
    }
    let server = &app.server;
    // A pattern's own letters are letters.
    app.project
        .succeed(PILASTER, &["user", "disable", "bob@example.org"]);
    app.project
        .succeed(PILASTER, &["user", "confirm", "ada@example.org"]);
    for (filter, expected) in [
        ("role=admin", vec!["root"]),
        ("active=false", vec!["bob"]),
        ("confirmed=true", vec!["ada"]),
        ("q=AD", vec!["ada"]),
        ("q=cy_d", vec!["cy_d"]),
        ("q=y%25", vec![]),
        ("q=_", vec!["cy_d"]),
    ] {
        let answer = root
            .get(server, &format!("/admin/api/users?{filter}"))
            .await;
        let expected: Vec<String> = expected
            .iter()
            .map(|name| format!("{name}@example.org"))
            .collect();
        assert_eq!(
            emails(&answer.json()),
            expected,
            "{filter}: {}",
            answer.body
        );
    }
    let shown = root.get(server, &root.path("")).await.json();
    assert_eq!(
        shown["roles"],
        json!([{"role": "admin", "expires_at": null}])
    );
    for wrong in [
        "limit=0",
        "limit=501",
        "limit=x",
        "active=maybe",
        "cursor=7",
        "rolle=admin",
    ] {
        let path = format!("/admin/api/users?{wrong}");
        assert_eq!(root.get(server, &path).await.status, 400, "{wrong}");
    }
    for nobody in ["x", "0193a8c0-0000-7000-8000-000000000001"] {
        let path = format!("/admin/api/users/{nobody}");
        assert_eq!(root.get(server, &path).await.status, 404);
    }
}

async fn an_account_is_changed_and_all_of_it_is_noted(app: App) {
    let root = administrator(&app, "root").await;
    let ada = somebody(&app, "ada").await;
    somebody(&app, "eve").await;
    let server = &app.server;
    let body = json!({"first_name": "Ada", "display_name": "A. L.", "username": "countess",
        "email_confirmed": true, "language": "nl", "external_source": "crm", "external_id": "M-17"});
    let changed = root.send(server, "PATCH", &ada.path(""), body).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    let changed = changed.json();
    assert_eq!(
        (
            &changed["first_name"],
            &changed["username"],
            &changed["external_id"]
        ),
        (&json!("Ada"), &json!("countess"), &json!("M-17"))
    );
    assert_eq!(
        (&changed["email_confirmed"], &changed["language"]),
        (&json!(true), &json!("nl"))
    );
    let body = json!({"first_name": null, "email_confirmed": false});
    let changed = root.send(server, "PATCH", &ada.path(""), body).await.json();
    assert_eq!(
        (&changed["first_name"], &changed["email_confirmed"]),
        (&json!(null), &json!(false))
    );
    for (body, status) in [
        (json!({"username": "EVE"}), 409),
        (json!({"email": "new@example.org"}), 422),
        (json!({"roles": ["admin"]}), 422),
        (json!({"active": "no"}), 422),
        (json!({"language": "xx"}), 422),
        (json!({"external_source": "crm"}), 422),
        (json!([]), 400),
    ] {
        let answer = root
            .send(server, "PATCH", &ada.path(""), body.clone())
            .await;
        assert_eq!(answer.status, status, "{body}: {}", answer.body);
    }
    // One key of a source is one account's.
    let body = json!({"external_source": "crm", "external_id": "M-17"});
    let taken = root.send(server, "PATCH", &root.path(""), body).await;
    assert_eq!(taken.status, 409, "{}", taken.body);
    let body = json!({"external_source": "erp", "external_id": "M-17"});
    let other = root.send(server, "PATCH", &root.path(""), body).await;
    assert_eq!(other.status, 200, "{}", other.body);
    // What was done stands in the log, whoever did it, and nothing of what was refused.
    let noted = acts(&app, &root, "user=ada@example.org&act=user_updated").await;
    assert_eq!(noted.len(), 3, "{noted:?}");
    assert!(noted.iter().all(|act| act["actor"] == "root@example.org"));
    assert!(noted.iter().all(|act| act["actor_id"] == json!(root.id)));
    assert_eq!(noted[2]["details"]["username"], "countess");
    assert_eq!(
        acts(&app, &root, "act=user_confirmed&since=1h").await.len(),
        1
    );
    // Page by page, the newest first.
    let first = root.get(server, "/admin/api/audit?limit=1").await;
    assert!(first.header("link").contains("cursor="), "{}", first.body);
    for wrong in ["act=user_eaten", "since=yesterday", "user=@", "until=1h"] {
        let path = format!("/admin/api/audit?{wrong}");
        assert_eq!(root.get(server, &path).await.status, 400, "{wrong}");
    }
    // Deleted, it is nobody's any more, and the log keeps it.
    let deleted = root.send(server, "DELETE", &ada.path(""), nothing()).await;
    assert_eq!(deleted.status, 200, "{}", deleted.body);
    assert_eq!(root.get(server, &ada.path("")).await.status, 404);
    assert_eq!(ada.get(server, "/auth/me").await.status, 401);
    let noted = acts(&app, &root, "user=ada@example.org&act=user_deleted").await;
    assert_eq!(noted[0]["target"], "ada@example.org");
}

/// Every door at which somebody could come in, and what it says.
async fn doors(app: &App, ada: &super::Somebody, key: &str) -> [u16; 4] {
    let server = &app.server;
    let body = json!({"identifier": "ada@example.org", "password": super::WORD});
    let session = server.send("POST", "", "/auth/session", &body).await;
    let with_key = Answer::read(server.request("GET", "/api/notes").bearer_auth(key)).await;
    [
        server.token("ada", super::WORD).await.status,
        session.status,
        ada.get(server, "/api/notes").await.status,
        with_key.status,
    ]
}

async fn a_disabled_account_is_nobody(app: App) {
    let root = administrator(&app, "root").await;
    let ada = somebody(&app, "ada").await;
    let (_, key) = super::keys::made(&app, "ada", json!({"name": "nightly"})).await;
    assert_eq!(doors(&app, &ada, &key).await, [200, 200, 200, 200]);
    let body = json!({"active": false});
    let disabled = root.send(&app.server, "PATCH", &ada.path(""), body).await;
    assert_eq!(disabled.json()["active"], false, "{}", disabled.body);
    assert_eq!(doors(&app, &ada, &key).await, [401, 401, 401, 401]);
    // On again, what was given before is still worth nothing, but for the key.
    let body = json!({"active": true});
    root.send(&app.server, "PATCH", &ada.path(""), body).await;
    assert_eq!(doors(&app, &ada, &key).await, [200, 200, 401, 200]);
    for act in ["user_disabled", "user_enabled"] {
        let noted = acts(&app, &root, &format!("act={act}")).await;
        assert_eq!(noted.len(), 1, "{act}: {noted:?}");
    }
}

async fn sessions_and_factors_are_taken_away(app: App) {
    let root = administrator(&app, "root").await;
    let ada = somebody(&app, "ada").await;
    let server = &app.server;
    let body = json!({"identifier": "ada@example.org", "password": super::WORD});
    let begun = server.send("POST", "", "/auth/session", &body).await;
    let (cookie, _) = begun
        .header("set-cookie")
        .split_once(';')
        .expect("a cookie");
    let session = || {
        server
            .request("GET", "/auth/session")
            .header("cookie", cookie)
    };
    assert_eq!(Answer::read(session()).await.status, 200);
    let seen = root.get(server, &ada.path("")).await.json();
    assert!(seen["seen_at"].is_string(), "{seen}");
    let ended = root
        .send(server, "DELETE", &ada.path("/sessions"), nothing())
        .await;
    assert_eq!(ended.status, 200, "{}", ended.body);
    assert_eq!(Answer::read(session()).await.status, 401);
    assert_eq!(ada.get(server, "/auth/me").await.status, 401);
    assert_eq!(server.token("ada", super::WORD).await.status, 200);
    // Who lost the phone has the password left.
    let statement = "update auth_totp set confirmed_at = created_at";
    let body = json!({"identifier": "ada@example.org", "password": super::WORD});
    let begun = server.send("POST", "", "/auth/session", &body).await;
    let (cookie, _) = begun
        .header("set-cookie")
        .split_once(';')
        .expect("a cookie");
    let csrf = begun.json()["csrf_token"]
        .as_str()
        .expect("a token")
        .to_owned();
    let request = server.request("POST", "/auth/totp").json(&nothing());
    let request = request
        .header("cookie", cookie)
        .header("x-csrf-token", csrf);
    assert_eq!(Answer::read(request).await.status, 201);
    rewrite(&app, statement).await;
    assert_eq!(server.token("ada", super::WORD).await.status, 403);
    let listed = root.get(server, &ada.path("")).await.json();
    assert_eq!(listed["factors"], json!(["totp"]));
    let freed = root
        .send(server, "DELETE", &ada.path("/factors"), nothing())
        .await;
    assert_eq!(freed.json()["factors"], json!([]), "{}", freed.body);
    assert_eq!(server.token("ada", super::WORD).await.status, 200);
    // Locked out by too many attempts, and let in again.
    for _ in 0..11 {
        server.token("ada", "not the pass phrase").await;
    }
    assert_eq!(server.token("ada", super::WORD).await.status, 429);
    let unlocked = root
        .send(server, "POST", &ada.path("/unlock"), nothing())
        .await;
    assert_eq!(unlocked.status, 200, "{}", unlocked.body);
    assert_eq!(server.token("ada", super::WORD).await.status, 200);
    for act in ["sessions_ended", "factors_removed", "user_unlocked"] {
        let noted = acts(&app, &root, &format!("act={act}&user=ada")).await;
        assert_eq!(noted.len(), 1, "{act}: {noted:?}");
    }
}
