//! Words in a text.
//!
//! A search becomes conditions on words in a row, whole words, large and small letters alike, so
//! that the same words are found on every engine. PostgreSQL's own search, which knows languages
//! and takes `co-op` for three words, is asked for with a configuration: `plfts(english)`.

use sql::{Dialect, Ident, Kind, Sql, Value};

use super::super::operand::Operand;
use super::Over;
use super::compare::no_operator;
use crate::request::{SearchSyntax, TextSearch};
use crate::{ErrorKind, RestError};

/// More terms than anybody types.
const MOST_TERMS: usize = 20;

/// What is looked for: one of the alternatives, in which all terms are met.
type Alternatives = Vec<Vec<Term>>;

/// Words in a row that shall be there, or shall not.
#[derive(Debug, PartialEq, Eq)]
struct Term {
    words: Vec<String>,
    negated: bool,
}

pub(super) fn write(
    sql: &mut Sql,
    over: Over<'_>,
    operand: &Operand<'_>,
    search: &TextSearch,
) -> Result<(), RestError> {
    let alias = over.alias;
    if !operand.is_text() {
        return Err(no_operator(operand, "words are found in texts"));
    }
    if search.words.chars().all(|c| !c.is_alphanumeric()) {
        return Err(wordless(operand));
    }
    let is_native = search.config.is_some() || search.syntax == SearchSyntax::Raw;
    if is_native && sql.dialect() == Dialect::Postgres {
        return native(sql, alias, operand, search);
    }
    let alternatives = match search.syntax {
        SearchSyntax::Raw => {
            return Err(RestError::not_here("fts", sql.dialect())
                .hint("write plfts, phfts or wfts, which every engine has"));
        }
        SearchSyntax::Plain => vec![words(&search.words).map(|word| term(vec![word])).collect()],
        SearchSyntax::Phrase => vec![vec![term(words(&search.words).collect())]],
        SearchSyntax::Web => web(&search.words),
    };
    if alternatives.is_empty() {
        return Err(wordless(operand));
    }
    if alternatives.iter().map(Vec::len).sum::<usize>() > MOST_TERMS {
        return Err(RestError::limit(
            format!("the search has more than {MOST_TERMS} terms"),
            "write fewer of them",
        ));
    }
    sql.push("(");
    if candidates(sql, over, operand, &alternatives) {
        sql.push(" and ");
    }
    for (place, terms) in alternatives.iter().enumerate() {
        sql.push(if place == 0 { "((" } else { " or (" });
        for (place, term) in terms.iter().enumerate() {
            sql.push(if place == 0 { "" } else { " and " });
            sql.push(if term.negated { "(not " } else { "" });
            found(sql, alias, operand, &term.words);
            sql.push(if term.negated { ")" } else { "" });
        }
        sql.push(")");
    }
    sql.push("))");
    Ok(())
}

fn wordless(operand: &Operand<'_>) -> RestError {
    let message = format!("{}: the search has no words", operand.column.name);
    RestError::new(ErrorKind::Unprocessable, "22000", message)
        .hint("write words behind the operator")
}

/// Writes which rows an index says may have the words; says whether there is one that helps.
fn candidates(
    sql: &mut Sql,
    over: Over<'_>,
    operand: &Operand<'_>,
    alternatives: &[Vec<Term>],
) -> bool {
    let Over { target, alias, .. } = over;
    // A null is no candidate, which is another thing than not to know; and the rows of a view or a
    // file are not the table's.
    let is_of_table = target.view.is_none() && target.file.is_none() && operand.is_column();
    if !over.only_true_counts || !is_of_table {
        return false;
    }
    let wanted: Vec<Vec<&str>> = alternatives.iter().map(|terms| there(terms)).collect();
    let index = target.table.word_index(&operand.column.name);
    index.is_some_and(|index| index.candidates(sql, alias, &wanted))
}

/// The words that have to be there.
fn there(terms: &[Term]) -> Vec<&str> {
    let terms = terms.iter().filter(|term| !term.negated);
    terms
        .flat_map(|term| &term.words)
        .map(String::as_str)
        .collect()
}

fn native(
    sql: &mut Sql,
    alias: &Ident,
    operand: &Operand<'_>,
    search: &TextSearch,
) -> Result<(), RestError> {
    let config = search.config.as_deref().unwrap_or("simple");
    if !config.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
        return Err(
            RestError::query(format!("({config}) is no language of a search"))
                .hint("write plfts(english).words"),
        );
    }
    sql.push("(to_tsvector(").quoted(config).push(", ");
    operand.write(sql, alias);
    sql.push(match search.syntax {
        SearchSyntax::Raw => ") @@ to_tsquery(",
        SearchSyntax::Plain => ") @@ plainto_tsquery(",
        SearchSyntax::Phrase => ") @@ phraseto_tsquery(",
        SearchSyntax::Web => ") @@ websearch_to_tsquery(",
    });
    sql.quoted(config)
        .push(", ")
        .typed_arg(Value::from(search.words.as_str()), Kind::Text)
        .push("))");
    Ok(())
}

/// Whether the words stand in the text in a row.
fn found(sql: &mut Sql, alias: &Ident, operand: &Operand<'_>, words: &[String]) {
    match sql.dialect() {
        Dialect::Sqlite => {
            sql.push("has_words(");
            operand.write(sql, alias);
            sql.push(", ").arg(words.join(" ")).push(")");
        }
        dialect @ (Dialect::Postgres | Dialect::MySql | Dialect::MariaDb) => {
            // Words are letters and digits, so nothing of them means anything else.
            let between = "[^[:alnum:]]+";
            let pattern = format!("(^|[^[:alnum:]]){}([^[:alnum:]]|$)", words.join(between));
            sql.push("(lower(");
            operand.write(sql, alias);
            sql.push(match dialect {
                Dialect::Postgres => ") ~ ",
                Dialect::Sqlite | Dialect::MySql | Dialect::MariaDb => ") regexp ",
            });
            sql.arg(pattern).push(")");
        }
    }
}

fn term(words: Vec<String>) -> Term {
    Term {
        words,
        negated: false,
    }
}

/// Letters and digits, small: one letter for one letter, as the engines do it.
fn words(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|c: char| !c.is_alphanumeric());
    let words = words.filter(|word| !word.is_empty());
    words.map(|word| word.chars().map(sql::lower).collect())
}

/// `fat "black cat" or -dog`, as PostgreSQL's `websearch_to_tsquery` reads it (manual, 12.3.2).
fn web(text: &str) -> Alternatives {
    let mut alternatives: Alternatives = vec![Vec::new()];
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let negated = rest.starts_with('-');
        let start = rest.trim_start_matches('-');
        let (piece, behind) = match start.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => start.split_at(start.find([' ', '"']).unwrap_or(start.len())),
        };
        let is_or = !negated && !start.starts_with('"') && piece.eq_ignore_ascii_case("or");
        let words: Vec<String> = words(piece).collect();
        let last = alternatives.last_mut();
        match (is_or, last) {
            (true, Some(last)) if !last.is_empty() => alternatives.push(Vec::new()),
            (false, Some(last)) if !words.is_empty() => last.push(Term { words, negated }),
            _ => {}
        }
        rest = behind.trim_start();
    }
    alternatives.retain(|terms| !terms.is_empty());
    alternatives
}

#[cfg(test)]
mod tests {
    use super::{Term, web};

    #[test]
    fn a_web_search_has_alternatives_phrases_and_exclusions() {
        let term = |words: &[&str], negated| Term {
            words: words.iter().map(ToString::to_string).collect(),
            negated,
        };
        assert_eq!(
            web(r#"Fat "black cat" or -dog"#),
            [
                vec![term(&["fat"], false), term(&["black", "cat"], false)],
                vec![term(&["dog"], true)],
            ]
        );
        assert_eq!(web(r#"or "open"#), [vec![term(&["open"], false)]]);
    }
}
