//! `pilaster migrate …` on every engine.

use sql::{Kind, Query, Row, Sql, Step, Value};
use testkit::{Project, ThrowAwayDatabase};

use crate::http::PILASTER;

const ENGINES: [&str; 4] = ["sqlite", "postgres", "mariadb", "mysql"];

const FIRST: &str = "create table notes (id integer primary key, title text not null);\n";
const SECOND: &str = "create table notes (id integer primary key, title text not null, \
                      bio varchar(40) default 'none');\n";
const THIRD: &str = "create table notes (id integer primary key, title text not null, \
                     bio varchar(40) default 'none');\n\
                     create table tags (id integer primary key, note integer not null \
                     references notes on delete cascade);\n";

/// A project of three migrations that are not applied, on a database of its own.
async fn three(engine: &str) -> Option<(Project, ThrowAwayDatabase)> {
    let database = ThrowAwayDatabase::create(engine).await?;
    let project = Project::empty().with("DATABASE_URL", database.url());
    for (text, name) in [(FIRST, "init"), (SECOND, "add bio"), (THIRD, "tags")] {
        project.write("schema/notes.sql", text);
        project.succeed(PILASTER, &["migrate", "new", name]);
    }
    Some((project, database))
}

/// A statement of the test's own, by hand as somebody in a shell would.
async fn by_hand(database: &ThrowAwayDatabase, text: &'static str) {
    let db = database.connect().await;
    let mut sql = Sql::new(db.dialect());
    sql.push(text);
    db.write(vec![Step::new(sql)]).await.expect("it runs");
    db.close().await.expect("it closes");
}

async fn rows(database: &ThrowAwayDatabase, text: &'static str, kinds: Vec<Kind>) -> Vec<Row> {
    let db = database.connect().await;
    let mut sql = Sql::new(db.dialect());
    sql.push(text);
    let rows = db.rows(&Query::short(sql, kinds)).await.expect("it reads");
    db.close().await.expect("it closes");
    rows
}

fn current(project: &Project) -> String {
    let shown = project.succeed(PILASTER, &["migrate", "current"]).out;
    shown.trim().to_owned()
}

// req: DM-4, DM-12
#[tokio::test(flavor = "multi_thread")]
async fn a_new_migration_has_both_directions_and_an_empty_one_is_not_written() {
    let project = Project::empty();
    project.write("schema/notes.sql", FIRST);
    project.succeed(PILASTER, &["migrate", "new", "init"]);
    project.write("schema/notes.sql", SECOND);
    project.succeed(PILASTER, &["migrate", "diff", "-m", "add bio"]);
    let text = project.read("migrations/0002_add_bio.sql");
    let (up, down) = text.split_once("-- @down").expect("both parts");
    assert!(
        up.contains("add column \"bio\" varchar(40) default 'none'"),
        "{text}"
    );
    assert!(down.contains("drop column \"bio\""), "{text}");
    let again = project.succeed(PILASTER, &["migrate", "new", "again"]);
    assert!(again.out.contains("no changes"), "{}", again.out);
    assert_eq!(project.read_dir("migrations").len(), 2);
    let by_hand = project.succeed(PILASTER, &["migrate", "new", "--empty", "fill bios"]);
    assert!(
        by_hand.out.contains("0003_fill_bios.sql"),
        "{}",
        by_hand.out
    );
    let text = project.read("migrations/0003_fill_bios.sql");
    assert!(
        text.contains("-- @up") && text.contains("-- @down"),
        "{text}"
    );
}

// req: DM-5, DM-18
#[tokio::test(flavor = "multi_thread")]
async fn up_and_down_go_to_any_place_of_the_history() {
    for engine in ENGINES {
        let Some((project, database)) = three(engine).await else {
            continue;
        };
        project.succeed(PILASTER, &["migrate", "tag", "v1", "0002"]);
        let history = project.succeed(PILASTER, &["migrate", "history"]).out;
        assert!(history.contains("0001 -> 0002_add_bio  (v1)"), "{history}");
        assert_eq!(current(&project), "base: no migration is applied");

        project.succeed(PILASTER, &["migrate", "up", "v1"]);
        assert_eq!(current(&project), "0002_add_bio  (v1)", "{engine}");
        project.succeed(PILASTER, &["migrate", "up"]);
        assert_eq!(current(&project), "0003_tags", "{engine}");
        let status = project.succeed(PILASTER, &["migrate", "status"]).out;
        assert_eq!(status.matches("applied").count(), 3, "{status}");

        by_hand(
            &database,
            "insert into notes (id, title) values (1, 'kept')",
        )
        .await;
        let refused = project.run(PILASTER, &["migrate", "down", "--to", "v1"]);
        assert_eq!(refused.code, 5, "{engine}: {}", refused.text());
        assert!(refused.err.contains("drop table tags"), "{}", refused.err);
        let down = ["migrate", "down", "--to", "v1", "--allow-destructive"];
        let gone = project.succeed(PILASTER, &down).out;
        assert!(gone.contains("took back 0003_tags"), "{engine}: {gone}");
        project.succeed(PILASTER, &["migrate", "check"]);
        let kept = rows(&database, "select title from notes", vec![Kind::Text]).await;
        assert_eq!(kept[0].0, [Value::from("kept")], "{engine}");

        let down = ["migrate", "down", "1", "--allow-destructive"];
        project.succeed(PILASTER, &down);
        assert_eq!(current(&project), "0001_init", "{engine}");
        project.succeed(PILASTER, &["migrate", "up"]);
        let down = ["migrate", "down", "--to", "base", "--allow-destructive"];
        project.succeed(PILASTER, &down);
        assert_eq!(
            current(&project),
            "base: no migration is applied",
            "{engine}"
        );
        let unknown = project.run(PILASTER, &["migrate", "up", "v9"]);
        assert_eq!(unknown.code, 2, "{}", unknown.text());
        assert!(unknown.err.contains("migrate history"), "{}", unknown.err);
    }
}

// req: DM-5
#[tokio::test(flavor = "multi_thread")]
async fn a_stamp_writes_the_books_alone() {
    for engine in ENGINES {
        let Some((project, database)) = three(engine).await else {
            continue;
        };
        let create = "create table notes (id integer primary key, title varchar(40) not null)";
        by_hand(&database, create).await;
        project.succeed(PILASTER, &["migrate", "stamp", "0001"]);
        assert_eq!(current(&project), "0001_init", "{engine}");
        project.succeed(PILASTER, &["migrate", "up"]);
        assert_eq!(current(&project), "0003_tags", "{engine}");
        project.succeed(PILASTER, &["migrate", "stamp", "base"]);
        assert_eq!(current(&project), "base: no migration is applied");
    }
}

// req: DM-11
#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_drift_is_told() {
    for engine in ENGINES {
        let Some((project, database)) = three(engine).await else {
            continue;
        };
        project.succeed(PILASTER, &["migrate", "up"]);
        project.succeed(PILASTER, &["migrate", "check"]);
        by_hand(&database, "alter table notes add column mood integer").await;
        by_hand(&database, "create index by_note on tags (note)").await;
        by_hand(&database, "create table stray (id integer primary key)").await;
        by_hand(&database, "alter table notes drop column bio").await;
        let found = project.run(PILASTER, &["migrate", "check"]);
        assert_eq!(found.code, 6, "{engine}: {}", found.text());
        for line in [
            "no migration made the column notes.mood",
            "no migration gave tags the index by_note (note)",
            "no migration made the table stray",
            "the column notes.bio is missing",
        ] {
            assert!(found.out.contains(line), "{engine}: {}", found.out);
        }
        assert_eq!(found.out.lines().count(), 4, "{engine}: {}", found.out);
    }
}

// req: DM-14
#[tokio::test(flavor = "multi_thread")]
async fn a_script_is_printed_and_the_database_is_left_alone() {
    for engine in ENGINES {
        let Some((project, database)) = three(engine).await else {
            continue;
        };
        let script = project.succeed(PILASTER, &["migrate", "up", "--sql"]).out;
        assert!(script.contains("auth_migrations"), "{script}");
        assert!(database.dump().await.is_empty(), "{engine}: it was touched");
        // Run by hand, statement by statement, it leads to the same place.
        let db = database.connect().await;
        let mut transaction = db.begin().await.expect("a conversation begins");
        let lines: Vec<&str> = script
            .lines()
            .filter(|line| !line.starts_with("--"))
            .collect();
        for statement in lines.join("\n").split(";\n") {
            let statement = statement.trim().trim_end_matches(';');
            let ours = ["begin", "commit", "pragma foreign_keys = off", ""];
            if ours.contains(&statement) || statement.starts_with("set session") {
                continue;
            }
            let text: &'static str = Box::leak(statement.to_owned().into_boxed_str());
            let mut sql = Sql::new(db.dialect());
            sql.push(text);
            let ran = transaction.execute(&sql).await;
            assert!(ran.is_ok(), "{engine}: {ran:?}: {statement}");
        }
        transaction.commit().await.expect("it commits");
        db.close().await.expect("it closes");
        assert_eq!(current(&project), "0003_tags", "{engine}");
        project.succeed(PILASTER, &["migrate", "check"]);
        let down = ["migrate", "down", "--to", "base", "--sql"];
        let script = project.succeed(PILASTER, &down).out;
        assert!(script.contains("delete from auth_migrations"), "{script}");
    }
}

// req: DM-7
#[tokio::test(flavor = "multi_thread")]
async fn edited_and_missing_files_are_refused() {
    for engine in ENGINES {
        let Some((project, _database)) = three(engine).await else {
            continue;
        };
        project.succeed(PILASTER, &["migrate", "up"]);
        let whole = project.read("migrations/0002_add_bio.sql");
        let checksum = whole.lines().find(|line| line.starts_with("-- @checksum"));
        let edited = whole.replace(checksum.expect("a checksum"), "-- @checksum");
        project.write("migrations/0002_add_bio.sql", &edited.replace("40", "41"));
        let refused = project.run(PILASTER, &["migrate", "up"]);
        assert_eq!(refused.code, 1, "{engine}: {}", refused.text());
        assert!(
            refused
                .err
                .contains("0002_add_bio was applied and has been edited")
        );
        project.write("migrations/0002_add_bio.sql", &whole);
        let last = project.read("migrations/0003_tags.sql");
        std::fs::remove_file(project.path().join("migrations/0003_tags.sql")).expect("there");
        let refused = project.run(PILASTER, &["migrate", "up"]);
        assert_eq!(refused.code, 1, "{engine}: {}", refused.text());
        assert!(
            refused
                .err
                .contains("0003_tags was applied and its file is missing")
        );
        project.write("migrations/0003_tags.sql", &last);
        project.succeed(PILASTER, &["migrate", "up"]);
    }
}

// req: DM-13
#[tokio::test(flavor = "multi_thread")]
async fn what_loses_data_is_planned_with_its_rows_and_needs_leave() {
    for engine in ENGINES {
        let Some((project, database)) = three(engine).await else {
            continue;
        };
        project.succeed(PILASTER, &["migrate", "up"]);
        by_hand(
            &database,
            "insert into notes (id, title) values (1, 'a'), (2, 'b')",
        )
        .await;
        project.write(
            "schema/notes.sql",
            &THIRD.replace(", bio varchar(40) default 'none'", ""),
        );
        let written = project.succeed(PILASTER, &["migrate", "new", "no bio"]).out;
        assert!(written.contains("this loses data"), "{written}");
        let plan = project.succeed(PILASTER, &["migrate", "plan"]).out;
        assert!(
            plan.contains("drop column notes.bio, 2 row(s)"),
            "{engine}: {plan}"
        );
        assert!(plan.contains("loses: 2 value(s)"), "{engine}: {plan}");
        assert!(plan.contains("in the release after"), "{engine}: {plan}");
        let refused = project.run(PILASTER, &["migrate", "up"]);
        assert_eq!(refused.code, 5, "{engine}: {}", refused.text());
        assert!(
            refused.err.contains("--allow-destructive"),
            "{}",
            refused.err
        );
        assert_eq!(current(&project), "0003_tags", "{engine}");
        project.succeed(PILASTER, &["migrate", "up", "--allow-destructive"]);
        project.succeed(PILASTER, &["migrate", "check"]);
        // An empty database has nothing to lose.
        let Some(fresh) = ThrowAwayDatabase::create(engine).await else {
            continue;
        };
        let project = project.with("DATABASE_URL", fresh.url());
        project.succeed(PILASTER, &["migrate", "up"]);
    }
}

// req: DM-19
#[tokio::test(flavor = "multi_thread")]
async fn rows_are_changed_in_the_portable_language_and_in_an_engines_own() {
    for engine in ENGINES {
        let Some(database) = ThrowAwayDatabase::create(engine).await else {
            continue;
        };
        let project = Project::empty().with("DATABASE_URL", database.url());
        let before = "create table people (id text primary key, born text not null);\n";
        project.write("schema/people.sql", before);
        project.succeed(PILASTER, &["migrate", "new", "init"]);
        project.succeed(PILASTER, &["migrate", "up"]);
        let id = "insert into people (id, born) values \
                  ('0193A000-0000-7000-8000-00000000000A', '1815')";
        by_hand(&database, id).await;
        // Ids that were text become uuids, by each engine's own means.
        let after = "create table people (id text primary key, born text not null, \
                     key uuid, note text not null default '');\n";
        project.write("schema/people.sql", after);
        project.succeed(PILASTER, &["migrate", "new", "keys"]);
        project.succeed(PILASTER, &["migrate", "new", "--empty", "fill keys"]);
        let blank = project.read("migrations/0003_fill_keys.sql");
        let filled = blank.replace(
            "-- @down\n",
            "update people set note = 'born ' || born where born < '1900';\n\
             -- @engine sqlite\nupdate people set key = lower(id);\n\
             -- @engine postgres\nupdate people set key = id::uuid;\n\
             -- @engine mariadb\nupdate people set `key` = lower(id);\n\
             -- @engine mysql\nupdate people set `key` = uuid_to_bin(id);\n\
             -- @engine all\n-- @down\nupdate people set note = '', key = null;\n",
        );
        project.write("migrations/0003_fill_keys.sql", &filled);
        project.succeed(PILASTER, &["migrate", "up"]);
        let found = rows(&database, "select note from people", vec![Kind::Text]).await;
        assert_eq!(found[0].0, [Value::from("born 1815")], "{engine}");
        let text = match engine {
            "mysql" | "mariadb" => "select `key` from people",
            _ => "select key from people",
        };
        let found = rows(&database, text, vec![Kind::Uuid]).await;
        let wanted: uuid::Uuid = "0193a000-0000-7000-8000-00000000000a".parse().expect("one");
        assert_eq!(found[0].0, [Value::from(wanted)], "{engine}");
        project.succeed(PILASTER, &["migrate", "down"]);
        let found = rows(&database, "select note from people", vec![Kind::Text]).await;
        assert_eq!(found[0].0, [Value::from("")], "{engine}");
    }
}

// req: DM-6
#[tokio::test(flavor = "multi_thread")]
async fn one_history_has_many_targets() {
    let (project, _database) = three("sqlite").await.expect("SQLite is always there");
    let project = project
        .with("TEST_DATABASE_URL", "sqlite:data/second.db")
        .with("PROD_DATABASE_URL", "sqlite:data/third.db");
    for target in ["dev", "test", "prod"] {
        let target = ["--target", target];
        project.succeed(PILASTER, &[&target[..], &["migrate", "up"]].concat());
        let current = project.succeed(PILASTER, &[&target[..], &["migrate", "current"]].concat());
        assert_eq!(current.out.trim(), "0003_tags");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_files_become_one_and_databases_go_on() {
    for engine in ENGINES {
        let Some((project, _database)) = three(engine).await else {
            continue;
        };
        project.succeed(PILASTER, &["migrate", "up"]);
        project.succeed(PILASTER, &["migrate", "squash", "release one"]);
        assert_eq!(project.read_dir("migrations"), ["0003_release_one.sql"]);
        project.succeed(PILASTER, &["migrate", "up"]);
        assert_eq!(current(&project), "0003_release_one", "{engine}");
        project.succeed(PILASTER, &["migrate", "check"]);
        // An empty database takes the one file alone.
        let Some(fresh) = ThrowAwayDatabase::create(engine).await else {
            continue;
        };
        let project = project.with("DATABASE_URL", fresh.url());
        project.succeed(PILASTER, &["migrate", "up"]);
        project.succeed(PILASTER, &["migrate", "check"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_lacks_a_squashed_file_is_told_so() {
    let (project, _database) = three("sqlite").await.expect("SQLite is always there");
    project.succeed(PILASTER, &["migrate", "up", "0002"]);
    project.succeed(PILASTER, &["migrate", "squash", "all"]);
    let refused = project.run(PILASTER, &["migrate", "up"]);
    assert_eq!(refused.code, 1, "{}", refused.text());
    assert!(refused.err.contains("it lacks 0003"), "{}", refused.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_branches_become_one_line_wherever_they_were_applied() {
    for engine in ENGINES {
        let Some(mine) = ThrowAwayDatabase::create(engine).await else {
            continue;
        };
        let project = Project::empty().with("DATABASE_URL", mine.url());
        project.write("schema/notes.sql", FIRST);
        project.succeed(PILASTER, &["migrate", "new", "init"]);
        // The other branch adds a table; mine adds a column, and is applied here.
        let other = "create table tags (id integer primary key);\n";
        project.write("schema/tags.sql", other);
        project.succeed(PILASTER, &["migrate", "new", "a tags"]);
        let theirs = project.read("migrations/0002_a_tags.sql");
        std::fs::remove_file(project.path().join("migrations/0002_a_tags.sql")).expect("there");
        std::fs::remove_file(project.path().join("schema/tags.sql")).expect("there");
        project.write("schema/notes.sql", SECOND);
        project.succeed(PILASTER, &["migrate", "new", "bio"]);
        project.succeed(PILASTER, &["migrate", "up"]);
        // They meet.
        project.write("migrations/0002_a_tags.sql", &theirs);
        project.write("schema/tags.sql", other);
        let heads = project.run(PILASTER, &["migrate", "up"]);
        assert_eq!(heads.code, 3, "{engine}: {}", heads.text());
        assert!(heads.err.contains("two heads"), "{}", heads.err);
        assert!(heads.err.contains("migrate merge"), "{}", heads.err);
        let merged = project.succeed(PILASTER, &["migrate", "merge"]).out;
        assert!(merged.contains("0002_bio became 0003_bio.sql"), "{merged}");
        project.succeed(PILASTER, &["migrate", "up"]);
        assert_eq!(current(&project), "0003_bio", "{engine}");
        project.succeed(PILASTER, &["migrate", "check"]);
        let Some(fresh) = ThrowAwayDatabase::create(engine).await else {
            continue;
        };
        let project = project.with("DATABASE_URL", fresh.url());
        project.succeed(PILASTER, &["migrate", "up"]);
        project.succeed(PILASTER, &["migrate", "check"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_looks_renamed_is_asked_about_and_a_marker_answers() {
    for engine in ENGINES {
        let Some((project, database)) = three(engine).await else {
            continue;
        };
        project.succeed(PILASTER, &["migrate", "up"]);
        by_hand(
            &database,
            "insert into notes (id, title) values (1, 'kept')",
        )
        .await;
        let renamed = "create table notes (\n  id integer primary key,\n  \
                       headline text not null,\n  bio varchar(40) default 'none'\n);\n";
        let tags = "create table labels (id integer primary key, note integer not null \
                    references notes on delete cascade);\n";
        project.write("schema/notes.sql", &format!("{renamed}{tags}"));
        let asked = project.run(PILASTER, &["migrate", "new", "names"]);
        assert_eq!(asked.code, 3, "{}", asked.text());
        for question in [
            "schema/notes.sql:3:3: was notes.title renamed to headline",
            "-- @was title for a rename, -- @new for a new one",
            "was tags renamed to labels",
        ] {
            assert!(asked.err.contains(question), "{}", asked.err);
        }
        let answered = renamed.replace("not null,\n  bio", "not null, -- @was title\n  bio");
        project.write(
            "schema/notes.sql",
            &format!("{answered}-- @was tags\n{tags}"),
        );
        let written = project.succeed(PILASTER, &["migrate", "new", "names"]).out;
        assert!(
            written.contains("rename column notes.title to headline"),
            "{written}"
        );
        assert!(written.contains("rename table tags to labels"), "{written}");
        project.succeed(PILASTER, &["migrate", "up"]);
        project.succeed(PILASTER, &["migrate", "check"]);
        let kept = rows(&database, "select headline from notes", vec![Kind::Text]).await;
        assert_eq!(kept[0].0, [Value::from("kept")], "{engine}");
        let again = project.succeed(PILASTER, &["migrate", "new", "names"]).out;
        assert!(again.contains("no changes"), "{again}");
        project.succeed(PILASTER, &["migrate", "down"]);
        project.succeed(PILASTER, &["migrate", "check"]);
    }
}

/// Three steps, of which the second cannot be done.
const BROKEN: &str = "-- @revision 0001\n-- @parent none\n-- @name broken\n-- @up\n\
    create table one (id integer primary key);\n\
    create table two (id integer primary key);\n\
    create table three (id integer primary key);\n\
    -- @down\ndrop table three;\ndrop table two;\ndrop table one;\n";

// req: DM-8
#[tokio::test(flavor = "multi_thread")]
async fn a_failed_migration_stops_and_goes_on_once_it_can() {
    for engine in ENGINES {
        let Some(database) = ThrowAwayDatabase::create(engine).await else {
            continue;
        };
        let project = Project::empty().with("DATABASE_URL", database.url());
        project.write("migrations/0001_broken.sql", BROKEN);
        by_hand(&database, "create table two (x integer)").await;
        let failed = project.run(PILASTER, &["migrate", "up"]);
        assert_eq!(failed.code, 1, "{engine}: {}", failed.text());
        assert!(
            failed.err.contains("0001_broken failed at step 2"),
            "{}",
            failed.err
        );
        assert_eq!(
            current(&project),
            "base: no migration is applied",
            "{engine}"
        );
        let tables = project.succeed(PILASTER, &["db", "tables"]).out;
        assert!(!tables.contains("three"), "{engine}: {tables}");
        let is_rolled_back = matches!(engine, "sqlite" | "postgres");
        assert_eq!(
            !tables.contains("one"),
            is_rolled_back,
            "{engine}: {tables}"
        );
        let status = project.succeed(PILASTER, &["migrate", "status"]).out;
        let wanted = match is_rolled_back {
            true => "pending",
            false => "interrupted on its way up after 1 of 3",
        };
        assert!(status.contains(wanted), "{engine}: {status}");
        by_hand(&database, "drop table two").await;
        project.succeed(PILASTER, &["migrate", "up"]);
        project.succeed(PILASTER, &["migrate", "check"]);
        assert_eq!(current(&project), "0001_broken", "{engine}");
    }
}

// req: DM-17
#[test]
fn names_of_ours_are_refused_in_schema_and_migrations() {
    for name in ["auth_users", "auth_migrations", "auth_mine"] {
        let project = Project::empty();
        let table = format!("create table {name} (id integer primary key);\n");
        project.write("schema/mine.sql", &table);
        let refused = project.run(PILASTER, &["migrate", "new", "mine"]);
        assert_eq!(refused.code, 3, "{}", refused.text());
        assert!(
            refused.err.contains("begins with auth_, which is reserved"),
            "{}",
            refused.err
        );
        let project = Project::empty();
        let file = format!(
            "-- @revision 0001\n-- @parent none\n-- @name mine\n-- @up\n{table}-- @down\n\
             drop table {name};\n"
        );
        project.write("migrations/0001_mine.sql", &file);
        let refused = project.run(PILASTER, &["migrate", "up"]);
        assert_eq!(refused.code, 3, "{}", refused.text());
        assert!(refused.err.contains("which is reserved"), "{}", refused.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sqlite_database_is_copied_before_it_changes() {
    let project = Project::empty();
    for (place, name) in ["one", "two", "three", "four", "five", "six"]
        .iter()
        .enumerate()
    {
        let columns: Vec<String> = (0..place).map(|n| format!(", c{n} integer")).collect();
        let table = format!(
            "create table t (id integer primary key{});",
            columns.concat()
        );
        project.write("schema/t.sql", &table);
        project.succeed(PILASTER, &["migrate", "new", name]);
        project.succeed(PILASTER, &["migrate", "up"]);
        project.succeed(PILASTER, &["migrate", "up"]);
    }
    let mut copies = project.read_dir("data");
    copies.retain(|name| name.starts_with("test.db.before-"));
    copies.sort();
    assert_eq!(copies.len(), 3, "{copies:?}");
    for (copy, revision) in copies.iter().zip(["0003", "0004", "0005"]) {
        assert!(copy.ends_with(&format!("-at-{revision}")), "{copies:?}");
        let there = project.path().join("data").join(copy);
        let url = format!("sqlite:{}", there.display());
        let then = Project::empty().with("DATABASE_URL", &url);
        for name in project.read_dir("migrations") {
            let text = project.read(&format!("migrations/{name}"));
            then.write(&format!("migrations/{name}"), &text);
        }
        let current = then.succeed(PILASTER, &["migrate", "current"]).out;
        assert!(current.starts_with(revision), "{current}");
    }
}
