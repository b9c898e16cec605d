//! What `before_token` adds to an access token.

use lang::{Diagnostic, Projection, Source, Span};
use serde_json::{Map, Value as Json};
use sql::{Kind, Query, Row, Sql, Value};

use crate::value_as_json;

/// Claims that the server says itself, or that standards give a meaning that a row cannot have
/// (RFC 7519 §4.1, RFC 9068 §2.2, RFC 7800, RFC 8693 §4, OpenID Connect Core §2 and §3.3.2.11).
const RESERVED: [&str; 25] = [
    "grant",
    "iss",
    "sub",
    "aud",
    "client_id",
    "scope",
    "roles",
    "iat",
    "exp",
    "nbf",
    "jti",
    "auth_time",
    "acr",
    "amr",
    "azp",
    "epoch",
    "sid",
    "nonce",
    "at_hash",
    "c_hash",
    "s_hash",
    "cnf",
    "act",
    "may_act",
    "typ",
];

/// The most that the claims may add: tokens travel in headers, which servers cut at 8 KiB.
const MOST_BYTES: usize = 2_048;

/// A question whose answer becomes claims.
pub struct ClaimsQuery {
    /// What to ask.
    pub query: Query,
    columns: Vec<(String, Kind)>,
}

/// An answer that cannot become claims. Never shows the values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaimsError {
    /// More than one row.
    #[error("hooks/before_token.sql gave {0} rows; it may give one, or none")]
    Rows(usize),
    /// Too much for a header.
    #[error("hooks/before_token.sql gave {0} bytes of claims; {MOST_BYTES} is the most")]
    TooLarge(usize),
    /// A value that has no JSON.
    #[error("hooks/before_token.sql: {0} cannot be a claim")]
    Value(String),
}

impl ClaimsQuery {
    pub(super) fn new(sql: Sql, kinds: Vec<Kind>, projection: &[Projection]) -> Self {
        let names = projection
            .iter()
            .map(|column| column.name.as_str().to_owned());
        Self {
            columns: names.zip(kinds.iter().copied()).collect(),
            query: Query::short(sql, kinds),
        }
    }

    /// The claims of the answer: its columns, without those that are null.
    pub fn claims(&self, rows: &[Row]) -> Result<Map<String, Json>, ClaimsError> {
        let row = match rows {
            [] => return Ok(Map::new()),
            [row] => row,
            more => return Err(ClaimsError::Rows(more.len())),
        };
        let mut claims = Map::new();
        for ((name, kind), value) in self.columns.iter().zip(&row.0) {
            let text = match value {
                Value::Null => continue,
                // Of the API's spelling a document is text; in a token it is itself.
                Value::Json(document) => document.clone(),
                other => value_as_json(other, *kind),
            };
            let claim = serde_json::from_str(&text);
            let claim = claim.map_err(|_| ClaimsError::Value(name.clone()))?;
            claims.insert(name.clone(), claim);
        }
        let bytes = Json::Object(claims.clone()).to_string().len();
        match bytes > MOST_BYTES {
            true => Err(ClaimsError::TooLarge(bytes)),
            false => Ok(claims),
        }
    }
}

/// The fault of a query that would say what only the server may.
pub(super) fn refuse_reserved(source: &Source, projection: &[Projection]) -> Option<Diagnostic> {
    let reserved = projection
        .iter()
        .find(|column| RESERVED.contains(&column.name.as_str()))?;
    let span = Span { line: 1, column: 1 };
    let message = format!("the claim {} is the server's own", reserved.name);
    Some(Diagnostic::new(&source.path, span, message).hint("give the column another name"))
}
