//! Checked expressions: every name resolved, every node typed.

use sql::Ident;

use crate::{OrderItem, Query, Span, Type};

/// A checked expression. Two are equal when they mean the same, wherever they stand.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Its type; `None` for a bare `NULL`.
    pub ty: Option<Type>,
    /// Whether it can be `NULL`.
    pub nullable: bool,
    /// Where it stands in its file.
    pub span: Span,
}

impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind && self.ty == other.ty && self.nullable == other.nullable
    }
}

/// What an expression is.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// A constant.
    Literal(Literal),
    /// A column of the relation that was bound as `binding`.
    ///
    /// Binding 0 is "this row" of a check, policy or default; the items of a query's `FROM`
    /// have the numbers that [`crate::FromItem::binding`] gives them, unique within one tree.
    Column {
        /// Which relation.
        binding: u32,
        /// Which column.
        column: Ident,
    },
    /// A fact about the caller, bound once per statement.
    Auth(AuthFunction),
    /// `now()`: the moment of the request, bound once per statement.
    Now,
    /// `now() + interval '10 days'`: a moment at a fixed distance from now, worked out before it
    /// is bound. The distance is a signed ISO 8601 duration.
    NowPlus(String),
    /// `gen_random_uuid()`, a fresh random id for each row, or `uuidv7()`.
    NewId {
        /// Whether it sorts by time (`uuidv7()`).
        ordered: bool,
    },
    /// A named parameter `:name` of an SQL file, by its place in the file's declaration.
    Parameter(usize),
    /// `NOT x`, `-x`
    Unary(UnaryOp, Box<Expr>),
    /// `a op b`
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// `(a, b) op (c, d)`: a row comparison
    RowCompare(BinaryOp, Vec<Expr>, Vec<Expr>),
    /// `x IS [NOT] NULL`
    IsNull {
        /// What is looked at.
        operand: Box<Expr>,
        /// `IS NOT NULL`
        negated: bool,
    },
    /// `x IS [NOT] TRUE|FALSE`
    IsBool {
        /// What is looked at.
        operand: Box<Expr>,
        /// Which of the two.
        value: bool,
        /// `IS NOT …`
        negated: bool,
    },
    /// `x [NOT] IN (a, b, …)`
    InList {
        /// What is looked for.
        operand: Box<Expr>,
        /// Among what.
        list: Vec<Expr>,
        /// `NOT IN`
        negated: bool,
    },
    /// `x [NOT] IN (SELECT …)`
    InQuery {
        /// What is looked for.
        operand: Box<Expr>,
        /// Among what.
        query: Box<Query>,
        /// `NOT IN`
        negated: bool,
    },
    /// `[NOT] EXISTS (SELECT …)`
    Exists {
        /// The query.
        query: Box<Query>,
        /// `NOT EXISTS`
        negated: bool,
    },
    /// `(SELECT …)` of one column and at most one row
    Scalar(Box<Query>),
    /// `x [NOT] LIKE y`, `x [NOT] ILIKE y`
    Like {
        /// The text.
        operand: Box<Expr>,
        /// The pattern, `%` and `_` as wild cards, `\` escapes.
        pattern: Box<Expr>,
        /// `ILIKE`
        insensitive: bool,
        /// `NOT`
        negated: bool,
    },
    /// `CASE WHEN … THEN … ELSE … END`
    Case {
        /// Condition and result.
        branches: Vec<(Expr, Expr)>,
        /// `ELSE`
        otherwise: Option<Box<Expr>>,
    },
    /// `CAST(x AS type)`
    Cast(Box<Expr>, Type),
    /// A function of the portable list.
    Call(Function, Vec<Expr>),
    /// `x -> 'key'`, `x ->> 0`: a part of a JSON value, null where there is none
    JsonAccess {
        /// The JSON value.
        operand: Box<Expr>,
        /// Which part.
        key: JsonKey,
        /// `->>`: as text. A JSON null is null, a text has no quotes, an object or array is its
        /// JSON with a space behind each comma and colon.
        as_text: bool,
    },
    /// `json_object('key', value, …)`
    JsonObject(Vec<(String, Expr)>),
    /// `json_agg(x ORDER BY …)`
    JsonAgg {
        /// What each element is.
        element: Box<Expr>,
        /// In which order.
        order: Vec<OrderItem>,
    },
    /// `count(*)`, `sum(x)` …; `None` is `count(*)`
    Aggregate(AggregateFunction, Option<Box<Expr>>),
}

/// A part of a JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JsonKey {
    /// The member of an object with exactly this name.
    Member(String),
    /// An element of an array: 0 is the first, -1 the last.
    Element(i32),
}

/// A constant.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// `NULL`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A decimal number, as written.
    Decimal(String),
    /// A text.
    Text(String),
}

/// A fact about the caller.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AuthFunction {
    /// `auth.uid()`: the caller's user id, `NULL` for anonymous callers. `uuid`
    Uid,
    /// `auth.role()`: `anon`, `authenticated` or `service`. `text`
    Role,
    /// `auth.has_role('x')`. `boolean`
    HasRole(String),
    /// `auth.claim('x')`: a claim of the token as text. `text`
    Claim(String),
    /// `auth.has_scope('x')`. `boolean`
    HasScope(String),
    /// `auth.acr()`: how well the caller proved who they are. `text`
    Acr,
}

/// An operator before one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    /// `NOT`
    Not,
    /// `-`
    Minus,
}

/// An operator between two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOp {
    /// `AND`
    And,
    /// `OR`
    Or,
    /// `=`
    Eq,
    /// `<>`
    NotEq,
    /// `<`
    Lt,
    /// `<=`
    LtEq,
    /// `>`
    Gt,
    /// `>=`
    GtEq,
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`: whole numbers divide to whole numbers, towards zero
    Div,
    /// `%`
    Mod,
    /// `||`
    Concat,
    /// `IS DISTINCT FROM`
    IsDistinctFrom,
    /// `IS NOT DISTINCT FROM`
    IsNotDistinctFrom,
}

/// A function of the portable list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// `length(text)` in characters
    Length,
    /// `lower(text)`
    Lower,
    /// `upper(text)`
    Upper,
    /// `trim(text)`
    Trim,
    /// `coalesce(a, b, …)`
    Coalesce,
    /// `nullif(a, b)`
    NullIf,
    /// `abs(x)`
    Abs,
    /// `least(a, b, …)`
    Least,
    /// `greatest(a, b, …)`
    Greatest,
    /// `replace(text, from, to)`
    Replace,
    /// `substr(text, start, length)`
    Substr,
}

/// A function over the rows of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AggregateFunction {
    /// `count`
    Count,
    /// `sum`
    Sum,
    /// `min`
    Min,
    /// `max`
    Max,
}
