//! What bodies say: text fields of a JSON object, all faults told at once.

use axum::http::StatusCode;
use credentials::Username;
use serde_json::{Map, Value, json};

use crate::error::Refusal;

/// A body's text fields; everything that is wrong is told at once.
pub(crate) struct Fields {
    object: Map<String, Value>,
    pub(crate) faults: Vec<Value>,
}

impl Fields {
    /// The fields of an object that was read elsewhere.
    pub(super) fn of(object: Map<String, Value>) -> Self {
        Self {
            object,
            faults: Vec::new(),
        }
    }

    /// Reads an object in which nothing but `known` may stand; `hint` shows how it looks.
    pub(crate) fn parse(body: &[u8], known: &[&str], hint: &str) -> Result<Self, Refusal> {
        let parsed = serde_json::from_slice(body);
        let Ok(Value::Object(object)) = parsed else {
            return Err(Refusal::new(
                StatusCode::BAD_REQUEST,
                "PGRST102",
                "the body is no JSON object",
            )
            .hint(hint));
        };
        let mut fields = Self {
            object,
            faults: Vec::new(),
        };
        let unknown: Vec<String> = fields
            .object
            .keys()
            .filter(|key| !known.contains(&key.as_str()))
            .cloned()
            .collect();
        for key in unknown {
            fields.fault(&key, "unknown", &format!("there is no field {key}"));
        }
        Ok(fields)
    }

    pub(super) fn fault(&mut self, field: &str, code: &str, message: &str) {
        self.faults
            .push(json!({"pointer": format!("/{field}"), "code": code, "message": message}));
    }

    /// Whether the field is there, be it `null`.
    pub(super) fn mentions(&self, field: &str) -> bool {
        self.object.contains_key(field)
    }

    /// Whether the field is there and is something.
    pub(super) fn has(&self, field: &str) -> bool {
        self.object.get(field).is_some_and(|value| !value.is_null())
    }

    pub(super) fn text(&mut self, field: &str) -> Option<String> {
        match self.object.remove(field) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text),
            Some(_) => {
                self.fault(field, "type", &format!("{field} must be a text"));
                None
            }
        }
    }

    /// A truth value; false where it is not there.
    pub(super) fn flag(&mut self, field: &str) -> bool {
        match self.object.remove(field) {
            None | Some(Value::Null) => false,
            Some(Value::Bool(value)) => value,
            Some(_) => {
                self.fault(field, "type", &format!("{field} must be true or false"));
                false
            }
        }
    }

    /// An object, as JSON text; it has to be there.
    pub(super) fn json(&mut self, field: &str) -> Option<String> {
        match self.object.remove(field) {
            Some(value @ Value::Object(_)) => Some(value.to_string()),
            None | Some(Value::Null) => {
                self.fault(field, "required", &format!("{field} is required"));
                None
            }
            Some(_) => {
                self.fault(field, "type", &format!("{field} must be an object"));
                None
            }
        }
    }

    pub(super) fn name(&mut self, field: &str) -> Option<String> {
        let text = self.text(field)?;
        let text = text.trim();
        if text.chars().count() > 200 {
            let message = format!("{field} has more than 200 characters");
            self.fault(field, "too_long", &message);
        } else if text.chars().any(char::is_control) {
            let message = format!("{field} cannot hold control characters");
            self.fault(field, "invalid", &message);
        }
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// A list of texts; `None` where the field is not there.
    pub(super) fn texts(&mut self, field: &str) -> Option<Vec<String>> {
        let list = match self.object.remove(field) {
            None | Some(Value::Null) => return None,
            Some(Value::Array(list)) => list,
            Some(_) => Vec::from([Value::Null]),
        };
        let texts: Option<Vec<String>> = list
            .iter()
            .map(|value| value.as_str().map(str::to_owned))
            .collect();
        if texts.is_none() {
            self.fault(field, "type", &format!("{field} must be a list of texts"));
        }
        texts
    }

    /// An object of at most `most` bytes of JSON; an empty one where the field is not there.
    pub(super) fn object(&mut self, field: &str, most: usize) -> Map<String, Value> {
        match self.object.remove(field) {
            None | Some(Value::Null) => Map::new(),
            Some(value @ Value::Object(_)) if value.to_string().len() > most => {
                let message = format!("{field} has more than {most} bytes");
                self.fault(field, "too_long", &message);
                Map::new()
            }
            Some(Value::Object(object)) => object,
            Some(_) => {
                self.fault(field, "type", &format!("{field} must be an object"));
                Map::new()
            }
        }
    }

    /// The user name that somebody wants, if any.
    pub(super) fn username(&mut self) -> Option<Username> {
        let text = self.text("username")?;
        match Username::parse(&text) {
            Ok(username) => Some(username),
            Err(error) => {
                self.fault("username", "invalid", &error.to_string());
                None
            }
        }
    }

    /// A text that has to be there; in whatever form.
    pub(crate) fn some_text(&mut self, field: &str) -> Option<String> {
        self.required(field, Ok::<_, std::convert::Infallible>)
    }

    pub(super) fn required<T, E: std::fmt::Display>(
        &mut self,
        field: &str,
        parse: impl FnOnce(String) -> Result<T, E>,
    ) -> Option<T> {
        let had_fault = self.faults.len();
        let Some(text) = self.text(field) else {
            if self.faults.len() == had_fault {
                self.fault(field, "required", &format!("{field} is required"));
            }
            return None;
        };
        match parse(text) {
            Ok(value) => Some(value),
            Err(error) => {
                self.fault(field, "invalid", &error.to_string());
                None
            }
        }
    }
}

/// The refusal of a body with these faults.
pub(crate) fn invalid(faults: Vec<Value>) -> Refusal {
    Refusal::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "22000",
        "the body is not valid",
    )
    .details(Value::Array(faults))
}
