//! `db connect` with the built-in shell.

use std::io::Write as _;
use std::process::Stdio;

use testkit::{Finished, Project, ThrowAwayDatabase};

use crate::http::PILASTER;

const ENGINES: [&str; 4] = ["sqlite", "postgres", "mariadb", "mysql"];

/// What the shell makes of a text in its pipe.
fn piped(project: &Project, words: &[&str], text: &str) -> Finished {
    let mut command = project.command(PILASTER, words);
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = piped.stderr(Stdio::piped()).spawn().expect("it starts");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(text.as_bytes()).expect("it reads");
    drop(input);
    Finished::from(child.wait_with_output().expect("it ends"))
}

const BUILTIN: [&str; 3] = ["db", "connect", "--builtin"];

/// A project with a table of several types.
fn project(url: &str) -> Project {
    let project = Project::empty().with("DATABASE_URL", url);
    project.write(
        "schema/things.sql",
        "create table things (id integer primary key, name text, raw bytea, price numeric(8,2), \
         is_new boolean, born date);\n",
    );
    project.succeed(PILASTER, &["migrate", "new", "init"]);
    project.succeed(PILASTER, &["migrate", "up"]);
    project
}

/// Bytes as the engine takes them.
fn bytes(engine: &str) -> &'static str {
    match engine {
        "postgres" => "'\\x00ff'",
        _ => "x'00ff'",
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_any_type_are_shown_aligned() {
    for engine in ENGINES {
        let Some(database) = ThrowAwayDatabase::create(engine).await else {
            continue;
        };
        let project = project(database.url());
        let raw = bytes(engine);
        let text = format!(
            "insert into things (id, name, raw, price) values (1, 'Zoë; 日本', {raw}, 1.50);\n\
             insert into things (id, name, born) values (2, '', '2026-11-21'), (3, null, null);\n\
             -- a comment\nselect id, name, raw\n  from things order by id;\n\
             \\x\nselect id, name, born from things where id = 2;\n\\d things\n\\d\n\
             update things set name = 'x' where id > 1;\ndelete from things where id = 9"
        );
        let shown = piped(&project, &BUILTIN, &text);
        assert_eq!(shown.code, 0, "{engine}: {}", shown.text());
        for wanted in [
            "1 row(s) affected\n2 row(s) affected\n",
            " id | name      | raw\n----+-----------+--------\n \
             1  | Zoë; 日本 | \\x00ff\n 2  |           | NULL\n 3  | NULL      | NULL\n(3 row(s))\n",
            "-[ row 1 ]-\nid   | 2\nname |\nborn | 2026-11-21\n(1 row(s))\n",
            "column   price\n",
            "table | auth_users\n",
            &format!(
                "table | things\n({} row(s))\n2 row(s) affected\n0 row(s) affected\n",
                shown.out.matches("table | ").count()
            ),
        ] {
            assert!(
                shown.out.contains(wanted),
                "{engine}: {wanted}\n{}",
                shown.out
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_table_is_told_with_what_may_have_been_meant() {
    let Some(database) = ThrowAwayDatabase::create("sqlite").await else {
        return;
    };
    let project = project(database.url());
    // Made by hand: the database has it, schema/ does not.
    let made = piped(&project, &BUILTIN, "create table by_hand (id integer);");
    assert_eq!(made.code, 0, "{}", made.text());
    for (name, hint) in [
        ("thing", "did you mean things?"),
        ("auth_user", "did you mean auth_users?"),
        ("usrs", "did you mean users?"),
        ("by_hand", "pilaster db tables lists what the database has"),
    ] {
        let said = format!("there is no table or view {name} in schema/, nor among Pilaster's own");
        let described = project.run(PILASTER, &["db", "describe", name]);
        let shown = piped(&project, &BUILTIN, &format!("\\d {name}\n"));
        for answer in [described, shown] {
            assert_eq!(answer.code, 2, "{name}: {}", answer.text());
            for words in [said.as_str(), hint] {
                assert!(answer.err.contains(words), "{words}: {}", answer.err);
            }
        }
    }
}

// req: DB-11
#[tokio::test(flavor = "multi_thread")]
async fn the_first_failure_ends_a_pipe_and_nothing_of_it_stays() {
    for engine in ENGINES {
        let Some(database) = ThrowAwayDatabase::create(engine).await else {
            continue;
        };
        let project = project(database.url());
        let count = [
            "db",
            "connect",
            "--builtin",
            "-e",
            "select count(*) as n from things",
        ];
        for wrong in [
            "insert into nowhere values (1)",
            "insert into things (id) values (1)",
        ] {
            let text = format!(
                "insert into things (id) values (1);\n{wrong};\ninsert into things (id) values (3);"
            );
            let failed = piped(&project, &BUILTIN, &text);
            assert_eq!(failed.code, 1, "{engine}: {}", failed.text());
            assert_eq!(failed.out, "1 row(s) affected\n", "{engine}");
            assert!(failed.err.contains(wrong), "{engine}: {}", failed.err);
            let said = match (wrong.contains("nowhere"), engine) {
                (true, "sqlite") => "no such table: nowhere",
                (true, "postgres") => "42P01 relation \"nowhere\" does not exist",
                (true, _) => "1146 Table",
                (false, "sqlite") => "UNIQUE constraint failed: things.id",
                (false, "postgres") => "detail: Key (id)=(1) already exists.",
                (false, _) => "1062 Duplicate entry '1' for key",
            };
            assert!(failed.err.contains(said), "{engine}: {}", failed.err);
            let left = project.succeed(PILASTER, &count).out;
            assert_eq!(left, " n\n---\n 0\n(1 row(s))\n", "{engine}");
        }
        // Whoever begins transactions ends them.
        let own = "begin; insert into things (id) values (1); commit; select wrong; select 1;";
        assert_eq!(piped(&project, &BUILTIN, own).code, 1, "{engine}");
        let left = project.succeed(PILASTER, &count).out;
        assert_eq!(left, " n\n---\n 1\n(1 row(s))\n", "{engine}");
        let unknown = piped(&project, &BUILTIN, "\\nonsense");
        assert_eq!(unknown.code, 2, "{engine}: {}", unknown.text());
        let asked = piped(&project, &BUILTIN, "select 1 as a; \\q\nselect wrong;");
        assert_eq!(asked.code, 0, "{engine}: {}", asked.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_client_the_shell_opens_by_itself() {
    for engine in ENGINES {
        let Some(database) = ThrowAwayDatabase::create(engine).await else {
            continue;
        };
        let project = project(database.url());
        let mut command = project.command(PILASTER, &["db", "connect", "-e", "select 'own' as a"]);
        let output = command.env("PATH", "/nonexistent").output();
        let shown = Finished::from(output.expect("it starts"));
        assert_eq!(shown.code, 0, "{engine}: {}", shown.text());
        assert_eq!(shown.out, " a\n-----\n own\n(1 row(s))\n", "{engine}");
        let json = [
            "--json",
            "db",
            "connect",
            "--builtin",
            "-e",
            "select null as a, '' as b",
        ];
        let shown = project.succeed(PILASTER, &json).out;
        let wanted = "{\"columns\":[\"a\",\"b\"],\"rows\":[[null,\"\"]],\"affected\":1}\n";
        assert_eq!(shown, wanted, "{engine}");
        let nowhere = Project::empty().with("DATABASE_URL", "postgres://a:b@127.0.0.1:1/c");
        let refused = nowhere.run(PILASTER, &["db", "connect", "--builtin"]);
        assert_eq!(refused.code, 4, "{}", refused.text());
    }
}

/// Words typed at a terminal of its own, by util-linux's script(1).
fn typed(project: &Project, text: &str) -> Finished {
    let words = format!("{PILASTER} db connect --builtin");
    let mut command = project.command("script", &["-qec", &words, "/dev/null"]);
    let piped = command
        .env("TERM", "dumb")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = piped
        .stderr(Stdio::piped())
        .spawn()
        .expect("util-linux has script");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(text.as_bytes()).expect("it reads");
    drop(input);
    Finished::from(child.wait_with_output().expect("it ends"))
}

#[tokio::test(flavor = "multi_thread")]
async fn at_a_terminal_it_goes_on_after_a_failure() {
    for engine in ENGINES {
        let Some(database) = ThrowAwayDatabase::create(engine).await else {
            continue;
        };
        let project = project(database.url());
        let text = "select wrong;\nselect 40\n+ 2 as answer;\n\\x\n\\q\n";
        let shown = typed(&project, text);
        assert_eq!(shown.code, 0, "{engine}: {}", shown.text());
        for wanted in [
            "error: ",
            "wrong",
            "answer",
            "42",
            "(1 row(s))",
            "each line: on",
        ] {
            assert!(
                shown.out.contains(wanted),
                "{engine}, {wanted}: {}",
                shown.out
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_behind_a_pipe_stops_at_the_first_failure_too() {
    for engine in ENGINES {
        let Some(database) = ThrowAwayDatabase::create(engine).await else {
            continue;
        };
        let project = project(database.url());
        let text = "insert into things (id) values (1);\nselect wrong;\n\
                    insert into things (id) values (3);\n";
        let failed = piped(&project, &["db", "connect"], text);
        assert_eq!(failed.code, 1, "{engine}: {}", failed.text());
        let count = "select count(*) as n from things where id = 3";
        let left = project.succeed(PILASTER, &["db", "connect", "--builtin", "-e", count]);
        assert_eq!(left.out, " n\n---\n 0\n(1 row(s))\n", "{engine}");
    }
}
