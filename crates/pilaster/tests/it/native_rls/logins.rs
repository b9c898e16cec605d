//! Logins with no more rights than they need: one that changes the structure, one that serves, one
//! that only reads.

use testkit::{Project, Running, ThrowAwayDatabase, on_server};

use super::{notes, run};
use crate::http::PILASTER;

const SETTING: &str = "PILASTER_DATABASE_NATIVE_RLS";

fn with_login(url: &str, login: &str, name: &str) -> String {
    let (scheme, rest) = url.split_once("://").expect("a scheme");
    let (_, place) = rest.rsplit_once('@').expect("a login");
    let (server, _) = place.split_once('/').expect("a name");
    format!("{scheme}://{login}:secret+{login}@{server}/{name}")
}

/// A project with three logins of its own and a database that belongs to the second one; all are
/// gone when dropped.
struct Own {
    project: Project,
    admin: String,
    database: String,
    logins: [String; 3],
    _beside: ThrowAwayDatabase,
}

impl Own {
    async fn create() -> Option<Self> {
        let beside = ThrowAwayDatabase::create("postgres").await?;
        let admin = beside.server().expect("a server has one").to_owned();
        let id = &beside.url()[beside.url().len() - 12..];
        let logins = ["a", "m", "r"].map(|letter| format!("{letter}{id}"));
        let database = format!("rls_{id}");
        let url = |login: &str| with_login(&admin, login, &database);
        let project = notes("on")
            .with("DATABASE_URL", &url(&logins[0]))
            .with("MIGRATOR_DATABASE_URL", &url(&logins[1]))
            .with("READONLY_DATABASE_URL", &url(&logins[2]))
            .with("ADMIN_DATABASE_URL", &admin);
        project.succeed(PILASTER, &["migrate", "new", "first"]);
        // Without the setting nobody may make roles.
        let project = project.with(SETTING, "off");
        project.succeed(PILASTER, &["db", "create"]);
        Some(Self {
            project: project.with(SETTING, "on"),
            admin,
            database,
            logins,
            _beside: beside,
        })
    }

    async fn console(&self, login: &str) -> sql::Console {
        let url = with_login(&self.admin, login, &self.database);
        let url = sql::DatabaseUrl::parse(&url, std::path::Path::new("")).expect("an address");
        let console = sql::Console::connect(&url, &sql::DbOptions::default()).await;
        console.expect("it is reached")
    }

    async fn gone(self) {
        let Self {
            project,
            admin,
            database,
            logins,
            ..
        } = self;
        project.succeed(PILASTER, &["db", "drop", "--confirm", &database]);
        for login in &logins {
            on_server(&admin, &format!("drop role {login}")).await;
        }
    }
}

/// Callers with roles that nobody has had together, of more than have all combinations made
/// beforehand: who serves may not make one for them.
async fn unknown_combinations(own: &Own) {
    let more: Vec<String> = (0..7).map(|n| format!("create role more{n};\n")).collect();
    own.project.write("schema/more.sql", &more.concat());
    own.project.succeed(PILASTER, &["migrate", "up"]);
    let second = Running::serve(PILASTER, &own.project).await;
    let mut owner = own.console(&own.logins[1]).await;
    for role in ["more2", "more3"] {
        let give = format!(
            "insert into auth_user_roles (user_id, role) select id, '{role}' from auth_users \
             where email = 'ada@example.org'"
        );
        run(&mut owner, &give).await;
    }
    let token = second.token("ada@example.org", "a long pass phrase").await;
    let token = token.json()["access_token"]
        .as_str()
        .expect("a token")
        .to_owned();
    let titles = "/api/notes?select=id&order=id";
    let unknown = second.get_as(&token, titles).await;
    assert_eq!(unknown.status, 503, "{}", unknown.body);
    assert!(unknown.json()["code"] == "0P000", "{}", unknown.body);
    assert!(
        second.log().contains("may not make roles"),
        "{}",
        second.log()
    );
    own.project.succeed(PILASTER, &["migrate", "up"]);
    let known = second.get_as(&token, titles).await;
    assert_eq!(known.body, "[{\"id\":1},{\"id\":100}]");
    drop((owner, second));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_make_roles_is_told_who_has_to() {
    let Some(own) = Own::create().await else {
        return;
    };
    let [app, migrator, reader] = &own.logins;
    let refused = own.project.run(PILASTER, &["migrate", "up"]);
    assert_eq!(refused.code, 7, "{}", refused.text());
    for words in [
        format!("the login {migrator} may not make roles"),
        format!("alter role \"{migrator}\" createrole"),
    ] {
        assert!(refused.err.contains(&words), "{}", refused.err);
    }
    own.project.succeed(PILASTER, &["db", "create"]);
    own.project.succeed(PILASTER, &["migrate", "up"]);
    // Who serves has nothing to do with roles, and needs no right to make them.
    let server = Running::serve(PILASTER, &own.project).await;
    let ada = server.sign_up("ada").await;
    let bob = server.sign_up("bob").await;
    for (token, id, status) in [(&ada, 1, 201), (&bob, 2, 201), (&bob, 1, 409)] {
        let body = serde_json::json!({"id": id, "title": format!("note {id}")});
        let answer = server.send("POST", token, "/api/notes", &body).await;
        assert_eq!(answer.status, status, "{}", answer.body);
    }
    let answer = server.get_as(&ada, "/api/notes?select=id&order=id").await;
    assert_eq!(answer.body, "[{\"id\":1},{\"id\":100}]");
    let answer = server.get_as(&ada, "/api/totals?select=notes").await;
    assert_eq!(answer.body, "[{\"notes\":4}]");
    let answer = server.get_as(&bob, "/api/everything").await;
    assert_eq!(answer.json().as_array().map(Vec::len), Some(4));
    unknown_combinations(&own).await;
    // The logins themselves are kept out of nothing; a restrictive policy neither.
    let mut console = own.console(app).await;
    run(&mut console, "update notes set title = 'damn' where id = 1").await;
    for login in [app, migrator, reader] {
        let mut console = own.console(login).await;
        let count = run(&mut console, "select count(*) from notes").await;
        assert_eq!(count, ["4"], "{login}");
    }
    // Who only reads becomes nobody else.
    let mut console = own.console(reader).await;
    let roles = "select rolname from pg_roles where rolname like '%\\_authenticated'";
    let role = run(&mut console, roles).await;
    let denied = console.run(&format!("set role \"{}\"", role[0])).await;
    assert!(denied.is_err_and(|error| error.to_string().contains("permission denied")));
    let of_database = "select count(*) from pg_roles where rolname like 'pilaster\\_' || \
        (select oid from pg_database where datname = current_database()) || '%'";
    assert_ne!(run(&mut console, of_database).await, ["0"]);
    let number = "select oid from pg_database where datname = current_database()";
    let number = run(&mut console, number).await.remove(0);
    drop(console);
    drop(server);
    // The roles go with the database.
    let beside = own.admin.clone();
    own.gone().await;
    let url = sql::DatabaseUrl::parse(&beside, std::path::Path::new("")).expect("an address");
    let mut console = sql::Console::connect(&url, &sql::DbOptions::default())
        .await
        .expect("it is reached");
    let left = format!("select rolname from pg_roles where rolname like 'pilaster\\_{number}%'");
    assert_eq!(run(&mut console, &left).await, Vec::<String>::new());
}
