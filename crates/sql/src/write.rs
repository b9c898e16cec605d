//! The writer that turns static text, names and values into one statement.

use std::fmt::Write as _;

use crate::{Dialect, Element, Ident, Kind, RangeOf, Value};

/// A statement being written for one engine.
///
/// There is no way in for a `String`: text is `&'static str`, names are [`Ident`]s and always
/// quoted, data is bound. That is why injection is not a thing to test for but a thing that
/// does not compile. This does:
///
/// ```
/// fn find(sql: &mut sql::Sql, name: String) {
///     sql.push("select 1 where name = ").arg(name);
/// }
/// ```
///
/// And this, which would make data into SQL, does not:
///
/// ```compile_fail,E0521
/// // req: X-1
/// fn find(sql: &mut sql::Sql, name: &str) {
///     sql.push(name);
/// }
/// ```
///
/// ```compile_fail,E0308
/// // req: X-1
/// fn find(sql: &mut sql::Sql, name: String) {
///     sql.push("select 1 where name = ").arg(name).push(format!("'{}'", 1));
/// }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Sql {
    dialect: Dialect,
    text: String,
    args: Vec<Value>,
}

impl Sql {
    /// An empty statement.
    #[must_use]
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            text: String::with_capacity(512),
            args: Vec::new(),
        }
    }

    /// The engine it is written for.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The text so far, with the engine's placeholders.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The bound values, in the order of their placeholders.
    #[must_use]
    pub fn args(&self) -> &[Value] {
        &self.args
    }

    /// Binds another value of the same type in the place of one.
    pub fn rebind(&mut self, place: usize, value: Value) {
        if let Some(bound) = self.args.get_mut(place) {
            *bound = value;
        }
    }

    /// Writes our own text.
    pub fn push(&mut self, text: &'static str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Writes the project's own text: a statement behind `-- @engine`, which its author wrote for
    /// one engine and which is passed on as it is. Nothing of a request comes here.
    pub fn native(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Writes a name, quoted.
    pub fn ident(&mut self, name: &Ident) -> &mut Self {
        let quote = self.dialect.quote();
        self.text.push(quote);
        match name.as_str().contains(quote) {
            false => self.text.push_str(name.as_str()),
            true => self.text.extend(name.as_str().chars().flat_map(|letter| {
                let doubled = (letter == quote).then_some(quote);
                doubled.into_iter().chain([letter])
            })),
        }
        self.text.push(quote);
        self
    }

    /// Writes `relation.column`, both quoted.
    pub fn column(&mut self, relation: &Ident, column: &Ident) -> &mut Self {
        self.ident(relation).push(".").ident(column)
    }

    /// Writes names separated by commas.
    pub fn idents<'a>(&mut self, names: impl IntoIterator<Item = &'a Ident>) -> &mut Self {
        for (index, name) in names.into_iter().enumerate() {
            if index > 0 {
                self.push(", ");
            }
            self.ident(name);
        }
        self
    }

    /// Binds a value whose type the engine learns from where it stands, as in `column = ?`.
    pub fn arg(&mut self, value: impl Into<Value>) -> &mut Self {
        self.args.push(value.into());
        match self.dialect {
            Dialect::Sqlite | Dialect::MySql | Dialect::MariaDb => self.text.push('?'),
            Dialect::Postgres => {
                let _ = write!(self.text, "${}", self.args.len());
            }
        }
        self
    }

    /// Binds a value and says its type, for engines that need it where nothing else tells.
    pub fn typed_arg(&mut self, value: impl Into<Value>, kind: Kind) -> &mut Self {
        match (self.dialect, kind) {
            (Dialect::Postgres, _) => self.arg(value).push(postgres_cast(kind)),
            // MySQL takes bound bytes for text where they stand alone.
            (Dialect::MySql, Kind::Uuid | Kind::Bytes) => {
                self.push("cast(").arg(value).push(" as binary)")
            }
            // In `select ? union all select ?` all rows take the type of the first one's value:
            // without a fraction it would cut those of the others.
            (Dialect::MySql | Dialect::MariaDb, Kind::Timestamp) => {
                self.push("cast(").arg(value).push(" as datetime(6))")
            }
            (Dialect::MySql | Dialect::MariaDb, Kind::Time) => {
                self.push("cast(").arg(value).push(" as time(6))")
            }
            (Dialect::MySql | Dialect::MariaDb, Kind::Real | Kind::Double) => {
                self.push("cast(").arg(value).push(" as double)")
            }
            (Dialect::MariaDb, Kind::Bytes) => self.push("cast(").arg(value).push(" as binary)"),
            (Dialect::Sqlite | Dialect::MySql | Dialect::MariaDb, _) => self.arg(value),
        }
    }

    /// Writes a whole number as digits, for `LIMIT` and `OFFSET`: PostgreSQL plans a bound limit
    /// anew at every execution.
    pub fn number(&mut self, number: u64) -> &mut Self {
        let _ = write!(self.text, "{number}");
        self
    }

    /// Writes a text constant, quoted by the engine's rule, where nothing can be bound: in DDL.
    ///
    /// MySQL and MariaDB sessions run with `NO_BACKSLASH_ESCAPES`, so doubling the quote is the
    /// whole rule on all four.
    pub fn quoted(&mut self, text: &str) -> &mut Self {
        self.text.push('\'');
        for character in text.chars() {
            if character == '\'' {
                self.text.push('\'');
            }
            self.text.push(character);
        }
        self.text.push('\'');
        self
    }
}

fn postgres_cast(kind: Kind) -> &'static str {
    match kind {
        Kind::Boolean => "::boolean",
        Kind::SmallInt => "::smallint",
        Kind::Integer => "::integer",
        Kind::BigInt => "::bigint",
        Kind::Real => "::real",
        Kind::Double => "::double precision",
        Kind::Numeric => "::numeric",
        Kind::Text => "::text",
        Kind::Uuid => "::uuid",
        Kind::Date => "::date",
        Kind::Time => "::time",
        Kind::Timestamp => "::timestamptz",
        Kind::Interval => "::interval",
        Kind::Bytes => "::bytea",
        Kind::Json => "::jsonb",
        Kind::Array(element) => match element {
            Element::Boolean => "::boolean[]",
            Element::SmallInt => "::smallint[]",
            Element::Integer => "::integer[]",
            Element::BigInt => "::bigint[]",
            Element::Double => "::double precision[]",
            Element::Numeric => "::numeric[]",
            Element::Text => "::text[]",
            Element::Uuid => "::uuid[]",
            Element::Date => "::date[]",
            Element::Timestamp => "::timestamptz[]",
        },
        // It is bound as the text that it is.
        Kind::Range(range) => match range {
            RangeOf::Integer => "::text::int4range",
            RangeOf::BigInt => "::text::int8range",
            RangeOf::Numeric => "::text::numrange",
            RangeOf::Date => "::text::daterange",
            RangeOf::Timestamp => "::text::tstzrange",
        },
    }
}
