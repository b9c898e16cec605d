//! State that lives for minutes: in the database, in memory, in Redis.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::json;
use testkit::{Project, Running, tool};

use super::{Browser, WORD, begin, finish, log_in, sign_up};
use crate::http::{App, PILASTER, on_every_engine};

on_every_engine!(
    flows_outlive_a_restart,
    what_clients_send_addresses_nothing_else
);

// req: SE-7
async fn flows_outlive_a_restart(app: App) {
    sign_up(&app.server, "ada").await;
    let (client, started) = begin(&app.server, "ada", WORD).await;
    let message = finish(client, &started).expect("the password is right");
    let App {
        server,
        project,
        database: _database,
    } = app;
    drop(server);
    let server = Running::serve(PILASTER, &project).await;
    let body = json!({"login_id": started.json()["login_id"], "login_finish": message});
    // Of fifty who finish it at once, one does.
    let finishing = (0..50).map(|_| server.send("POST", "", "/auth/opaque/login/finish", &body));
    let answers = futures_util::future::join_all(finishing).await;
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    let count = |status: u16| statuses.iter().filter(|one| **one == status).count();
    assert_eq!((count(200), count(400)), (1, 49), "{statuses:?}");
}

// req: SE-8
async fn what_clients_send_addresses_nothing_else(app: App) {
    sign_up(&app.server, "ada").await;
    let (client, started) = begin(&app.server, "ada", WORD).await;
    let message = finish(client, &started).expect("the password is right");
    let id = started.json()["login_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let rows = app.database.dump().await;
    let known = rows
        .iter()
        .filter_map(|row| row.strip_prefix("auth_moments."));
    let mut names: Vec<String> = known
        .filter_map(|row| row.split_once(": "))
        .map(|(_, value)| value.to_owned())
        .collect();
    let stored = names.len();
    assert!(stored > 4, "{rows:?}");
    for prefix in ["opaque-login:", "pilaster:opaque-login:", "login-attempts:"] {
        names.push(format!("{prefix}{id}"));
        names.push(format!("{prefix}ada"));
    }
    names.push(String::from("ada"));
    names.push(String::from("*"));
    for name in &names {
        let body = json!({"login_id": name, "login_finish": "A".repeat(86)});
        let refused = app
            .server
            .send("POST", "", "/auth/opaque/login/finish", &body)
            .await;
        assert_eq!(refused.status, 400, "{name}: {}", refused.body);
        let body = json!({"login_id": name, "code": "123456"});
        let refused = app
            .server
            .send("POST", "", "/auth/session/factor", &body)
            .await;
        assert_eq!(refused.status, 400, "{name}: {}", refused.body);
        let body = json!({"registration_id": name, "registration_record": "A".repeat(256)});
        let refused = app
            .server
            .send("POST", "", "/auth/opaque/register/finish", &body)
            .await;
        assert_eq!(refused.status, 400, "{name}: {}", refused.body);
    }
    // A flow under another purpose's name.
    let body = json!({"login_id": id, "code": "123456"});
    let refused = app
        .server
        .send("POST", "", "/auth/session/factor", &body)
        .await;
    assert_eq!(refused.status, 400, "{}", refused.body);
    let body = json!({"login_id": id, "login_finish": message});
    let done = app
        .server
        .send("POST", "", "/auth/opaque/login/finish", &body)
        .await;
    assert_eq!(done.status, 200, "{}", done.body);
}

/// A Redis of one test's own, killed when dropped.
struct Redis {
    child: Child,
    port: u16,
}

impl Redis {
    async fn start(port: u16) -> Self {
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .args(["--requirepass", "own", "--port", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let child = child.expect("redis-server starts");
        let own = Self { child, port };
        for _ in 0..400 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return own;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("no Redis on {port}");
    }

    fn stop(mut self) {
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a child can be waited for");
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

// req: SE-9
#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_redis_is_told_and_over_when_it_is_over() {
    // Where no Redis was asked for, its programs need not be there.
    if tool("TEST_REDIS_URL").is_none() {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let redis = Redis::start(port).await;
    let url = format!("redis://:own@127.0.0.1:{port}/0");
    let project = Project::cruddur();
    project.write("redis-url", &url);
    let project = project.with("REDIS_URL_FILE", "redis-url");
    let Some(app) = App::of("sqlite", project).await else {
        return;
    };
    let shown = app.project.succeed(PILASTER, &["config", "show"]);
    assert!(shown.out.contains("redis://***@127.0.0.1"), "{}", shown.out);
    assert!(!shown.out.contains(":own@"), "{}", shown.out);
    let made = sign_up(&app.server, "ada").await;
    assert_eq!(made.status, 201, "{}", made.body);
    let browser = Browser::of(&app.server, &log_in(&app.server, "ada", WORD).await);
    let rows = app.database.dump().await;
    assert!(!rows.iter().any(|row| row.starts_with("auth_moments.")));
    let port = redis.port;
    redis.stop();
    for _ in 0..20 {
        let (_, refused) = begin(&app.server, "ada", WORD).await;
        assert_eq!(refused.status, 503, "{}", refused.body);
        assert!(!refused.header("retry-after").is_empty());
        assert_eq!(refused.json()["code"], "state_unavailable");
        assert!(!refused.body.contains("own"), "{}", refused.body);
    }
    // Who is signed in notices nothing.
    assert_eq!(browser.get("/auth/session").await.status, 200);
    assert_eq!(app.server.get("/api/feed").await.status, 200);
    let redis = Redis::start(port).await;
    let mut statuses = Vec::new();
    for _ in 0..100 {
        let (_, started) = begin(&app.server, "eve", WORD).await;
        statuses.push(started.status);
        if started.status != 503 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(statuses.last(), Some(&200), "{statuses:?}");
    let done = log_in(&app.server, "ada", WORD).await;
    assert_eq!(done.status, 200, "{}", done.body);
    assert!(!app.server.log().contains("own@"), "{}", app.server.log());
    redis.stop();
}
