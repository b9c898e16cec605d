//! A body as it came: JSON, CSV or a form.

use lang::Type;
use schema::Column;
use serde_json::{Map, Value as Json};
use sql::Value;

use super::super::Context;
use super::pointer;
use crate::error::Fault;
use crate::request::pairs;
use crate::value::{Misfit, from_json, from_text};
use crate::{ErrorKind, RestError};

/// What a body says, names and values as they came.
pub(in super::super) struct Body {
    pub(in super::super) objects: Vec<Map<String, Json>>,
    /// Whether there may be several: an array, or lines.
    pub(in super::super) is_array: bool,
    /// Whether every value is a text, to be read as in a URL.
    is_text: bool,
}

/// Parses a body: one object or an array of them, lines of CSV behind one of names, or a form.
pub(in super::super) fn parse(
    context: Context<'_>,
    content_type: Option<&str>,
    body: &[u8],
) -> Result<Body, RestError> {
    let kind = content_type
        .and_then(|text| text.split(';').next())
        .map(str::trim);
    let parsed = match kind {
        None | Some("application/json" | "application/vnd.pgrst.object+json" | "") => json(body),
        Some("text/csv") => lines(body),
        Some("application/x-www-form-urlencoded") => form(body),
        Some(other) => {
            let message = format!("a body of type {other} is not understood");
            let kind = ErrorKind::UnsupportedMediaType;
            return Err(RestError::new(kind, "PGRST107", message)
                .hint("send application/json, text/csv or application/x-www-form-urlencoded"));
        }
    }?;
    if parsed.objects.len() > context.limits.max_insert_rows {
        let most = context.limits.max_insert_rows;
        let message = format!("the body has more than {most} rows");
        return Err(
            RestError::new(ErrorKind::PayloadTooLarge, "PGRST102", message)
                .hint("send them in parts; the limit is max_insert_rows"),
        );
    }
    Ok(parsed)
}

fn malformed(message: impl Into<String>) -> RestError {
    RestError::new(ErrorKind::BadRequest, "PGRST102", message)
}

fn json(body: &[u8]) -> Result<Body, RestError> {
    let parsed: Json = serde_json::from_slice(body).map_err(|error| {
        malformed(format!(
            "the body is not JSON: line {}, column {}",
            error.line(),
            error.column()
        ))
    })?;
    let (list, is_array) = match parsed {
        Json::Array(list) => (list, true),
        other => (vec![other], false),
    };
    let objects = list.into_iter().map(|item| match item {
        Json::Object(object) => Ok(object),
        _ => Err(malformed("the body is no object")
            .hint("send {\"column\": value} or an array of such objects")),
    });
    Ok(Body {
        objects: objects.collect::<Result<_, _>>()?,
        is_array,
        is_text: false,
    })
}

/// RFC 4180. `NULL` is null, as PostgREST has it.
fn lines(body: &[u8]) -> Result<Body, RestError> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::Headers)
        .from_reader(body);
    let wrong = |error: csv::Error| malformed(format!("the body is not CSV: {error}"));
    let names = reader.headers().map_err(wrong)?.clone();
    let mut objects = Vec::new();
    for line in reader.records() {
        let line = line.map_err(wrong)?;
        let cell = |text: &str| match text {
            "NULL" => Json::Null,
            text => Json::String(text.to_owned()),
        };
        let cells = names.iter().zip(&line);
        objects.push(
            cells
                .map(|(name, text)| (name.to_owned(), cell(text)))
                .collect(),
        );
    }
    Ok(Body {
        objects,
        is_array: true,
        is_text: true,
    })
}

fn form(body: &[u8]) -> Result<Body, RestError> {
    let text = std::str::from_utf8(body).map_err(|_| malformed("the form is not UTF-8"))?;
    let pairs = pairs(text)?.into_iter();
    Ok(Body {
        objects: vec![
            pairs
                .map(|(name, text)| (name, Json::String(text)))
                .collect(),
        ],
        is_array: false,
        is_text: true,
    })
}

impl Body {
    /// The only object of a body that is one.
    pub(in super::super) fn single(&self, what: &str) -> Result<&Map<String, Json>, RestError> {
        match self.objects.as_slice() {
            [object] if !self.is_array => Ok(object),
            _ => Err(malformed(format!("{what} is one object"))),
        }
    }

    /// The same kind of body with this object alone.
    pub(in super::super) fn of_one(&self, object: Map<String, Json>) -> Self {
        Self {
            objects: vec![object],
            is_array: false,
            is_text: self.is_text,
        }
    }

    /// The names that its first object has.
    pub(in super::super) fn keys(&self) -> Vec<String> {
        let first = self.objects.first();
        first.map_or_else(Vec::new, |object| object.keys().cloned().collect())
    }

    /// A value of this body for a column.
    pub(super) fn typed(
        &self,
        column: &Column,
        json: &Json,
        prefix: &str,
        faults: &mut Vec<Fault>,
    ) -> Value {
        let mut fault = |(code, message): Misfit| {
            let message = format!("{} {message}", column.name);
            faults.push(Fault {
                pointer: pointer(prefix, column.name.as_str()),
                code,
                message,
            });
            Value::Null
        };
        let is_text_column = matches!(column.ty, Type::Text | Type::Varchar(_));
        match json {
            Json::String(text) if self.is_text && text.is_empty() && !is_text_column => Value::Null,
            Json::String(text) if self.is_text => from_text(text, &column.ty).unwrap_or_else(fault),
            // JSON's null is a value of a JSON column only where SQL's cannot be.
            Json::Null => match (column.nullable, &column.ty) {
                (true, _) => Value::Null,
                (false, Type::Json) => Value::Json(String::from("null")),
                (false, _) => fault(("required", String::from("cannot be null"))),
            },
            json => from_json(json, &column.ty).unwrap_or_else(fault),
        }
    }

    /// The names that every object has, or that `columns=` says; objects without them are refused
    /// only where nothing says what stands in their place.
    pub(super) fn names(&self, columns: Option<&[String]>) -> Result<Vec<String>, RestError> {
        if let Some(columns) = columns {
            return Ok(columns.to_vec());
        }
        let Some(first) = self.objects.first() else {
            return Ok(Vec::new());
        };
        let same = |object: &Map<String, Json>| {
            first.len() == object.len() && object.keys().all(|key| first.contains_key(key))
        };
        match self.objects.iter().all(same) {
            true => Ok(first.keys().cloned().collect()),
            false => Err(malformed("all objects of a body have the same keys").hint(
                "say which with columns=a,b; what an object lacks is null, or its default \
                       with Prefer: missing=default",
            )),
        }
    }
}
