//! Requests made from the description alone: every answer is one that it describes, none is a fault
//! of the server.
//!
//! Schemathesis makes them, of each operation: its examples, every bound and every mistake that its
//! schemas know, then values by chance with a fixed seed.

use testkit::{Project, workspace};

use super::{films, python};
use crate::http::App;

/// `fuzz_hooks.py` has those that are none of its own.
const CHECKS: &str = "not_a_server_error,status_code_conformance,response_headers_conformance,\
                      content_type,content_schema,whole_rows,refused,accepted";

/// Sends requests to the operations whose paths match; gives how many were sent.
fn sent(app: &App, token: &str, paths: &str, examples: &str) -> Option<u64> {
    let folder = workspace().join("crates/pilaster/tests/it/description");
    let (folder, document) = (
        folder.display().to_string(),
        format!("{}/openapi.json", app.server.base()),
    );
    let config = format!("{folder}/schemathesis.toml");
    let header = format!("Authorization: Bearer {token}");
    let mut words = vec![
        "-m",
        "schemathesis.cli",
        "--config-file",
        &config,
        "run",
        &document,
    ];
    words.extend(["--checks", CHECKS, "--phases", "examples,coverage,fuzzing"]);
    words.extend(["--include-path-regex", paths, "--max-examples", examples]);
    words.extend([
        "--generation-deterministic",
        "--no-shrink",
        "--continue-on-failure",
    ]);
    words.extend([
        "--generation-allow-x00",
        "true",
        "--warnings",
        "off",
        "--no-color",
    ]);
    if !token.is_empty() {
        words.extend(["--header", &header]);
    }
    let variables = [
        ("SCHEMATHESIS_HOOKS", "fuzz_hooks"),
        ("PYTHONPATH", folder.as_str()),
        ("PYTHONDONTWRITEBYTECODE", "1"),
    ];
    let printed = python(&app.project, &words, &variables)?;
    let log = app.server.log();
    let faults: Vec<&str> = log
        .lines()
        .filter(|line| !line.contains("\"level\":\"INFO\""))
        .collect();
    assert!(
        printed.is_success,
        "{}\n{}",
        printed.text,
        faults.join("\n")
    );
    let count = printed.text.lines().find_map(|line| {
        let (count, _) = line.trim().split_once(" generated")?;
        count.parse::<u64>().ok()
    });
    Some(count.unwrap_or_else(|| panic!("it says how many: {}", printed.text)))
}

// req: SC-29
#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_requests_meet_no_fault() {
    let Some(app) = App::of("sqlite", mailing(films())).await else {
        return;
    };
    if let Some(count) = sent(&app, "", ".", "5") {
        assert!(count >= 10_000, "{count}");
    }
}

async fn cruddur(app: App) {
    let ada = app.server.sign_up("ada").await;
    if let Some(count) = sent(&app, &ada, ".", "15") {
        assert!(count >= 1_000, "{count}");
    }
}

/// Every type, a key of two columns, and a view.
async fn kinds(app: App) {
    let paths = "^/api/(kinds|roles_played|busy)";
    if let Some(count) = sent(&app, "", paths, "40") {
        assert!(count >= 1_000, "{count}");
    }
}

/// The same with somewhere to send mails to, where nobody listens: they are written and wait.
fn mailing(project: Project) -> Project {
    project
        .with("SMTP_URL", "smtp://127.0.0.1:1?tls=none")
        .with("PILASTER_MAIL_FROM", "fuzz@example.org")
}

/// Cruddur, writing mails.
fn project_cruddur() -> Project {
    mailing(Project::cruddur())
}

/// Films, of which one table has every type.
fn project() -> Project {
    films()
}

crate::http::on_every_engine!(project_cruddur: cruddur);
crate::http::on_every_engine!(project: kinds);
