//! What goes wrong, with a stable code, a cause and an advice.

use std::borrow::Cow;

use serde_json::{Value, json};

/// What the reader of an error can do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Write the request otherwise.
    BadRequest,
    /// Show who you are.
    Unauthenticated,
    /// Nothing: your roles do not allow it.
    Denied,
    /// There is no such thing, for you.
    NotFound,
    /// Another method.
    MethodNotAllowed,
    /// Another `Accept`.
    NotAcceptable,
    /// Another key, or another order of things.
    Conflict,
    /// A smaller body.
    PayloadTooLarge,
    /// Another `Content-Type`.
    UnsupportedMediaType,
    /// Mend the fields that are named.
    Unprocessable,
    /// Say which relation is meant.
    Ambiguous,
    /// A page that exists.
    RangeNotSatisfiable,
    /// Tell the operator; the log has more.
    Internal,
    /// Ask for less.
    Timeout,
    /// Come again later.
    Unavailable,
    /// Tell the operator; reading goes on.
    StorageFull,
}

/// A refused request.
#[derive(Clone, Debug, PartialEq)]
pub struct RestError {
    /// What it means for the caller.
    pub kind: ErrorKind,
    /// A PostgREST code or an SQLSTATE; stable.
    pub code: Cow<'static, str>,
    /// One sentence.
    pub message: String,
    /// More, for programs.
    pub details: Value,
    /// What to do.
    pub hint: Option<String>,
    /// Methods that would be allowed.
    pub allow: Option<String>,
}

/// One wrong field of a body or one wrong parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// JSON pointer into the body (RFC 6901), or `?name` for a query parameter.
    pub(crate) pointer: String,
    /// `required`, `unknown`, `type`, `too_long`, `range`, `check`, `not_writable`.
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl RestError {
    pub(crate) fn new(kind: ErrorKind, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            kind,
            code: Cow::Borrowed(code),
            message: message.into(),
            details: Value::Null,
            hint: None,
            allow: None,
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn details(mut self, details: Value) -> Self {
        self.details = details;
        self
    }

    /// A query string that cannot be read.
    pub(crate) fn query(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::BadRequest, "PGRST100", message)
    }

    /// More was asked for than a limit allows; the advice names it.
    pub(crate) fn limit(message: impl Into<String>, advice: &str) -> Self {
        Self::new(ErrorKind::Unprocessable, "PGRST103", message).hint(advice)
    }

    /// Something that this engine cannot do.
    pub(crate) fn not_here(what: impl Into<String>, dialect: sql::Dialect) -> Self {
        let message = format!("{} is not available on {dialect}", what.into());
        Self::new(ErrorKind::BadRequest, "PGRST127", message)
    }

    /// A column that is not there for this caller: hidden and missing look alike.
    pub(crate) fn column<'a>(
        table: &sql::Ident,
        wanted: &str,
        readable: impl Iterator<Item = &'a sql::Ident>,
    ) -> Self {
        let message = format!("there is no column {wanted} in {table}");
        let error = Self::new(ErrorKind::BadRequest, "PGRST204", message);
        match stdx::nearest(wanted, readable.map(sql::Ident::as_str)) {
            Some(near) => error.hint(format!("did you mean {near}?")),
            None => error,
        }
    }

    /// A relation that is not there for this caller.
    pub(crate) fn table(wanted: &str, near: Option<&str>) -> Self {
        let message = format!("there is no table or endpoint {wanted}");
        let error = Self::new(ErrorKind::NotFound, "PGRST205", message);
        match near {
            Some(near) => error.hint(format!("did you mean {near}?")),
            None => error,
        }
    }

    /// A row that was asked for by its key.
    pub(crate) fn row() -> Self {
        Self::new(ErrorKind::NotFound, "PGRST116", "there is no such row")
            .details(json!("The result contains 0 rows"))
    }

    /// A write that the rules forbid.
    pub(crate) fn denied(table: &sql::Ident, is_anonymous: bool) -> Self {
        let kind = if is_anonymous {
            ErrorKind::Unauthenticated
        } else {
            ErrorKind::Denied
        };
        Self::new(
            kind,
            "42501",
            format!("the rules of {table} do not allow this"),
        )
    }

    /// All wrong fields at once.
    pub(crate) fn faults(what: &str, faults: &[Fault]) -> Self {
        let list: Vec<Value> = faults
            .iter()
            .map(|fault| {
                json!({"pointer": fault.pointer, "code": fault.code, "message": fault.message})
            })
            .collect();
        Self::new(
            ErrorKind::Unprocessable,
            "22000",
            format!("{what} is not valid"),
        )
        .details(Value::Array(list))
    }
}
