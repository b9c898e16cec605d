//! Bodies of writes: JSON to typed rows, every fault named at once.

use lang::{Expr, ExprKind, Type};
use schema::{Column, ColumnDefault, Table};
use serde_json::{Map, Value as Json};
use sql::{Ident, Value};

use super::{Context, Target};
use crate::access::new_id;
use crate::error::Fault;
use crate::value::from_json;
use crate::{ErrorKind, RestError};

/// Rows to write: the same columns in each.
pub(super) struct Rows {
    pub(super) columns: Vec<Ident>,
    pub(super) rows: Vec<Vec<Value>>,
}

/// Parses a body of one object or an array of them.
pub(super) fn objects(
    context: Context<'_>,
    content_type: Option<&str>,
    body: &[u8],
) -> Result<(Vec<Map<String, Json>>, bool), RestError> {
    let kind = content_type
        .and_then(|text| text.split(';').next())
        .map(str::trim);
    if !matches!(kind, None | Some("application/json" | "")) {
        let message = format!(
            "a body of type {} is not understood",
            kind.unwrap_or_default()
        );
        return Err(
            RestError::new(ErrorKind::UnsupportedMediaType, "PGRST107", message)
                .hint("send application/json"),
        );
    }
    let parsed: Json = serde_json::from_slice(body).map_err(|error| {
        let message = format!(
            "the body is not JSON: line {}, column {}",
            error.line(),
            error.column()
        );
        RestError::new(ErrorKind::BadRequest, "PGRST102", message)
    })?;
    let (list, is_array) = match parsed {
        Json::Array(list) => (list, true),
        other => (vec![other], false),
    };
    if list.len() > context.limits.max_insert_rows {
        let most = context.limits.max_insert_rows;
        let message = format!("the body has more than {most} rows");
        return Err(
            RestError::new(ErrorKind::PayloadTooLarge, "PGRST102", message)
                .hint("send them in parts; the limit is max_insert_rows"),
        );
    }
    let objects = list.into_iter().map(|item| match item {
        Json::Object(object) => Ok(object),
        _ => Err(
            RestError::new(ErrorKind::BadRequest, "PGRST102", "the body is no object")
                .hint("send {\"column\": value} or an array of such objects"),
        ),
    });
    Ok((objects.collect::<Result<_, _>>()?, is_array))
}

/// Rows of an insert, defaults filled in.
pub(super) fn insert_rows(
    context: Context<'_>,
    target: Target<'_>,
    objects: &[Map<String, Json>],
    is_array: bool,
) -> Result<Rows, RestError> {
    let mut faults = Vec::new();
    let first = objects.first();
    for object in objects.iter().skip(1) {
        let same = first.is_some_and(|first| {
            first.len() == object.len() && object.keys().all(|key| first.contains_key(key))
        });
        if !same {
            return Err(RestError::new(
                ErrorKind::BadRequest,
                "PGRST102",
                "all objects of a body have the same keys",
            ));
        }
    }
    let named =
        |column: &Column| first.is_some_and(|first| first.contains_key(column.name.as_str()));
    let columns: Vec<&Column> = target
        .table
        .columns
        .iter()
        .filter(|column| named(column) || is_filled(column))
        .collect();
    let mut rows = Vec::with_capacity(objects.len());
    for (place, object) in objects.iter().enumerate() {
        let prefix = if is_array {
            format!("/{place}")
        } else {
            String::new()
        };
        let before = faults.len();
        check_keys(
            target,
            target.access.insertable(),
            object,
            &prefix,
            &mut faults,
        );
        require(target.table, object, &prefix, &mut faults);
        let mut row = Vec::with_capacity(columns.len());
        for column in &columns {
            let value = match object.get(column.name.as_str()) {
                Some(json) => typed(column, json, &prefix, &mut faults),
                None => filled(context, column),
            };
            row.push(value);
        }
        if faults.len() == before {
            let known = |name: &Ident| {
                let place = columns.iter().position(|column| column.name == *name);
                place.map(|place| row[place].clone())
            };
            check_row(target.table, &known, &prefix, &mut faults);
        }
        rows.push(row);
        if faults.len() > 100 {
            break;
        }
    }
    if faults.is_empty() {
        let columns = columns.iter().map(|column| column.name.clone()).collect();
        return Ok(Rows { columns, rows });
    }
    Err(RestError::faults("the body", &faults))
}

/// Columns and values of an update.
pub(super) fn assignments(
    target: Target<'_>,
    object: &Map<String, Json>,
) -> Result<Vec<(Ident, Value)>, RestError> {
    let mut faults = Vec::new();
    check_keys(target, target.access.updatable(), object, "", &mut faults);
    let mut values = Vec::new();
    for column in &target.table.columns {
        if let Some(json) = object.get(column.name.as_str()) {
            values.push((column.name.clone(), typed(column, json, "", &mut faults)));
        }
    }
    if faults.is_empty() {
        let known = |name: &Ident| {
            values
                .iter()
                .find(|(column, _)| column == name)
                .map(|(_, value)| value.clone())
        };
        check_row(target.table, &known, "", &mut faults);
    }
    if faults.is_empty() {
        Ok(values)
    } else {
        Err(RestError::faults("the body", &faults))
    }
}

/// Whether we make the value when the body does not name it.
pub(crate) fn is_filled(column: &Column) -> bool {
    match &column.default {
        Some(ColumnDefault::Caller(_)) => true,
        Some(ColumnDefault::Engine(expr)) => {
            matches!(
                expr.kind,
                lang::ExprKind::Now | lang::ExprKind::NewId { .. }
            )
        }
        None => false,
    }
}

fn filled(context: Context<'_>, column: &Column) -> Value {
    let expr: &Expr = match &column.default {
        Some(ColumnDefault::Caller(expr) | ColumnDefault::Engine(expr)) => expr,
        None => return Value::Null,
    };
    match &expr.kind {
        lang::ExprKind::Now => context.moment.now.into(),
        lang::ExprKind::NewId { ordered } => new_id(&context.moment, *ordered).into(),
        lang::ExprKind::Auth(function) => {
            let environment = crate::access::RequestEnvironment::new(
                Some(context.caller),
                context.moment,
                None,
                &[],
            );
            lang::Environment::auth(&environment, function)
        }
        _ => Value::Null,
    }
}

fn check_keys(
    target: Target<'_>,
    writable: &[Ident],
    object: &Map<String, Json>,
    prefix: &str,
    faults: &mut Vec<Fault>,
) {
    for key in object
        .keys()
        .filter(|key| !writable.iter().any(|column| *column == *key.as_str()))
    {
        let readable = target.access.readable();
        let is_known = readable.iter().any(|column| *column == *key.as_str());
        let (code, message) = if is_known {
            (
                "not_writable",
                format!("{key} is set by the server or by others"),
            )
        } else {
            let near = stdx::nearest(key, writable.iter().map(Ident::as_str));
            let advice = near
                .map(|near| format!("; did you mean {near}?"))
                .unwrap_or_default();
            (
                "unknown",
                format!("{} has no field {key}{advice}", target.table.name),
            )
        };
        faults.push(Fault {
            pointer: pointer(prefix, key),
            code,
            message,
        });
    }
}

fn require(table: &Table, object: &Map<String, Json>, prefix: &str, faults: &mut Vec<Fault>) {
    for column in &table.columns {
        let optional = column.nullable || column.default.is_some() || column.identity;
        if !optional && !object.contains_key(column.name.as_str()) {
            let message = format!("{} is required", column.name);
            faults.push(Fault {
                pointer: pointer(prefix, column.name.as_str()),
                code: "required",
                message,
            });
        }
    }
}

fn typed(column: &Column, json: &Json, prefix: &str, faults: &mut Vec<Fault>) -> Value {
    let mut fault = |code, message: String| {
        let message = format!("{} {message}", column.name);
        faults.push(Fault {
            pointer: pointer(prefix, column.name.as_str()),
            code,
            message,
        });
        Value::Null
    };
    if json.is_null() {
        // JSON's null is a value of a JSON column only where SQL's cannot be.
        return match (column.nullable, &column.ty) {
            (true, _) => Value::Null,
            (false, Type::Json) => Value::Json(String::from("null")),
            (false, _) => fault("required", String::from("cannot be null")),
        };
    }
    match from_json(json, &column.ty) {
        Ok(value) => value,
        Err((code, message)) => fault(code, message),
    }
}

/// The table's checks, as far as they can be decided here.
fn check_row(
    table: &Table,
    known: &dyn Fn(&Ident) -> Option<Value>,
    prefix: &str,
    faults: &mut Vec<Fault>,
) {
    let known = |leaf: &ExprKind| match leaf {
        ExprKind::Column { column, .. } => known(column),
        _ => None,
    };
    for check in &table.checks {
        if check.expr.evaluate(&known) == Some(Value::Bool(false)) {
            let at = check.column.as_ref().map_or("", |column| column.as_str());
            let condition = check.expr.to_string().replace('"', "");
            let condition = without_brackets(&condition);
            let message = format!("must satisfy {condition}");
            let pointer = if at.is_empty() {
                prefix.to_owned()
            } else {
                pointer(prefix, at)
            };
            faults.push(Fault {
                pointer,
                code: "check",
                message,
            });
        }
    }
}

/// A condition without the brackets around the whole of it.
fn without_brackets(condition: &str) -> &str {
    let Some(inner) = condition
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'))
    else {
        return condition;
    };
    let mut depth = 0_i32;
    for character in inner.chars() {
        depth += match character {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        if depth < 0 {
            // The first bracket ends before the last one begins.
            return condition;
        }
    }
    inner
}

/// RFC 6901: `~` and `/` are escaped.
fn pointer(prefix: &str, key: &str) -> String {
    format!("{prefix}/{}", key.replace('~', "~0").replace('/', "~1"))
}
