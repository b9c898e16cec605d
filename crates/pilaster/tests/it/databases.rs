//! `pilaster db …`, `backup` and `restore`.

use std::process::Stdio;

use sql::{Kind, Query, Sql, Step, Value};
use testkit::{Project, Running, ThrowAwayDatabase, on_server};

use crate::http::PILASTER;

const ENGINES: [&str; 4] = ["sqlite", "postgres", "mariadb", "mysql"];
const SERVERS: [&str; 3] = ["postgres", "mariadb", "mysql"];

/// The same address with other parts.
fn with(url: &str, login: &str, name: &str) -> String {
    let (scheme, rest) = url.split_once("://").expect("a scheme");
    let (_, place) = rest.rsplit_once('@').expect("a login");
    let (server, _) = place.split_once('/').expect("a name");
    format!("{scheme}://{login}@{server}/{name}")
}

async fn number(database: &ThrowAwayDatabase, text: &'static str) -> i64 {
    let db = database.connect().await;
    let mut sql = Sql::new(db.dialect());
    sql.push(text);
    let query = Query::short(sql, vec![Kind::BigInt]);
    let row = db.optional(&query).await.expect("it reads").expect("a row");
    db.close().await.expect("it closes");
    match row.0.first() {
        Some(Value::Int(number)) => *number,
        other => panic!("{other:?} is no number"),
    }
}

async fn run(project: &Project, variable: &str, text: &'static str) -> Result<u64, String> {
    let url = sql::DatabaseUrl::parse(&project.variable(variable), std::path::Path::new(""));
    let options = sql::DbOptions {
        read_connections: 1,
        write_connections: 1,
        ..sql::DbOptions::default()
    };
    let db = sql::Db::connect(&url.expect("an address"), &options).await;
    let db = db.map_err(|error| error.to_string())?;
    let mut sql = Sql::new(db.dialect());
    sql.push(text);
    let done = db.write(vec![Step::new(sql)]).await;
    db.close().await.map_err(|error| error.to_string())?;
    done.map(|outcomes| outcomes[0].affected)
        .map_err(|error| error.to_string())
}

// req: DB-1, DB-2
#[tokio::test(flavor = "multi_thread")]
async fn logins_are_made_with_no_more_rights_than_they_need() {
    for engine in SERVERS {
        let Some(database) = ThrowAwayDatabase::create(engine).await else {
            continue;
        };
        let admin = database.server().expect("a server has one").to_owned();
        let id = &database.url()[database.url().len() - 12..];
        let (app, migrator, reader) = (format!("a{id}"), format!("m{id}"), format!("r{id}"));
        let name = format!("made_{id}");
        let url = |user: &str| with(&admin, &format!("{user}:it%27s+{user}"), &name);
        let project = Project::cruddur()
            .with("DATABASE_URL", &url(&app))
            .with("MIGRATOR_DATABASE_URL", &url(&migrator))
            .with("READONLY_DATABASE_URL", &url(&reader))
            .with("ADMIN_DATABASE_URL", &admin);
        let made = project.succeed(PILASTER, &["db", "create"]).out;
        for line in [
            format!("login {app}"),
            format!("login {migrator}"),
            format!("login {reader}"),
            format!("database {name}"),
        ] {
            assert!(made.contains(&line), "{engine}: {made}");
        }
        let again = project.succeed(PILASTER, &["db", "create"]).out;
        assert!(again.contains("there already"), "{engine}: {again}");
        project.succeed(PILASTER, &["migrate", "up"]);
        project.succeed(PILASTER, &["migrate", "check"]);
        project.succeed(PILASTER, &["db", "seed"]);

        let create = "create table stray (id integer primary key)";
        let denied = run(&project, "DATABASE_URL", create).await;
        assert!(denied.is_err(), "{engine}: the app made a table");
        let update = "update users set display_name = 'x' where handle = 'nobody'";
        run(&project, "DATABASE_URL", update)
            .await
            .expect("the app changes rows");
        let denied = run(&project, "READONLY_DATABASE_URL", update).await;
        assert!(denied.is_err(), "{engine}: the reader changed rows");
        let read = "select count(*) from users";
        run(&project, "READONLY_DATABASE_URL", read)
            .await
            .expect("the reader reads");
        if engine == "postgres" {
            let rights =
                "select rolname from pg_roles where rolsuper or rolcreaterole or rolcreatedb";
            let listed = project
                .command("psql", &[&admin, "-Atc", rights])
                .output()
                .expect("psql starts");
            let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
            for login in [&app, &migrator, &reader] {
                assert!(!listed.contains(login.as_str()), "{listed}");
            }
        }
        let server = Running::serve(PILASTER, &project).await;
        server.sign_up("ada").await;
        drop(server);

        let refused = project.run(PILASTER, &["db", "drop"]);
        assert_eq!(refused.code, 5, "{engine}: {}", refused.text());
        let dropped = project.succeed(PILASTER, &["db", "drop", "--confirm", &name]);
        assert!(dropped.out.contains("dropped"), "{engine}: {}", dropped.out);
        let again = project.succeed(PILASTER, &["db", "drop", "--confirm", &name]);
        assert!(again.out.contains("nothing to drop"), "{}", again.out);
        for login in [&app, &migrator, &reader] {
            let statement = match engine {
                "postgres" => format!("drop role {login}"),
                _ => format!("drop user {login}@'%'"),
            };
            on_server(&admin, &statement).await;
        }
    }
}

// req: DB-3, DB-10
#[tokio::test(flavor = "multi_thread")]
async fn set_up_stops_at_the_first_failure_and_production_is_guarded() {
    for engine in ENGINES {
        let Some(database) = ThrowAwayDatabase::create(engine).await else {
            continue;
        };
        let project = Project::cruddur()
            .with("DATABASE_URL", database.url())
            .with("PROD_DATABASE_URL", database.url());
        project.write(
            "seed/9_wrong.sql",
            "insert into users (handle) values ('only a handle');\n",
        );
        let failed = project.run(PILASTER, &["db", "setup"]);
        assert_ne!(failed.code, 0, "{engine}: {}", failed.text());
        assert!(failed.err.contains("9_wrong.sql") || failed.err.contains("missing"));
        assert_eq!(number(&database, "select count(*) from users").await, 0);
        std::fs::remove_file(project.path().join("seed/9_wrong.sql")).expect("it is there");
        project.succeed(PILASTER, &["db", "setup"]);
        let seeded = number(&database, "select count(*) from users").await;
        assert!(seeded > 0, "{engine}");
        project.succeed(PILASTER, &["db", "setup"]);
        assert_eq!(
            number(&database, "select count(*) from users").await,
            seeded
        );

        for verb in [
            &["db", "reset"][..],
            &["db", "drop"],
            &["db", "seed"],
            &["db", "setup"],
            &["db", "fake"],
            &["migrate", "down", "--allow-destructive"],
        ] {
            let refused = project.run(PILASTER, &[verb, &["--target", "prod"]].concat());
            assert_eq!(refused.code, 5, "{engine} {verb:?}: {}", refused.text());
        }
        let wrong = project.run(PILASTER, &["db", "reset", "--confirm", "another"]);
        assert_eq!(wrong.code, 5, "{}", wrong.text());
        assert_eq!(
            number(&database, "select count(*) from users").await,
            seeded
        );
    }
}

// req: DB-5
#[tokio::test(flavor = "multi_thread")]
async fn the_client_opens_and_nobody_sees_the_password() {
    for engine in SERVERS {
        let Some(database) = ThrowAwayDatabase::create(engine).await else {
            continue;
        };
        let project = Project::empty().with("DATABASE_URL", database.url());
        let sleep = match engine {
            "postgres" => "select pg_sleep(2)",
            _ => "select sleep(2)",
        };
        let mut client = project
            .command(PILASTER, &["db", "connect", "-e", sleep])
            .stdout(Stdio::null())
            .spawn()
            .expect("it starts");
        tokio::time::sleep(std::time::Duration::from_millis(900)).await;
        let listed = project.command("ps", &["axww", "-o", "args"]).output();
        let listed = String::from_utf8_lossy(&listed.expect("ps runs").stdout).into_owned();
        let (_, rest) = database.url().split_once("://").expect("a scheme");
        let (login, _) = rest.split_once('@').expect("a login");
        let (user, password) = login.split_once(':').expect("a password");
        assert!(listed.contains(user), "{engine}: no client in {listed}");
        assert!(
            !listed.contains(password),
            "{engine}: the password is in {listed}"
        );
        assert!(client.wait().expect("it ends").success(), "{engine}");
    }
}

// req: DB-7
#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_the_way_of_a_connection_is_told_apart() {
    for engine in SERVERS {
        let Some(database) = ThrowAwayDatabase::create(engine).await else {
            continue;
        };
        let url = database.url();
        let project = Project::empty().with("DATABASE_URL", url);
        let good = project.succeed(PILASTER, &["db", "check"]).out;
        for word in ["engine", "role", "tls", "latency", "***"] {
            assert!(good.contains(word), "{engine}: {good}");
        }
        let (scheme, rest) = url.split_once("://").expect("a scheme");
        let (login, place) = rest.split_once('@').expect("a login");
        let (user, _) = login.split_once(':').expect("a password");
        let (server, name) = place.split_once('/').expect("a name");
        let mut fixes = Vec::new();
        for wrong in [
            format!("{scheme}://{login}@nohost.invalid:1/{name}"),
            format!("{scheme}://{user}:wrong@{server}/{name}"),
            format!("{scheme}://{login}@{server}/no_such_database"),
            format!("{scheme}://{login}@{server}/{name}?sslmode=require"),
        ] {
            let project = Project::empty().with("DATABASE_URL", &wrong);
            let failed = project.run(PILASTER, &["db", "check"]);
            assert_eq!(failed.code, 4, "{engine}: {}", failed.text());
            let fix = failed.err.split_once("fix:").map(|(_, fix)| fix.to_owned());
            fixes.push(fix.expect("a fix"));
        }
        let mut distinct = fixes.clone();
        distinct.dedup();
        assert_eq!(distinct.len(), 4, "{engine}: {fixes:#?}");
        for (fix, word) in fixes.iter().zip(["host", "password", "name", "encryption"]) {
            assert!(fix.contains(word), "{engine}: {fix}");
        }
    }
}

// req: DB-8, DB-9, DB-17
#[tokio::test(flavor = "multi_thread")]
async fn tables_are_described_alike_from_anywhere_and_for_every_target() {
    let mut described = Vec::new();
    for engine in ENGINES {
        let Some(database) = ThrowAwayDatabase::create(engine).await else {
            continue;
        };
        let project = Project::cruddur()
            .with("DATABASE_URL", "sqlite:data/another.db")
            .with("PROD_DATABASE_URL", database.url());
        project.succeed(PILASTER, &["migrate", "up", "--target", "prod"]);
        let toml = project.path().join("pilaster.toml");
        let elsewhere = project
            .command(PILASTER, &["db", "tables", "--target", "prod", "--config"])
            .arg(&toml)
            .current_dir("/")
            .output()
            .expect("it starts");
        assert!(elsewhere.status.success(), "{engine}");
        let tables = String::from_utf8_lossy(&elsewhere.stdout).into_owned();
        assert!(tables.contains("activities\n"), "{engine}: {tables}");
        let checked = project
            .succeed(PILASTER, &["db", "check", "--target", "prod"])
            .out;
        let masked = database.url().split('@').next_back().unwrap_or_default();
        assert!(checked.contains(masked), "{engine}: {checked}");
        let describe = ["db", "describe", "activities", "-x", "--target", "prod"];
        described.push((engine, project.succeed(PILASTER, &describe).out));
        project.succeed(PILASTER, &["db", "roles"]);
    }
    let (_, first) = &described[0];
    assert!(
        first.contains("column   message\n  type     text\n  null     false"),
        "{first}"
    );
    for (engine, other) in &described {
        assert_eq!(other, first, "{engine}");
    }
    for verbs in ["db", "migrate"] {
        let help = Project::empty().succeed(PILASTER, &[verbs, "--help"]).out;
        let listed = help
            .lines()
            .skip_while(|line| !line.starts_with("Commands:"))
            .skip(1);
        for line in listed.take_while(|line| line.starts_with("  ")) {
            let verb = line.split_whitespace().next().unwrap_or_default();
            if verb == "help" || line.starts_with("    ") {
                continue;
            }
            let help = Project::empty()
                .succeed(PILASTER, &[verbs, verb, "--help"])
                .out;
            assert!(help.contains("--target"), "{verbs} {verb}: {help}");
        }
    }
}

/// A served Cruddur with an account, seed data and a few messages.
async fn lively(engine: &str) -> Option<(Project, ThrowAwayDatabase)> {
    let database = ThrowAwayDatabase::create(engine).await?;
    let project = Project::cruddur().with("DATABASE_URL", database.url());
    project.succeed(PILASTER, &["db", "setup"]);
    project.succeed(PILASTER, &["db", "fake", "--users", "3"]);
    Some((project, database))
}

/// Signs a made-up account in, and gives whether it worked.
async fn signs_in(project: &Project) -> bool {
    let server = Running::serve(PILASTER, project).await;
    let password = "correct horse battery staple";
    let answer = server.token("grace1@example.org", password).await;
    answer.status == 200
}

// req: DB-13, DB-16
#[tokio::test(flavor = "multi_thread")]
async fn rows_go_from_any_engine_to_any_other() {
    for (from, to) in [
        ("sqlite", "postgres"),
        ("postgres", "mysql"),
        ("mysql", "mariadb"),
        ("mariadb", "sqlite"),
    ] {
        let Some((project, source)) = lively(from).await else {
            continue;
        };
        let Some(target) = ThrowAwayDatabase::create(to).await else {
            continue;
        };
        assert!(signs_in(&project).await, "{from}");
        let moved = project
            .succeed(PILASTER, &["db", "move", "--to", target.url()])
            .out;
        assert!(
            moved.contains("the same on both sides"),
            "{from} to {to}: {moved}"
        );
        for table in [
            "select count(*) from users",
            "select count(*) from activities",
        ] {
            assert_eq!(number(&source, table).await, number(&target, table).await);
        }
        // A second run finds everything there.
        project.succeed(PILASTER, &["db", "move", "--to", target.url()]);

        project.succeed(PILASTER, &["db", "dump", "all.jsonl"]);
        let dumped = project.read("all.jsonl");
        let there = project.with("DATABASE_URL", target.url());
        assert!(signs_in(&there).await, "{from} to {to}");
        let refused = there.run(PILASTER, &["db", "load", "all.jsonl"]);
        assert_eq!(refused.code, 5, "{}", refused.text());
        there.succeed(PILASTER, &["db", "dump", "again.jsonl"]);
        assert_eq!(
            lasting(&there.read("again.jsonl")),
            lasting(&dumped),
            "{from} to {to}"
        );
        let Some(third) = ThrowAwayDatabase::create(from).await else {
            continue;
        };
        let there = there.with("DATABASE_URL", third.url());
        there.succeed(PILASTER, &["db", "load", "all.jsonl"]);
        assert!(signs_in(&there).await, "{from} again");
    }
}

/// The same without what lives for minutes: signing in counts an attempt.
fn lasting(text: &str) -> Vec<&str> {
    let mut lines = sorted(text);
    lines.retain(|line| !line.contains("-attempts") && !line.contains("auth_moments"));
    lines
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

// req: DB-12
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_load_is_whole_and_can_be_restored() {
    for engine in ENGINES {
        let Some((project, database)) = lively(engine).await else {
            continue;
        };
        let server = Running::serve(PILASTER, &project).await;
        let ada = server.sign_up("ada").await;
        let writing = async {
            for place in 0..60 {
                let body = serde_json::json!({"message": format!("message {place}")});
                server.send("POST", &ada, "/api/activities", &body).await;
            }
        };
        let backing_up = tokio::task::spawn_blocking({
            let command = project.command(PILASTER, &["backup", "--to", "backups", "--keep", "2"]);
            let mut command = command;
            move || command.output().expect("it starts")
        });
        let ((), done) = tokio::join!(writing, backing_up);
        let done = done.expect("it ends");
        assert!(
            done.status.success(),
            "{engine}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
        drop(server);
        let name = project.read_dir("backups").pop().expect("a backup");
        let backup = format!("backups/{name}");
        let kept = project.read(&backup).matches("message ").count();
        let refused = project.run(PILASTER, &["restore", &backup]);
        assert_eq!(refused.code, 5, "{engine}: {}", refused.text());
        let confirm = database_name(&database);
        // A file that is cut off takes nothing away.
        let whole = project.read(&backup);
        project.write("cut.jsonl", &whole[..whole.len() * 2 / 3]);
        let before = number(&database, "select count(*) from activities").await;
        let cut = project.run(PILASTER, &["restore", "cut.jsonl", "--confirm", &confirm]);
        assert_eq!(cut.code, 1, "{engine}: {}", cut.text());
        let after = number(&database, "select count(*) from activities").await;
        assert_eq!(after, before, "{engine}: {}", cut.text());
        let restored = project.succeed(PILASTER, &["restore", &backup, "--confirm", &confirm]);
        assert!(
            restored.out.contains("is in backups/"),
            "{engine}: {}",
            restored.out
        );
        let there = number(
            &database,
            "select count(*) from activities where message like 'message %'",
        );
        assert_eq!(there.await, i64::try_from(kept).expect("few"), "{engine}");
        assert!(signs_in(&project).await, "{engine}");
        project.succeed(PILASTER, &["migrate", "check"]);
        for _ in 0..3 {
            project.succeed(PILASTER, &["backup", "--keep", "2"]);
        }
        let mut left = project.read_dir("backups");
        left.retain(|name| !name.contains("before-restore"));
        assert_eq!(left.len(), 2, "{left:?}");
    }
}

fn database_name(database: &ThrowAwayDatabase) -> String {
    let last = database.url().rsplit('/').next().unwrap_or_default();
    last.trim_end_matches(".db").to_owned()
}

// req: DB-15
#[tokio::test(flavor = "multi_thread")]
async fn what_is_piped_has_no_escapes() {
    let project = Project::cruddur();
    for words in [
        &["db", "setup"][..],
        &["migrate", "status"],
        &["migrate", "plan"],
        &["db", "check"],
        &["db", "describe", "users"],
        &["db", "check", "--json"],
        &["migrate", "status", "--json"],
        &["db", "nonsense"],
    ] {
        let text = project.run(PILASTER, words).text();
        assert!(!text.contains('\u{1b}'), "{words:?}: {text:?}");
        if words.contains(&"--json") {
            let json: Result<serde_json::Value, _> = serde_json::from_str(text.trim());
            assert!(json.is_ok(), "{words:?}: {text}");
        }
    }
}

// req: DM-15
#[tokio::test(flavor = "multi_thread")]
async fn tables_that_are_there_are_adopted() {
    for engine in ENGINES {
        let Some(database) = ThrowAwayDatabase::create(engine).await else {
            continue;
        };
        // As a course's hand-written backend has it.
        let moment = match engine {
            "postgres" => "timestamp with time zone default now()",
            "sqlite" => "datetime default current_timestamp",
            _ => "datetime(6) default current_timestamp(6)",
        };
        let number = match engine {
            "sqlite" => "integer primary key autoincrement",
            "postgres" => "serial primary key",
            _ => "integer not null auto_increment primary key",
        };
        let heroes = format!(
            "create table heroes (id {number}, name varchar(80) not null unique, age integer, \
             secret_name varchar(80) not null default 'none', made {moment}, check (age > 0))"
        );
        let powers = format!(
            "create table powers (id {number}, hero integer not null, level integer default 1, \
             constraint powers_hero foreign key (hero) references heroes (id) on delete cascade)"
        );
        let db = database.connect().await;
        for statement in [
            heroes.as_str(),
            powers.as_str(),
            "create index powers_level on powers (level)",
            "insert into heroes (name, age) values ('Deadpond', 31)",
            "insert into powers (hero) values (1)",
        ] {
            let text: &'static str = Box::leak(statement.to_owned().into_boxed_str());
            let mut sql = Sql::new(db.dialect());
            sql.push(text);
            db.write(vec![Step::new(sql)]).await.expect("it runs");
        }
        db.close().await.expect("it closes");
        let project = Project::empty().with("DATABASE_URL", database.url());
        let pulled = project.succeed(PILASTER, &["db", "pull"]);
        let status = project.succeed(PILASTER, &["migrate", "status"]).out;
        assert!(
            status.contains("0001_pulled") && status.contains("applied"),
            "{status}"
        );
        project.succeed(PILASTER, &["migrate", "up"]);
        let checked = project.run(PILASTER, &["migrate", "check"]);
        assert_eq!(
            checked.code,
            0,
            "{engine}: {}\n{}",
            checked.text(),
            pulled.text()
        );
        let same = project.succeed(PILASTER, &["migrate", "new", "more"]).out;
        assert!(same.contains("no changes"), "{engine}: {same}");
        project.write(
            "schema/rules.sql",
            "grant select on heroes to anon;\n\
             create policy all_of_them on heroes for select using (true);\n",
        );
        let server = Running::serve(PILASTER, &project).await;
        let shown = server.get("/api/heroes?select=name,age,secret_name").await;
        assert_eq!(
            shown.body, r#"[{"name":"Deadpond","age":31,"secret_name":"none"}]"#,
            "{engine}"
        );
    }
}
