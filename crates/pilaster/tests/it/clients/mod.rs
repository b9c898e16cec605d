//! Clients that nobody here wrote, unmodified: every builder method of `@supabase/postgrest-js`,
//! `@supabase/supabase-js` (data) and `postgrest` of `PyPI`.

use std::process::{Command, Stdio};

use serde_json::Value;
use testkit::{Project, tool};

use crate::http::calls::calling;
use crate::http::{App, on_every_engine};

on_every_engine!(project: javascript, python);

/// The films with their files, and a table of ranges where there are any.
fn project() -> Project {
    calling().with("PILASTER_API_PLANS", "on")
}

/// What PostgreSQL alone has.
const SEASONS: &str = "
create table seasons (id integer primary key, days int4range not null);
grant select on seasons to anon;
create policy everybody on seasons using (true);
";

async fn javascript(app: App) {
    let Some(packages) = tool("TEST_NODE_MODULES") else {
        return;
    };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/clients/supabase.mjs");
    let mut node = Command::new("node");
    node.arg(script).env("TEST_NODE_MODULES", packages);
    run(app, node).await;
}

async fn python(app: App) {
    let Some(program) = tool("TEST_PYTHON") else {
        return;
    };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/clients/postgrest.py");
    let mut python = Command::new(program);
    python.args(["-P", script]);
    run(app, python).await;
}

/// Runs a client's tests; every one of them has to pass.
async fn run(app: App, mut command: Command) {
    let engine = app.database.url().split(':').next().unwrap_or_default();
    let engine = engine.to_owned();
    let app = match engine.as_str() {
        "postgres" => with_ranges(app).await,
        _ => app,
    };
    let base = app.server.base().to_owned();
    let finished = tokio::task::spawn_blocking(move || {
        command.args([&base, &engine]).stdin(Stdio::null()).output()
    });
    let output = finished.await.expect("joined").expect("the client starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    let results: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect();
    let failed: Vec<&Value> = results
        .iter()
        .filter(|one| !one["error"].is_null())
        .collect();
    assert!(
        failed.is_empty(),
        "{failed:#?}\n{errors}\n{}",
        app.server.log()
    );
    assert!(
        results.len() > 40 && output.status.success(),
        "{text}\n{errors}"
    );
}

async fn with_ranges(app: App) -> App {
    let App {
        server,
        project,
        database,
    } = app;
    drop(server);
    project.write("schema/seasons.sql", SEASONS);
    project.write(
        "seed/seasons.sql",
        "insert into seasons (id, days) values (1, '[1,5)'), (2, '[12,15)'), (3, '[20,30)');",
    );
    for words in [
        &["migrate", "new", "seasons"][..],
        &["migrate", "up"],
        &["db", "seed"],
    ] {
        project.succeed(crate::http::PILASTER, words);
    }
    let server = testkit::Running::serve(crate::http::PILASTER, &project).await;
    App {
        server,
        project,
        database,
    }
}
