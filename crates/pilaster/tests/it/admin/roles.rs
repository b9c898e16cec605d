//! Roles: given and taken, for a time, by whom it may be.

use serde_json::{Value, json};
use testkit::Project;

use super::{acts, administrator, expire_roles, nothing, project, signed_in, somebody};
use crate::http::{App, PILASTER, on_every_engine};

on_every_engine!(
    project: roles_are_given_and_taken,
    roles_are_given_at_the_shell,
    a_role_is_called_by_its_name_and_no_other,
    a_role_for_a_time_is_gone_after_it,
);

on_every_engine!(strict: administration_asks_for_a_second_factor);

/// The roles of a token.
async fn roles(app: &App, name: &str) -> Vec<String> {
    let token = signed_in(app, name).await;
    let me = app.server.get_as(&token, "/auth/me").await.json();
    let list = me["roles"].as_array().cloned().unwrap_or_default();
    let text = |role: &Value| role.as_str().unwrap_or_default().to_owned();
    list.iter().map(text).collect()
}

// req: RB-6
async fn roles_are_given_and_taken(app: App) {
    let root = administrator(&app, "root").await;
    let ada = somebody(&app, "ada").await;
    let server = &app.server;
    let editor = ada.path("/roles/editor");
    let put = async |path: &str, body: Value| root.send(server, "PUT", path, body).await;
    let given = put(&editor, nothing()).await;
    assert_eq!(given.status, 201, "{}", given.body);
    assert_eq!(given.json(), json!({"role": "editor", "expires_at": null}));
    assert!(roles(&app, "ada").await.contains(&String::from("editor")));
    let twice = put(&editor, nothing()).await;
    assert_eq!(twice.status, 409, "{}", twice.body);
    assert_eq!(twice.json()["code"], "role_held");
    let end = json!({"expires_at": "2100-01-01T00:00:00Z"});
    assert_eq!(put(&editor, end.clone()).await.status, 200);
    assert_eq!(put(&editor, end).await.status, 409);
    let held = root.get(server, &editor).await.json();
    assert_eq!(held["expires_at"], "2100-01-01T00:00:00.000000Z");
    for past in ["2020-01-01T00:00:00Z", "soon"] {
        let body = json!({"expires_at": past});
        assert_eq!(put(&editor, body).await.status, 422);
    }
    // What nobody is given, what is the shell's alone, what there is not.
    for (role, status, code) in [
        ("service", 404, "role_unknown"),
        ("authenticated", 404, "role_unknown"),
        ("editr", 404, "role_unknown"),
        ("admin", 403, "role_protected"),
    ] {
        let answer = put(&ada.path(&format!("/roles/{role}")), nothing()).await;
        assert_eq!(answer.status, status, "{role}: {}", answer.body);
        assert_eq!(answer.json()["code"], code);
    }
    let own = root
        .send(server, "DELETE", &root.path("/roles/admin"), nothing())
        .await;
    assert_eq!(own.json()["code"], "role_protected", "{}", own.body);
    // Nobody gives himself anything.
    let own = ada.send(server, "PUT", &editor, nothing()).await;
    assert_eq!(own.status, 403, "{}", own.body);
    let taken = root.send(server, "DELETE", &editor, nothing()).await;
    assert_eq!(taken.status, 200, "{}", taken.body);
    let again = root.send(server, "DELETE", &editor, nothing()).await;
    assert_eq!(again.json()["code"], "role_not_held", "{}", again.body);
    assert!(!roles(&app, "ada").await.contains(&String::from("editor")));
    assert_eq!(
        acts(&app, &root, "act=role_granted&user=ada").await.len(),
        2
    );
    assert_eq!(
        acts(&app, &root, "act=role_revoked&user=ada").await.len(),
        1
    );
}

// req: RB-6
async fn roles_are_given_at_the_shell(app: App) {
    let root = administrator(&app, "root").await;
    somebody(&app, "ada").await;
    let server = &app.server;
    let said = app
        .project
        .run(PILASTER, &["user", "grant", "ada", "editr"]);
    assert_eq!(said.code, 2, "{}", said.text());
    assert!(
        said.text().contains("did you mean editor?"),
        "{}",
        said.text()
    );
    app.project.succeed(
        PILASTER,
        &[
            "user",
            "grant",
            "ada",
            "boss",
            "--expires",
            "2100-01-01T00:00:00Z",
        ],
    );
    let listed = app
        .project
        .succeed(PILASTER, &["role", "list", "--json"])
        .out;
    let listed: Value = serde_json::from_str(&listed).expect("JSON");
    let of = |name: &str| {
        let found = listed
            .as_array()
            .and_then(|all| all.iter().find(|one| one["role"] == name));
        found.expect("a role").clone()
    };
    assert_eq!(
        of("admin"),
        json!({"role": "admin", "holders": 1, "protected": true})
    );
    assert_eq!(
        of("boss"),
        json!({"role": "boss", "holders": 1, "protected": false})
    );
    let shown = root.get(server, "/admin/api/roles").await.json();
    assert_eq!(shown, listed);
    let found = app
        .project
        .succeed(PILASTER, &["user", "list", "--role", "boss"]);
    assert!(found.out.contains("ada@example.org"), "{}", found.out);
    assert!(!found.out.contains("root@example.org"), "{}", found.out);
}

// req: RB-7
async fn a_role_is_called_by_its_name_and_no_other(app: App) {
    let root = administrator(&app, "root").await;
    let ada = somebody(&app, "ada").await;
    let server = &app.server;
    // Spaces around a name do not count, and any letters may stand in it.
    for (spelled, role) in [("%20editor%20", "editor"), ("gr%C3%B6%C3%9Fe", "größe")] {
        let path = ada.path(&format!("/roles/{spelled}"));
        let given = root.send(server, "PUT", &path, nothing()).await;
        assert_eq!(given.status, 201, "{}", given.body);
        assert_eq!(given.json()["role"], role);
        assert_eq!(root.get(server, &path).await.json()["role"], role);
        assert!(roles(&app, "ada").await.contains(&role.to_owned()));
    }
    // No other is smuggled in with one.
    for smuggled in [
        "editor%20admin",
        "x%20admin",
        "editor%0Aadmin",
        "editor,admin",
        "ADMIN",
    ] {
        let path = ada.path(&format!("/roles/{smuggled}"));
        let refused = root.send(server, "PUT", &path, nothing()).await;
        assert_eq!(refused.status, 404, "{smuggled}: {}", refused.body);
    }
    let said = app
        .project
        .run(PILASTER, &["user", "grant", "ada", "x admin"]);
    assert_eq!(said.code, 2, "{}", said.text());
    let listed = root.get(server, &ada.path("/roles")).await.json();
    assert_eq!(listed.as_array().map(Vec::len), Some(2), "{listed}");
    for spelled in ["%20editor", "gr%C3%B6%C3%9Fe%20"] {
        let path = ada.path(&format!("/roles/{spelled}"));
        let taken = root.send(server, "DELETE", &path, nothing()).await;
        assert_eq!(taken.status, 200, "{}", taken.body);
    }
    assert_eq!(
        root.get(server, &ada.path("/roles")).await.json(),
        json!([])
    );
    // Neither by a schema nor by a scope.
    app.project
        .write("schema/two.sql", "create role \"x admin\";");
    let said = app.project.run(PILASTER, &["check", "--offline"]);
    assert_ne!(said.code, 0, "{}", said.text());
    assert!(
        said.text().contains("has a space in its name"),
        "{}",
        said.text()
    );
    app.project.write("schema/two.sql", "create role two;");
    let scopes = ["--set", "oauth.scopes=x admin", "client", "list"];
    let said = app.project.run(PILASTER, &scopes);
    assert_eq!(said.code, 3, "{}", said.text());
}

// req: RB-8
async fn a_role_for_a_time_is_gone_after_it(app: App) {
    let root = administrator(&app, "root").await;
    let ada = somebody(&app, "ada").await;
    let server = &app.server;
    let body = json!({"expires_at": "2100-01-01T00:00:00Z"});
    let path = ada.path("/roles/editor");
    assert_eq!(root.send(server, "PUT", &path, body).await.status, 201);
    let (_, key) = super::keys::made(
        &app,
        "ada",
        json!({"name": "k", "scopes": ["data:read", "data:write"]}),
    )
    .await;
    let write = async |id: i32| {
        let token = signed_in(&app, "ada").await;
        let note = json!({"id": id, "owner": ada.id});
        let by_token = server
            .send("POST", &token, "/api/notes", &note)
            .await
            .status;
        let note = json!({"id": id + 1, "owner": ada.id});
        let by_key = server.send("POST", &key, "/api/notes", &note).await.status;
        (by_token, by_key)
    };
    assert_eq!(write(1).await, (201, 201));
    // As it is when the moment has come.
    expire_roles(&app).await;
    assert_eq!(write(3).await, (403, 403));
    assert_eq!(root.get(server, &path).await.status, 404);
    let list = root
        .get(server, "/admin/api/users?role=editor")
        .await
        .json();
    assert_eq!(list, json!([]));
    // It can be given anew.
    assert_eq!(root.send(server, "PUT", &path, nothing()).await.status, 201);
    assert_eq!(write(5).await, (201, 201));
    // Whoever administers for a time does it for that time.
    app.project.succeed(
        PILASTER,
        &["user", "grant", "ada", "admin", "--for", "365d"],
    );
    let fresh = signed_in(&app, "ada").await;
    assert_eq!(server.get_as(&fresh, "/admin/api/users").await.status, 200);
    expire_roles(&app).await;
    assert_eq!(server.get_as(&fresh, "/admin/api/users").await.status, 403);
}

fn strict() -> Project {
    let project = project();
    project.write("pilaster.toml", "[auth]\nadmin_acr = \"mfa\"\n");
    project
}

// req: MF-5
async fn administration_asks_for_a_second_factor(app: App) {
    let root = administrator(&app, "root").await;
    let ada = somebody(&app, "ada").await;
    let server = &app.server;
    let editor = ada.path("/roles/editor");
    for (method, path) in [
        ("GET", "/admin/api/users"),
        ("GET", "/admin/api/audit"),
        ("GET", "/admin/api/invitations"),
        ("PUT", editor.as_str()),
        ("DELETE", &ada.path("")),
    ] {
        let refused = root.send(server, method, path, nothing()).await;
        assert_eq!(refused.status, 403, "{method} {path}: {}", refused.body);
        assert_eq!(refused.json()["code"], "step_up_required");
        assert!(
            refused
                .header("www-authenticate")
                .contains("acr_values=\"mfa\"")
        );
    }
    // Who is no administrator is not told to prove more.
    let refused = ada.send(server, "GET", "/admin/api/users", nothing()).await;
    assert_eq!(refused.json()["code"], "42501", "{}", refused.body);
    let token = super::second_factor(&app, "root").await;
    let listed = server.get_as(&token, "/admin/api/users").await;
    assert_eq!(listed.status, 200, "{}", listed.body);
}
