//! Administration of accounts, through HTTP and at the shell, on every engine.

mod accounts;
mod import;
mod keys;
mod last;
mod roles;
mod rows;

use serde_json::{Value, json};
use sql::{Sql, Step};
use testkit::{Answer, Project, Running};

use crate::http::identity::factors::code;
use crate::http::{App, PILASTER};

/// What everybody of these tests has as a password.
const WORD: &str = "a long pass phrase";

/// A project with roles, the mails of which go nowhere.
fn project() -> Project {
    let project = Project::empty();
    project.write(
        "schema/notes.sql",
        "create role editor;
         create role \"größe\";
         create role boss;
         grant editor to boss;
         create table notes (id integer primary key, owner uuid not null);
         grant select on notes to authenticated;
         grant insert on notes to editor;
         create policy own on notes using (owner = auth.uid()) with check (owner = auth.uid());",
    );
    project
}

/// An account, as tests know it.
struct Somebody {
    id: String,
    token: String,
}

/// Makes an account and signs in.
async fn somebody(app: &App, name: &str) -> Somebody {
    let token = app.server.sign_up(name).await;
    let me = app.server.get_as(&token, "/auth/me").await;
    let id = me.json()["id"].as_str().expect("an id").to_owned();
    Somebody { id, token }
}

/// Makes an account that administers.
async fn administrator(app: &App, name: &str) -> Somebody {
    let made = somebody(app, name).await;
    app.project
        .succeed(PILASTER, &["user", "grant", &made.id, "admin"]);
    made
}

async fn signed_in(app: &App, name: &str) -> String {
    let answer = app.server.token(name, WORD).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let token = &answer.json()["access_token"];
    token.as_str().expect("a token").to_owned()
}

impl Somebody {
    async fn get(&self, server: &Running, path: &str) -> Answer {
        server.get_as(&self.token, path).await
    }

    async fn send(&self, server: &Running, method: &str, path: &str, body: Value) -> Answer {
        server.send(method, &self.token, path, &body).await
    }

    /// Where an administrator finds it.
    fn path(&self, rest: &str) -> String {
        format!("/admin/api/users/{}{rest}", self.id)
    }
}

/// The acts of that name, as an administrator reads them.
async fn acts(app: &App, root: &Somebody, query: &str) -> Vec<Value> {
    let path = format!("/admin/api/audit?{query}");
    let answer = root.get(&app.server, &path).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json().as_array().cloned().unwrap_or_default()
}

/// Changes what is stored behind the server's back.
async fn rewrite(app: &App, statement: &str) {
    let db = app.database.connect().await;
    let mut sql = Sql::new(db.dialect());
    sql.native(statement);
    db.write(vec![Step::new(sql)]).await.expect(statement);
    db.close().await.expect("it can be closed");
}

/// Lets every end of a role lie in the past.
async fn expire_roles(app: &App) {
    let db = app.database.connect().await;
    let mut sql = Sql::new(db.dialect());
    let past = jiff::Timestamp::from_second(1_500_000_000).expect("a moment");
    sql.push("update auth_user_roles set expires_at = ")
        .arg(past);
    sql.push(" where expires_at is not null");
    db.write(vec![Step::new(sql)]).await.expect("roles end");
    db.close().await.expect("it can be closed");
}

/// Sets up an authenticator app and signs in with it; gives a token of two factors.
async fn second_factor(app: &App, name: &str) -> String {
    let login = json!({"identifier": name, "password": WORD});
    let begun = app.server.send("POST", "", "/auth/session", &login).await;
    let (cookie, _) = begun
        .header("set-cookie")
        .split_once(';')
        .expect("a cookie");
    let csrf = begun.json()["csrf_token"]
        .as_str()
        .expect("a token")
        .to_owned();
    let send = async |path: &str, body: Value| {
        let request = app.server.request("POST", path).json(&body);
        let request = request
            .header("cookie", cookie)
            .header("x-csrf-token", &csrf);
        Answer::read(request).await
    };
    let begun = send("/auth/totp", nothing()).await;
    let secret = begun.json()["secret"]
        .as_str()
        .expect("a secret")
        .to_owned();
    let confirm = async || {
        let body = json!({"code": code(&secret, -1)});
        send("/auth/totp/confirm", body).await.status
    };
    // The next step may begin in between, and the code is two steps old then.
    assert!(confirm().await == 200 || confirm().await == 200);
    let owed = app.server.token(name, WORD).await;
    assert_eq!(owed.status, 403, "{}", owed.body);
    let id = owed.json()["errors"][0]["login_id"].clone();
    let body = json!({"login_id": id, "code": code(&secret, 0)});
    let given = app.server.send("POST", "", "/token", &body).await;
    assert_eq!(given.status, 200, "{}", given.body);
    let token = &given.json()["access_token"];
    token.as_str().expect("a token").to_owned()
}

/// The addresses of a list of accounts.
fn emails(list: &Value) -> Vec<String> {
    let list = list.as_array().cloned().unwrap_or_default();
    let email = |one: &Value| one["email"].as_str().unwrap_or_default().to_owned();
    list.iter().map(email).collect()
}

/// A body that says nothing.
fn nothing() -> Value {
    json!({})
}
