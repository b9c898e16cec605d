//! A database that takes no change from this server: the login may only select, or the file or its
//! folder cannot be written. Reads answer, writes are refused with the reason.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use sql::{DatabaseUrl, Db, DbOptions, Dialect, Sql, Step};
use testkit::{
    Answer, Project, Running, SmallDisk, ThrowAwayDatabase, in_own_namespace, mount_over, on_server,
};

use crate::http::PILASTER;

const SEEDED: &str = "/api/activities/0193a000-0000-7000-8000-0000000000a1";
const MESSAGE: &str = "This was imported as seed data!";
const PASSWORD: &str = "a long pass phrase";

/// Cruddur, and a file that is called with POST and only reads.
fn project(url: &str) -> Project {
    let project = Project::cruddur().with("DATABASE_URL", url);
    project.write(
        "api/handles.post.sql",
        "-- @access anon, authenticated\n-- @returns many\nselect handle from users order by handle\n",
    );
    project
}

/// Migrated and seeded.
fn set_up(project: &Project) {
    project.succeed(PILASTER, &["migrate", "up"]);
    project.succeed(PILASTER, &["db", "seed"]);
}

/// Somebody has an account, and the server a key to sign with.
async fn register(project: &Project) {
    let server = Running::serve(PILASTER, project).await;
    server.sign_up("kim").await;
    let ready = server.get("/readyz").await;
    assert_eq!(ready.body, "{\"status\":\"ok\"}");
    assert!(!server.log().contains("read-only"), "{}", server.log());
    drop(server);
    // A server that is ended at once leaves its log beside the file; whoever closes it moves it in.
    project.succeed(PILASTER, &["migrate", "status"]);
}

/// Everything that reads answers, signing in too.
async fn reads_answer(server: &Running) -> String {
    let answer = server.token("kim@example.org", PASSWORD).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let token = answer.json()["access_token"].as_str().map(str::to_owned);
    let token = token.expect("a token");
    assert_eq!(server.get_as(&token, "/auth/me").await.status, 200);
    let list = "/api/activities?select=message,author:users(handle)";
    let wanted = json!([{"message": MESSAGE, "author": {"handle": "andrewbrown"}}]);
    for _ in 0..3 {
        assert_eq!(server.get(list).await.json(), wanted);
    }
    let rows = server.request("GET", "/api/users?select=handle&order=handle");
    let rows = Answer::read(rows.header("Prefer", "count=exact")).await;
    assert_eq!(rows.header("content-range"), "0-2/3", "{}", rows.body);
    assert_eq!(server.get(SEEDED).await.json()["message"], MESSAGE);
    assert_eq!(server.get("/api/feed").await.json()[0]["message"], MESSAGE);
    let called = server.send("POST", "", "/api/handles", &json!({})).await;
    assert_eq!(called.json()[2]["handle"], "kim", "{}", called.body);
    let batch = json!([{"method": "GET", "path": "/users?select=handle&order=handle"}]);
    let batch = server.send("POST", "", "/api/$batch", &batch).await;
    let handles = &batch.json()[0]["body"];
    assert_eq!(handles[2]["handle"], "kim", "{}", batch.body);
    token
}

/// Everything that writes is refused, and told why; nothing of it was logged as a fault.
async fn writes_are_refused(server: &Running, token: &str) {
    let body = json!({"message": "more"});
    let batch = json!([{"method": "POST", "path": "/activities", "body": body}]);
    let account = json!({"email": "lee@example.org", "password": PASSWORD, "username": "lee",
        "display_name": "Lee"});
    let by_key = "/api/activities?uuid=eq.0193a000-0000-7000-8000-0000000000a1";
    let writes: [(&str, &str, &Value); 8] = [
        ("POST", "/api/activities", &body),
        ("PATCH", by_key, &body),
        ("PATCH", SEEDED, &body),
        ("DELETE", by_key, &Value::Null),
        ("POST", &format!("{SEEDED}/like"), &json!({})),
        ("POST", &format!("{SEEDED}/reply"), &body),
        ("POST", "/api/$batch", &batch),
        ("POST", "/register", &account),
    ];
    for (method, path, body) in writes {
        let refused = server.send(method, token, path, body).await;
        is_refusal(&refused, &format!("{method} {path}"));
    }
    let request = server.request("POST", "/api/activities").bearer_auth(token);
    let kept = request.header("Idempotency-Key", "5a2f7c").json(&body);
    is_refusal(&Answer::read(kept).await, "kept");
    let told = server.log().contains("\"level\":\"ERROR\"");
    assert!(!told, "{}", server.log());
}

fn is_refusal(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 403, "{what}: {}", answer.body);
    let body = answer.json();
    assert_eq!(body["code"], "25006", "{what}: {body}");
    let message = body["message"].as_str().unwrap_or_default();
    let reason = "the database is read-only for this server";
    assert!(message.ends_with(reason), "{what}: {body}");
    assert!(body["request_id"].is_string(), "{what}: {body}");
}

/// It serves, and says how, at its start and whenever it is asked.
async fn serves_for_reading(project: &Project) -> Running {
    let server = Running::serve(PILASTER, project).await;
    let log = server.log();
    assert!(
        log.contains("read-only: the database takes no change"),
        "{log}"
    );
    let ready = server.get("/readyz").await;
    let wanted = json!({"status": "ok", "mode": "read-only"});
    assert_eq!((ready.status, ready.json()), (200, wanted));
    server
}

async fn reads_and_no_more(project: &Project) {
    let server = serves_for_reading(project).await;
    let token = reads_answer(&server).await;
    writes_are_refused(&server, &token).await;
}

/// Statements that make a login which may select and no more.
fn grants(engine: &str, login: &str, database: &str) -> Vec<String> {
    match engine {
        "postgres" => vec![
            format!("create role {login} login password 'read+only'"),
            format!("grant usage on schema public to {login}"),
            format!("grant select on all tables in schema public to {login}"),
        ],
        _ => vec![
            format!("create user {login}@'%' identified by 'read+only'"),
            format!("grant select on {database}.* to {login}@'%'"),
        ],
    }
}

fn removal(engine: &str, login: &str) -> Vec<String> {
    match engine {
        "postgres" => vec![
            format!("drop owned by {login}"),
            format!("drop role {login}"),
        ],
        _ => vec![format!("drop user {login}@'%'")],
    }
}

/// What the login of this server may only read: first before any other has served from it, so that
/// there is no key yet, then behind one that has.
async fn with_login(project: Project, url: String, reader: String) {
    set_up(&project);
    let before = dump(&url).await;
    let project = project.with("DATABASE_URL", &reader);
    let server = serves_for_reading(&project).await;
    assert_eq!(server.get(SEEDED).await.json()["message"], MESSAGE);
    drop(server);
    assert_eq!(dump(&url).await, before);
    let project = project.with("DATABASE_URL", &url);
    register(&project).await;
    let before = dump(&url).await;
    let mut project = project.with("DATABASE_URL", &reader);
    for mode in ["manual", "auto"] {
        project = project.with("PILASTER_MIGRATE_MODE", mode);
        reads_and_no_more(&project).await;
    }
    assert_eq!(dump(&url).await, before);
    // Who has something to migrate needs somebody who may.
    project.write(
        "schema/more.sql",
        "create table more (id integer primary key);\n",
    );
    project.succeed(PILASTER, &["migrate", "new", "more"]);
    let refused = project.run(PILASTER, &["serve"]);
    assert_eq!(refused.code, 7, "{}", refused.text());
    let project = project.with("PILASTER_MIGRATE_MODE", "manual");
    let refused = project.run(PILASTER, &["serve"]);
    assert_eq!(refused.code, 5, "{}", refused.text());
    assert_eq!(dump(&url).await, before);
}

async fn connect(url: &str) -> Db {
    let url = DatabaseUrl::parse(url, Path::new("")).expect("an address");
    let db = Db::connect(&url, &DbOptions::default()).await;
    db.expect("the database is there")
}

/// Every row of Pilaster's own tables and the project's that can have changed.
async fn dump(url: &str) -> Vec<String> {
    testkit::dump(&connect(url).await).await
}

async fn on_server_with(engine: &str) {
    let Some(database) = ThrowAwayDatabase::create(engine).await else {
        return;
    };
    let url = database.url().to_owned();
    let (server, name) = url.rsplit_once('/').expect("a name");
    let login = format!("ro{}", &name[name.len() - 12..]);
    let (scheme, place) = server.split_once("://").expect("a scheme");
    let (_, host) = place.rsplit_once('@').expect("a login");
    let reader = format!("{scheme}://{login}:read+only@{host}/{name}");
    let project = project(&url).with("PORT", "0");
    project.succeed(PILASTER, &["migrate", "up"]);
    for statement in grants(engine, &login, name) {
        on_server(&url, &statement).await;
    }
    // Whatever comes of it, the server is left as it was.
    let done = tokio::spawn(with_login(project, url.clone(), reader)).await;
    for statement in removal(engine, &login) {
        on_server(&url, &statement).await;
    }
    done.expect("every fact holds");
}

// req: CR-13
#[tokio::test(flavor = "multi_thread")]
async fn a_login_of_postgres_that_may_only_select_serves_reads() {
    on_server_with("postgres").await;
}

// req: CR-13
#[tokio::test(flavor = "multi_thread")]
async fn a_login_of_mariadb_that_may_only_select_serves_reads() {
    on_server_with("mariadb").await;
}

// req: CR-13
#[tokio::test(flavor = "multi_thread")]
async fn a_login_of_mysql_that_may_only_select_serves_reads() {
    on_server_with("mysql").await;
}

// req: CR-13
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_may_only_be_read_serves_reads() {
    if !in_own_namespace("read_only::a_disk_that_may_only_be_read_serves_reads") {
        return;
    }
    let project = project("sqlite:data/test.db");
    let data = project.path().join("data");
    let disk = SmallDisk::mount(&data, 8, (0, 0));
    set_up(&project);
    register(&project).await;
    disk.make_read_only();
    let project = project.with("PILASTER_MIGRATE_MODE", "auto");
    reads_and_no_more(&project).await;
    assert_eq!(project.read_dir("data"), ["test.db"]);
    // What has to write says so as ever.
    for words in [["db", "seed"], ["migrate", "status"]] {
        let refused = project.run(PILASTER, &words);
        assert_eq!(refused.code, 7, "{}", refused.text());
    }
}

// req: CR-13
#[tokio::test(flavor = "multi_thread")]
async fn what_was_committed_before_a_crash_is_read_on_such_a_disk() {
    let test = "read_only::what_was_committed_before_a_crash_is_read_on_such_a_disk";
    if !in_own_namespace(test) {
        return;
    }
    let project = project("sqlite:data/test.db");
    let disk = SmallDisk::mount(&project.path().join("data"), 8, (0, 0));
    set_up(&project);
    let mut server = Running::serve(PILASTER, &project).await;
    server.sign_up("kim").await;
    server.kill();
    let mut files = project.read_dir("data");
    files.sort();
    assert_eq!(files, ["test.db", "test.db-shm", "test.db-wal"]);
    disk.make_read_only();
    reads_and_no_more(&project).await;
}

// req: CR-13
#[tokio::test(flavor = "multi_thread")]
async fn a_file_or_a_folder_that_cannot_be_written_serves_reads() {
    let test = "read_only::a_file_or_a_folder_that_cannot_be_written_serves_reads";
    if !in_own_namespace(test) {
        return;
    }
    let project = project("sqlite:data/test.db");
    let folder = project.path().to_owned();
    let (data, file) = (folder.join("data"), folder.join("data/test.db"));
    set_up(&project);
    register(&project).await;
    // The file alone.
    {
        let _over = mount_over(&file, &file, true);
        reads_and_no_more(&project).await;
    }
    // The folder alone: the file itself could be written, its log could not.
    let aside = folder.join("aside.db");
    fs::copy(&file, &aside).expect("a copy");
    {
        let _over = mount_over(&data, &data, true);
        let _file = mount_over(&aside, &file, false);
        reads_and_no_more(&project).await;
    }
    // Both, while somebody else may write: what they change is seen.
    let theirs = folder.join("theirs");
    fs::create_dir(&theirs).expect("a folder");
    fs::copy(&file, theirs.join("test.db")).expect("a copy");
    let _over = mount_over(&theirs, &data, true);
    let server = serves_for_reading(&project).await;
    let kim = "/api/users?select=display_name&handle=eq.kim";
    assert_eq!(server.get(kim).await.json()[0]["display_name"], "kim");
    let url = format!("sqlite:{}", theirs.join("test.db").display());
    for (text, wanted) in [
        (
            "update users set display_name = 'Kim' where handle = 'kim'",
            "Kim",
        ),
        (
            "update users set display_name = 'K.' where handle = 'kim'",
            "K.",
        ),
    ] {
        let db = connect(&url).await;
        let mut sql = Sql::new(Dialect::Sqlite);
        sql.push(text);
        db.write(vec![Step::new(sql)]).await.expect("they may");
        // Seen beside their open log, and in the file when they are gone.
        assert_eq!(server.get(kim).await.json()[0]["display_name"], wanted);
        drop(db);
        assert_eq!(server.get(kim).await.json()[0]["display_name"], wanted);
    }
}
