//! A request's parameters: typed, bounded, every fault named at once.

use std::borrow::Cow;

use serde_json::{Map, Value as Json};
use sql::Value;

use super::{Call, Endpoint, Parameter, Place, Segment};
use crate::error::Fault;
use crate::request::{pairs, subject};
use crate::value::{from_json, from_text};
use crate::{ErrorKind, Method, Request, RestError};

/// What a request gives to a file.
pub(super) struct Given {
    /// The values of all parameters, in the order of their declaration.
    pub(super) values: Vec<Value>,
    /// What is left of the query string: the grammar of reads, on top of the result.
    pub(super) rest: Vec<(String, String)>,
}

/// Words of the grammar of reads.
const WORDS: [&str; 6] = ["select", "order", "limit", "offset", "and", "or"];

impl Endpoint {
    /// Parameters out of path, query and body; every fault is named at once.
    pub(super) fn given(&self, request: &Request<'_>, call: Call) -> Result<Given, RestError> {
        let query = pairs(request.query)?;
        let body = self.body(request, call)?;
        let mut faults = Vec::new();
        let place = |parameter: &Parameter| match (call, request.method) {
            (Call::Route, _) => parameter.place,
            (Call::Name, Method::Get | Method::Head) => Place::Query,
            (Call::Name, _) => Place::Body,
        };
        let named = |name: &str, from: Place| {
            let mut parameters = self.parameters.iter();
            parameters.any(|own| own.name == name && place(own) == from)
        };
        for name in body.keys().filter(|name| !named(name, Place::Body)) {
            faults.push(self.unknown(format!("/{name}"), name));
        }
        let mut rest = Vec::new();
        for (name, value) in &query {
            if named(name, Place::Query) {
                continue;
            }
            match self.is_of_the_grammar(name) {
                true => rest.push((name.clone(), value.clone())),
                false => faults.push(self.unknown(format!("?{name}"), name)),
            }
        }
        let mut values = Vec::with_capacity(self.parameters.len());
        for parameter in &self.parameters {
            let from = place(parameter);
            let found = match from {
                Place::Path => self.path_value(parameter, request.path).map(Found::Text),
                Place::Query => query
                    .iter()
                    .find(|(name, _)| *name == parameter.name)
                    .map(|(_, value)| Found::Text(value)),
                Place::Body => body.get(&parameter.name).map(Found::Json),
            };
            values.push(typed(parameter, from, found, &mut faults));
        }
        match faults.is_empty() {
            true => Ok(Given { values, rest }),
            false => Err(RestError::faults("the request", &faults)),
        }
    }

    /// Whether a name of the query string speaks of the result.
    fn is_of_the_grammar(&self, name: &str) -> bool {
        let Some(relation) = &self.relation else {
            return false;
        };
        subject(name).is_some_and(|subject| {
            WORDS.contains(&subject.as_str()) || relation.table.column(&subject).is_some()
        })
    }

    fn unknown(&self, pointer: String, name: &str) -> Fault {
        let parameters = self.parameters.iter().map(|own| own.name.as_str());
        let near = stdx::nearest(name, parameters).map(|near| format!("; did you mean {near}?"));
        Fault {
            pointer,
            code: "unknown",
            message: format!("there is no parameter {name}{}", near.unwrap_or_default()),
        }
    }

    fn body(&self, request: &Request<'_>, call: Call) -> Result<Map<String, Json>, RestError> {
        let mut parameters = self.parameters.iter();
        let takes_body = match call {
            Call::Route => parameters.any(|parameter| parameter.place == Place::Body),
            Call::Name => parameters.next().is_some(),
        };
        if matches!(request.method, Method::Get | Method::Head) || request.body.is_empty() {
            return Ok(Map::new());
        }
        match serde_json::from_slice(request.body) {
            Ok(Json::Object(object)) => Ok(object),
            Ok(_) | Err(_) if takes_body => Err(RestError::new(
                ErrorKind::BadRequest,
                "PGRST102",
                "the body is no JSON object",
            )),
            Ok(_) | Err(_) => Ok(Map::new()),
        }
    }

    fn path_value<'r>(&self, parameter: &Parameter, path: &'r [Cow<'_, str>]) -> Option<&'r str> {
        let place = self.segments.iter().position(
            |segment| matches!(segment, Segment::Parameter(name) if *name == parameter.name),
        )?;
        path.get(place).map(AsRef::as_ref)
    }
}

enum Found<'r> {
    Text(&'r str),
    Json(&'r Json),
}

fn typed(
    parameter: &Parameter,
    from: Place,
    found: Option<Found<'_>>,
    faults: &mut Vec<Fault>,
) -> Value {
    let pointer = match from {
        Place::Body => format!("/{}", parameter.name),
        Place::Query => format!("?{}", parameter.name),
        Place::Path => format!("path {}", parameter.name),
    };
    let mut fault = |code, message: String| {
        let message = format!("{} {message}", parameter.name);
        faults.push(Fault {
            pointer: pointer.clone(),
            code,
            message,
        });
        Value::Null
    };
    let value = match (found, &parameter.default) {
        (None, Some(default)) => return default.clone(),
        (None, None) => return fault("required", String::from("is required")),
        (Some(Found::Json(Json::Null)), Some(Value::Null)) => return Value::Null,
        (Some(Found::Json(Json::Null)), _) => {
            return fault("required", String::from("cannot be null"));
        }
        (Some(Found::Text(text)), _) => from_text(text, &parameter.ty),
        (Some(Found::Json(json)), _) => from_json(json, &parameter.ty),
    };
    match value {
        Err((code, message)) => fault(code, message),
        Ok(value) => {
            // Of a text, its length is bounded; of a number, the number.
            let size = match &value {
                Value::Int(number) => Some(*number),
                Value::Text(text) => i64::try_from(text.chars().count()).ok(),
                _ => None,
            };
            let is_text = matches!(value, Value::Text(_));
            let unit = if is_text { " characters" } else { "" };
            match (size, parameter.min, parameter.max) {
                (Some(size), Some(min), _) if size < min => {
                    fault("range", format!("must be at least {min}{unit}"))
                }
                (Some(size), _, Some(max)) if size > max => {
                    fault("range", format!("must be at most {max}{unit}"))
                }
                _ => value,
            }
        }
    }
}
