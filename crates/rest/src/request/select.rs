//! `select=a,b,alias:c,related(d,e)`.

use crate::{Limits, RestError};

/// One selected item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// `*`
    All,
    /// `[alias:]column`
    Column { alias: Option<String>, name: String },
    /// `[alias:]relation[!hint][!inner](items)`
    Embed {
        alias: Option<String>,
        relation: String,
        /// A foreign key or column that tells which relation is meant.
        hint: Option<String>,
        inner: bool,
        items: Selection,
    },
}

/// A list of items.
pub(crate) type Selection = Vec<Item>;

/// Parses the value of `select`.
pub(crate) fn parse(text: &str, limits: &Limits) -> Result<Selection, RestError> {
    let mut parser = Parser {
        text,
        place: 0,
        depth: 0,
        most: limits.max_depth,
    };
    let items = parser.items()?;
    if parser.place < text.len() {
        return Err(parser.error("is not expected"));
    }
    Ok(items)
}

struct Parser<'t> {
    text: &'t str,
    place: usize,
    depth: usize,
    most: usize,
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.place..).unwrap_or_default()
    }

    fn error(&self, what: &str) -> RestError {
        let found = self
            .rest()
            .chars()
            .next()
            .map_or(String::from("the end"), |c| format!("'{c}'"));
        let column = self.place + 1;
        RestError::query(format!("select: {found} {what} at character {column}"))
            .hint("write select=column,alias:column,related(column)")
    }

    fn items(&mut self) -> Result<Selection, RestError> {
        self.depth += 1;
        if self.depth > self.most {
            return Err(
                RestError::query(format!("select is nested deeper than {}", self.most))
                    .hint("the limit is max_depth"),
            );
        }
        let mut items = Vec::new();
        loop {
            self.spaces();
            if self.rest().is_empty() || self.rest().starts_with(')') {
                break;
            }
            items.push(self.item()?);
            self.spaces();
            if !self.rest().starts_with(',') {
                break;
            }
            self.place += 1;
        }
        self.depth -= 1;
        Ok(items)
    }

    fn spaces(&mut self) {
        self.place += self.rest().len() - self.rest().trim_start().len();
    }

    fn item(&mut self) -> Result<Item, RestError> {
        if self.rest().starts_with('*') {
            self.place += 1;
            return Ok(Item::All);
        }
        if self.rest().starts_with("...") {
            return Err(self.error("spreads a relation, which is not offered yet,"));
        }
        let mut name = self.name()?;
        let mut alias = None;
        if self.rest().starts_with(':') && !self.rest().starts_with("::") {
            self.place += 1;
            alias = Some(std::mem::replace(&mut name, self.name()?));
        }
        let (mut hint, mut inner) = (None, false);
        while self.rest().starts_with('!') {
            self.place += 1;
            match self.name()?.as_str() {
                "inner" => inner = true,
                "left" => inner = false,
                other => hint = Some(other.to_owned()),
            }
        }
        if !self.rest().starts_with('(') {
            if hint.is_some() || inner {
                return Err(self.error("should be the bracket of a relation"));
            }
            return Ok(Item::Column { alias, name });
        }
        self.place += 1;
        let items = self.items()?;
        if !self.rest().starts_with(')') {
            return Err(self.error("should be a closing bracket"));
        }
        self.place += 1;
        Ok(Item::Embed {
            alias,
            relation: name,
            hint,
            inner,
            items,
        })
    }

    fn name(&mut self) -> Result<String, RestError> {
        let rest = self.rest();
        if let Some(quoted) = rest.strip_prefix('"') {
            let Some(end) = quoted.find('"') else {
                return Err(self.error("is not closed"));
            };
            let name = quoted[..end].to_owned();
            self.place += end + 2;
            return Ok(name);
        }
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | ' ');
        let end = rest.find(|c| !plain(c)).unwrap_or(rest.len());
        let name = rest[..end].trim().to_owned();
        if name.is_empty() {
            return Err(self.error("is no name"));
        }
        self.place += end;
        Ok(name)
    }
}
