//! `column=operator.value` and logical trees.

use super::Budget;
use super::cursor::Cursor;
use super::field::{self, Field};
use crate::RestError;

/// A condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// A column, or a part of one, compared with something.
    Compare {
        field: Field,
        operation: Operation,
        negated: bool,
    },
    /// `and(…)`, `or(…)`
    Logic {
        any: bool,
        conditions: Vec<Condition>,
        negated: bool,
    },
}

/// What a column is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// `eq.value`
    Compare(Comparison, String),
    /// `like(any).{a,b}`
    Quantified(Comparison, Quantifier, Vec<String>),
    /// `isdistinct.value`
    IsDistinct(String),
    /// `in.(a,b)`
    In(Vec<String>),
    /// `is.null`
    Is(Is),
    /// `cs.{a,b}`, `cs.{"key":1}`
    Collection(Collection, String),
    /// `sl.[1,5)`
    Range(RangeOperator, String),
    /// `wfts(english).words`
    TextSearch(TextSearch),
}

/// How one value is compared with another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Eq,
    NotEq,
    Gt,
    GtEq,
    Lt,
    LtEq,
    /// With `*` and `%` as wild cards.
    Like,
    /// The same, large and small letters alike.
    ILike,
    /// A regular expression.
    Match,
    /// The same, large and small letters alike.
    IMatch,
}

/// Whether one of the values is enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantifier {
    Any,
    All,
}

/// What stands behind `is.`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Is {
    Null,
    NotNull,
    True,
    False,
    Unknown,
}

/// How lists and JSON values lie to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Collection {
    /// `cs`: the column holds all of the value.
    Contains,
    /// `cd`: the value holds all of the column.
    ContainedBy,
    /// `ov`: they share an element.
    Overlaps,
}

/// How ranges lie to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RangeOperator {
    /// `sl`: strictly left of.
    Left,
    /// `sr`: strictly right of.
    Right,
    /// `nxr`: does not reach to the right of.
    NotRight,
    /// `nxl`: does not reach to the left of.
    NotLeft,
    /// `adj`: next to.
    Adjacent,
}

/// Words to be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TextSearch {
    pub(crate) syntax: SearchSyntax,
    /// `(english)`, a text search configuration of PostgreSQL.
    pub(crate) config: Option<String>,
    pub(crate) words: String,
}

/// How the words of a search are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SearchSyntax {
    /// `fts`: PostgreSQL's own, `'fat' & 'rat'`.
    Raw,
    /// `plfts`: all of the words.
    Plain,
    /// `phfts`: the words in a row.
    Phrase,
    /// `wfts`: as in a web search, `fat "black cat" or -dog`.
    Web,
}

/// The operators, for messages.
const KNOWN: &str = "eq, neq, gt, gte, lt, lte, like, ilike, match, imatch, in, is, isdistinct, cs, \
                     cd, ov, sl, sr, nxl, nxr, adj, fts, plfts, phfts, wfts, each with not. before it";

/// `(a.eq.1,or(b.lt.2,c.is.null))`, the value of an `and` or `or`.
pub(super) fn logic(
    word: &str,
    negated: bool,
    value: &str,
    budget: &mut Budget<'_>,
) -> Result<Condition, RestError> {
    let mut cursor = Cursor::new(value, "logical filter", "and=(a.eq.1,or(b.lt.2,c.is.null))");
    let conditions = list(&mut cursor, budget, 1)?;
    cursor.finish()?;
    let any = word == "or";
    Ok(Condition::Logic {
        any,
        conditions,
        negated,
    })
}

/// `column=op.value`
pub(super) fn condition(
    field: Field,
    value: &str,
    budget: &mut Budget<'_>,
) -> Result<Condition, RestError> {
    budget.node()?;
    let mut cursor = Cursor::new(value, "filter", "column=eq.value");
    let name = field.name.clone();
    let (negated, operation) = operation(&mut cursor, &name, false)?;
    cursor.finish()?;
    Ok(Condition::Compare {
        field,
        operation,
        negated,
    })
}

fn list(
    cursor: &mut Cursor<'_>,
    budget: &mut Budget<'_>,
    depth: usize,
) -> Result<Vec<Condition>, RestError> {
    budget.depth(depth, "a filter")?;
    cursor.expect("(", "an opening bracket")?;
    let mut conditions = Vec::new();
    loop {
        cursor.spaces();
        conditions.push(element(cursor, budget, depth)?);
        cursor.spaces();
        if cursor.take(")") {
            return Ok(conditions);
        }
        cursor.expect(",", "a comma or a closing bracket")?;
    }
}

fn element(
    cursor: &mut Cursor<'_>,
    budget: &mut Budget<'_>,
    depth: usize,
) -> Result<Condition, RestError> {
    budget.node()?;
    for (word, any, negated) in [
        ("and", false, false),
        ("or", true, false),
        ("not.and", false, true),
        ("not.or", true, true),
    ] {
        let is_word = cursor
            .rest()
            .strip_prefix(word)
            .is_some_and(|rest| rest.starts_with('('));
        if is_word && cursor.take(word) {
            let conditions = list(cursor, budget, depth + 1)?;
            return Ok(Condition::Logic {
                any,
                conditions,
                negated,
            });
        }
    }
    let field = field::parse(cursor)?;
    cursor.expect(".", "column.operator.value")?;
    let name = field.name.clone();
    let (negated, operation) = operation(cursor, &name, true)?;
    Ok(Condition::Compare {
        field,
        operation,
        negated,
    })
}

/// `[not.]operator[(word)].value`; within a tree (`nested`) a value ends at a comma or bracket.
fn operation(
    cursor: &mut Cursor<'_>,
    column: &str,
    nested: bool,
) -> Result<(bool, Operation), RestError> {
    let start = cursor.rest();
    let negated = cursor.take("not.");
    let word = cursor.take_while(|c| c.is_ascii_lowercase());
    let argument = match cursor.rest().starts_with('(') && word != "in" {
        true => {
            cursor.take("(");
            let argument = cursor.until(&[')', '.', ',']);
            cursor.expect(")", "a closing bracket")?;
            Some(argument)
        }
        false => None,
    };
    let unknown = || {
        let found: String = start.chars().take(40).collect();
        RestError::query(format!(
            "{column}: '{found}' does not begin with an operator"
        ))
        .hint(format!("write {column}=eq.value; known are {KNOWN}"))
    };
    if !cursor.take(".") {
        return Err(unknown());
    }
    let operation = match (word, argument) {
        ("in", None) => {
            cursor.expect("(", "an opening bracket, as in.(a,b,\"c,d\")")?;
            Operation::In(cursor.list(')')?)
        }
        ("is", None) => Operation::Is(is(cursor, column, nested)?),
        ("isdistinct", None) => Operation::IsDistinct(value(cursor, nested)?),
        (word, argument) => match (comparison(word), argument) {
            (Some(comparison), None) => Operation::Compare(comparison, value(cursor, nested)?),
            (Some(comparison), Some(quantifier)) => quantified(cursor, comparison, quantifier)?,
            (None, argument) => special(cursor, word, argument, nested)?.ok_or_else(unknown)?,
        },
    };
    Ok((negated, operation))
}

fn comparison(word: &str) -> Option<Comparison> {
    Some(match word {
        "eq" => Comparison::Eq,
        "neq" => Comparison::NotEq,
        "gt" => Comparison::Gt,
        "gte" => Comparison::GtEq,
        "lt" => Comparison::Lt,
        "lte" => Comparison::LtEq,
        "like" => Comparison::Like,
        "ilike" => Comparison::ILike,
        "match" => Comparison::Match,
        "imatch" => Comparison::IMatch,
        _ => return None,
    })
}

/// `{a,b}` behind `like(any).`
fn quantified(
    cursor: &mut Cursor<'_>,
    comparison: Comparison,
    quantifier: &str,
) -> Result<Operation, RestError> {
    let quantifier = match quantifier {
        "any" => Quantifier::Any,
        "all" => Quantifier::All,
        other => {
            return Err(
                RestError::query(format!("({other}) is not known behind an operator"))
                    .hint("write (any) or (all)"),
            );
        }
    };
    if comparison == Comparison::NotEq {
        return Err(RestError::query("neq takes one value").hint("write not.eq(any).{a,b}"));
    }
    cursor.expect("{", "a list in braces, as eq(any).{a,b}")?;
    let values = cursor.list('}')?;
    Ok(Operation::Quantified(comparison, quantifier, values))
}

/// Operators of lists, ranges and texts; `None` where there is none of that name.
fn special(
    cursor: &mut Cursor<'_>,
    word: &str,
    argument: Option<&str>,
    nested: bool,
) -> Result<Option<Operation>, RestError> {
    let syntax = match word {
        "fts" => Some(SearchSyntax::Raw),
        "plfts" => Some(SearchSyntax::Plain),
        "phfts" => Some(SearchSyntax::Phrase),
        "wfts" => Some(SearchSyntax::Web),
        _ => None,
    };
    if let Some(syntax) = syntax {
        return Ok(Some(Operation::TextSearch(TextSearch {
            syntax,
            config: argument.map(str::to_owned),
            words: value(cursor, nested)?,
        })));
    }
    let collection = match word {
        "cs" => Some(Collection::Contains),
        "cd" => Some(Collection::ContainedBy),
        "ov" => Some(Collection::Overlaps),
        _ => None,
    };
    let range = match word {
        "sl" => Some(RangeOperator::Left),
        "sr" => Some(RangeOperator::Right),
        "nxr" => Some(RangeOperator::NotRight),
        "nxl" => Some(RangeOperator::NotLeft),
        "adj" => Some(RangeOperator::Adjacent),
        _ => None,
    };
    Ok(match (collection, range, argument) {
        (Some(operator), _, None) => Some(Operation::Collection(operator, value(cursor, nested)?)),
        (None, Some(operator), None) => Some(Operation::Range(operator, value(cursor, nested)?)),
        _ => None,
    })
}

fn is(cursor: &mut Cursor<'_>, column: &str, nested: bool) -> Result<Is, RestError> {
    let word = value(cursor, nested)?;
    Ok(match word.to_ascii_lowercase().as_str() {
        "null" => Is::Null,
        "not_null" => Is::NotNull,
        "true" => Is::True,
        "false" => Is::False,
        "unknown" => Is::Unknown,
        _ => {
            return Err(
                RestError::query(format!("{column}: is.{word} is not known"))
                    .hint("write is.null, is.not_null, is.true, is.false or is.unknown"),
            );
        }
    })
}

/// All that is left; within a tree what comes before the next comma or bracket, a quoted text, or
/// a list in braces.
fn value(cursor: &mut Cursor<'_>, nested: bool) -> Result<String, RestError> {
    match (nested, cursor.peek()) {
        (false, _) => Ok(cursor.until(&[]).to_owned()),
        (true, Some('"')) => cursor.quoted(),
        (true, Some('{')) => cursor.braced().map(str::to_owned),
        (true, _) => Ok(cursor.until(&[',', ')']).to_owned()),
    }
}
