//! Webhooks: signed, sent again, and never to where they must not go.

use serde_json::{Value, json};
use testkit::{Project, Running, ThrowAwayDatabase};

use super::receiver::{AUTHORITY, Conduct, Receiver};
use super::{HOSTILE, dead_letter, eventually, failures, pilaster, project, registered};
use crate::http::{App, PILASTER};

pub(super) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A project whose webhook `crm` is told of accounts and sign-ins.
fn told(url: &str, more: &str) -> Project {
    let project = project()
        .with("WEBHOOK_CRM_SECRET", SECRET)
        .with("PILASTER_WEBHOOKS_TIMEOUT", "2s");
    project.write(
        "pilaster.toml",
        &format!(
            "[webhooks]\n{more}\n[webhooks.crm]\nurl = \"{url}\"\n\
             events = [\"user_registered\", \"login\"]\n"
        ),
    );
    project
}

const LOOPBACK: &str = "allow_private = [\"127.0.0.0/8\"]";

/// Runs a fact on every engine that was asked for.
async fn on_engines(fact: impl AsyncFn(&str)) {
    for engine in ["sqlite", "postgres", "mariadb", "mysql"] {
        if testkit::is_enabled(engine) {
            fact(engine).await;
        }
    }
}

// req: HK-7, SC-3
#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_signed_sent_again_and_kept_from_private_networks() {
    on_engines(async |engine| {
        let receiver = Receiver::start(Conduct::Answer("500 No\r\nretry-after: 0")).await;
        let app = App::of(engine, told(&receiver.url(), LOOPBACK))
            .await
            .expect("it is enabled");
        let id = registered(&app, "ada", HOSTILE).await;
        let sent = eventually("two attempts", async || {
            Some(receiver.received()).filter(|sent| sent.len() == 2)
        })
        .await;
        let dead = dead_letter(&app).await;
        assert_eq!(
            (&dead["target"], &dead["error"]),
            (&json!("webhooks.crm"), &json!("it answered 500"))
        );
        receiver.behave(Conduct::Answer(
            "302 Elsewhere\r\nlocation: http://169.254.169.254/",
        ));
        pilaster(&app, &["hooks", "retry", "--all"]);
        let dead = dead_letter(&app).await;
        assert_eq!(dead["error"], "it answered 302; redirects are not followed");
        receiver.behave(Conduct::Silence);
        pilaster(&app, &["hooks", "retry", "--all"]);
        assert_eq!(dead_letter(&app).await["error"], "it took too long");
        receiver.behave(Conduct::Answer("410 Gone"));
        pilaster(&app, &["hooks", "retry", "--all"]);
        let gone = dead_letter(&app).await;
        assert_eq!(
            (&gone["error"], &gone["attempts"]),
            (&json!("it answered 410"), &json!(1))
        );
        // An answer without an end is an answer; the rest of it is not waited for.
        receiver.behave(Conduct::Flood);
        pilaster(&app, &["hooks", "retry", "--all"]);
        eventually("the delivery", async || {
            failures(&app).0.is_empty().then_some(())
        })
        .await;

        let all = receiver.received();
        assert!(all.len() > sent.len());
        for one in &all {
            one.verify(SECRET);
            assert_eq!(one.path, "/in?from=pilaster");
            assert_eq!(
                one.header("webhook-id"),
                dead["id"].as_str().expect("an id")
            );
            assert_eq!(one.header("content-type"), "application/json");
            assert_eq!(one.body, all[0].body);
        }
        let body = all[0].json();
        assert_eq!(body["type"], "user_registered");
        assert_eq!(body["data"]["user_id"], json!(id));
        assert_eq!(body["data"]["display_name"], HOSTILE);
        assert!(
            body["timestamp"]
                .as_str()
                .is_some_and(|moment| moment.ends_with('Z')),
            "{body}"
        );
        let log = app.server.log();
        assert!(
            !log.contains(HOSTILE) && !log.contains(SECRET) && !log.contains("ada@example.org"),
            "{log}"
        );
    })
    .await;
}

// req: HK-7, SC-3
#[tokio::test(flavor = "multi_thread")]
async fn no_address_of_a_private_network_is_reached_unless_it_is_allowed() {
    // An address that can never be right stops the start.
    for url in [
        "http://169.254.169.254/latest/meta-data/",
        "https://169.254.169.254/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:169.254.169.254]/",
        "https://10.0.0.1:8443/",
        "http://1.1.1.1/",
        "https://0.0.0.0/",
        "https://[fd00:ec2::254]/",
        "https://100.100.100.200/",
    ] {
        let project = told(url, "");
        for verb in [&["check", "--offline"][..], &["serve", "--port", "0"]] {
            let refused = project.run(PILASTER, verb);
            assert_eq!(refused.code, 3, "{url}: {}", refused.text());
            assert!(refused.err.contains("is refused"), "{url}: {}", refused.err);
        }
    }
    // A name is judged by the address that is connected to, however it is spelled.
    for host in [
        "localhost",
        "127.1",
        "2130706433",
        "0x7f000001",
        "017700000001",
    ] {
        let canary = Receiver::start(Conduct::Answer("200 OK")).await;
        let url = format!("http://{host}:{}/", canary.port);
        let app = App::of("sqlite", told(&url, "allow_private = [\"10.0.0.0/8\"]"))
            .await
            .expect("SQLite");
        registered(&app, "ada", "Ada").await;
        let dead = dead_letter(&app).await;
        let error = dead["error"].as_str().expect("an error");
        assert!(
            error.contains("is refused: a loopback address"),
            "{host}: {error}"
        );
        assert!(canary.received().is_empty(), "{host}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_verified() {
    let receiver = Receiver::start_tls(Conduct::Answer("204 Fine")).await;
    let url = format!("https://localhost:{}/", receiver.port);
    let allowed = "allow_private = [\"127.0.0.0/8\", \"::1\"]";
    let app = App::of("sqlite", told(&url, allowed))
        .await
        .expect("SQLite");
    registered(&app, "ada", "Ada").await;
    let dead = dead_letter(&app).await;
    assert!(
        dead["error"]
            .as_str()
            .expect("an error")
            .starts_with("TLS: "),
        "{dead}"
    );
    assert!(receiver.received().is_empty());

    let App {
        server,
        project,
        database,
    } = app;
    drop(server);
    project.write("ca.pem", AUTHORITY);
    let project = project.with("PILASTER_WEBHOOKS_CA_FILE", "ca.pem");
    let app = App {
        server: Running::serve(PILASTER, &project).await,
        project,
        database,
    };
    pilaster(&app, &["hooks", "retry", "--all"]);
    let sent = eventually("the delivery", async || {
        receiver.received().first().cloned()
    })
    .await;
    sent.verify(SECRET);
    assert_eq!(sent.header("host"), format!("localhost:{}", receiver.port));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_when_the_server_is_killed_in_the_middle() {
    on_engines(async |engine| {
        let receiver = Receiver::start(Conduct::Silence).await;
        let project = told(&receiver.url(), LOOPBACK);
        project.write(
            "hooks/user_registered.sql",
            "-- @mode outbox\ninsert into log (delivery, event_id, event, person, email) \
             values (:delivery_id, :event_id, 'user_registered', :user_id, :email)",
        );
        let mut app = App::of(engine, project).await.expect("it is enabled");
        for name in ["ada", "bo", "cy"] {
            registered(&app, name, name).await;
        }
        eventually("a delivery under way", async || {
            (!receiver.received().is_empty()).then_some(())
        })
        .await;
        app.server.kill();
        receiver.behave(Conduct::Answer("200 OK"));
        let begun = receiver.received().len();
        let App {
            project, database, ..
        } = app;
        let app = App {
            server: Running::serve(PILASTER, &project).await,
            project,
            database,
        };
        let listed = eventually("every delivery", async || {
            let listed = pilaster(&app, &["hooks", "list"]);
            let empty = |entry: &Value| entry["waiting"] == 0 && entry["dead"] == 0;
            (empty(&listed["hooks"][0]) && empty(&listed["webhooks"][0])).then_some(listed)
        })
        .await;
        assert_eq!(listed["orphans"], json!([]));
        let told = super::rows(&app, "/api/log?select=email&order=email").await;
        assert_eq!(told.len(), 3, "{told:?}");
        let received = receiver.received();
        let ids = |sent: &[super::receiver::Received]| {
            let ids = sent.iter().map(|one| one.header("webhook-id").to_owned());
            ids.collect::<std::collections::BTreeSet<String>>()
        };
        // What had begun came again under its own id; every account was told of.
        assert_eq!(ids(&received[begun..]).len(), 3);
        assert!(ids(&received[..begun]).is_subset(&ids(&received[begun..])));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhooks_settings_are_checked_and_its_secret_is_made() {
    let database = ThrowAwayDatabase::create("sqlite").await.expect("SQLite");
    let project = project().with("DATABASE_URL", database.url());
    project.write(
        "pilaster.toml",
        "[webhooks.crm]\nurl = \"https://hooks.example.org/t0k3n\"\nevents = [\"login\"]\n",
    );
    let refused = project.run(PILASTER, &["check", "--offline"]);
    assert_eq!(refused.code, 3, "{}", refused.text());
    assert!(
        refused.err.contains("pilaster secret webhook crm"),
        "{}",
        refused.err
    );
    project.succeed(PILASTER, &["secret", "webhook", "crm"]);
    assert_eq!(project.run(PILASTER, &["secret", "webhook", "crm"]).code, 1);
    assert_eq!(project.run(PILASTER, &["secret", "webhook", "cmr"]).code, 3);
    let secret = project.read(".env");
    let secret = secret
        .trim()
        .strip_prefix("WEBHOOK_CRM_SECRET=")
        .expect("it is written");
    let shown = project.succeed(PILASTER, &["config", "show"]).out;
    assert!(
        shown.contains("https://hooks.example.org/…") && !shown.contains("t0k3n"),
        "{shown}"
    );
    assert!(
        !shown.contains(secret) && shown.contains("webhooks.crm.secret"),
        "{shown}"
    );
    for (line, expected) in [
        ("secret = \"whsec_x\"", "is a secret"),
        ("evnts = [\"login\"]", "did you mean events?"),
        ("events = [\"logon\"]", "did you mean login?"),
        (
            "events = [\"before_token\"]",
            "there is no event before_token",
        ),
        (
            "url = \"ftp://hooks.example.org/\"",
            "neither https nor http",
        ),
        (
            "url = \"https://user:word@hooks.example.org/\"",
            "a user before the host",
        ),
        ("url = \"hooks.example.org\"", "it is no address"),
    ] {
        let other = match line.starts_with("url") {
            true => "events = [\"login\"]",
            false => "url = \"https://hooks.example.org/\"",
        };
        project.write(
            "pilaster.toml",
            &format!("[webhooks.crm]\n{line}\n{other}\n"),
        );
        let refused = project.run(PILASTER, &["check", "--offline"]);
        assert_eq!(refused.code, 3, "{line}: {}", refused.text());
        assert!(
            refused.err.contains(expected),
            "{expected}: {}",
            refused.err
        );
        assert!(
            !refused.err.contains("whsec_x") && !refused.err.contains(":word@"),
            "{}",
            refused.err
        );
    }
}
