//! Inserts of rows within rows, in one transaction: what a row points to before it, what points to
//! it behind it. Each is an ordinary insert, under the rules of its own table.

use std::borrow::Cow;

use axum::http::StatusCode;
use rest::{Method, NestedRows, Request, Success, SuccessKind};
use serde_json::{Map, Value};
use sql::Tx;

use super::perform::{Asked, Failed, read_within};
use crate::error::Refusal;

type Object = Map<String, Value>;

/// The objects of the body, where one of them holds rows of other tables.
pub(super) fn objects(asked: Asked<'_>) -> Result<Option<Vec<Object>>, Refusal> {
    let request = asked.request;
    let ([table], Method::Post) = (request.path, request.method) else {
        return Ok(None);
    };
    let objects: Vec<Object> = match serde_json::from_slice(request.body) {
        Ok(Value::Object(object)) => vec![object],
        Ok(Value::Array(list)) => match list.into_iter().map(object_of).collect() {
            Some(objects) => objects,
            None => return Ok(None),
        },
        _ => return Ok(None),
    };
    for object in &objects {
        let api = &asked.compiled.api;
        match api.split(table, object, asked.caller, asked.moment()) {
            Ok(Some(_)) => return Ok(Some(objects)),
            // A member that is neither column nor relation is a wrong field like others.
            Ok(None) => {}
            Err(error) if error.code == "PGRST200" => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(None)
}

fn object_of(value: Value) -> Option<Object> {
    match value {
        Value::Object(object) => Some(object),
        _ => None,
    }
}

/// Inserts the objects and all that they hold.
pub(super) async fn insert(
    asked: Asked<'_>,
    tx: &mut Tx,
    objects: Vec<Object>,
) -> Result<(Success, bool), Failed> {
    let api = &asked.compiled.api;
    let table = asked.request.path.first().map_or("", AsRef::as_ref);
    let primary = api.key_columns(table);
    let mut keys = Vec::with_capacity(objects.len());
    for object in objects {
        keys.push(tree(asked, tx, table, object, &primary).await?);
    }
    let prefers = |word: &str| {
        asked
            .request
            .prefer
            .iter()
            .any(|prefer| prefer.contains(word))
    };
    let mut success = match prefers("return=representation") {
        true => shown(asked, tx, table, &primary, &keys).await?,
        false => Success::empty(SuccessKind::NoContent),
    };
    success.kind = SuccessKind::Created;
    if let [key] = keys.as_slice() {
        let parts = primary.iter().map(|column| match key.get(column) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        });
        success.location = Some(format!("/{table}/{}", parts.collect::<Vec<_>>().join(",")));
    }
    Ok((success, !prefers("tx=rollback")))
}

/// The new rows as the request wants to see them.
async fn shown(
    asked: Asked<'_>,
    tx: &mut Tx,
    table: &str,
    primary: &[String],
    keys: &[Object],
) -> Result<Success, Failed> {
    let api = &asked.compiled.api;
    let (mut columns, mut values) = (Vec::new(), Vec::new());
    for key in keys {
        if let Some((names, row)) = api.typed_values(table, primary, key) {
            columns = names;
            values.push(row);
        }
    }
    let (caller, moment) = (asked.caller, asked.moment());
    let read = api.plan_written(asked.request, caller, moment, &columns, &values);
    asked.enter(tx, false).await?;
    read_within(tx, read.map_err(Failed::of_plan)?).await
}

/// Inserts an object and all that it holds; gives the values of the columns that are needed of it.
async fn tree(
    asked: Asked<'_>,
    tx: &mut Tx,
    table: &str,
    object: Object,
    needs: &[String],
) -> Result<Object, Failed> {
    let api = &asked.compiled.api;
    let split = api.split(table, &object, asked.caller, asked.moment());
    let split = split.map_err(Failed::of_plan)?;
    let Some(mut nested) = split else {
        return one(asked, tx, table, object, needs).await;
    };
    for NestedRows {
        table,
        pairs,
        rows,
        member,
    } in nested.before
    {
        let others: Vec<String> = pairs.iter().map(|(_, other)| other.clone()).collect();
        for row in rows {
            let made = Box::pin(tree(asked, tx, &table, row, &others)).await;
            let made = made.map_err(|failed| failed.within(&member))?;
            for (own, other) in &pairs {
                nested
                    .own
                    .insert(own.clone(), made.get(other).cloned().unwrap_or_default());
            }
        }
    }
    let mut all = needs.to_vec();
    for (own, _) in nested.after.iter().flat_map(|part| &part.pairs) {
        if !all.contains(own) {
            all.push(own.clone());
        }
    }
    let made = one(asked, tx, table, nested.own, &all).await?;
    for part in nested.after {
        for (place, mut row) in part.rows.into_iter().enumerate() {
            for (own, other) in &part.pairs {
                row.insert(other.clone(), made.get(own).cloned().unwrap_or_default());
            }
            let inner = Box::pin(tree(asked, tx, &part.table, row, &[])).await;
            inner.map_err(|failed| failed.within(&format!("{}/{place}", part.member)))?;
        }
    }
    Ok(made)
}

/// Inserts one row, as a request of its own.
async fn one(
    asked: Asked<'_>,
    tx: &mut Tx,
    table: &str,
    object: Object,
    needs: &[String],
) -> Result<Object, Failed> {
    let path = [Cow::Borrowed(table)];
    let query = match needs.is_empty() {
        true => String::new(),
        false => format!("select={}", needs.join(",")),
    };
    let body = Value::Object(object).to_string();
    let request = Request {
        method: Method::Post,
        path: &path,
        query: &query,
        prefer: match needs.is_empty() {
            true => &[],
            false => &["return=representation"],
        },
        accept: None,
        range: None,
        profile: None,
        content_type: Some("application/json"),
        body: body.as_bytes(),
    };
    let row = Asked {
        request: &request,
        ..asked
    };
    let (success, _) = Box::pin(row.within(tx)).await?;
    if needs.is_empty() {
        return Ok(Object::new());
    }
    let rows: Vec<Object> = serde_json::from_slice(&success.body).unwrap_or_default();
    rows.into_iter().next().ok_or_else(|| {
        let message = "a new row cannot be read back";
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Failed::Refused(Refusal::new(status, "XX000", message))
    })
}
