//! `kill -9` in the middle of a migration, at random moments, on its way up and on its way down.

use std::fmt::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use sql::{Db, Dialect, Kind, Query, Sql, Step, Value};
use stdx::Rng;
use testkit::{Project, ThrowAwayDatabase};

use crate::http::PILASTER;

const ROUNDS: u32 = 12;
const ROWS: u32 = 3_000;

const FIRST: &str = "-- @revision 0001\n-- @parent none\n-- @name first\n-- @up\n\
    create table people (id integer primary key, name varchar(40) not null, number integer not null);\n\
    create table notes (id integer primary key, person integer not null, body text not null);\n\
    -- @down\ndrop table notes;\ndrop table people;\n";

/// Statements of three migrations, each with its way back.
const STEPS: [&[(&str, &str)]; 3] = [
    &[
        (
            "alter table people add column born date",
            "alter table people drop column born",
        ),
        (
            "alter table notes add column stars integer not null default 3",
            "alter table notes drop column stars",
        ),
        (
            "update people set number = number + 1",
            "update people set number = number - 1",
        ),
        (
            "create index people_name on people (name, id)",
            "drop index people_name",
        ),
        (
            "create table tags (id integer primary key, note integer not null references notes)",
            "drop table tags",
        ),
    ],
    &[
        (
            "alter table people alter column number type bigint",
            "alter table people alter column number type integer",
        ),
        (
            "update notes set body = body || '!' where stars = 3",
            "update notes set body = replace(body, '!', '') where stars = 3",
        ),
        (
            "alter table notes add constraint notes_stars check (stars > 0)",
            "alter table notes drop constraint notes_stars",
        ),
        (
            "create index notes_person on notes (person)",
            "drop index notes_person",
        ),
        (
            "update people set number = number + id",
            "update people set number = number - id",
        ),
    ],
    &[
        (
            "alter table notes rename column body to words",
            "alter table notes rename column words to body",
        ),
        (
            "alter table people add constraint people_name_key unique (name)",
            "alter table people drop constraint people_name_key",
        ),
        (
            "create table more (id integer primary key, name varchar(20))",
            "drop table more",
        ),
        (
            "insert into more (id, name) values (1, 'one'), (2, 'two')",
            "delete from more",
        ),
        (
            "update people set number = number + 5",
            "update people set number = number - 5",
        ),
    ],
];

fn project(url: &str) -> Project {
    let project = Project::empty().with("DATABASE_URL", url);
    project.write("migrations/0001_first.sql", FIRST);
    for (place, steps) in STEPS.iter().enumerate() {
        let (parent, revision) = (place + 1, place + 2);
        let mut text = format!(
            "-- @revision 000{revision}\n-- @parent 000{parent}\n-- @name part{revision}\n-- @up\n"
        );
        for (up, _) in *steps {
            let _ = writeln!(text, "{up};");
        }
        text.push_str("-- @down\n");
        for (_, down) in steps.iter().rev() {
            let _ = writeln!(text, "{down};");
        }
        project.write(
            &format!("migrations/000{revision}_part{revision}.sql"),
            &text,
        );
    }
    project
}

/// As many rows as it takes for a statement to last.
async fn fill(db: &Db) {
    for (table, columns) in [("people", "name, number"), ("notes", "body, person")] {
        for begin in (0..ROWS).step_by(500) {
            let mut sql = Sql::new(db.dialect());
            sql.native(&format!("insert into {table} (id, {columns}) values "));
            for id in begin..begin + 500 {
                sql.native(match id == begin {
                    true => "(",
                    false => ", (",
                });
                sql.native(&format!("{id}, '{table} {id}', {id})"));
            }
            db.write(vec![Step::new(sql)]).await.expect("rows go in");
        }
    }
}

async fn number(db: &Db, text: &str) -> i64 {
    let mut sql = Sql::new(db.dialect());
    sql.native(text);
    let query = Query::long(sql, vec![Kind::BigInt]);
    let row = db.optional(&query).await.expect("it reads").expect("a row");
    match row.0.first() {
        Some(Value::Int(number)) => *number,
        other => panic!("{other:?} is no number"),
    }
}

/// Every row is there, and every change of rows was made once.
async fn rows_are_whole(db: &Db, is_up: bool, place: &str) {
    let (body, marks) = match is_up {
        true => ("words", 1),
        false => ("body", 0),
    };
    let rows = i64::from(ROWS);
    let ids = rows * (rows - 1) / 2;
    let cast = match db.dialect() {
        Dialect::MySql | Dialect::MariaDb => "signed",
        Dialect::Sqlite | Dialect::Postgres => "bigint",
    };
    let numbers = number(
        db,
        &format!("select cast(sum(number) as {cast}) from people"),
    )
    .await;
    let wanted = match is_up {
        true => 2 * ids + rows * (1 + 5),
        false => ids,
    };
    assert_eq!(
        numbers, wanted,
        "{place}: a change was made twice, or not at all"
    );
    for table in ["people", "notes"] {
        let count = number(db, &format!("select count(*) from {table}")).await;
        assert_eq!(count, rows, "{place}: {table}");
    }
    let counted = format!(
        "select cast(sum(length({body}) - length(replace({body}, '!', ''))) as {cast}) from notes"
    );
    assert_eq!(number(db, &counted).await, rows * marks, "{place}");
}

/// Runs a command until it has taken `life`, then ends it with SIGKILL; gives whether that came
/// before its own end.
fn kill(project: &Project, words: &[&str], life: Duration) -> bool {
    let mut command = project.command(PILASTER, words);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut child = child.expect("it starts");
    std::thread::sleep(life);
    child.kill().expect("a child can be killed");
    let status = child.wait().expect("a child can be waited for");
    status.signal() == Some(9)
}

/// How many of the four migrations are applied whole, and whether one is in the middle.
fn standing(project: &Project) -> (usize, bool) {
    let status = project.succeed(PILASTER, &["migrate", "status"]).out;
    assert_eq!(status.lines().count(), 4, "{status}");
    let applied = status
        .lines()
        .filter(|line| line.contains(" applied "))
        .count();
    (applied, status.contains("interrupted"))
}

const UP: [&str; 2] = ["migrate", "up"];
const DOWN: [&str; 5] = ["migrate", "down", "--to", "0001", "--allow-destructive"];

#[expect(clippy::print_stdout, reason = "the seed, for running it again")]
async fn on(engine: &str) {
    let Some(database) = ThrowAwayDatabase::create(engine).await else {
        return;
    };
    let project = project(database.url());
    project.succeed(PILASTER, &["migrate", "up", "0001"]);
    let db = database.connect().await;
    fill(&db).await;
    // How long each way takes here, undisturbed.
    let mut lives = Vec::new();
    for words in [&UP[..], &DOWN[..]] {
        let began = Instant::now();
        project.succeed(PILASTER, words);
        lives.push(began.elapsed());
    }
    let seed = u64::from_ne_bytes(Rng::System.bytes());
    println!("{engine}: seed {seed}, {lives:?}");
    let rng = Rng::seeded(seed);
    let (mut landed, mut between) = (0, 0);
    for round in 0..ROUNDS {
        let is_up = round % 2 == 0;
        let (words, whole, life) = match is_up {
            true => (&UP[..], 4, lives[0]),
            false => (&DOWN[..], 1, lives[1]),
        };
        let part = f64::from(u32::from_ne_bytes(rng.bytes())) / f64::from(u32::MAX);
        let was_killed = kill(&project, words, life.mul_f64(part));
        landed += u32::from(was_killed);
        let (applied, interrupted) = standing(&project);
        between += u32::from(interrupted || (2..=3).contains(&applied));
        let place = format!("{engine}, seed {seed}, round {round}, {part:.3} of {life:?}");
        let again = project.run(PILASTER, words);
        assert_eq!(again.code, 0, "{place}: {}", again.text());
        assert_eq!(standing(&project), (whole, false), "{place}");
        let checked = project.run(PILASTER, &["migrate", "check"]);
        assert_eq!(checked.code, 0, "{place}: {}", checked.text());
        rows_are_whole(&db, is_up, &place).await;
    }
    println!("{engine}: {landed} of {ROUNDS} before the end, {between} between two migrations");
    assert!(
        landed >= 3,
        "{engine}, seed {seed}: {landed} kills came before the end"
    );
    db.close().await.expect("it closes");
    if engine == "sqlite"
        && let Some((folder, name)) = database.url()["sqlite:".len()..].rsplit_once('/')
    {
        copies_are_whole(folder, name).await;
    }
}

/// A copy that was cut off is not taken for one.
async fn copies_are_whole(folder: &str, name: &str) {
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let names = entries.flatten().map(|entry| entry.file_name());
    let names = names.map(|name| name.to_string_lossy().into_owned());
    let prefix = format!("{name}.before-");
    let mut copies: Vec<String> = names.filter(|name| name.starts_with(&prefix)).collect();
    copies.retain(|name| !name.contains(".partial"));
    assert_eq!(copies.len(), 3, "{copies:?}");
    for name in copies {
        let url = format!("sqlite:{folder}/{name}");
        let url = sql::DatabaseUrl::parse(&url, std::path::Path::new("")).expect("an address");
        let copy = Db::connect(&url, &sql::DbOptions::default()).await;
        let copy = copy.expect("it opens");
        let mut sql = Sql::new(copy.dialect());
        sql.push("pragma integrity_check");
        let rows = copy.rows(&Query::long(sql, vec![Kind::Text])).await;
        let rows = rows.expect("it can be looked at");
        assert_eq!(rows[0].0, [Value::from("ok")], "{name}");
    }
}

// req: DM-8
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_migration_is_finished_on_sqlite() {
    on("sqlite").await;
}

// req: DM-8
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_migration_is_finished_on_postgres() {
    on("postgres").await;
}

// req: DM-8
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_migration_is_finished_on_mariadb() {
    on("mariadb").await;
}

// req: DM-8
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_migration_is_finished_on_mysql() {
    on("mysql").await;
}
