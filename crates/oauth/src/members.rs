//! Taking claims out of an object and putting them in.

use serde_json::{Map, Value};

use crate::TokenError;

/// The claims of a verified token that were not taken yet.
pub(crate) struct Taking(Map<String, Value>);

impl Taking {
    pub(crate) fn new(members: Map<String, Value>) -> Self {
        Self(members)
    }

    /// Those that nobody took.
    pub(crate) fn rest(self) -> Map<String, Value> {
        self.0
    }

    /// Whether it is there and was not taken yet.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Any value.
    pub(crate) fn value(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name)
    }

    /// A text; the empty one is refused.
    pub(crate) fn text(&mut self, name: &'static str) -> Result<Option<String>, TokenError> {
        match self.0.remove(name) {
            None => Ok(None),
            Some(Value::String(text)) if !text.is_empty() => Ok(Some(text)),
            Some(_) => Err(TokenError::Claim(name)),
        }
    }

    /// A text that must be there.
    pub(crate) fn required_text(&mut self, name: &'static str) -> Result<String, TokenError> {
        self.text(name)?.ok_or(TokenError::Claim(name))
    }

    /// A whole number of seconds since 1970; `1e9`, `1.5` and `"1"` are none.
    pub(crate) fn date(&mut self, name: &'static str) -> Result<Option<i64>, TokenError> {
        match self.0.remove(name) {
            None => Ok(None),
            Some(value) => value.as_i64().map(Some).ok_or(TokenError::Claim(name)),
        }
    }

    /// A time that must be there.
    pub(crate) fn required_date(&mut self, name: &'static str) -> Result<i64, TokenError> {
        self.date(name)?.ok_or(TokenError::Claim(name))
    }

    /// A list of texts; an absent one is empty.
    pub(crate) fn texts(&mut self, name: &'static str) -> Result<Vec<String>, TokenError> {
        let wrong = TokenError::Claim(name);
        let list = match self.0.remove(name) {
            None => return Ok(Vec::new()),
            Some(Value::Array(list)) => list,
            Some(_) => return Err(wrong),
        };
        list.into_iter()
            .map(|member| match member {
                Value::String(text) => Ok(text),
                _ => Err(wrong.clone()),
            })
            .collect()
    }

    /// Every audience, at least one: a text or a list of them (RFC 7519 §4.1.3).
    pub(crate) fn audiences(&mut self) -> Result<Vec<String>, TokenError> {
        if let Some(Value::String(one)) = self.0.get("aud") {
            let one = vec![one.clone()];
            self.0.remove("aud");
            return Ok(one);
        }
        match self.texts("aud")? {
            list if list.is_empty() => Err(TokenError::Claim("aud")),
            list => Ok(list),
        }
    }

    /// The audience where there may be one alone.
    pub(crate) fn audience(&mut self) -> Result<String, TokenError> {
        <[String; 1]>::try_from(self.audiences()?)
            .map(|[audience]| audience)
            .map_err(|_| TokenError::Claim("aud"))
    }
}

/// The claims of a token that is being made. What was put in by a field stays: an extra claim of
/// the same name is left out, so that each registered claim has one source.
pub(crate) struct Putting(Map<String, Value>);

impl Putting {
    pub(crate) fn new() -> Self {
        Self(Map::new())
    }

    pub(crate) fn put(&mut self, name: &str, value: impl Into<Value>) -> &mut Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    pub(crate) fn put_some(&mut self, name: &str, value: Option<impl Into<Value>>) -> &mut Self {
        if let Some(value) = value {
            self.put(name, value);
        }
        self
    }

    /// Adds the claims of `extra` whose names neither stand here nor in `reserved`.
    pub(crate) fn extra(
        mut self,
        extra: &Map<String, Value>,
        reserved: &[&str],
    ) -> Map<String, Value> {
        for (name, value) in extra {
            if !self.0.contains_key(name) && !reserved.contains(&name.as_str()) {
                self.0.insert(name.clone(), value.clone());
            }
        }
        self.0
    }
}

/// When something is good: the one comparison of times that all tokens share.
pub(crate) struct Life {
    /// From when, seconds since 1970.
    pub(crate) from: i64,
    /// Until when, exclusive (RFC 7519 §4.1.4: "on or after").
    pub(crate) until: i64,
}

impl Life {
    /// Whether `now` lies in it, give or take `leeway` seconds.
    pub(crate) fn check(&self, now: i64, leeway: i64) -> Result<(), TokenError> {
        if now >= self.until.saturating_add(leeway) {
            return Err(TokenError::Expired);
        }
        if now.saturating_add(leeway) < self.from {
            return Err(TokenError::NotYetValid);
        }
        Ok(())
    }
}
