//! The `-- @key value` lines at the top of a file.

use lang::{Diagnostic, Source, Span, Type, parse_statements};

use super::{Parameter, Place};
use crate::Answer;
use crate::value::from_text;

/// What a header says.
#[derive(Default)]
pub(super) struct Header {
    pub(super) summary: String,
    pub(super) description: String,
    pub(super) parameters: Vec<(Parameter, bool)>,
    pub(super) access: Vec<String>,
    pub(super) returns: Option<String>,
    pub(super) empty: Option<String>,
    pub(super) cache: Option<String>,
    pub(super) status: Option<u16>,
    pub(super) definer: bool,
}

const KEYS: [&str; 9] = [
    "summary",
    "description",
    "param",
    "access",
    "returns",
    "empty",
    "cache",
    "status",
    "security",
];

/// Reads the header; every mistake has its line.
pub(super) fn parse(source: &Source) -> Result<Header, Vec<Diagnostic>> {
    let mut header = Header::default();
    let mut errors = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for (number, line) in source.text.lines().enumerate() {
        let Some(words) = line.trim().strip_prefix("-- @") else {
            if line.trim().starts_with("--") || line.trim().is_empty() {
                continue;
            }
            break;
        };
        let span = Span {
            line: u32::try_from(number + 1).unwrap_or(0),
            column: 1,
        };
        let (key, value) = words.split_once(char::is_whitespace).unwrap_or((words, ""));
        if key != "param" && seen.contains(&key) {
            errors.push(Diagnostic::new(
                &source.path,
                span,
                format!("@{key} is written twice"),
            ));
        }
        seen.push(key);
        if let Err(error) = line_of(&mut header, source, span, key, value.trim()) {
            errors.push(error);
        }
    }
    if errors.is_empty() {
        Ok(header)
    } else {
        Err(errors)
    }
}

fn line_of(
    header: &mut Header,
    source: &Source,
    span: Span,
    key: &str,
    value: &str,
) -> Result<(), Diagnostic> {
    let wrong = |message: String| Diagnostic::new(&source.path, span, message);
    match key {
        "summary" => value.clone_into(&mut header.summary),
        "description" => value.clone_into(&mut header.description),
        "param" => header.parameters.push(parameter(source, span, value)?),
        "access" => {
            header.access = value
                .split(" -- ")
                .next()
                .unwrap_or_default()
                .split(',')
                .map(|role| role.trim().to_lowercase())
                .filter(|role| !role.is_empty())
                .collect();
        }
        "returns" => match value {
            "many" | "one" | "value" | "none" => header.returns = Some(value.to_owned()),
            _ => {
                return Err(wrong(format!("@returns {value} is not known"))
                    .hint("write many, one, value or none"));
            }
        },
        "empty" => match serde_json::from_str::<serde_json::Value>(value) {
            Ok(json) => header.empty = Some(json.to_string()),
            Err(_) => return Err(wrong(String::from("@empty is JSON, as {}"))),
        },
        "cache" => header.cache = Some(value.to_owned()),
        "status" => match value.parse::<u16>() {
            Ok(status) if (200..300).contains(&status) => header.status = Some(status),
            _ => return Err(wrong(String::from("@status is a number from 200 to 299"))),
        },
        "security" => match value {
            "definer" => header.definer = true,
            "invoker" => {}
            _ => return Err(wrong(String::from("@security is definer or invoker"))),
        },
        _ => {
            let error = wrong(format!("@{key} is not known"));
            return Err(match stdx::nearest(key, KEYS) {
                Some(near) => error.hint(format!("did you mean @{near}?")),
                None => error.hint(format!("known are @{}", KEYS.join(", @"))),
            });
        }
    }
    Ok(())
}

/// `name type [= default | null] [min x] [max y] [in path|query|body] [-- description]`; the flag
/// says whether the place was written.
fn parameter(source: &Source, span: Span, text: &str) -> Result<(Parameter, bool), Diagnostic> {
    let wrong = |message: String| {
        Diagnostic::new(&source.path, span, message)
            .hint("write -- @param name type = default min 1 max 50 in query -- what it is for")
    };
    let (text, description) = text.split_once(" -- ").unwrap_or((text, ""));
    let mut words = text.split_whitespace();
    let name = words
        .next()
        .ok_or_else(|| wrong(String::from("@param needs a name and a type")))?;
    let ty = words
        .next()
        .ok_or_else(|| wrong(format!("the parameter {name} needs a type")))?;
    let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !is_name || name.starts_with("auth_") {
        return Err(wrong(format!("{name} cannot be a parameter's name")));
    }
    let mut parameter = Parameter {
        name: name.to_owned(),
        ty: type_of(source, span, ty)?,
        place: Place::Query,
        default: None,
        min: None,
        max: None,
        description: description.trim().to_owned(),
    };
    let mut placed = false;
    while let Some(word) = words.next() {
        let mut argument = || {
            words
                .next()
                .ok_or_else(|| wrong(format!("{word} of {name} needs a value behind it")))
        };
        match word {
            "null" => parameter.default = Some(sql::Value::Null),
            "=" => {
                let text = argument()?.trim_matches('\'');
                let value = from_text(text, &parameter.ty)
                    .map_err(|(_, message)| wrong(format!("the default of {name} {message}")))?;
                parameter.default = Some(value);
            }
            "min" | "max" => {
                let bound = argument()?
                    .parse::<i64>()
                    .map_err(|_| wrong(format!("{word} of {name} is a whole number")))?;
                let place = if word == "min" {
                    &mut parameter.min
                } else {
                    &mut parameter.max
                };
                *place = Some(bound);
            }
            "in" => {
                placed = true;
                parameter.place = match argument()? {
                    "path" => Place::Path,
                    "query" => Place::Query,
                    "body" => Place::Body,
                    other => return Err(wrong(format!("{name} cannot come from {other}"))),
                };
            }
            other => return Err(wrong(format!("'{other}' of {name} is not understood"))),
        }
    }
    Ok((parameter, placed))
}

/// A type's name, by the language's own parser.
fn type_of(source: &Source, span: Span, ty: &str) -> Result<Type, Diagnostic> {
    let wrong = || {
        Diagnostic::new(&source.path, span, format!("{ty} is not a portable type"))
            .hint("write text, integer, bigint, boolean, uuid, timestamptz, date, numeric(12,2) …")
    };
    let probe = Source {
        path: source.path.clone(),
        text: format!("create table t (c {ty})"),
    };
    match parse_statements(&probe).map_err(|_| wrong())?.first() {
        Some(lang::Statement::CreateTable(table)) => table
            .columns
            .first()
            .map(|column| column.ty.clone())
            .ok_or_else(wrong),
        _ => Err(wrong()),
    }
}

impl Header {
    /// What the endpoint answers; `None` for nothing.
    pub(super) fn answer(&self) -> Option<Answer> {
        match self.returns.as_deref() {
            Some("one") => Some(match &self.empty {
                Some(empty) => Answer::OneOr(empty.clone()),
                None => Answer::One,
            }),
            Some("value") => Some(Answer::Value),
            Some("none") => None,
            _ => Some(Answer::Many),
        }
    }
}
