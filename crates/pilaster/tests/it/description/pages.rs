//! The pages that show the description.

use std::process::Command;

use testkit::{Running, tool};

use super::node;
use crate::http::{App, PILASTER};

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

// req: DO-3
#[tokio::test(flavor = "multi_thread")]
async fn people_sign_in_on_the_page() {
    let Some(app) = App::cruddur("sqlite").await else {
        return;
    };
    app.server.sign_up("ada").await;
    let document = app.server.get("/openapi.json").await.json();
    let schemes = &document["components"]["securitySchemes"];
    assert_eq!(schemes["bearer"]["scheme"], "bearer");
    let door = &schemes["password"]["flows"]["password"]["tokenUrl"];
    assert_eq!(*door, format!("{}/token", app.server.base()));
    let refusal = &document["components"]["responses"]["Forbidden"]["content"]["application/json"];
    assert_eq!(refusal["schema"]["$ref"], "#/components/schemas/Error");
    let Some(chromium) = tool("TEST_CHROMIUM") else {
        return;
    };
    let script = testkit::workspace().join("crates/pilaster/tests/it/description/authorize.mjs");
    let words = [
        &script.display().to_string(),
        app.server.base(),
        &chromium,
        "ada@example.org",
        "a long pass phrase",
    ];
    let Some(shown) = node(&app.project, &words) else {
        return;
    };
    assert!(shown.is_success, "{}", shown.text);
    assert!(shown.text.contains("\"status\":\"200\""), "{}", shown.text);
    assert!(shown.text.contains("ada@example.org"), "{}", shown.text);
}
