//! Logins that may only read, and what they are told.

use testkit::{Project, ThrowAwayDatabase, on_server};

use crate::http::PILASTER;

/// The same address with another login.
fn with_login(url: &str, login: &str, name: &str) -> String {
    let (scheme, rest) = url.split_once("://").expect("a scheme");
    let (_, place) = rest.rsplit_once('@').expect("a login");
    let (server, _) = place.split_once('/').expect("a name");
    format!("{scheme}://{login}:secret+{login}@{server}/{name}")
}

/// A migration that this login may not apply ends with 7, and says who lacks what.
fn is_refused(engine: &str, project: &Project, words: &[&str]) {
    let refused = project.run(PILASTER, &["migrate", "up"]);
    assert_eq!(refused.code, 7, "{engine}: {}", refused.text());
    for word in words {
        assert!(
            refused.err.contains(word),
            "{engine}, {word}: {}",
            refused.err
        );
    }
    for word in ["MIGRATOR_DATABASE_URL", "pilaster db create"] {
        assert!(
            refused.err.contains(word),
            "{engine}, {word}: {}",
            refused.err
        );
    }
    assert!(!refused.text().contains("secret+"), "{}", refused.text());
}

fn has_nothing_to_apply(engine: &str, project: &Project) {
    let nothing = project.succeed(PILASTER, &["migrate", "up"]);
    let said = nothing.out.contains("nothing to apply");
    assert!(said, "{engine}: {}", nothing.text());
}

/// A setting that lets nobody write who has the rights, and the way back. MariaDB has one for the
/// whole server alone, which other tests use.
fn settings(engine: &str, migrator: &str, database: &str) -> Option<[String; 2]> {
    match engine {
        "postgres" => Some([
            format!("alter role {migrator} set default_transaction_read_only = on"),
            format!("alter role {migrator} reset default_transaction_read_only"),
        ]),
        "mysql" => Some([1, 0].map(|on| format!("alter database {database} read only = {on}"))),
        _ => None,
    }
}

// req: DB-2
#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_may_only_read_is_told_who_may_migrate() {
    for engine in ["postgres", "mariadb", "mysql"] {
        let Some(database) = ThrowAwayDatabase::create(engine).await else {
            continue;
        };
        let admin = database.server().expect("a server has one").to_owned();
        let id = &database.url()[database.url().len() - 12..];
        let (app, migrator, reader) = (format!("a{id}"), format!("m{id}"), format!("r{id}"));
        let name = format!("rights_{id}");
        let url = |login: &str| with_login(&admin, login, &name);
        let project = Project::empty()
            .with("DATABASE_URL", &url(&app))
            .with("MIGRATOR_DATABASE_URL", &url(&migrator))
            .with("READONLY_DATABASE_URL", &url(&reader))
            .with("ADMIN_DATABASE_URL", &admin);
        project.write(
            "schema/notes.sql",
            "create table notes (id integer primary key);\n",
        );
        project.succeed(PILASTER, &["migrate", "new", "first"]);
        project.succeed(PILASTER, &["db", "create"]);
        let project = project.with("MIGRATOR_DATABASE_URL", &url(&reader));
        // Nothing is there yet: the books cannot be made.
        is_refused(
            engine,
            &project,
            &[&format!("the login {reader} lacks a privilege")],
        );
        let project = project.with("MIGRATOR_DATABASE_URL", &url(&migrator));
        project.succeed(PILASTER, &["migrate", "up"]);
        project.write(
            "schema/more.sql",
            "create table more (id integer primary key);\n",
        );
        project.succeed(PILASTER, &["migrate", "new", "second"]);
        // The books are there: the reader cannot write to them, the app makes no tables.
        let mut project = project.without("MIGRATOR_DATABASE_URL");
        for login in [&reader, &app] {
            project = project.with("DATABASE_URL", &url(login));
            is_refused(
                engine,
                &project,
                &[&format!("the login {login} lacks a privilege")],
            );
        }
        let project = project
            .with("DATABASE_URL", &url(&app))
            .with("MIGRATOR_DATABASE_URL", &url(&migrator));
        if let Some([on, off]) = settings(engine, &migrator, &name) {
            on_server(&admin, &on).await;
            is_refused(
                engine,
                &project,
                &[&format!("the login {migrator} may only read")],
            );
            on_server(&admin, &off).await;
        }
        project.succeed(PILASTER, &["migrate", "up"]);
        // To find that nothing is left to do, it is enough to read.
        let project = project.with("MIGRATOR_DATABASE_URL", &url(&reader));
        has_nothing_to_apply(engine, &project);
        let project = project.with("MIGRATOR_DATABASE_URL", &url(&migrator));
        project.succeed(PILASTER, &["db", "drop", "--confirm", &name]);
        for login in [&app, &migrator, &reader] {
            let statement = match engine {
                "postgres" => format!("drop role {login}"),
                _ => format!("drop user {login}@'%'"),
            };
            on_server(&admin, &statement).await;
        }
    }
}
