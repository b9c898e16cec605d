//! Pages that begin behind a row (keyset pagination): as fast at the end of a table as at its
//! beginning, and none overlap when rows come and go.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value as Json;
use sql::{Sql, Value};

use super::order::Key;
use super::select::Level;
use crate::value::from_json;
use crate::{ErrorKind, RestError};

/// A row's place in an order: the value of each key, as base64url of their JSON.
pub(crate) fn write_cursor(values: &[u8]) -> String {
    let mut list = Vec::with_capacity(values.len() + 2);
    list.push(b'[');
    list.extend_from_slice(values);
    list.push(b']');
    URL_SAFE_NO_PAD.encode(list)
}

/// The values of a cursor for these keys.
pub(super) fn read_cursor(text: &str, keys: &[Key<'_, '_>]) -> Result<Vec<Value>, RestError> {
    let wrong = || {
        RestError::new(
            ErrorKind::BadRequest,
            "PGRST100",
            "the cursor is not of this order",
        )
        .hint("follow the link of the last page, or begin with an empty cursor")
    };
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| wrong())?;
    let list: Vec<Json> = serde_json::from_slice(&bytes).map_err(|_| wrong())?;
    if list.len() != keys.len() {
        return Err(wrong());
    }
    let values = list.iter().zip(keys).map(|(json, key)| match json {
        Json::Null => Ok(Value::Null),
        json => from_json(json, key.operand.ty()).map_err(|_| wrong()),
    });
    values.collect()
}

/// A cursor names a row only where the order tells rows apart.
pub(super) fn require_order(keys: &[Key<'_, '_>]) -> Result<(), RestError> {
    match keys.is_empty() {
        true => Err(
            RestError::query("a cursor needs an order that tells rows apart")
                .hint("order by columns, or read a table with a primary key"),
        ),
        false => Ok(()),
    }
}

/// ` and (…)`: the rows behind the one whose keys have these values.
pub(super) fn write_behind(
    sql: &mut Sql,
    level: &Level<'_>,
    keys: &[Key<'_, '_>],
    values: &[Value],
) {
    sql.push(" and (");
    for place in 0..keys.len() {
        sql.push(if place == 0 { "(" } else { " or (" });
        for (key, value) in keys.iter().zip(values).take(place) {
            equal(sql, key, value);
            sql.push(" and ");
        }
        behind(sql, level, &keys[place], &values[place]);
        sql.push(")");
    }
    sql.push(")");
}

fn equal(sql: &mut Sql, key: &Key<'_, '_>, value: &Value) {
    key.write(sql);
    match value {
        Value::Null => sql.push(" is null"),
        value => sql.push(" = ").typed_arg(value.clone(), key.operand.kind()),
    };
}

fn behind(sql: &mut Sql, level: &Level<'_>, key: &Key<'_, '_>, value: &Value) {
    match (value, key.nulls_first) {
        (Value::Null, true) => {
            key.write(sql);
            sql.push(" is not null");
        }
        // Nulls come last, and are all alike.
        (Value::Null, false) => {
            sql.push("1 = 0");
        }
        (value, nulls_first) => {
            let nulls_follow = key.may_be_null(level) && !nulls_first;
            sql.push(if nulls_follow { "(" } else { "" });
            key.write(sql);
            sql.push(if key.descending { " < " } else { " > " });
            sql.typed_arg(value.clone(), key.operand.kind());
            if nulls_follow {
                sql.push(" or ");
                key.write(sql);
                sql.push(" is null)");
            }
        }
    }
}
