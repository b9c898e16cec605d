//! Mails and what needs them, through the command line and HTTP, on every engine.

mod confirm;
mod invitations;
mod limits;
mod owner;
mod post;
mod reset;
mod server;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sql::{Sql, Step};
use testkit::{Answer, Project, Running, ThrowAwayDatabase};

use crate::http::PILASTER;

/// A project with one table of people, filled by hooks.
const SCHEMA: &str = "\
create table people (
  sub uuid primary key, email text not null, fields jsonb,
  confirmed boolean not null default false
);
create table notes (
  sub uuid primary key references people on delete cascade, text text not null
);
grant select on notes to anon;
create policy notes_all on notes for select using (true);
create table acts (id uuid primary key, act text not null, email text not null);
grant select on people to anon;
create policy people_all on people for select using (true);
grant select on acts to anon;
create policy acts_all on acts for select using (true);
";

/// A word that is good enough.
pub(crate) const WORD: &str = "a long pass phrase";

fn hook(act: &str) -> String {
    format!("insert into acts (id, act, email) values (:delivery_id, '{act}', :email)")
}

/// The project, with these settings.
fn project(settings: &str) -> Project {
    let project = Project::empty();
    project.write("pilaster.toml", settings);
    project.write("schema/people.sql", SCHEMA);
    let registered = "insert into people (sub, email, fields) values (:user_id, :email, :fields);\n\
                      insert into notes (sub, text) values (:user_id, 'hello')";
    project.write("hooks/user_registered.sql", registered);
    let confirmed = "update people set confirmed = true, email = :email where sub = :user_id";
    project.write("hooks/user_confirmed.sql", confirmed);
    for act in ["password_changed", "email_changed"] {
        project.write(&format!("hooks/{act}.sql"), &hook(act));
    }
    let gone = "delete from people where sub = :user_id";
    let deleted = format!("{};\n{gone}", hook("user_deleted"));
    project.write("hooks/user_deleted.sql", &deleted);
    project
}

/// A project under `pilaster dev`, whose mails are on a page.
struct Dev {
    // Dropped in this order: the server lets go of the database before it is dropped.
    server: Running,
    project: Project,
    database: ThrowAwayDatabase,
}

impl Dev {
    /// Over a database of that engine; `None` where the engine was not asked for.
    async fn start(engine: &str, project: Project) -> Option<Self> {
        let database = ThrowAwayDatabase::create(engine).await?;
        let project = project.with("DATABASE_URL", database.url());
        let server = Running::spawn(PILASTER, &project, &["dev"]);
        Some(Self {
            server: server.until_ready().await,
            project,
            database,
        })
    }

    async fn post(&self, path: &str, body: impl Into<Value>) -> Answer {
        self.server.send("POST", "", path, &body.into()).await
    }

    async fn post_as(&self, token: &str, path: &str, body: impl Into<Value>) -> Answer {
        self.server.send("POST", token, path, &body.into()).await
    }

    /// All mails to a mailbox, the newest first.
    async fn mails(&self, to: &str) -> Vec<Value> {
        let request = self.server.request("GET", "/_mail");
        let answer = Answer::read(request.header("accept", "application/json")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let all = answer.json();
        let all = all.as_array().cloned().unwrap_or_default();
        all.into_iter().filter(|mail| mail["to"] == to).collect()
    }

    /// The newest of `count` mails to a mailbox, as soon as there are so many.
    async fn mail(&self, to: &str, count: usize) -> Value {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let mails = self.mails(to).await;
            if mails.len() >= count {
                assert_eq!(mails.len(), count, "{mails:?}");
                return mails[0].clone();
            }
            assert!(
                Instant::now() < deadline,
                "no mail {count} to {to}: {mails:?}\n{}",
                self.server.log()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Registers somebody and proves the address.
    async fn sign_up(&self, name: &str) -> String {
        let email = format!("{name}@example.org");
        let body = json!({"email": email, "password": WORD, "username": name});
        let answer = self.post("/register", body).await;
        if answer.status == 202 {
            let mail = self.mail(&email, 1).await;
            let made = self
                .post("/auth/confirm", json!({"token": token(&mail)}))
                .await;
            assert_eq!(made.status, 201, "{}", made.body);
        } else {
            assert_eq!(answer.status, 201, "{}", answer.body);
        }
        self.bearer(&email, WORD).await
    }

    async fn bearer(&self, name: &str, word: &str) -> String {
        let answer = self.server.token(name, word).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let token = &answer.json()["access_token"];
        token.as_str().expect("a token is a text").to_owned()
    }

    /// Changes what is stored behind the server's back.
    async fn change(&self, statement: &str) {
        let db = self.database.connect().await;
        let mut sql = Sql::new(db.dialect());
        sql.native(statement);
        db.write(vec![Step::new(sql)]).await.expect(statement);
        db.close().await.expect("it can be closed");
    }

    /// Lets every ticket expire now.
    async fn expire_tickets(&self) {
        self.change("update auth_tickets set expires_at = created_at")
            .await;
    }

    /// The acts of the audit log, as the command line tells them.
    fn audit(&self, words: &[&str]) -> Vec<Value> {
        let mut all = vec!["audit", "--json"];
        all.extend(words);
        let said = self.project.succeed(PILASTER, &all);
        let lines = said.out.lines().map(serde_json::from_str);
        lines.collect::<Result<_, _>>().expect("each line is JSON")
    }

    /// What hooks have written down.
    async fn acts(&self) -> Vec<String> {
        let acts = self
            .server
            .get("/api/acts?select=act,email&order=act")
            .await
            .json();
        let acts = acts.as_array().cloned().unwrap_or_default();
        let told = |act: &Value| format!("{} {}", act["act"], act["email"]).replace('"', "");
        acts.iter().map(told).collect()
    }
}

/// The token of a mail's link.
fn token(mail: &Value) -> String {
    let link = mail["link"].as_str().expect("the mail has a link");
    let (_, token) = link.rsplit_once('/').expect("a link has parts");
    token.to_owned()
}

/// An answer without its request's id, for comparing.
fn bare(answer: &Answer) -> (u16, Value, Vec<String>) {
    let mut body = answer.json();
    if body.get("request_id").is_some() {
        body["request_id"] = json!(null);
    }
    let headers = answer.headers.iter();
    let mut headers: Vec<String> = headers
        .filter(|(name, _)| !matches!(name.as_str(), "date" | "x-request-id"))
        .map(|(name, value)| format!("{name}: {value:?}"))
        .collect();
    headers.sort();
    (answer.status, body, headers)
}

/// Makes one test of each engine out of `async fn name(dev: Dev)` over the project `project()`.
macro_rules! on_every_engine {
    ($project:ident: $($name:ident),* $(,)?) => {
        $(mod $name {
            use crate::mail::Dev;

            async fn on(engine: &str) {
                if let Some(dev) = Dev::start(engine, super::$project()).await {
                    super::$name(dev).await;
                }
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn sqlite() {
                on("sqlite").await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn postgres() {
                on("postgres").await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn mariadb() {
                on("mariadb").await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn mysql() {
                on("mysql").await;
            }
        })*
    };
}
use on_every_engine;
