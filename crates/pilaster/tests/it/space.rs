//! A disk that is full, and one that may only be read.

use std::fmt::Write as _;

use serde_json::json;
use testkit::{OwnServer, Project, Running, SmallDisk, in_own_namespace};

use crate::http::PILASTER;

const FIRST: &str = "create table notes (id integer primary key generated always as identity, \
    body text not null);\ngrant select, insert on notes to anon;\n\
    create policy all_notes on notes for all using (true) with check (true);\n";

/// Forty tables, none of which finds room.
fn more() -> String {
    let mut text = String::from(FIRST);
    for n in 0..40 {
        let _ = writeln!(
            text,
            "create table t{n} (id integer primary key, name varchar(40) not null);\n\
             create index t{n}_name on t{n} (name);"
        );
    }
    text
}

fn project(url: &str) -> Project {
    let project = Project::empty().with("DATABASE_URL", url);
    project.write("schema/notes.sql", FIRST);
    project.succeed(PILASTER, &["migrate", "new", "first"]);
    project
}

fn titles(project: &Project) -> Vec<String> {
    let status = project.succeed(PILASTER, &["migrate", "status"]).out;
    status.lines().map(str::to_owned).collect()
}

/// The first migration fits and the second does not, until there is room.
fn a_migration_waits_for_room(engine: &str, project: &Project, disk: &SmallDisk, leave: u64) {
    project.succeed(PILASTER, &["migrate", "up"]);
    project.write("schema/notes.sql", &more());
    project.succeed(PILASTER, &["migrate", "new", "more"]);
    disk.fill(leave);
    let full = project.run(PILASTER, &["migrate", "up"]);
    assert_eq!(full.code, 8, "{engine}: {}", full.text());
    for words in ["no space left", "fix: make room"] {
        assert!(full.err.contains(words), "{engine}: {}", full.err);
    }
    disk.free();
    let lines = titles(project);
    let state = match engine {
        "sqlite" | "postgres" => "pending",
        _ => "interrupted on its way up",
    };
    assert!(lines[1].contains(state), "{engine}: {lines:?}");
    project.succeed(PILASTER, &["migrate", "up"]);
    project.succeed(PILASTER, &["migrate", "check"]);
    let lines = titles(project);
    assert_eq!(lines.len(), 2, "{engine}: {lines:?}");
    for line in &lines {
        assert!(line.contains("applied"), "{engine}: {lines:?}");
    }
}

/// A server on a full disk refuses to write, goes on reading, and recovers by itself.
async fn a_server_waits_for_room(engine: &str, project: &Project, disk: &SmallDisk) {
    let server = Running::serve(PILASTER, project).await;
    let note = json!({"body": "x".repeat(3_000)});
    let first = server.send("POST", "", "/api/notes", &note).await;
    assert_eq!(first.status, 201, "{engine}: {}", first.body);
    disk.fill(0);
    let mut refused = None;
    for _ in 0..2_000 {
        let answer = server.send("POST", "", "/api/notes", &note).await;
        if answer.status != 201 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("2,000 notes do not fit");
    assert_eq!(refused.status, 507, "{engine}: {}", refused.body);
    let body = refused.json();
    assert_eq!(body["code"], "53100", "{engine}");
    assert_eq!(
        body["message"], "the database has no space left to write to",
        "{engine}"
    );
    assert_eq!(body["details"], json!(null), "{engine}");
    let read = server.get("/api/notes?select=id&limit=1").await;
    assert_eq!(read.status, 200, "{engine}: {}", read.body);
    disk.free();
    let again = server.send("POST", "", "/api/notes", &note).await;
    assert_eq!(again.status, 201, "{engine}: {}", again.body);
    let log = server.log();
    assert!(log.contains("no space left"), "{engine}: {log}");
}

// req: DM-8
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_named_on_sqlite() {
    if !in_own_namespace("space::a_full_disk_is_named_on_sqlite") {
        return;
    }
    let project = project("sqlite:data/test.db");
    let disk = SmallDisk::mount(&project.path().join("data"), 4, (0, 0));
    a_migration_waits_for_room("sqlite", &project, &disk, 400_000);
    let copies = |project: &Project| {
        let mut names = project.read_dir("data");
        names.retain(|name| name.contains("before"));
        names
    };
    let there = copies(&project);
    assert!(
        there.iter().all(|name| !name.contains(".partial")),
        "{there:?}"
    );
    // Not even the copy finds room; nothing of it stays.
    project.write(
        "schema/last.sql",
        "create table last (id integer primary key);\n",
    );
    project.succeed(PILASTER, &["migrate", "new", "last"]);
    disk.fill(100_000);
    let full = project.run(PILASTER, &["migrate", "up"]);
    assert_eq!(full.code, 8, "{}", full.text());
    assert_eq!(copies(&project), there);
    disk.free();
    project.succeed(PILASTER, &["migrate", "up"]);
    a_server_waits_for_room("sqlite", &project, &disk).await;
}

// req: DM-8
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_named_on_servers() {
    if !in_own_namespace("space::a_full_disk_is_named_on_servers") {
        return;
    }
    for (engine, mebibytes) in [("postgres", 48), ("mariadb", 24), ("mysql", 24)] {
        let Some(server) = OwnServer::create(engine, mebibytes).await else {
            continue;
        };
        let project = project(server.url());
        a_migration_waits_for_room(engine, &project, server.disk(), 0);
        a_server_waits_for_room(engine, &project, server.disk()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_may_only_be_read_is_named() {
    if !in_own_namespace("space::a_file_that_may_only_be_read_is_named") {
        return;
    }
    let project = project("sqlite:data/test.db");
    let disk = SmallDisk::mount(&project.path().join("data"), 4, (0, 0));
    project.succeed(PILASTER, &["migrate", "up"]);
    disk.make_read_only();
    for verb in ["up", "status"] {
        let refused = project.run(PILASTER, &["migrate", verb]);
        assert_eq!(refused.code, 7, "{}", refused.text());
        for words in ["data/test.db", "read-only", "mounted read-only"] {
            assert!(refused.err.contains(words), "{}", refused.err);
        }
    }
}
