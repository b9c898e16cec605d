//! Checked trees to text.

mod access;
mod ddl;
pub(crate) mod expression;
mod json;
mod query;

pub use ddl::{ddl_expression, ddl_now, ddl_policy, ddl_query, ddl_write};
pub use expression::value_of;
pub use query::{Taken, WriteRules};

use sql::{Ident, Sql, Value};

use crate::{AuthFunction, Expr, ExprKind};

/// What a tree needs to know when it becomes text: the caller, the moment, the parameters, and
/// the rules that apply.
pub trait Environment {
    /// The value of a fact about the caller.
    fn auth(&self, function: &AuthFunction) -> Value;
    /// The moment of the request.
    fn now(&self) -> jiff::Timestamp;
    /// A fresh id.
    fn new_id(&self, ordered: bool) -> uuid::Uuid;
    /// The value of parameter `index`.
    fn parameter(&self, index: usize) -> Value;
    /// Told before a fact, an id or a parameter is bound as value number `place` of the statement.
    fn bound(&self, _place: usize, _fact: &ExprKind) {}
    /// The predicate over "this row" (binding 0) that a row of `table` must satisfy to be read,
    /// or `None` where no rule applies (our own tables, `@security definer`).
    fn row_filter(&self, table: &Ident) -> Option<&Expr>;
    /// Whether a view that no policy of the caller narrows is read by its name: where the engine
    /// has policies of its own, its query in the place of the name would be narrowed by them.
    fn reads_open_views(&self) -> bool {
        false
    }
}

/// Writes checked trees into a [`Sql`].
///
/// Relations get the aliases `t1`, `t2`, … in the order they are met, so a tree can be inlined
/// anywhere without a clash.
pub struct ExpressionWriter<'a> {
    sql: &'a mut Sql,
    environment: &'a dyn Environment,
    aliases: u32,
    frames: Vec<Frame>,
    /// How many views around stand open without the caller's policies.
    unfiltered: u32,
    /// Constants are quoted in place instead of bound, as DDL needs it.
    quoting: bool,
    /// What is known of the caller is asked of the engine, as its own policies need it.
    asking: bool,
}

/// The aliases of one tree: that of "this row" and those of its relations.
struct Frame {
    this: Option<Ident>,
    bindings: Vec<(u32, Ident)>,
}

impl<'a> ExpressionWriter<'a> {
    /// A writer into `sql`.
    pub fn new(sql: &'a mut Sql, environment: &'a dyn Environment) -> Self {
        Self {
            sql,
            environment,
            aliases: 0,
            frames: Vec::new(),
            unfiltered: 0,
            quoting: false,
            asking: false,
        }
    }

    /// The statement being written, for text between the trees.
    pub fn sql(&mut self) -> &mut Sql {
        self.sql
    }

    /// Writes an expression; `this` is the alias of binding 0, `None` for bare columns.
    pub fn expression(&mut self, expr: &Expr, this: Option<&Ident>) {
        self.frames.push(Frame {
            this: this.cloned(),
            bindings: Vec::new(),
        });
        self.expr(expr);
        self.frames.pop();
    }

    /// A new alias, unique within the statement. "This row" of a write goes by its table's own
    /// name, which may look like one of ours: an alias that hid it would make a rule look at
    /// another row.
    pub fn alias(&mut self) -> Ident {
        loop {
            self.aliases += 1;
            let alias = alias(self.aliases);
            let mut frames = self.frames.iter();
            if frames.all(|frame| frame.this.as_ref() != Some(&alias)) {
                return alias;
            }
        }
    }
}

/// `t1`, `t2`, …; the first ones are made once.
fn alias(number: u32) -> Ident {
    use std::sync::LazyLock;
    static FIRST: LazyLock<Vec<Ident>> = LazyLock::new(|| (0..32).map(make).collect());
    let place = usize::try_from(number).unwrap_or(usize::MAX);
    FIRST.get(place).cloned().unwrap_or_else(|| make(number))
}

fn make(number: u32) -> Ident {
    Ident::new(&format!("t{number}")).expect("a letter and digits are a name")
}
