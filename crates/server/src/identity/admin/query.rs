//! What the addresses of lists say: filters, a page's size, and where the next one begins.

use std::str::FromStr;

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use uuid::Uuid;

use crate::error::Refusal;
use crate::identity::json_answer;

/// Rows of a page where nobody says how many.
const PAGE: u64 = 50;

/// Rows of a page at most.
const LARGEST_PAGE: u64 = 500;

/// The parameters of an address, taken one by one.
pub(super) struct Parameters {
    pairs: Vec<(String, String)>,
    known: Vec<&'static str>,
}

impl Parameters {
    pub(super) fn new(pairs: Vec<(String, String)>) -> Self {
        Self {
            pairs,
            known: Vec::new(),
        }
    }

    /// The value of one; `None` where it is not there or empty.
    pub(super) fn text(&mut self, name: &'static str) -> Option<String> {
        self.known.push(name);
        let found = self.pairs.iter().find(|(key, _)| key == name);
        let value = found.map(|(_, value)| value.trim().to_owned());
        value.filter(|value| !value.is_empty())
    }

    /// The same as something else; `wanted` says what it is.
    pub(super) fn parsed<T: FromStr>(
        &mut self,
        name: &'static str,
        wanted: &str,
    ) -> Result<Option<T>, Refusal> {
        let parsed = self.text(name).map(|text| text.parse());
        parsed
            .transpose()
            .map_err(|_| wrong(&format!("{name} is {wanted}")))
    }

    /// How many rows are wanted.
    pub(super) fn limit(&mut self) -> Result<u64, Refusal> {
        let wanted = format!("a number from 1 to {LARGEST_PAGE}");
        match self.parsed("limit", &wanted)? {
            None => Ok(PAGE),
            Some(limit) if (1..=LARGEST_PAGE).contains(&limit) => Ok(limit),
            Some(_) => Err(wrong(&format!("limit is {wanted}"))),
        }
    }

    /// Behind which row the page begins.
    pub(super) fn cursor(&mut self) -> Result<Option<Uuid>, Refusal> {
        self.parsed("cursor", "what the Link of the page before says")
    }

    /// Refuses parameters that nobody asked about: a mistyped filter must not show everything.
    pub(super) fn finish(&self) -> Result<(), Refusal> {
        let strange = |(key, _): &&(String, String)| !self.known.contains(&key.as_str());
        match self.pairs.iter().find(strange) {
            None => Ok(()),
            Some((key, _)) => {
                let known = self.known.join(", ");
                let message = format!("there is no parameter {key}");
                Err(wrong(&message).hint(format!("there are {known}")))
            }
        }
    }

    /// The answer of a page; `path` is its own address, `next` the last row where there are more.
    pub(super) fn answer(
        &self,
        path: &str,
        rows: Vec<Value>,
        next: Option<Uuid>,
    ) -> Response<Body> {
        let mut answer = json_answer(StatusCode::OK, &Value::Array(rows));
        let Some(next) = next else {
            return answer;
        };
        let others = self.pairs.iter().filter(|(key, _)| key != "cursor");
        let mut pairs: Vec<String> = others
            .map(|(key, value)| format!("{key}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)))
            .collect();
        pairs.push(format!("cursor={next}"));
        let link = format!("<{path}?{}>; rel=\"next\"", pairs.join("&"));
        if let Ok(link) = HeaderValue::from_str(&link) {
            answer.headers_mut().insert(header::LINK, link);
        }
        answer
    }
}

/// Takes the row away that was read to see whether there is another page, and gives the last of this
/// one in that case.
pub(super) fn cut<T>(rows: &mut Vec<T>, limit: u64, id: impl Fn(&T) -> Uuid) -> Option<Uuid> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if rows.len() <= limit {
        return None;
    }
    rows.truncate(limit);
    rows.last().map(id)
}

pub(super) fn wrong(message: &str) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, "22000", message)
}
