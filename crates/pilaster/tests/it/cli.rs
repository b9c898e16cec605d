//! The command line: configuration, exit codes, verbs.

use std::os::unix::fs::PermissionsExt as _;

use testkit::{Project, Running, ThrowAwayDatabase};

use crate::http::PILASTER;

const MARKER: &str = "marker-4711-secret";

// req: CF-1
#[test]
fn each_layer_goes_before_the_one_below() {
    let origin = |project: &Project| {
        let shown = project.succeed(PILASTER, &["config", "show"]).out;
        let line = shown
            .lines()
            .find(|line| line.starts_with("server.port"))
            .expect("listed");
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        (words[1].clone(), words[2].clone())
    };
    let project = Project::empty();
    assert_eq!(origin(&project), ("8000".into(), "default".into()));
    project.write("pilaster.toml", "[server]\nport = 8001\n");
    assert_eq!(origin(&project), ("8001".into(), "pilaster.toml".into()));
    project.write(".env", "PORT=8002\n");
    assert_eq!(origin(&project), ("8002".into(), ".env".into()));
    let project = project.with("PORT", "8003");
    assert_eq!(origin(&project), ("8003".into(), "env".into()));
}

// req: CF-2
#[test]
fn secrets_are_masked_and_origins_told() {
    let project = Project::empty().with("DATABASE_URL", &format!("postgres://u:{MARKER}@h/d"));
    let shown = project.succeed(PILASTER, &["config", "show"]).out;
    assert!(
        !shown.contains(MARKER) && !shown.contains(testkit::SECRET_KEY),
        "{shown}"
    );
    assert!(shown.contains("postgres://u:***@h:5432/d"), "{shown}");
    assert!(
        shown
            .lines()
            .any(|line| line.starts_with("secret_key") && line.contains("***")),
        "{shown}"
    );
}

// req: CF-3
#[test]
fn wrong_settings_are_named_and_never_shown() {
    let cases = [
        (
            "[server]\nprot = 1\n",
            "pilaster.toml:2: server.prot",
            "did you mean server.port?",
        ),
        ("[sever]\nport = 1\n", "sever.port is not a setting", "fix"),
        (
            "[database]\npassword = \"marker-4711-secret\"\n",
            "is a secret",
            "DB_PASSWORD",
        ),
        ("[server\n", "pilaster.toml:1", ""),
    ];
    for (text, cause, fix) in cases {
        let project = Project::empty();
        project.write("pilaster.toml", text);
        let failed = project.run(PILASTER, &["config", "show"]);
        assert_eq!(failed.code, 3, "{}", failed.text());
        assert!(
            failed.err.contains(cause) && failed.err.contains(fix),
            "{}",
            failed.err
        );
        assert!(!failed.text().contains(MARKER), "{}", failed.text());
    }
    for (name, value) in [
        ("PORT", MARKER),
        ("PILASTER_AUTH_TOKEN_LIFE", MARKER),
        ("PILASTER_SERVR_PORT", MARKER),
        ("LOG_LEVEL", "marker-4711-secret["),
    ] {
        let failed = Project::cruddur()
            .with(name, value)
            .run(PILASTER, &["serve"]);
        assert_eq!(failed.code, 3, "{name}: {}", failed.text());
        assert!(!failed.text().contains(MARKER), "{}", failed.text());
    }
}

// req: CF-6
#[test]
fn a_generated_secret_is_private_and_never_replaced() {
    let project = Project::empty().with("SECRET_KEY", "");
    project.succeed(PILASTER, &["secret", "generate"]);
    let mode = std::fs::metadata(project.path().join(".env"))
        .expect("written")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let first = project.read(".env");
    let project = project.without("SECRET_KEY");
    let again = project.run(PILASTER, &["secret", "generate"]);
    assert_eq!(again.code, 1, "{}", again.text());
    assert_eq!(project.read(".env"), first);
    let key = first.trim().trim_start_matches("SECRET_KEY=").to_owned();
    assert!(key.len() >= 43 && !again.text().contains(&key));
}

// req: CF-7
#[test]
fn placeholders_are_no_keys() {
    for weak in [
        "yourjwtsecretkey",
        "changeme",
        "secret",
        "",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    ] {
        let failed = Project::cruddur()
            .with("SECRET_KEY", weak)
            .with("PORT", "0")
            .run(PILASTER, &["serve"]);
        assert_eq!(failed.code, 3, "{weak:?}: {}", failed.text());
        assert!(failed.err.contains("secret generate"), "{}", failed.err);
    }
    let failed = Project::cruddur()
        .with("ALGORITHM", "HS256")
        .with("PORT", "0")
        .run(PILASTER, &["serve"]);
    assert_eq!(failed.code, 3, "{}", failed.text());
}

// req: CF-14
#[test]
fn init_leaves_no_secret_to_commit() {
    let project = Project::empty();
    project.succeed(PILASTER, &["init", "app"]);
    project.succeed("git", &["init", "-q", "app"]);
    let status = project
        .succeed("git", &["-C", "app", "status", "--porcelain", "-uall"])
        .out;
    assert!(
        status.contains("pilaster.toml") && !status.contains(".env"),
        "{status}"
    );
    let again = project.run(PILASTER, &["init", "app"]);
    assert_eq!(again.code, 1, "{}", again.text());
}

#[test]
fn exit_codes_are_honest() {
    let project = Project::cruddur();
    assert_eq!(project.run(PILASTER, &["nonsense"]).code, 2);
    let unreachable = Project::cruddur()
        .with("DATABASE_URL", "postgres://u:p@127.0.0.1:1/d")
        .with("PILASTER_DATABASE_CONNECT_DEADLINE", "200ms");
    for words in [&["serve"][..], &["migrate", "up"], &["db", "sessions"]] {
        let failed = unreachable.run(PILASTER, words);
        assert_eq!(failed.code, 4, "{words:?}: {}", failed.text());
    }
    project.write(
        "schema/wrong.sql",
        "create table t (id uuid,\n  b money);\n",
    );
    let failed = project.run(PILASTER, &["check", "--offline"]);
    assert_eq!(failed.code, 3, "{}", failed.text());
    assert!(
        failed.err.contains("schema/wrong.sql:2:3"),
        "{}",
        failed.err
    );
}

// req: DM-10, DM-16
#[test]
fn serve_refuses_what_is_pending_and_creates_nothing() {
    let project = Project::cruddur();
    std::fs::remove_dir_all(project.path().join("migrations")).expect("it is there");
    let failed = project.run(PILASTER, &["serve"]);
    assert_eq!(failed.code, 5, "{}", failed.text());
    assert!(failed.err.contains("migrate new"), "{}", failed.err);
    project.succeed(PILASTER, &["migrate", "new", "init"]);
    let failed = project.run(PILASTER, &["serve"]);
    assert_eq!(failed.code, 5, "{}", failed.text());
    assert!(failed.err.contains("migrate up"), "{}", failed.err);
    let described = project.run(PILASTER, &["db", "describe", "activities"]);
    assert_eq!(described.code, 1, "{}", described.text());
    let status = project.succeed(PILASTER, &["migrate", "status"]).out;
    assert!(
        status.contains("0001_init") && status.contains("pending"),
        "{status}"
    );
}

// req: SQ-8, SQ-9
#[test]
fn sql_files_are_checked_at_start() {
    let cases = [
        (
            "api/x.get.sql",
            "-- @access anon\nselect nme from users\n",
            "api/x.get.sql:2:8",
        ),
        (
            "api/x.get.sql",
            "-- @access anon\ndelete from users\n",
            "a GET only reads",
        ),
        ("api/x.get.sql", "select handle from users\n", "@access"),
        (
            "api/x.get.sql",
            "-- @access anon\n-- @parm x text\nselect handle from users\n",
            "did you mean @param?",
        ),
        (
            "api/x.get.sql",
            "-- @access anon\nselect email from users\n",
            "anon may not select users.email",
        ),
        (
            "api/x.get.sql",
            "-- @access anon\nselect handle from users where handle = :h\n",
            "not declared",
        ),
        (
            "api/x.sql",
            "-- @access anon\nselect handle from users\n",
            "the file's name",
        ),
        (
            "hooks/user_registered.sql",
            "insert into users (uuid, nme) values (:user_id, :email)\n",
            "users has no column nme",
        ),
    ];
    for (path, text, expected) in cases {
        let project = Project::cruddur();
        project.write(path, text);
        let failed = project.run(PILASTER, &["check", "--offline"]);
        assert_eq!(failed.code, 3, "{text}: {}", failed.text());
        assert!(failed.err.contains(expected), "{expected}: {}", failed.err);
    }
}

// req: RB-2
#[test]
fn every_route_shows_its_policy_and_bare_grants_are_found() {
    let project = Project::cruddur();
    let routes = project.succeed(PILASTER, &["routes"]).out;
    for line in routes.lines() {
        assert!(line.split_whitespace().count() >= 3, "no policy: {line}");
    }
    assert!(
        routes.contains("/api/feed") && routes.contains("/register"),
        "{routes}"
    );
    let text = project.read("schema/cruddur.sql");
    project.write(
        "schema/cruddur.sql",
        &text.replace("create policy likes_own", "-- create policy likes_own"),
    );
    let found = project.run(PILASTER, &["check", "--offline"]);
    assert_eq!(found.code, 6, "{}", found.text());
    assert!(found.out.contains("likes"), "{}", found.text());
}

/// Every engine that was asked for.
async fn on_engines(check: impl AsyncFn(&str, Project)) {
    for engine in ["sqlite", "postgres", "mariadb", "mysql"] {
        let Some(database) = ThrowAwayDatabase::create(engine).await else {
            continue;
        };
        let project = Project::cruddur().with("DATABASE_URL", database.url());
        project.succeed(PILASTER, &["migrate", "new", "init"]);
        check(engine, project).await;
    }
}

// req: DM-1
#[tokio::test(flavor = "multi_thread")]
async fn descriptions_are_the_same_on_every_engine() {
    let texts = std::sync::Mutex::new(Vec::new());
    on_engines(async |engine, project| {
        project.succeed(PILASTER, &["migrate", "up"]);
        let mut text = String::new();
        for table in ["users", "activities", "likes", "auth_users"] {
            text.push_str(&project.succeed(PILASTER, &["db", "describe", table]).out);
        }
        assert!(!text.contains("not declared"), "{engine}: {text}");
        texts.lock().expect("not poisoned").push(text);
    })
    .await;
    let mut texts = texts.into_inner().expect("not poisoned");
    texts.dedup();
    assert_eq!(texts.len(), 1, "{texts:#?}");
}

// req: DM-9
#[tokio::test(flavor = "multi_thread")]
async fn eight_processes_migrate_once() {
    on_engines(async |engine, project| {
        let children: Vec<_> = (0..8)
            .map(|_| {
                project
                    .command(PILASTER, &["migrate", "up"])
                    .stdout(std::process::Stdio::piped())
                    .spawn()
            })
            .collect();
        let mut applied = 0;
        for child in children {
            let output = child.expect("started").wait_with_output().expect("ended");
            assert!(
                output.status.success(),
                "{engine}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
            applied +=
                usize::from(String::from_utf8_lossy(&output.stdout).contains("applied 0001_init"));
        }
        assert_eq!(applied, 1, "{engine}");
    })
    .await;
}

// req: DB-4
#[tokio::test(flavor = "multi_thread")]
async fn seeds_are_checked_repeatable_and_guarded() {
    on_engines(async |engine, project| {
        project.succeed(PILASTER, &["migrate", "up"]);
        let first = project.succeed(PILASTER, &["db", "seed"]).out;
        assert!(first.contains("seeded 3 row(s)"), "{engine}: {first}");
        let second = project.succeed(PILASTER, &["db", "seed"]).out;
        assert!(second.contains("seeded 0 row(s)"), "{engine}: {second}");
        project.write(
            "seed/z.sql",
            "insert into users (uuid, nme) values ('0193a000-0000-7000-8000-000000000009', 'x');\n",
        );
        let failed = project.run(PILASTER, &["db", "seed"]);
        assert_eq!(failed.code, 3, "{}", failed.text());
        project.write("seed/z.sql", "");
        let url = project.variable("DATABASE_URL");
        let guarded = project
            .with("PROD_DATABASE_URL", &url)
            .run(PILASTER, &["db", "seed", "--target", "prod"]);
        assert_eq!(guarded.code, 5, "{}", guarded.text());
    })
    .await;
}

// req: DB-14
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_comes_later_is_waited_for() {
    let Some(database) = ThrowAwayDatabase::create("postgres").await else {
        return;
    };
    let address = database
        .url()
        .rsplit_once('@')
        .and_then(|(_, rest)| rest.split('/').next())
        .expect("an address");
    let door = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|l| l.local_addr())
        .expect("a port");
    let project = Project::cruddur()
        .with(
            "DATABASE_URL",
            &database.url().replace(address, &door.to_string()),
        )
        .with("PILASTER_MIGRATE_MODE", "auto");
    project.succeed(PILASTER, &["migrate", "new", "init"]);
    let running = Running::spawn(PILASTER, &project, &["serve"]);
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    let target = address.to_owned();
    // A door that opens late in front of the real server.
    tokio::spawn(async move {
        let listener = tokio::net::TcpListener::bind(door)
            .await
            .expect("the port is free");
        loop {
            let (mut near, _) = listener.accept().await.expect("a connection");
            let target = target.clone();
            tokio::spawn(async move {
                if let Ok(mut far) = tokio::net::TcpStream::connect(target).await {
                    let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                }
            });
        }
    });
    let running = running.until_ready().await;
    assert_eq!(running.get("/api/users").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_show_who_is_connected() {
    on_engines(async |engine, project| {
        project.succeed(PILASTER, &["migrate", "up"]);
        let shown = project.succeed(PILASTER, &["db", "sessions"]).out;
        let expected = if engine == "sqlite" {
            "SQLite is a file"
        } else {
            "pilaster"
        };
        assert!(shown.contains(expected), "{engine}: {shown}");
    })
    .await;
}
