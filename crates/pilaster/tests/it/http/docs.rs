//! The API's description and its pages.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::{Value, json};
use testkit::{Running, tool};

use super::{App, PILASTER};

/// Pages for people, and second spellings of a route.
const UNLISTED: [&str; 6] = [
    "/openapi.json",
    "/docs",
    "/docs/{file}",
    "/redoc",
    "/oauth2/jwks",
    "/{*path}",
];

type Operation = (String, String);

/// The methods and paths of an OpenAPI document.
fn operations(document: &Value) -> BTreeSet<Operation> {
    let mut found = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        let members = methods.as_object().expect("methods").keys();
        for method in members.filter(|member| *member != "parameters") {
            found.insert((method.to_uppercase(), path.clone()));
        }
    }
    found
}

/// The methods and paths that `pilaster routes` lists.
fn routes(app: &App) -> BTreeSet<Operation> {
    let listed = app.project.succeed(PILASTER, &["routes", "--json"]).out;
    let listed: Vec<Value> = serde_json::from_str(&listed).expect("--json prints JSON");
    let text = |route: &Value, key: &str| route[key].as_str().expect("a text").to_owned();
    listed
        .iter()
        .map(|route| (text(route, "method"), text(route, "path")))
        .filter(|(_, path)| {
            let is_twin = path.len() > 1 && path.ends_with('/');
            !is_twin && !UNLISTED.iter().any(|unlisted| path.ends_with(unlisted))
        })
        .collect()
}

// req: DO-1
#[tokio::test(flavor = "multi_thread")]
async fn the_description_is_valid_and_complete() {
    let Some(app) = App::cruddur("sqlite").await else {
        return;
    };
    let ada = app.server.sign_up("ada").await;
    let anonymous = app.server.get("/openapi.json").await.json();
    let signed_in = app.server.get_as(&ada, "/openapi.json").await.json();
    let (few, many) = (operations(&anonymous), operations(&signed_in));
    assert!(few.is_subset(&many) && few.len() < many.len(), "{few:?}");
    let missing: Vec<Operation> = routes(&app).difference(&many).cloned().collect();
    assert!(missing.is_empty(), "served, not described: {missing:?}");
    for (method, path) in &many {
        let path = path
            .replace("{key}", "0193a000-0000-7000-8000-0000000000a1")
            .replace("{uuid}", "0193a000-0000-7000-8000-0000000000a1");
        assert!(!path.contains('{'), "{path}");
        let answer = app.server.send(method, &ada, &path, &json!({})).await;
        for nowhere in ["PGRST125", "PGRST117", "PGRST205"] {
            assert!(
                !answer.body.contains(nowhere),
                "described, not served: {method} {path}: {}",
                answer.body
            );
        }
    }
    let Some(python) = tool("TEST_PYTHON") else {
        return;
    };
    for (name, document) in [("anonymous", &anonymous), ("signed-in", &signed_in)] {
        let file = format!("{name}.json");
        app.project.write(&file, &document.to_string());
        let script = "import json, sys\nfrom openapi_spec_validator import validate\n\
                      validate(json.load(open(sys.argv[1])))";
        let valid = Command::new(&python)
            .args(["-c", script])
            .arg(app.project.path().join(&file))
            .output()
            .expect("python starts");
        assert!(
            valid.status.success(),
            "{name}: {}",
            String::from_utf8_lossy(&valid.stderr)
        );
    }
}

/// What Chromium shows of a page when nothing but this machine can be reached.
fn rendered(chromium: &str, app: &App, path: &str) -> String {
    let output = Command::new(chromium)
        .args(["--headless=new", "--no-sandbox", "--disable-gpu"])
        .args(["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"])
        .args(["--virtual-time-budget=15000", "--dump-dom"])
        .arg(format!(
            "--user-data-dir={}",
            app.project.path().join("browser").display()
        ))
        .arg(format!("{}{path}", app.server.base()))
        .output()
        .expect("chromium starts");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

// req: DO-2
#[tokio::test(flavor = "multi_thread")]
async fn pages_need_no_network_and_can_be_switched_off() {
    let Some(app) = App::cruddur("sqlite").await else {
        return;
    };
    for path in ["/docs", "/redoc"] {
        let page = app.server.get(path).await;
        assert_eq!(page.status, 200, "{}", page.body);
        let policy = page.header("content-security-policy");
        assert!(policy.contains("default-src 'none'"), "{policy}");
        assert!(!page.body.contains("https://"), "{}", page.body);
        let Some(chromium) = tool("TEST_CHROMIUM") else {
            continue;
        };
        let shown = rendered(&chromium, &app, path);
        for text in ["Rows of activities", "Home feed", "Sign in with a password"] {
            assert!(shown.contains(text), "{path} lacks {text}: {shown}");
        }
    }
    let App {
        project,
        database: _database,
        ..
    } = app;
    let without = project.with("PILASTER_SERVER_DOCS", "off");
    let server = Running::serve(PILASTER, &without).await;
    for path in ["/docs", "/redoc", "/docs/redoc.js", "/openapi.json"] {
        assert_eq!(server.get(path).await.status, 404, "{path}");
    }
}
