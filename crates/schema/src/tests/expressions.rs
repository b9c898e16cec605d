//! Thousands of random expressions, evaluated by every engine that is there: whatever the
//! language takes means the same on all of them.

use jiff::Timestamp;
use lang::{AuthFunction, Environment, Expr, ExpressionWriter, Source, Type, check_expression};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use sql::{Db, DbError, Ident, Kind, Query, Sql, Step, Value};
use testkit::ThrowAwayDatabase;

use super::migrations::{load, next, up};
use super::{show, source};
use crate::{Catalog, CatalogKind, Migrations};

const SCHEMA: &str = "create table t (id integer primary key, i integer, j bigint not null, \
    s text, u varchar(40) not null, b boolean, n numeric(12,2), d double precision, \
    at timestamptz, day date, k uuid, doc jsonb);";

const ROWS: &str = "insert into t (id, i, j, s, u, b, n, d, at, day, k, doc) values
(1, 7, 2, 'Straße', 'ABC', true, 12.50, 0.5, '2026-01-02T03:04:05Z', '2026-01-02',
 '0193a000-0000-7000-8000-000000000001', '{\"a\": 1, \"b\": {\"c\": \"x\"}, \"l\": [1, 2]}'),
(2, -7, 3, 'abc ', 'abc', false, -0.01, -2.25, '1969-12-31T23:59:59.5Z', '1969-12-31',
 '0193a000-0000-7000-8000-000000000002', '{\"a\": null}'),
(3, null, -2, null, '', null, null, null, null, null, null, null),
(4, 0, 10, '', '100%', true, 0.00, 0, '2000-02-29T00:00:00Z', '2000-02-29',
 '0193a000-0000-7000-8000-000000000003', '[]'),
(5, 2147483, -1, 'a_b\\c', 'É', false, 99999.99, 1.5, '2038-01-19T03:14:08.123456Z',
 '2038-01-19', 'ffffffff-ffff-7fff-8fff-ffffffffffff', '{\"a\": \"text\"}');";

/// JSON of every shape, members in the order in which every engine keeps them.
const DOCUMENTS: &str = r#"insert into t (id, j, u, doc) values
(6, 1, 'x', '{"a": [1, [2, "three"], {"a": "in", "é": {}}, null], "b": {"a": {"a": [true, false]}}}'),
(7, 1, 'x', '{"": "empty", "$": "Straße 😀", "*": -7, "0": "digit", "a": "abc ", "b": [], "é": "ABC"}'),
(8, 1, 'x', '{"0": 12345678901234, "a": "null", "b": 0.5, "é": "a\\b\"c\"\n/\u0001", "a.b": true}'),
(9, 1, 'x', '{"\"": "quote", "''": "single", "\\": "back", "\n\u0001": "control", "\\\"": 3, "a b": "space"}'),
(10, 1, 'x', '[{"a": "first"}, ["a", ["b"]], "last"]'),
(11, 1, 'x', '"bare"'), (12, 1, 'x', '5'), (13, 1, 'x', 'null'), (14, 1, 'x', '{}'),
(15, 1, 'x', 'true'), (16, 1, 'x', '["null", "it''s, \"a\": b", [[]], {"a": [{}]}]');"#;

/// Expressions of each type, as text; each level wraps the one below.
fn expression() -> impl Strategy<Value = String> {
    prop_oneof![number(3), text(3), truth(3), truth(3)]
}

fn number_leaf() -> BoxedStrategy<String> {
    prop_oneof![
        Just(String::from("i")),
        Just(String::from("j")),
        (-9..99_i32).prop_map(|n| n.to_string()),
    ]
    .boxed()
}

fn text_leaf() -> BoxedStrategy<String> {
    const WORDS: [&str; 7] = ["'abc'", "''", "'ABC'", "'%'", "'ß'", "'it''s'", "'a\\b'"];
    prop_oneof![
        Just(String::from("s")),
        Just(String::from("u")),
        prop::sample::select(&WORDS[..]).prop_map(str::to_owned),
    ]
    .boxed()
}

fn truth_leaf() -> BoxedStrategy<String> {
    const FACTS: [&str; 14] = [
        "b",
        "true",
        "false",
        "at < '2001-01-01T00:00:00Z'",
        "at >= '2000-02-29T00:00:00Z'",
        "day = '2000-02-29'",
        "day > '1969-12-31'",
        "k = '0193a000-0000-7000-8000-000000000002'",
        "n > 0",
        "n < 12.50",
        "n = -0.01",
        "d < 1",
        "at is null",
        "k is not null",
    ];
    prop::sample::select(&FACTS[..])
        .prop_map(str::to_owned)
        .boxed()
}

fn number(depth: u32) -> BoxedStrategy<String> {
    if depth == 0 {
        return number_leaf();
    }
    let (a, b) = (number(depth - 1), number(depth - 1));
    let two = (
        a.clone(),
        b,
        prop::sample::select(&["+", "-", "*", "/", "%"][..]),
    );
    prop_oneof![
        number_leaf(),
        two.prop_map(|(a, b, op)| format!("({a} {op} {b})")),
        a.clone().prop_map(|a| format!("(- {a})")),
        a.clone().prop_map(|a| format!("abs({a})")),
        text(depth - 1).prop_map(|a| format!("length({a})")),
        (a.clone(), number(depth - 1)).prop_map(|(a, b)| format!("coalesce({a}, {b})")),
        (a.clone(), number(depth - 1)).prop_map(|(a, b)| format!("nullif({a}, {b})")),
        (a.clone(), number(depth - 1)).prop_map(|(a, b)| format!("least({a}, {b})")),
        (a.clone(), number(depth - 1)).prop_map(|(a, b)| format!("greatest({a}, {b})")),
        (truth(depth - 1), a, number(depth - 1))
            .prop_map(|(t, a, b)| format!("(case when {t} then {a} else {b} end)")),
    ]
    .boxed()
}

/// Names of members, most of them the plain ones, and places of elements.
fn key() -> impl Strategy<Value = String> {
    const NAMES: [&str; 18] = [
        "'a'",
        "'b'",
        "'c'",
        "'l'",
        "'é'",
        "''",
        "'0'",
        "'$'",
        "'*'",
        "'a.b'",
        "'a b'",
        "'\"'",
        "'\\'",
        "''''",
        "'\n\u{1}'",
        "'\\\"'",
        "'[0]'",
        "'none'",
    ];
    prop_oneof![
        3 => prop::sample::select(&NAMES[..5]).prop_map(str::to_owned),
        1 => prop::sample::select(&NAMES[..]).prop_map(str::to_owned),
        2 => (-4..4_i32).prop_map(|place| place.to_string()),
    ]
}

/// A part of a JSON value; each step is taken where it is a step too far, too.
fn document() -> impl Strategy<Value = String> {
    prop::collection::vec(key(), 0..4).prop_map(|keys| {
        keys.iter()
            .fold(String::from("doc"), |text, key| format!("{text} -> {key}"))
    })
}

fn text(depth: u32) -> BoxedStrategy<String> {
    if depth == 0 {
        return text_leaf();
    }
    let a = text(depth - 1);
    let place = 1..4_i32;
    prop_oneof![
        text_leaf(),
        (document(), key()).prop_map(|(json, key)| format!("({json} ->> {key})")),
        document().prop_map(|json| format!("cast({json} as text)")),
        (a.clone(), text(depth - 1)).prop_map(|(a, b)| format!("({a} || {b})")),
        a.clone().prop_map(|a| format!("lower({a})")),
        a.clone().prop_map(|a| format!("upper({a})")),
        a.clone().prop_map(|a| format!("trim({a})")),
        (a.clone(), place.clone(), place).prop_map(|(a, b, c)| format!("substr({a}, {b}, {c})")),
        (a.clone(), text(depth - 1)).prop_map(|(a, b)| format!("coalesce({a}, {b})")),
        (a.clone(), text(depth - 1)).prop_map(|(a, b)| format!("nullif({a}, {b})")),
        (a.clone(), text(0), text(0)).prop_map(|(a, b, c)| format!("replace({a}, {b}, {c})")),
        (truth(depth - 1), a, text(depth - 1))
            .prop_map(|(t, a, b)| format!("(case when {t} then {a} else {b} end)")),
    ]
    .boxed()
}

fn truth(depth: u32) -> BoxedStrategy<String> {
    if depth == 0 {
        return truth_leaf();
    }
    let compare = prop::sample::select(&["=", "<>", "<", "<=", ">", ">="][..]);
    let distinct = prop::sample::select(&["is distinct from", "is not distinct from"][..]);
    let like = prop::sample::select(
        &[
            "like 'a%'",
            "ilike 'A%'",
            "like '%\\%'",
            "not like '_bc%'",
            "ilike '%ß%'",
            "like ''",
        ][..],
    );
    let test = prop::sample::select(
        &[
            "is true",
            "is not true",
            "is false",
            "is not false",
            "is null",
            "is not null",
        ][..],
    );
    let (n, t, b) = (number(depth - 1), text(depth - 1), truth(depth - 1));
    prop_oneof![
        truth_leaf(),
        (n.clone(), number(depth - 1), compare.clone())
            .prop_map(|(a, b, op)| format!("({a} {op} {b})")),
        (t.clone(), text(depth - 1), compare).prop_map(|(a, b, op)| format!("({a} {op} {b})")),
        (n.clone(), number(depth - 1), distinct.clone())
            .prop_map(|(a, b, op)| format!("({a} {op} {b})")),
        (t.clone(), text(depth - 1), distinct).prop_map(|(a, b, op)| format!("({a} {op} {b})")),
        (t.clone(), like).prop_map(|(a, op)| format!("({a} {op})")),
        (b.clone(), test).prop_map(|(a, op)| format!("({a} {op})")),
        (b.clone(), truth(depth - 1)).prop_map(|(a, b)| format!("({a} and {b})")),
        (b.clone(), truth(depth - 1)).prop_map(|(a, b)| format!("({a} or {b})")),
        b.prop_map(|a| format!("(not {a})")),
        (n.clone(), number(0), number(0)).prop_map(|(a, b, c)| format!("({a} in ({b}, {c}))")),
        (t.clone(), text(0), text(0)).prop_map(|(a, b, c)| format!("({a} not in ({b}, {c}))")),
        (n, number(0), number(0)).prop_map(|(a, b, c)| format!("({a} between {b} and {c})")),
        t.prop_map(|a| format!("({a} is null)")),
        document().prop_map(|a| format!("({a} is not null)")),
    ]
    .boxed()
}

/// A moment and an id that are the same for every engine.
struct Fixed;

impl Environment for Fixed {
    fn auth(&self, _: &AuthFunction) -> Value {
        Value::Null
    }

    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn new_id(&self, _: bool) -> uuid::Uuid {
        uuid::Uuid::nil()
    }

    fn parameter(&self, _: usize) -> Value {
        Value::Null
    }

    fn row_filter(&self, _: &Ident) -> Option<&Expr> {
        None
    }
}

/// What an engine makes of an expression, row by row.
async fn evaluate(db: &Db, expr: &Expr) -> Result<Vec<Value>, DbError> {
    let mut sql = Sql::new(db.dialect());
    let t = Ident::of("t");
    sql.push("select ");
    ExpressionWriter::new(&mut sql, &Fixed).expression(expr, Some(&t));
    sql.push(" from ")
        .ident(&t)
        .push(" order by ")
        .column(&t, &Ident::of("id"));
    let kind = expr.ty.as_ref().map_or(Kind::Text, Type::kind);
    let rows = db.rows(&Query::short(sql, vec![kind])).await?;
    Ok(rows.into_iter().flat_map(|row| row.0).collect())
}

fn checked(text: &str, catalog: &Catalog) -> Option<Expr> {
    let raw = lang::parse_expression(&Source {
        path: String::from("expression"),
        text: text.to_owned(),
    });
    let shape = catalog.table("t")?.shape();
    check_expression(&raw.ok()?, "expression", None, Some(&shape), catalog).ok()
}

async fn filled(engine: &str, catalog: &Catalog) -> Option<(Db, ThrowAwayDatabase)> {
    let database = ThrowAwayDatabase::create(engine).await?;
    let db = database.connect().await;
    let first = next(&Migrations::default(), catalog, "t").expect("a file");
    let rows = format!(
        "-- @revision 0002\n-- @parent 0001\n-- @name rows\n-- @up\n{ROWS}\n{DOCUMENTS}\n-- @down\n"
    );
    let applied = up(&db, &load(&[&first.text, &rows])).await;
    applied.unwrap_or_else(|error| panic!("{engine}: {error}"));
    Some((db, database))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_means_the_same_everywhere() {
    let catalog = Catalog::from_sources(&[source(SCHEMA)], CatalogKind::User)
        .unwrap_or_else(|errors| panic!("{}", show(&errors)));
    let mut engines = Vec::new();
    for engine in ["sqlite", "postgres", "mariadb", "mysql"] {
        engines.extend(filled(engine, &catalog).await);
    }
    let mut runner = TestRunner::deterministic();
    let strategy = expression();
    let (mut taken, mut compared, mut differing) = (0, 0, Vec::new());
    for _ in 0..2_500 {
        let text = strategy.new_tree(&mut runner).expect("a value").current();
        let Some(expr) = checked(&text, &catalog) else {
            continue;
        };
        taken += 1;
        let mut results = Vec::new();
        for (db, _) in &engines {
            results.push((db.dialect().name(), evaluate(db, &expr).await));
        }
        let Some((_, first)) = results.first() else {
            continue;
        };
        let agree = |one: &Result<Vec<Value>, DbError>| match (one, first) {
            (Ok(one), Ok(first)) => one == first,
            // Too large a number is refused, each engine in its own words.
            (Err(_), Err(_)) => true,
            _ => false,
        };
        compared += results.len() - 1;
        if !results.iter().all(|(_, result)| agree(result)) {
            let lines: Vec<String> = results
                .iter()
                .map(|(engine, result)| format!("  {engine:<9}{result:?}"))
                .collect();
            differing.push(format!("{text}\n{}", lines.join("\n")));
        }
    }
    differing.sort_by_key(String::len);
    let shown = differing.iter().take(12).cloned().collect::<Vec<_>>();
    assert!(
        differing.is_empty(),
        "{} of {taken} differ:\n{}",
        differing.len(),
        shown.join("\n")
    );
    assert!(taken > 2_000, "only {taken} expressions were taken");
    assert_eq!(compared, taken * (engines.len() - 1));
}

/// The rows alone must not be what differs.
#[tokio::test(flavor = "multi_thread")]
async fn an_update_by_an_expression_changes_the_same_rows() {
    let catalog = Catalog::from_sources(&[source(SCHEMA)], CatalogKind::User)
        .unwrap_or_else(|errors| panic!("{}", show(&errors)));
    for engine in ["sqlite", "postgres", "mariadb", "mysql"] {
        let Some((db, _database)) = filled(engine, &catalog).await else {
            continue;
        };
        let expr = checked("lower(u) = 'abc' and i / 2 <> 0", &catalog).expect("it is taken");
        let mut sql = Sql::new(db.dialect());
        let t = Ident::of("t");
        sql.push("update ")
            .ident(&t)
            .push(" set ")
            .ident(&Ident::of("j"));
        sql.push(" = 0 where ");
        ExpressionWriter::new(&mut sql, &Fixed).expression(&expr, Some(&t));
        let done = db.write(vec![Step::new(sql)]).await.expect("it runs");
        assert_eq!(done[0].affected, 2, "{engine}");
    }
}
