//! Names of scopes and roles are compared whole: nothing that holds one, begins like it or is spelled
//! otherwise stands for it.

use oauth::{AccessTokenClaims, encode_access_token};
use serde_json::{Value, json};
use server::MasterKey;
use stdx::{Clock, Rng};
use store::{Store, signing_keys};
use testkit::{Project, SECRET_KEY};

use super::{App, on_every_engine};

on_every_engine!(project: names_of_scopes_and_roles_are_matched_whole);

const SCHEMA: &str = "
create role admin;
create role admins;
create role adm;
create table notes (id integer primary key, body text not null);
create table logs (id integer primary key, body text not null);
grant select, insert, update, delete on notes to authenticated;
grant insert on logs to authenticated;
create policy everybody on notes for select using (true);
create policy scoped on notes for insert with check (auth.has_scope('admin'));
create policy edited on notes for update using (true) with check (auth.has_scope('admin'));
create policy admins_alone on logs for insert to admin with check (auth.has_role('admin'));
";

fn project() -> Project {
    let project = Project::empty();
    project.write("schema/notes.sql", SCHEMA);
    project.write(
        "seed/notes.sql",
        "insert into notes (id, body) values (1, 'a');\n",
    );
    project.write(
        "api/panel.get.sql",
        "-- @access admin\n-- @returns value\nselect body from notes where id = 1\n",
    );
    project.write(
        "api/scoped.post.sql",
        "-- @access authenticated\n-- @returns one\n\
         insert into notes (id, body) values (99, 'from a file') returning id\n",
    );
    project.write(
        "api/names.get.sql",
        "-- @access authenticated\n-- @returns one\n\
         select auth.has_scope('admin') as scope, auth.has_role('admin') as role from notes where id = 1\n",
    );
    project
}

/// Makes tokens with the server's own key.
struct Signer {
    key: oauth::SigningKey,
    base: String,
    user: String,
}

impl Signer {
    async fn of(app: &App) -> Self {
        let db = app.database.connect().await;
        let store = Store::new(db, Clock::System, Rng::System);
        let master = MasterKey::parse(SECRET_KEY).expect("a good key");
        let keys = signing_keys::load(&store, &master.key_encryption_key()).await;
        let keys = keys.expect("the database answers").expect("it has served");
        let token = app.server.sign_up("ada").await;
        let me = app.server.get_as(&token, "/auth/me").await.json();
        Self {
            key: keys.current,
            base: app.server.base().to_owned(),
            user: me["id"].as_str().expect("an id").to_owned(),
        }
    }

    fn token(&self, scope: &str, roles: &[&str]) -> String {
        let now = Clock::System.now().as_second();
        let claims = AccessTokenClaims {
            iss: self.base.clone(),
            sub: self.user.clone(),
            aud: self.base.clone(),
            client_id: String::from("first-party"),
            scope: (!scope.is_empty()).then(|| scope.to_owned()),
            roles: roles.iter().map(ToString::to_string).collect(),
            iat: now,
            exp: now + 600,
            nbf: None,
            jti: stdx::new_id(&Clock::System, &Rng::System).to_string(),
            auth_time: None,
            acr: None,
            epoch: None,
            extra: serde_json::Map::new(),
        };
        encode_access_token(&claims, &self.key).expect("it can be signed")
    }
}

// req: RB-3
async fn names_of_scopes_and_roles_are_matched_whole(app: App) {
    let (server, signer) = (&app.server, Signer::of(&app).await);
    let change = json!({"body": "b"});
    for scope in [
        "",
        "admi",
        "not anadmin",
        "anadmin",
        "admin2",
        "Admin",
        "ADMIN",
        "adm in",
        "admin:read",
        "admin,x",
        "admin.",
        "\u{430}dmin",
        "x-admin",
        "admin\tx",
        "admin%20",
        "'admin'",
        "*",
        "%",
    ] {
        // A role of the scope's name does not stand for it.
        let token = signer.token(scope, &["admin"]);
        let note = json!({"id": 2, "body": "b"});
        for (method, path, body) in [
            ("POST", "/api/notes", &note),
            ("PATCH", "/api/notes?id=eq.1", &change),
            ("POST", "/api/scoped", &json!({})),
        ] {
            let refused = server.send(method, &token, path, body).await;
            assert_eq!(refused.status, 403, "{scope:?} {path}: {}", refused.body);
        }
        let names = server.get_as(&token, "/api/names").await.json();
        assert_eq!(names, json!({"scope": false, "role": true}), "{scope:?}");
    }
    roles_are_matched_whole(&app, &signer).await;
    // The names themselves, among others and alone.
    for (place, scope) in ["admin", "admi admin", "admin x", "x  admin "]
        .iter()
        .enumerate()
    {
        let token = signer.token(scope, &["adm", "admin"]);
        let row = json!({"id": 10 + place, "body": "b"});
        for path in ["/api/notes", "/api/logs"] {
            let made = server.send("POST", &token, path, &row).await;
            assert_eq!(made.status, 201, "{scope:?} {path}: {}", made.body);
        }
        assert_eq!(server.get_as(&token, "/api/panel").await.status, 200);
    }
}

async fn roles_are_matched_whole(app: &App, signer: &Signer) {
    let server = &app.server;
    for role in [
        "admi",
        "adm",
        "admins",
        "not admin",
        "anadmin",
        "Admin",
        "ADMIN",
        " admin",
        "admin ",
        "adm,admin",
        "admin adm",
        "\"admin\"",
        "admin\0",
        "%",
        "*",
        "service",
    ] {
        // Nor does a scope of the role's name.
        let token = signer.token("admin", &[role]);
        let log = json!({"id": 1, "body": "b"});
        for (method, path, body) in [
            ("GET", "/api/panel", &Value::Null),
            ("POST", "/api/logs", &log),
        ] {
            let refused = match method {
                "GET" => server.get_as(&token, path).await,
                _ => server.send(method, &token, path, body).await,
            };
            assert_eq!(refused.status, 403, "{role:?} {path}: {}", refused.body);
        }
        let names = server.get_as(&token, "/api/names").await.json();
        assert_eq!(names, json!({"scope": true, "role": false}), "{role:?}");
    }
}
