//! A request's parameters: typed, bounded, every fault named at once.

use std::borrow::Cow;

use serde_json::{Map, Value as Json};
use sql::Value;

use super::{Endpoint, Parameter, Place, Segment};
use crate::error::Fault;
use crate::request::pairs;
use crate::value::{from_json, from_text};
use crate::{ErrorKind, Method, Request, RestError};

impl Endpoint {
    /// The values of all parameters, in the order of their declaration.
    pub(super) fn values(&self, request: &Request<'_>) -> Result<Vec<Value>, RestError> {
        let query = pairs(request.query)?;
        let body = self.body(request)?;
        let mut faults = Vec::new();
        self.unknown(&query, &body, &mut faults);
        let mut values = Vec::with_capacity(self.parameters.len());
        for parameter in &self.parameters {
            let found = match parameter.place {
                Place::Path => self.path_value(parameter, request.path).map(Found::Text),
                Place::Query => query
                    .iter()
                    .find(|(name, _)| *name == parameter.name)
                    .map(|(_, value)| Found::Text(value)),
                Place::Body => body.get(&parameter.name).map(Found::Json),
            };
            values.push(typed(parameter, found, &mut faults));
        }
        if faults.is_empty() {
            Ok(values)
        } else {
            Err(RestError::faults("the request", &faults))
        }
    }

    fn body(&self, request: &Request<'_>) -> Result<Map<String, Json>, RestError> {
        let takes_body = self
            .parameters
            .iter()
            .any(|parameter| parameter.place == Place::Body);
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

    fn unknown(
        &self,
        query: &[(String, String)],
        body: &Map<String, Json>,
        faults: &mut Vec<Fault>,
    ) {
        let declared = |name: &str, place: Place| {
            self.parameters
                .iter()
                .any(|p| p.name == name && p.place == place)
        };
        let mut refuse = |pointer: String, name: &str| {
            let names = self
                .parameters
                .iter()
                .map(|parameter| parameter.name.as_str());
            let near = stdx::nearest(name, names).map(|near| format!("; did you mean {near}?"));
            let message = format!("there is no parameter {name}{}", near.unwrap_or_default());
            faults.push(Fault {
                pointer,
                code: "unknown",
                message,
            });
        };
        for (name, _) in query
            .iter()
            .filter(|(name, _)| !declared(name, Place::Query))
        {
            refuse(format!("?{name}"), name);
        }
        for name in body.keys().filter(|name| !declared(name, Place::Body)) {
            refuse(format!("/{name}"), name);
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

fn typed(parameter: &Parameter, found: Option<Found<'_>>, faults: &mut Vec<Fault>) -> Value {
    let pointer = match parameter.place {
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
