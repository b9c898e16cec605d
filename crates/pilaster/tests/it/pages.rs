//! The pages for people, in a real browser, with the mails that they need.

use std::process::Stdio;

use serde_json::{Value, json};
use testkit::{Project, Running, tool, workspace};

use crate::http::PILASTER;

/// A project whose server is at an address that may have passkeys, with these settings.
fn project(settings: &str) -> Project {
    let project = Project::empty().with("PILASTER_SERVER_PUBLIC_URL", "http://localhost:{port}");
    project.write("pilaster.toml", settings);
    project
}

/// A server as a developer runs it: mails are on a page.
async fn dev(project: &Project) -> Running {
    let server = Running::spawn(PILASTER, project, &["dev"]);
    server.until_ready().await
}

/// Walks through pages by a script of `pages/`; each fact that it tells must hold. Nothing happens in
/// a plain `cargo test`, which needs nothing but cargo.
async fn walk(project: &Project, server: &Running, script: &str, words: &[&str]) {
    walk_at(project, server, "", script, words).await;
}

/// The same where everything is below a path.
async fn walk_at(project: &Project, server: &Running, path: &str, script: &str, words: &[&str]) {
    let (Some(chromium), Some(modules)) = (tool("TEST_CHROMIUM"), tool("TEST_NODE_MODULES")) else {
        return;
    };
    let script = workspace().join(format!("crates/pilaster/tests/it/pages/{script}.mjs"));
    let base = format!("{}{path}", server.base().replace("127.0.0.1", "localhost"));
    let mut node = project.command("node", &[&script.display().to_string(), &base, &chromium]);
    node.args(words)
        .env("TEST_NODE_MODULES", modules)
        .stdin(Stdio::null());
    let finished = tokio::task::spawn_blocking(move || node.output());
    let output = finished.await.expect("joined").expect("node starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    let facts: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect();
    let last = facts.last().map(|fact| fact["name"].clone());
    assert!(
        output.status.success()
            && last == Some(Value::from("nothing else went wrong"))
            && facts.iter().all(|fact| fact["error"].is_null()),
        "{text}\n{errors}\n{}",
        server.log()
    );
}

// req: FE-1, FE-3, ID-25
#[tokio::test(flavor = "multi_thread")]
async fn people_register_and_sign_in_by_opaque() {
    let project = project("");
    let server = dev(&project).await;
    walk(&project, &server, "sign_in", &[]).await;
    let weak = json!({"email": "weak@example.org", "password": "password1"});
    let refused = server.send("POST", "", "/register", &weak).await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    assert!(!server.log().contains("quiet marmalade"));
}

// req: FE-1
#[tokio::test(flavor = "multi_thread")]
async fn mails_lead_to_pages() {
    let project = project("[auth]\nconfirm_email = true\n");
    let server = dev(&project).await;
    walk(&project, &server, "mails", &[]).await;
}

// req: FE-1
#[tokio::test(flavor = "multi_thread")]
async fn second_factors_in_a_browser() {
    let project = project("");
    let server = dev(&project).await;
    walk(&project, &server, "factors", &[]).await;
}

/// The link that `pilaster admin create` prints.
fn administrator(project: &Project) -> String {
    let words = ["admin", "create", "root@example.org", "--json"];
    let said: Value = serde_json::from_str(&project.succeed(PILASTER, &words).out).expect("JSON");
    said["link"].as_str().expect("a link").to_owned()
}

// req: FE-11
#[tokio::test(flavor = "multi_thread")]
async fn every_page_can_be_read_by_everybody() {
    let project = project("");
    let server = dev(&project).await;
    let link = administrator(&project);
    let (_, path) = link.split_once("/auth/").expect("a path");
    let base = server.base().replace("127.0.0.1", "localhost");
    let link = format!("{base}/auth/{path}");
    let callback = "https://look.example/callback";
    let words = ["client", "add", "look", "--public", "--redirect", callback];
    project.succeed(PILASTER, &words);
    walk(&project, &server, "look", &[&link]).await;
}

/// What an operator says of looks, words and ways.
const OPERATED: &str = "\
[server]
title = \"Films\"
[auth]
registration = \"invite\"
[pages]
organisation = \"Films & Friends\"
accent = \"#8a1c7c\"
logo = \"logo.svg\"
home = \"/openapi.json\"
off = [\"reset\"]
[redirects.payments]
url = \"/readyz\"
text = \"Please sign in once more before you pay.\"
";

// req: FE-1, FE-5
#[tokio::test(flavor = "multi_thread")]
async fn an_operator_says_how_pages_look_and_where_they_lead() {
    let project = project(OPERATED);
    let logo = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"90\" height=\"30\"/>";
    project.write("logo.svg", logo);
    project.write(
        "templates/pages/en.toml",
        "[page]\nlogin_title = \"Come in\"\n",
    );
    let server = dev(&project).await;
    let link = administrator(&project);
    let (_, path) = link.split_once("/auth/").expect("a path");
    let base = server.base().replace("127.0.0.1", "localhost");
    let link = format!("{base}/auth/{path}");
    walk(&project, &server, "invited", &[&link]).await;
    assert_eq!(server.get("/auth/reset").await.status, 404);
    assert_eq!(server.get("/auth/assets/0/style.css").await.status, 404);
}

// req: FE-2
#[tokio::test(flavor = "multi_thread")]
async fn everything_is_below_a_path() {
    let project = project("").with(
        "PILASTER_SERVER_PUBLIC_URL",
        "http://localhost:{port}/credentials",
    );
    project.succeed(PILASTER, &["migrate", "up"]);
    let words = ["serve", "--base-path", "/credentials"];
    let server = Running::spawn(PILASTER, &project, &words)
        .until_ready()
        .await;
    let beside = server.get("/credentialsx/readyz").await;
    assert_eq!(beside.status, 404, "{}", beside.body);
    walk_at(&project, &server, "/credentials", "sign_in", &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_has_a_strict_policy_and_is_not_kept() {
    let project = project("");
    let server = dev(&project).await;
    for path in [
        "login",
        "register",
        "confirm",
        "reset",
        "confirm/x",
        "invitations/x",
    ] {
        let page = server.get(&format!("/auth/{path}")).await;
        assert_eq!(page.status, 200, "{path}: {}", page.body);
        let policy = page.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self';"),
            "{policy}"
        );
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(page.header("cache-control"), "no-store");
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        assert!(!page.body.contains("<style"), "{}", page.body);
        assert!(!page.body.contains(" style="), "{}", page.body);
        assert!(!page.body.contains("http"), "{}", page.body);
        let scripts = page.body.matches("<script").count();
        assert_eq!(
            scripts,
            page.body.matches("<script type=\"module\" src=").count()
        );
    }
    let login = server.get("/auth/login").await.body;
    let (before, _) = login.split_once("/style.css").expect("a style");
    let (_, version) = before.rsplit_once("&#x2f;").unwrap_or_default();
    let worker = server
        .get(&format!("/auth/assets/{version}/opaque-worker.js"))
        .await;
    let policy = worker.header("content-security-policy");
    assert!(policy.contains("'wasm-unsafe-eval'"), "{version}: {policy}");
    assert!(worker.header("cache-control").contains("immutable"));
}

/// A port that is free now, for an app of somebody else's.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

#[tokio::test(flavor = "multi_thread")]
async fn people_log_in_to_an_app() {
    let project = project("");
    let server = dev(&project).await;
    let port = free_port().to_string();
    let [callback, bye, front] =
        ["callback", "bye", "front"].map(|path| format!("http://localhost:{port}/{path}"));
    let words = [
        "--json",
        "client",
        "add",
        "elsewhere",
        "--name",
        "Films elsewhere",
        "--redirect",
        &callback,
        "--after-logout",
        &bye,
        "--logout-page",
        &front,
        "--scope",
        "openid",
        "--scope",
        "email",
        "--scope",
        "data:read",
    ];
    let added: Value = serde_json::from_str(&project.succeed(PILASTER, &words).out).expect("JSON");
    let secret = added["client_secret"].as_str().expect("a secret");
    walk(&project, &server, "apps", &["elsewhere", secret, &port]).await;
    assert!(!server.log().contains("quiet marmalade") && !server.log().contains(secret));
}

#[tokio::test(flavor = "multi_thread")]
async fn people_connect_a_device() {
    let project = project("");
    let server = dev(&project).await;
    let words = [
        ["client", "add"].as_slice(),
        &["tv", "--public", "--name", "The television"],
        &["--grant", "device_code", "--grant", "refresh_token"],
        &[
            "--scope",
            "openid",
            "--scope",
            "email",
            "--scope",
            "data:read",
        ],
    ];
    project.succeed(PILASTER, &words.concat());
    walk(&project, &server, "device", &["tv"]).await;
}
