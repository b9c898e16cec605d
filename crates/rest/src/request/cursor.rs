//! Reading a text from left to right; every mistake names its place.

use crate::RestError;

/// A place in a text.
pub(super) struct Cursor<'t> {
    text: &'t str,
    place: usize,
    /// What is read, for messages: `select`, `order` …
    what: &'static str,
    /// How it should be written.
    example: &'static str,
}

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t str, what: &'static str, example: &'static str) -> Self {
        Self {
            text,
            place: 0,
            what,
            example,
        }
    }

    /// What is not read yet.
    pub(super) fn rest(&self) -> &'t str {
        self.text.get(self.place..).unwrap_or_default()
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest().is_empty()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Passes over `mark` if it comes next.
    pub(super) fn take(&mut self, mark: &str) -> bool {
        let comes = self.rest().starts_with(mark);
        if comes {
            self.place += mark.len();
        }
        comes
    }

    /// Passes over `mark`, which has to come next.
    pub(super) fn expect(&mut self, mark: &str, name: &str) -> Result<(), RestError> {
        match self.take(mark) {
            true => Ok(()),
            false => Err(self.error(&format!("should be {name}"))),
        }
    }

    pub(super) fn spaces(&mut self) {
        self.take_while(char::is_whitespace);
    }

    /// The characters that satisfy `is_part`.
    pub(super) fn take_while(&mut self, is_part: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        self.place += end;
        &rest[..end]
    }

    /// Everything up to one of `stops`, or all that is left.
    pub(super) fn until(&mut self, stops: &[char]) -> &'t str {
        self.take_while(|character| !stops.contains(&character))
    }

    /// A name: letters, digits, `_`, `$`, spaces and hyphens that point nowhere, or anything in
    /// double quotes.
    pub(super) fn name(&mut self) -> Result<String, RestError> {
        if self.peek() == Some('"') {
            return self.quoted();
        }
        let rest = self.rest();
        let is_part = |place: usize, c: char| {
            let points = rest[place..].starts_with("->");
            c.is_alphanumeric() || matches!(c, '_' | '$' | ' ') || (c == '-' && !points)
        };
        let end = rest.char_indices().find(|(place, c)| !is_part(*place, *c));
        let end = end.map_or(rest.len(), |(place, _)| place);
        let name = rest[..end].trim();
        if name.is_empty() {
            return Err(self.error("is no name"));
        }
        self.place += end;
        Ok(name.to_owned())
    }

    /// `"a \"b\""`, its quotes and escapes undone.
    pub(super) fn quoted(&mut self) -> Result<String, RestError> {
        let mut plain = String::new();
        let mut characters = self.rest().char_indices().skip(1);
        while let Some((place, character)) = characters.next() {
            match character {
                '"' => {
                    self.place += place + 1;
                    return Ok(plain);
                }
                '\\' => plain.extend(characters.next().map(|(_, escaped)| escaped)),
                other => plain.push(other),
            }
        }
        Err(self.error("begins a text that is not closed"))
    }

    /// `{a,"b}"}` with its brackets, as it stands.
    pub(super) fn braced(&mut self) -> Result<&'t str, RestError> {
        let rest = self.rest();
        let (mut depth, mut in_quotes, mut is_escaped) = (0_usize, false, false);
        for (place, character) in rest.char_indices() {
            match character {
                _ if is_escaped => is_escaped = false,
                '\\' => is_escaped = true,
                '"' => in_quotes = !in_quotes,
                '{' if !in_quotes => depth += 1,
                '}' if !in_quotes && depth == 1 => {
                    self.place += place + 1;
                    return Ok(&rest[..=place]);
                }
                '}' if !in_quotes => depth -= 1,
                _ => {}
            }
        }
        Err(self.error("begins a list that is not closed"))
    }

    /// `a,"b,c",d` up to `close`, which is passed over. What is not quoted is taken as it stands.
    pub(super) fn list(&mut self, close: char) -> Result<Vec<String>, RestError> {
        let mut elements = Vec::new();
        if self.rest().trim_start().starts_with(close) {
            self.spaces();
            self.place += close.len_utf8();
            return Ok(elements);
        }
        loop {
            let element = match self.peek() {
                Some('"') => self.quoted()?,
                _ => self.until(&[',', close]).to_owned(),
            };
            elements.push(element);
            match self.peek() {
                Some(',') => self.place += 1,
                Some(mark) if mark == close => {
                    self.place += close.len_utf8();
                    return Ok(elements);
                }
                _ => return Err(self.error(&format!("should be a comma or {close}"))),
            }
        }
    }

    /// Nothing may follow.
    pub(super) fn finish(&self) -> Result<(), RestError> {
        match self.is_at_end() {
            true => Ok(()),
            false => Err(self.error("is not expected")),
        }
    }

    pub(super) fn error(&self, problem: &str) -> RestError {
        let found = self
            .peek()
            .map_or(String::from("the end"), |c| format!("'{c}'"));
        let (what, column) = (self.what, self.text[..self.place].chars().count() + 1);
        RestError::query(format!("{what}: {found} {problem} at character {column}"))
            .hint(format!("write {}", self.example))
    }
}
