//! The parameters of a request, in which no name stands twice.

use serde_json::Value;

use crate::jose::Members;

/// The most parameters of a request; ours are about thirty.
const MAX_PARAMETERS: usize = 100;

/// Parameters as they came, in their order. One without a value counts as left out (RFC 6749
/// §3.1). `resource` and `audience` may stand several times (RFC 8707 §2, RFC 8693 §2.1), no other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    pairs: Vec<(String, String)>,
    twice: Vec<String>,
}

/// Those that may stand several times.
const LISTS: &[&str] = &["resource", "audience"];

impl Parameters {
    /// Takes decoded names and values. A name that stands twice is remembered and answers no
    /// question, so that nobody depends on which of the two was meant.
    pub fn new(pairs: impl IntoIterator<Item = (String, String)>) -> Result<Self, &'static str> {
        let mut parameters = Self::default();
        for (count, (name, value)) in pairs.into_iter().enumerate() {
            if count >= MAX_PARAMETERS {
                return Err("there are more than 100 parameters");
            }
            parameters.add(name, value);
        }
        Ok(parameters)
    }

    /// Reads `name=value&name=value` (`application/x-www-form-urlencoded`).
    pub fn from_form(text: &str) -> Result<Self, &'static str> {
        let mut pairs = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            pairs.push((form_decoded(name)?, form_decoded(value)?));
        }
        Self::new(pairs)
    }

    /// Reads a JSON object: texts, numbers and booleans; lists of texts where a parameter may stand
    /// several times. Objects become their JSON text (`claims`, `authorization_details`).
    pub fn from_json(text: &str) -> Result<Self, &'static str> {
        let members = serde_json::from_str::<Members>(text)
            .map_err(|_| "the body is not a JSON object whose names all differ")?;
        Self::from_members(members.0)
    }

    /// Takes the members of a JSON object or of a request object.
    pub(crate) fn from_members(
        members: serde_json::Map<String, Value>,
    ) -> Result<Self, &'static str> {
        let mut pairs = Vec::new();
        for (name, value) in members {
            match value {
                Value::Null => {}
                Value::String(text) => pairs.push((name, text)),
                Value::Number(_) | Value::Bool(_) | Value::Object(_) => {
                    pairs.push((name, value.to_string()));
                }
                Value::Array(list) if LISTS.contains(&name.as_str()) => {
                    for member in list {
                        match member {
                            Value::String(text) => pairs.push((name.clone(), text)),
                            _ => return Err("a list holds something that is no text"),
                        }
                    }
                }
                Value::Array(_) => pairs.push((name, value.to_string())),
            }
        }
        Self::new(pairs)
    }

    fn add(&mut self, name: String, value: String) {
        let known = self.pairs.iter().any(|(other, _)| *other == name);
        if known && !LISTS.contains(&name.as_str()) {
            self.twice.push(name);
        } else {
            self.pairs.push((name, value));
        }
    }

    /// The value of a parameter that stands once and is not empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        if self.is_twice(name) {
            return None;
        }
        self.pairs
            .iter()
            .find(|(other, value)| other == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// All values of a parameter that may stand several times.
    pub fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s str> {
        self.pairs
            .iter()
            .filter(move |(other, value)| other == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// Whether this parameter stands twice though it may not.
    #[must_use]
    pub fn is_twice(&self, name: &str) -> bool {
        self.twice.iter().any(|other| other == name)
    }

    /// Whether any does.
    #[must_use]
    pub fn has_twice(&self) -> bool {
        !self.twice.is_empty()
    }

    /// These, and those of `beneath` whose names do not stand here.
    pub(crate) fn over(mut self, beneath: Self) -> Self {
        let own: Vec<String> = self.pairs.iter().map(|(name, _)| name.clone()).collect();
        for (name, value) in beneath.pairs {
            if !own.contains(&name) {
                self.pairs.push((name, value));
            }
        }
        self.twice.extend(beneath.twice);
        self
    }

    /// All but those of these names.
    pub(crate) fn without(&self, names: &[&str]) -> Self {
        let kept = |name: &str| !names.contains(&name);
        Self {
            pairs: self
                .pairs
                .iter()
                .filter(|(name, _)| kept(name))
                .cloned()
                .collect(),
            twice: self
                .twice
                .iter()
                .filter(|name| kept(name))
                .cloned()
                .collect(),
        }
    }

    /// Names and values, to keep a pushed request.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// A set of words that are separated by spaces (RFC 6749 §3.3), none twice.
pub(crate) fn words(text: &str) -> Vec<&str> {
    let mut words: Vec<&str> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words
}

/// One decoded piece of a form: `+` is a space, `%` introduces two hexadecimal digits, and the
/// whole is UTF-8. What is not is refused rather than repaired.
pub(crate) fn form_decoded(text: &str) -> Result<String, &'static str> {
    let broken = "a percent sign is not followed by two hexadecimal digits";
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => decoded.push(b' '),
            b'%' => {
                let pair = [bytes.next().ok_or(broken)?, bytes.next().ok_or(broken)?];
                let digit = |byte: u8| char::from(byte).to_digit(16);
                let (high, low) = (digit(pair[0]).ok_or(broken)?, digit(pair[1]).ok_or(broken)?);
                decoded.push(u8::try_from(high * 16 + low).map_err(|_| broken)?);
            }
            byte => decoded.push(byte),
        }
    }
    String::from_utf8(decoded).map_err(|_| "a parameter is not UTF-8")
}
