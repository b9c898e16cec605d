//! Every kind of value survives the journey to the engine and back.

use jiff::Timestamp;
use jiff::civil::{date, time};
use uuid::Uuid;

use super::suite::on_every_engine;
use crate::{Db, Dialect, Kind, Query, Sql, Step, Value};

on_every_engine!(values_round_trip, text_is_never_sql);

fn columns(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => {
            "create table kinds (a integer, b integer, c real, d text, e text, f blob, g text,
             h text, i text, j text, k text) strict"
        }
        Dialect::Postgres => {
            "create table kinds (a boolean, b bigint, c double precision, d numeric(38,10), e text,
             f bytea, g uuid, h date, i time, j timestamptz, k jsonb)"
        }
        Dialect::MariaDb => {
            "create table kinds (a boolean, b bigint, c double, d decimal(38,10), e longtext,
             f longblob, g uuid, h date, i time(6), j datetime(6), k json) character set utf8mb4"
        }
        Dialect::MySql => {
            "create table kinds (a boolean, b bigint, c double, d decimal(38,10), e longtext,
             f longblob, g binary(16), h date, i time(6), j datetime(6), k json) character set utf8mb4"
        }
    }
}

const KINDS: [Kind; 11] = [
    Kind::Boolean,
    Kind::BigInt,
    Kind::Double,
    Kind::Numeric,
    Kind::Text,
    Kind::Bytes,
    Kind::Uuid,
    Kind::Date,
    Kind::Time,
    Kind::Timestamp,
    Kind::Json,
];

fn moment(text: &str) -> Value {
    Value::Timestamp(text.parse::<Timestamp>().expect("a moment"))
}

fn samples() -> Vec<Vec<Value>> {
    let decimal = |text: &str| Value::Decimal(text.to_owned());
    vec![
        vec![Value::Null; KINDS.len()],
        vec![
            Value::Bool(true),
            Value::Int(i64::MAX),
            Value::Float(0.1),
            decimal("1234567890123456789012345678.0123456789"),
            Value::from("quotes ' \" ` and \\ back \u{1F600} Ünï"),
            Value::Bytes(vec![0, 1, 255, 39]),
            Value::Uuid(Uuid::from_u128(0x0193_a000_0000_7000_8000_0000_0000_00ff)),
            Value::Date(date(2026, 11, 21)),
            Value::Time(time(23, 59, 59, 999_999_000)),
            moment("2026-11-21T04:00:00.123456Z"),
            Value::Json(String::from("{\"a\": [1, null, \"x\"]}")),
        ],
        vec![
            Value::Bool(false),
            Value::Int(i64::MIN),
            Value::Float(-1.5e300),
            decimal("-0.0000000001"),
            Value::from(""),
            Value::Bytes(Vec::new()),
            Value::Uuid(Uuid::nil()),
            Value::Date(date(1000, 1, 1)),
            Value::Time(time(0, 0, 0, 0)),
            moment("1000-01-01T00:00:00.000001Z"),
            Value::Json(String::from("[]")),
        ],
    ]
}

async fn values_round_trip(db: Db) {
    let mut create = Sql::new(db.dialect());
    create.push(columns(db.dialect()));
    db.write(vec![Step::new(create)])
        .await
        .expect("the table can be made");
    for sample in samples() {
        let mut insert = Sql::new(db.dialect());
        insert.push("insert into kinds (a, b, c, d, e, f, g, h, i, j, k) values (");
        for (place, value) in sample.iter().enumerate() {
            insert
                .push(if place == 0 { "" } else { ", " })
                .arg(value.clone());
        }
        insert.push(")");
        let mut clear = Sql::new(db.dialect());
        clear.push("delete from kinds");
        db.write(vec![Step::new(clear), Step::new(insert)])
            .await
            .expect("the row goes in");
        let mut select = Sql::new(db.dialect());
        select.push("select a, b, c, d, e, f, g, h, i, j, k from kinds");
        let rows = db
            .rows(&Query::short(select, KINDS.to_vec()))
            .await
            .expect("the row comes out");
        let found: Vec<Value> = rows[0].0.iter().map(compact).collect();
        let expected: Vec<Value> = sample.iter().map(compact).collect();
        assert_eq!(found, expected);
    }
}

/// Engines keep white space of JSON or not.
fn compact(value: &Value) -> Value {
    match value {
        Value::Json(text) => Value::Json(text.replace(' ', "")),
        other => other.clone(),
    }
}

async fn text_is_never_sql(db: Db) {
    for hostile in [
        "'; drop table things;--",
        "\\'; drop table things;#",
        "x' or '1'='1",
        "$1",
        "?",
    ] {
        let mut insert = Sql::new(db.dialect());
        insert.push("insert into things (id, name, amount, note) values (1, 'a', 1, ");
        insert.arg(hostile).push(")");
        let mut clear = Sql::new(db.dialect());
        clear.push("delete from things");
        db.write(vec![Step::new(clear), Step::new(insert)])
            .await
            .expect("it is only text");
        let mut select = Sql::new(db.dialect());
        select
            .push("select note from things where note = ")
            .arg(hostile);
        let rows = db
            .rows(&Query::short(select, vec![Kind::Text]))
            .await
            .expect("still there");
        assert_eq!(rows[0].0[0], Value::from(hostile));
    }
}
