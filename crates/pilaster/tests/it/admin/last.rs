//! There is always somebody who administers, whatever two of them do at the same moment.

use serde_json::json;
use testkit::{Project, Running};

use super::{WORD, administrator, nothing, somebody};
use crate::http::{App, PILASTER, on_every_engine};

fn project() -> Project {
    let project = super::project();
    // Administrators are made and unmade through HTTP, too.
    project.write("pilaster.toml", "[auth]\nprotected_roles = \"\"\n");
    project
}

on_every_engine!(
    project: the_last_administrator_stays,
    of_two_who_leave_at_once_one_stays,
);

// req: RB-6
async fn the_last_administrator_stays(app: App) {
    let root = administrator(&app, "root").await;
    let server = &app.server;
    let refused = |answer: testkit::Answer| {
        assert_eq!(answer.status, 409, "{}", answer.body);
        assert_eq!(answer.json()["code"], "last_administrator");
    };
    let role = root.path("/roles/admin");
    let all = async || {
        refused(root.send(server, "DELETE", &role, nothing()).await);
        let end = json!({"expires_at": "2100-01-01T00:00:00Z"});
        refused(root.send(server, "PUT", &role, end).await);
        let off = json!({"active": false});
        refused(root.send(server, "PATCH", &root.path(""), off).await);
        refused(root.send(server, "DELETE", &root.path(""), nothing()).await);
        let asked = json!({"password": WORD});
        let asked = root.send(server, "POST", "/auth/deletion", asked).await;
        let token = asked.json()["token"].clone();
        let body = json!({"token": token});
        refused(root.send(server, "DELETE", "/auth/me", body).await);
        for words in [
            vec!["user", "revoke", "root", "admin"],
            vec!["user", "disable", "root"],
            vec!["user", "grant", "root", "admin", "--for", "1h"],
            vec!["user", "delete", "root", "--confirm", "root@example.org"],
        ] {
            let said = app.project.run(PILASTER, &words);
            assert_eq!(said.code, 1, "{words:?}: {}", said.text());
            assert!(
                said.text().contains("nobody would be left"),
                "{}",
                said.text()
            );
        }
    };
    all().await;
    // Nobody who is switched off, and nobody who administers for a time alone, counts.
    let ada = somebody(&app, "ada").await;
    let given = json!({"expires_at": "2100-01-01T00:00:00Z"});
    let granted = root
        .send(server, "PUT", &ada.path("/roles/admin"), given)
        .await;
    assert_eq!(granted.status, 201, "{}", granted.body);
    all().await;
    let granted = root
        .send(server, "PUT", &ada.path("/roles/admin"), nothing())
        .await;
    assert_eq!(granted.status, 200, "{}", granted.body);
    app.project.succeed(PILASTER, &["user", "disable", "ada"]);
    all().await;
    // With another one, one may go.
    app.project.succeed(PILASTER, &["user", "enable", "ada"]);
    let off = json!({"active": false});
    let disabled = root.send(server, "PATCH", &root.path(""), off).await;
    assert_eq!(disabled.status, 200, "{}", disabled.body);
    assert_eq!(root.get(server, "/admin/api/users").await.status, 401);
}

async fn of_two_who_leave_at_once_one_stays(app: App) {
    let root = administrator(&app, "root").await;
    let second = Running::serve(PILASTER, &app.project).await;
    for round in 0..6 {
        let (one, two) = (format!("one{round}"), format!("two{round}"));
        let one = administrator(&app, &one).await;
        let two = administrator(&app, &two).await;
        // The two are the only ones now.
        app.project.succeed(PILASTER, &["user", "disable", "root"]);
        let off = json!({"active": false});
        let path = (one.path(""), two.path("/roles/admin"));
        let (first, other) = tokio::join!(
            two.send(&app.server, "PATCH", &path.0, off),
            one.send(&second, "DELETE", &path.1, nothing()),
        );
        let mut statuses = [first.status, other.status];
        statuses.sort_unstable();
        // Whoever came second was refused because it was the last one, or was an administrator no more.
        let is_one = statuses[0] == 200 && [401, 403, 409].contains(&statuses[1]);
        assert!(is_one, "{statuses:?}: {} {}", first.body, other.body);
        app.project.succeed(PILASTER, &["user", "enable", "root"]);
        for gone in [&one, &two] {
            let words = ["user", "delete", &gone.id, "--confirm"];
            let email = match std::ptr::eq(gone, &raw const one) {
                true => format!("one{round}@example.org"),
                false => format!("two{round}@example.org"),
            };
            let words: Vec<&str> = words.into_iter().chain([email.as_str()]).collect();
            app.project.succeed(PILASTER, &words);
        }
    }
    drop(root);
}
