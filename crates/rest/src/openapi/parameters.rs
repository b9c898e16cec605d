//! What requests to tables may carry in their query string and their headers.

use lang::Type;
use schema::{Column, Table};
use serde_json::{Value, json};

use super::{Object, refer};
use crate::Limits;
use crate::access::TableAccess;

/// Words of the query string that are no filters, so that a column of the name has none.
const WORDS: [&str; 8] = [
    "select",
    "order",
    "limit",
    "offset",
    "and",
    "or",
    "columns",
    "on_conflict",
];

/// Every operator, with what may stand around it; what follows depends on the column's type.
pub(super) const FILTER: &str = "^(not\\.)?(eq|neq|gt|gte|lt|lte|like|ilike|match|imatch|in|is|isdistinct|cs|cd|ov|sl|sr|nxl|nxr|adj|fts|plfts|phfts|wfts)(\\([^).,]*\\))?\\.";

/// Those that several operations share, under the keys by which [`of_read`] and its like refer to
/// them.
pub(super) fn shared(limits: &Limits) -> Value {
    let logic = |name: &str| {
        json!({"name": name, "in": "query", "schema": {"type": "string", "pattern": "^\\("},
               "description": "Conditions with and, or and not among them: `(a.gte.1,or(b.eq.2,c.is.null))`"})
    };
    json!({
        "select": {"name": "select", "in": "query", "schema": {"type": "string"},
            "description": "What each row shows: columns, `alias:column`, `column::text`, parts of \
                JSON as `column->key`, related rows as `related(a,b)`, `related!inner(a)`, `...related(a)`"},
        "order": {"name": "order", "in": "query", "schema": {"type": "string"},
            "description": "`column.desc.nullslast,other.asc`, `related(column).desc`"},
        "limit": {"name": "limit", "in": "query",
            "schema": {"type": "integer", "minimum": 0, "maximum": limits.max_rows,
                       "default": limits.default_rows},
            "description": "Rows at most"},
        "offset": {"name": "offset", "in": "query",
            "schema": {"type": "integer", "minimum": 0, "maximum": i64::MAX, "default": 0},
            "description": "Rows to leave out first"},
        "and": logic("and"),
        "or": logic("or"),
        "not.and": logic("not.and"),
        "not.or": logic("not.or"),
        "columns": {"name": "columns", "in": "query", "schema": {"type": "string"},
            "description": "The columns that are taken from the body, where its objects differ"},
        "on_conflict": {"name": "on_conflict", "in": "query", "schema": {"type": "string"},
            "description": "With `Prefer: resolution=…`: the columns of the key that says whether a \
                row is there already; the primary key by default"},
        "range": {"name": "Range", "in": "header", "schema": {"type": "string"},
            "description": "A page, where the query names none: first and last row, from 0 on: `0-19`"},
        "prefer.read": prefer("`count=exact`, `planned` or `estimated`: a total in Content-Range"),
        "prefer.insert": shown(prefer(
            "`return=minimal`, `headers-only` or `representation`: what is answered. \
             `resolution=merge-duplicates` or `ignore-duplicates`: what becomes of rows that are there. \
             `missing=default`: what an object lacks has its default. `tx=rollback`: only tried")),
        "prefer.change": shown(prefer(
            "`return=minimal`, `headers-only` or `representation`: what is answered. \
             `handling=strict, max-affected=10`: refused where more rows would change. \
             `tx=rollback`: only tried")),
    })
}

fn prefer(what: &str) -> Value {
    let description = format!(
        "{what}. `timezone=Europe/Berlin`: the zone of moments. `handling=strict`: what is not \
         understood is refused (RFC 7240)"
    );
    json!({"name": "Prefer", "in": "header", "schema": {"type": "string"},
           "description": description})
}

/// The same, with the rows as an example of what is answered.
fn shown(mut prefer: Value) -> Value {
    prefer["example"] = json!("return=representation");
    prefer
}

fn references(names: &[&str]) -> Vec<Value> {
    names.iter().map(|name| refer("parameters", name)).collect()
}

const LOGIC: [&str; 4] = ["and", "or", "not.and", "not.or"];

/// Of a read of many rows.
pub(super) fn of_read(table: &Table, access: &TableAccess) -> Vec<Value> {
    let mut parameters = references(&["select", "order", "limit", "offset"]);
    parameters.extend(filters(table, access));
    parameters.extend(references(&["range", "prefer.read"]));
    parameters
}

/// Of a change or deletion of many rows.
pub(super) fn of_change(table: &Table, access: &TableAccess) -> Vec<Value> {
    let mut parameters = filters(table, access);
    parameters.extend(references(&["select", "order", "prefer.change"]));
    parameters
}

/// Of an insert.
pub(super) fn of_insert() -> Vec<Value> {
    references(&["columns", "on_conflict", "select", "order", "prefer.insert"])
}

/// Of what is done with one row.
pub(super) fn of_row(prefer: &str) -> Vec<Value> {
    references(&["select", prefer])
}

/// Of the replacement of the row that the filters name: the columns of its key.
pub(super) fn of_replacement(table: &Table) -> Vec<Value> {
    let key = table.primary_key.iter().flat_map(|key| &key.columns);
    let columns = key.filter_map(|name| table.column(name.as_str()));
    let filter = |column: &Column| {
        json!({"name": quoted(column.name.as_str()), "in": "query", "required": true,
               "schema": {"type": "string", "pattern": "^eq\\."},
               "description": "The row, by its key", "example": example(&column.ty)})
    };
    let mut parameters: Vec<Value> = columns.map(filter).collect();
    parameters.extend(references(&["select", "prefer.change"]));
    parameters
}

/// A condition for each readable column, and for several together. None has an example: /docs would
/// put all of them into one request, which finds nothing.
fn filters(table: &Table, access: &TableAccess) -> Vec<Value> {
    let readable = access.readable();
    let columns = table
        .columns
        .iter()
        .filter(|column| readable.contains(&column.name) && !WORDS.contains(&column.name.as_str()));
    let condition = |column: &Column| {
        json!({"name": quoted(column.name.as_str()), "in": "query",
               "schema": refer("schemas", "Filter"),
               "description": format!("A condition of {}: {}", column.ty, operators(&column.ty)),
        })
    };
    let mut parameters: Vec<Value> = columns.map(condition).collect();
    parameters.extend(references(&LOGIC));
    parameters
}

/// A column's name as a parameter's: in quotes where it holds what has a meaning there.
fn quoted(name: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
    match name.chars().all(is_plain) {
        true => name.to_owned(),
        false => format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}

fn operators(ty: &Type) -> &'static str {
    match ty {
        Type::Text | Type::Varchar(_) => {
            "`eq.a`, `neq.a`, `in.(a,\"b,c\")`, `like.a*`, `ilike.*a*`, `match.^a`, `wfts.words`, \
             `is.null`, `not.` before any"
        }
        Type::Boolean => "`is.true`, `is.false`, `is.null`, `eq.true`, `not.` before any",
        Type::Json => "`cs.{\"key\":1}`, `cd.[1,2]`, `is.null`, `not.` before any",
        Type::Array(_) => {
            "`cs.{a}`, `cd.{a,b}`, `ov.{a,b}`, `eq.{a}`, `is.null`, `not.` before any"
        }
        Type::Range(_) => {
            "`cs.1`, `ov.[1,5)`, `sl.[1,5)`, `sr.[1,5)`, `nxl.[1,5)`, `nxr.[1,5)`, `adj.[1,5)`, \
             `is.null`, `not.` before any"
        }
        Type::Bytes => "`eq.AAEC`, `neq.AAEC`, `is.null`, `not.` before any",
        Type::SmallInt
        | Type::Integer
        | Type::BigInt
        | Type::Real
        | Type::Double
        | Type::Numeric { .. }
        | Type::Uuid
        | Type::Date
        | Type::Time
        | Type::Timestamp
        | Type::Interval => {
            "`eq.v`, `neq.v`, `gt.v`, `gte.v`, `lt.v`, `lte.v`, `in.(v,w)`, `is.null`, `not.` before any"
        }
    }
}

fn example(ty: &Type) -> String {
    let value = super::column::example(ty, &super::bounds::Bounds::default());
    match value {
        Value::String(text) => format!("eq.{text}"),
        Value::Array(_) | Value::Object(_) => String::from("not.is.null"),
        other => format!("eq.{other}"),
    }
}

/// Those of a list of names, for the other files of this room.
pub(super) fn put(operation: &mut Value, parameters: Vec<Value>) {
    if !parameters.is_empty() {
        operation["parameters"] = Value::Array(parameters);
    }
}

/// The members of an object, sorted into the operation that is made of them.
pub(super) fn operation(id: &str, tag: &str, summary: &str) -> Object {
    let mut operation = Object::new();
    operation.insert(String::from("operationId"), json!(id));
    operation.insert(String::from("tags"), json!([tag]));
    operation.insert(String::from("summary"), json!(summary));
    operation
}
