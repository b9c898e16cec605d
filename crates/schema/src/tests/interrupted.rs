//! A process that dies in the middle of a migration, at each of its statements, on its way up and
//! on its way down; the next one goes on.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use futures_util::future::{Either, poll_fn, select};
use jiff::ToSpan as _;
use sql::{Db, Sql, Step};
use stdx::{Clock, Rng};

use super::migrations::{load, next, on_every_engine};
use super::{show, source};
use crate::{Catalog, CatalogKind, Direction, History, Loss, Migrations, Runner, drift};

const BEFORE: &str = "
create table authors (id integer primary key, name text not null);
create table books (id integer primary key, title varchar(40), pages integer, old date);
";

pub(super) const AFTER: &str = "
create table authors (id integer primary key, name text not null unique, born date);
create table books (id integer primary key, title varchar(80) not null default '',
  pages bigint check (pages > 0), author integer references authors);
create table loans (id integer primary key, book integer not null references books);
create index books_title on books (title, id);
create index loans_book on loans (book);
comment on table books is 'What is read.';
comment on column books.pages is 'Without the cover''s.';
";

pub(super) fn catalog(text: &str) -> Catalog {
    Catalog::from_sources(&[source(text)], CatalogKind::User)
        .unwrap_or_else(|errors| panic!("{}", show(&errors)))
}

pub(super) fn files() -> Migrations {
    let first = next(&Migrations::default(), &catalog(BEFORE), "one").expect("a file");
    let second = next(&load(&[&first.text]), &catalog(AFTER), "two").expect("a file");
    load(&[&first.text, &second.text])
}

on_every_engine!(
    dies_at_each_statement,
    dies_behind_each_statement,
    is_taken_for_dead_and_lives,
);

/// Runs a migration until its statement `step` is about to run, and drops everything.
async fn die(runner: &Runner<'_>, files: &Migrations, direction: Direction, step: usize) -> bool {
    let dead = AtomicBool::new(false);
    let mut report = |progress: crate::Progress<'_>| {
        if progress.migration.ends_with("two") && progress.step == step {
            dead.store(true, Ordering::Relaxed);
        }
    };
    let work = async {
        match direction {
            Direction::Up => runner.up(files, None, &mut report).await,
            Direction::Down => runner.down(files, Some("0001"), &mut report).await,
        }
    };
    // Dropped at the first pause behind the report: the statement may be on its way.
    let death = poll_fn(|context| match dead.load(Ordering::Relaxed) {
        true => Poll::Ready(()),
        false => {
            context.waker().wake_by_ref();
            Poll::<()>::Pending
        }
    });
    match select(pin!(work), pin!(death)).await {
        Either::Left((done, _)) => {
            done.unwrap_or_else(|error| panic!("step {step}: {error}"));
            false
        }
        Either::Right(_) => true,
    }
}

/// The lock of the dead holder ends by itself, half a minute later.
pub(super) fn later(turns: i64) -> Clock {
    let now = Clock::System.now();
    Clock::manual(now.checked_add((turns * 60).seconds()).expect("a moment"))
}

async fn dies_at_each_statement(db: Db) {
    let (files, rng) = (files(), Rng::System);
    let mut turns = 0;
    for (direction, state) in [(Direction::Up, AFTER), (Direction::Down, BEFORE)] {
        for step in 1.. {
            turns += 1;
            let clock = later(turns);
            let runner = Runner::new(&db, &clock, &rng, History::App).with_loss(Loss::Allowed);
            let died = die(&runner, &files, direction, step).await;
            if !died {
                let differences = drift(&db, &catalog(state), &clock, &rng).await;
                assert_eq!(differences.expect("readable"), Vec::<String>::new());
                break;
            }
            assert!(step < 60, "it never comes to an end");
        }
    }
}

/// On engines whose DDL commits by itself: the statement is done and its mark is not.
async fn dies_behind_each_statement(db: Db) {
    if db.dialect().transactional_ddl() {
        return;
    }
    let (files, rng) = (files(), Rng::System);
    let mut turns = 0;
    for (direction, target, state) in [
        (Direction::Up, None, AFTER),
        (Direction::Down, Some("0001"), BEFORE),
    ] {
        let clock = later(turns);
        let runner = Runner::new(&db, &clock, &rng, History::App).with_loss(Loss::Allowed);
        if direction == Direction::Up {
            let up = runner.up(&files, Some("0001"), &mut |_| {}).await;
            up.expect("the first file");
        }
        let plan = runner
            .plan(&files, direction, target)
            .await
            .expect("a plan");
        let statements: Vec<String> = plan
            .iter()
            .flat_map(|plan| &plan.steps)
            .flat_map(|step| step.statements.clone())
            .collect();
        assert!(statements.len() > 8, "{statements:?}");
        for (place, statement) in statements.iter().enumerate() {
            turns += 1;
            let clock = later(turns);
            let runner = Runner::new(&db, &clock, &rng, History::App).with_loss(Loss::Allowed);
            assert!(die(&runner, &files, direction, place + 1).await);
            // What was on its way may arrive a little later.
            db.pause(std::time::Duration::from_millis(50)).await;
            run(&db, statement).await;
            let mark = format!(
                "update auth_migrations set steps_begun = {} where revision = '0002'",
                place + 1
            );
            run(&db, &mark).await;
        }
        turns += 1;
        let clock = later(turns);
        let runner = Runner::new(&db, &clock, &rng, History::App).with_loss(Loss::Allowed);
        let done = match direction {
            Direction::Up => runner.up(&files, None, &mut |_| {}).await,
            Direction::Down => runner.down(&files, target, &mut |_| {}).await,
        };
        done.unwrap_or_else(|error| panic!("{error}"));
        let differences = drift(&db, &catalog(state), &clock, &rng).await;
        assert_eq!(differences.expect("readable"), Vec::<String>::new());
    }
}

async fn is_taken_for_dead_and_lives(db: Db) {
    if !db.dialect().transactional_ddl() {
        stalls_while_another_finishes(&db, &db).await;
    }
}

/// `first` stops in the middle of a migration for longer than its lock is good for, and then goes
/// on; meanwhile `second` has finished it.
pub(super) async fn stalls_while_another_finishes(first: &Db, second: &Db) {
    let (files, rng) = (files(), Rng::System);
    let (clock, clock_later) = (later(0), later(1));
    let slow = Runner::new(first, &clock, &rng, History::App).with_loss(Loss::Allowed);
    let fast = Runner::new(second, &clock_later, &rng, History::App).with_loss(Loss::Allowed);
    let (runtime, mut finished) = (tokio::runtime::Handle::current(), None);
    let mut report = |progress: crate::Progress<'_>| {
        if progress.migration.ends_with("two") && progress.step == 3 && finished.is_none() {
            finished = Some(tokio::task::block_in_place(|| {
                runtime.block_on(fast.up(&files, None, &mut |_| {}))
            }));
        }
    };
    let began = slow.up(&files, None, &mut report).await;
    assert_eq!(began.expect("it notices and waits"), ["0001_one"]);
    let finished = finished.expect("it was taken over");
    assert_eq!(finished.expect("it finishes"), ["0002_two"]);
    for db in [first, second] {
        let differences = drift(db, &catalog(AFTER), &clock_later, &rng).await;
        assert_eq!(differences.expect("readable"), Vec::<String>::new());
    }
}

/// A statement by hand; that it was done before is no matter.
async fn run(db: &Db, text: &str) {
    let mut sql = Sql::new(db.dialect());
    sql.native(text);
    match db.write(vec![Step::new(sql)]).await {
        Ok(_) => {}
        Err(error) => assert!(error.says_already_done(), "{error}: {text}"),
    }
}
