//! Mails on their way, to a real server.

use serde_json::json;
use testkit::{Project, Running, ThrowAwayDatabase};

use super::server::{AUTHORITY, MailServer};
use super::{WORD, project};
use crate::http::PILASTER;

/// A project that sends its mails to `server` by that address.
fn sending(scheme: &str, parameter: &str, server: &MailServer) -> Project {
    let project = project(
        "[server]\ntitle = \"Films <&> Co\"\npublic_url = \"https://films.example\"\n\
         [mail]\nfrom = \"Film Club <noreply@films.example>\"\nreply_to = \"help@films.example\"\n\
         ca_file = \"ca.pem\"\nfirst_pause = \"100ms\"\ntimeout = \"10s\"\n",
    );
    project.write("ca.pem", AUTHORITY);
    let login = "films%40example.org:p%40ss%3Aword";
    let login = if parameter == "?tls=none" {
        String::new()
    } else {
        format!("{login}@")
    };
    let url = format!("{scheme}://{login}localhost:{}{parameter}", server.port());
    project.write("smtp", &format!("{url}\n"));
    project.with("SMTP_URL_FILE", "smtp")
}

/// Migrates and serves it as in production.
async fn serve(engine: &str, project: Project) -> Option<(Running, Project, ThrowAwayDatabase)> {
    let database = ThrowAwayDatabase::create(engine).await?;
    let project = project.with("DATABASE_URL", database.url());
    project.succeed(PILASTER, &["migrate", "new", "init"]);
    project.succeed(PILASTER, &["migrate", "up"]);
    let running = Running::serve(PILASTER, &project).await;
    Some((running, project, database))
}

/// The value of a header of a mail, its folds undone.
fn header(content: &str, name: &str) -> String {
    let (head, _) = content.split_once("\r\n\r\n").expect("a mail has a head");
    let head = head.replace("\r\n ", " ");
    let wanted = format!("{}:", name.to_lowercase());
    let found: Vec<&str> = head
        .lines()
        .filter(|line| line.to_lowercase().starts_with(&wanted))
        .collect();
    assert_eq!(found.len(), 1, "{name}: {found:?}");
    found[0][wanted.len()..].trim().to_owned()
}

/// Checks how a mail was handed over and its headers; gives it whole.
fn in_order(one: &serde_json::Value) -> &str {
    assert_eq!(
        (&one["tls"], &one["login"]),
        (&json!(true), &json!("films@example.org"))
    );
    assert_eq!(one["from"], "noreply@films.example");
    assert_eq!(one["to"], json!(["ada@example.org"]));
    let content = one["content"].as_str().expect("a text");
    assert_eq!(
        header(content, "From"),
        "\"Film Club\" <noreply@films.example>"
    );
    assert_eq!(header(content, "Reply-To"), "help@films.example");
    assert_eq!(header(content, "To"), "ada@example.org");
    assert_eq!(header(content, "Auto-Submitted"), "auto-generated");
    assert!(header(content, "Message-ID").ends_with("@films.example>"));
    assert!(header(content, "Subject").contains("Een nieuw wachtwoord"));
    assert!(!header(content, "Date").is_empty());
    assert!(header(content, "Content-Type").starts_with("multipart/alternative"));
    content
}

// req: ML-1, ML-2, ML-3, ML-4
async fn mails_are_kept_until_the_server_takes_them(engine: &str) {
    let Some(mut mail) = MailServer::reserve() else {
        return;
    };
    let Some((server, _project, database)) = serve(engine, sending("smtp", "", &mail)).await else {
        return;
    };
    let account = json!({"email": "ada@example.org", "password": WORD,
                         "display_name": "<b>Ada</b> {{ 7*7 }}"});
    let made = server.send("POST", "", "/register", &account).await;
    assert_eq!(made.status, 201, "{}", made.body);
    // Nobody listens there: the answer is the same, and the mail waits.
    let request = server.request("POST", "/auth/reset");
    let request = request.json(&json!({"email": "ada@example.org"}));
    let asked = testkit::Answer::read(request.header("accept-language", "nl-BE")).await;
    assert_eq!(asked.status, 202, "{}", asked.body);
    loop {
        let log = server.log();
        if log.contains("a mail was not sent") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let rows = database.dump().await;
    assert!(
        rows.iter().any(|row| row.starts_with("auth_mails.")),
        "{rows:?}"
    );
    mail.start("starttls");
    let mails = mail.until(1, || server.log()).await;
    let content = in_order(&mails[0]);
    // Soft line breaks of quoted-printable undone.
    let content = content.replace("=\r\n", "").replace("=3D", "=");
    assert!(
        content.contains("&lt;b&gt;Ada&lt;&#x2f;b&gt; {{ 7*7 }}"),
        "{content}"
    );
    assert_eq!(
        content.matches("<b>Ada</b>").count(),
        1,
        "as text alone: {content}"
    );
    let at = content
        .find("https://films.example/auth/reset/")
        .expect("a link");
    let token = &content[at + 33..at + 33 + 43];
    // It was sent once, and nothing of it is left.
    let finish = json!({"token": token, "password": "another long pass phrase"});
    let done = server.send("POST", "", "/auth/reset/finish", &finish).await;
    assert_eq!(done.status, 200, "{}", done.body);
    let mails = mail.until(2, || server.log()).await;
    assert!(
        mails[1]["content"]
            .to_string()
            .contains("Your password for"),
        "{}",
        mails[1]
    );
    loop {
        let rows = database.dump().await;
        if !rows.iter().any(|row| row.starts_with("auth_mails.")) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let log = server.log();
    assert!(
        !log.contains(token) && !log.contains("films.example/auth/reset/"),
        "{log}"
    );
    assert!(!log.contains("ada@example.org"), "{log}");
    assert_eq!(server.get("/_mail").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_wait_on_sqlite() {
    mails_are_kept_until_the_server_takes_them("sqlite").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_wait_on_postgres() {
    mails_are_kept_until_the_server_takes_them("postgres").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_wait_on_mariadb() {
    mails_are_kept_until_the_server_takes_them("mariadb").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_wait_on_mysql() {
    mails_are_kept_until_the_server_takes_them("mysql").await;
}

/// Asks for a mail, and gives the log when it says one of these.
async fn log_of(server: &Running, wanted: &[&str]) -> String {
    let account = json!({"email": "ada@example.org", "password": WORD});
    assert_eq!(
        server.send("POST", "", "/register", &account).await.status,
        201
    );
    let body = json!({"email": "ada@example.org"});
    assert_eq!(
        server.send("POST", "", "/auth/reset", &body).await.status,
        202
    );
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let log = server.log();
        if wanted.iter().any(|wanted| log.contains(wanted)) {
            return log;
        }
        assert!(std::time::Instant::now() < deadline, "{log}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// Serves a project on SQLite, has it write one mail, and gives its log when it says one of these;
/// the server is gone then.
async fn post_one(project: Project, wanted: &[&str]) -> String {
    let served = serve("sqlite", project).await;
    let (server, _project, _database) = served.expect("SQLite is always there");
    log_of(&server, wanted).await
}

// req: ML-1
#[tokio::test(flavor = "multi_thread")]
async fn mails_go_by_tls_from_the_start_and_to_nobody_without_it() {
    let Some(mut mail) = MailServer::reserve() else {
        return;
    };
    mail.start("tls");
    let served = serve("sqlite", sending("smtps", "", &mail)).await;
    let (server, project, database) = served.expect("SQLite is always there");
    log_of(&server, &["/auth/reset"]).await;
    let mails = mail.until(1, || server.log()).await;
    let (tls, login) = (&mails[0]["tls"], &mails[0]["login"]);
    assert_eq!((tls, login), (&json!(true), &json!("films@example.org")));
    drop((server, project, database));
    // A server that offers no STARTTLS gets neither login nor mail.
    mail.start("plain");
    post_one(sending("smtp", "", &mail), &["a mail was not sent"]).await;
    // Nor one whose certificate nobody stands behind.
    mail.start("starttls");
    let strange = sending("smtp", "", &mail);
    let text = strange.read("pilaster.toml");
    strange.write("pilaster.toml", &text.replace("ca_file = \"ca.pem\"\n", ""));
    let log = post_one(strange, &["a mail was not sent"]).await;
    assert!(log.contains("TLS with the server failed"), "{log}");
    assert_eq!(mail.mails().len(), 1);
    // Without TLS only where that is said.
    mail.start("plain");
    let served = serve("sqlite", sending("smtp", "?tls=none", &mail)).await;
    let (server, _project, _database) = served.expect("SQLite is always there");
    log_of(&server, &["/auth/reset"]).await;
    let mails = mail.until(2, || server.log()).await;
    assert_eq!(mails[1]["tls"], json!(false));
}

// req: ML-3
#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_refuses_for_good_is_given_up() {
    let Some(mut mail) = MailServer::reserve() else {
        return;
    };
    mail.start("refuse");
    let project = sending("smtp", "?tls=none", &mail);
    let (server, _project, database) = serve("sqlite", project).await.expect("SQLite");
    let log = log_of(&server, &["a mail was given up"]).await;
    assert!(log.contains("the server answered 550"), "{log}");
    // The server's own words name the mailbox.
    assert!(!log.contains("ada@example.org"), "{log}");
    let rows = database.dump().await;
    assert!(
        rows.iter()
            .any(|row| row.starts_with("auth_mails.dead_at: 2")),
        "{rows:?}"
    );
    assert!(mail.mails().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_server_what_needs_a_mail_is_refused_and_said() {
    let project = project("[auth]\nconfirm_email = true\n");
    let (server, project, _database) = serve("sqlite", project).await.expect("SQLite");
    let account = json!({"email": "ada@example.org", "password": WORD});
    for (path, body) in [
        ("/register", account),
        ("/auth/reset", json!({"email": "ada@example.org"})),
        ("/auth/confirm/resend", json!({"email": "ada@example.org"})),
    ] {
        let refused = server.send("POST", "", path, &body).await;
        assert_eq!(refused.status, 503, "{path}: {}", refused.body);
        assert_eq!(refused.json()["code"], "mail_unavailable");
    }
    assert!(
        server.log().contains("SMTP_URL is not set"),
        "{}",
        server.log()
    );
    let checked = project.run(PILASTER, &["check", "--offline"]);
    assert!(
        checked.out.contains("SMTP_URL is not set"),
        "{}",
        checked.text()
    );
    for (url, said) in [
        ("http://mail.example", "it begins with smtps://"),
        (
            "smtp://user:pw@mail.example?tls=none",
            "not sent without TLS",
        ),
        ("smtp://mail.example", "mail.from is missing"),
    ] {
        let (name, value) = ("SMTP_URL", url);
        let mut command = project.command(PILASTER, &["check", "--offline"]);
        let output = command.env(name, value).output().expect("it runs");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(text.contains(said) && !text.contains("user:pw"), "{text}");
    }
    let words = "[reset]\nsubject = \"Mot de passe\"\ntext = [\"Bonjour\"]\n";
    project.write("templates/mail/fr.toml", words);
    let french = project.run(PILASTER, &["check", "--offline"]);
    assert_eq!(french.code, 0, "{}", french.text());
    project.write("templates/mail/fr.toml", "[reset]\nsubject = Mot\n");
    let broken = project.run(PILASTER, &["check", "--offline"]);
    assert!(
        broken.err.contains("templates/mail/fr.toml:2"),
        "{}",
        broken.err
    );
    project.write("templates/mail/fr.toml", words);
    project.write("templates/mail/reset.html", "{% if %}");
    let broken = project.run(PILASTER, &["check", "--offline"]);
    assert_eq!(broken.code, 3, "{}", broken.text());
    assert!(
        broken.err.contains("templates/mail/reset.html: line 1"),
        "{}",
        broken.err
    );
}
