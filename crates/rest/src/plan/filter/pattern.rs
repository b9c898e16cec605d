//! Regular expressions: those that mean the same on every engine.
//!
//! A pattern is read here and written anew for the engine, so that no engine's own syntax is
//! reached. Large and small letters are alike by Unicode's simple folding (CaseFolding.txt, C and S),
//! written out: engines take `ß` for `ss`, or know fewer letters. What is left out (look-around, back references, word boundaries, flags) either is not
//! everywhere or takes time without bound.

use regex_syntax::ast::parse::Parser;
use regex_syntax::ast::{
    AssertionKind, Ast, ClassAsciiKind, ClassPerlKind, ClassSet, ClassSetItem, GroupKind,
    RepetitionKind, RepetitionRange,
};
use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};
use sql::{Dialect, Ident, Sql};

use super::super::operand::Operand;
use super::compare::no_operator;
use crate::RestError;

/// The longest pattern, in characters.
const LONGEST: usize = 200;

/// How many parts of a pattern may repeat without bound.
const MOST_REPETITIONS: usize = 5;

/// The largest `{n}`, PostgreSQL's (manual, 9.7.3.1).
const LARGEST_COUNT: u32 = 255;

pub(super) fn write(
    sql: &mut Sql,
    alias: &Ident,
    operand: &Operand<'_>,
    pattern: &str,
    insensitive: bool,
) -> Result<(), RestError> {
    if !operand.is_text() {
        return Err(no_operator(operand, "a pattern is found in texts"));
    }
    let dialect = sql.dialect();
    let body = translate(pattern, dialect, insensitive)?;
    sql.push("(");
    match dialect {
        Dialect::Postgres => {
            operand.write(sql, alias);
            sql.push(" ~ ").arg(body);
        }
        Dialect::MySql => {
            sql.push("regexp_like(");
            operand.write(sql, alias);
            sql.push(", ").arg(body).push(", 'cn')");
        }
        Dialect::Sqlite | Dialect::MariaDb => {
            operand.write(sql, alias);
            sql.push(" regexp ").arg(format!("(?s){body}"));
        }
    }
    sql.push(")");
    Ok(())
}

/// The pattern in an engine's spelling.
fn translate(pattern: &str, dialect: Dialect, insensitive: bool) -> Result<String, RestError> {
    if pattern.chars().count() > LONGEST {
        return Err(RestError::limit(
            format!("the pattern has more than {LONGEST} characters"),
            "write a shorter one",
        ));
    }
    let ast = Parser::new().parse(pattern).map_err(|error| {
        let place = error.span().start.column;
        RestError::query(format!(
            "the pattern cannot be read at character {place}: {}",
            error.kind()
        ))
    })?;
    let mut printer = Printer {
        dialect,
        insensitive,
        text: String::with_capacity(pattern.len() + 16),
        unbounded: 0,
    };
    printer.ast(&ast, false)?;
    Ok(printer.text)
}

struct Printer {
    dialect: Dialect,
    /// Large and small letters are alike.
    insensitive: bool,
    text: String,
    unbounded: usize,
}

fn refused(what: &str) -> RestError {
    RestError::query(format!(
        "the pattern has {what}, which not every engine has"
    ))
    .hint("patterns are made of letters, ., [a-z], \\d, \\w, \\s, ^, $, |, (…), *, +, ? and {2,5}")
}

impl Printer {
    /// `repeats`: within something that repeats without bound.
    fn ast(&mut self, ast: &Ast, repeats: bool) -> Result<(), RestError> {
        match ast {
            Ast::Empty(_) => {}
            Ast::Literal(literal) => match self.alike(literal.c, literal.c).as_slice() {
                [only] if only.start() == only.end() => self.literal(literal.c),
                several => {
                    self.text.push('[');
                    self.ranges(several);
                    self.text.push(']');
                }
            },
            Ast::Dot(_) => self.text.push('.'),
            Ast::Assertion(assertion) => match assertion.kind {
                AssertionKind::StartLine | AssertionKind::StartText => self.text.push('^'),
                AssertionKind::EndLine | AssertionKind::EndText => self.end(),
                _ => return Err(refused("a word boundary")),
            },
            Ast::ClassPerl(class) => {
                self.text.push_str(if class.negated { "[^" } else { "[" });
                self.text.push_str(perl(&class.kind));
                self.text.push(']');
            }
            Ast::ClassBracketed(class) => {
                self.text.push_str(if class.negated { "[^" } else { "[" });
                match &class.kind {
                    ClassSet::Item(item) => self.item(item)?,
                    ClassSet::BinaryOp(_) => return Err(refused("a difference of classes")),
                }
                self.text.push(']');
            }
            Ast::Repetition(repetition) => {
                let is_unbounded = self.count(&repetition.op.kind, repeats)?;
                self.ast(&repetition.ast, repeats || is_unbounded)?;
                self.repetition(&repetition.op.kind);
            }
            Ast::Group(group) => {
                if let GroupKind::NonCapturing(flags) = &group.kind
                    && !flags.items.is_empty()
                {
                    return Err(refused("flags"));
                }
                self.text.push_str("(?:");
                self.ast(&group.ast, repeats)?;
                self.text.push(')');
            }
            Ast::Alternation(alternation) => {
                for (place, ast) in alternation.asts.iter().enumerate() {
                    self.text.push_str(if place > 0 { "|" } else { "" });
                    self.ast(ast, repeats)?;
                }
            }
            Ast::Concat(concat) => {
                for ast in &concat.asts {
                    self.ast(ast, repeats)?;
                }
            }
            Ast::Flags(_) => return Err(refused("flags")),
            Ast::ClassUnicode(_) => return Err(refused("a class of Unicode")),
        }
        Ok(())
    }

    /// The end of the text; for these two, `$` is also before a line's end there.
    fn end(&mut self) {
        self.text.push_str(match self.dialect {
            Dialect::Postgres | Dialect::Sqlite => "$",
            Dialect::MySql | Dialect::MariaDb => "\\z",
        });
    }

    fn literal(&mut self, character: char) {
        if character.is_ascii_punctuation() {
            self.text.push('\\');
        }
        self.text.push(character);
    }

    /// These characters, with those that are large or small ones of them where that is alike.
    fn alike(&self, first: char, last: char) -> Vec<ClassUnicodeRange> {
        let mut class = ClassUnicode::new([ClassUnicodeRange::new(first, last)]);
        if self.insensitive {
            class.case_fold_simple();
        }
        class.ranges().to_vec()
    }

    fn ranges(&mut self, ranges: &[ClassUnicodeRange]) {
        for range in ranges {
            self.literal(range.start());
            if range.start() != range.end() {
                self.text.push('-');
                self.literal(range.end());
            }
        }
    }

    fn item(&mut self, item: &ClassSetItem) -> Result<(), RestError> {
        match item {
            ClassSetItem::Empty(_) => {}
            ClassSetItem::Literal(literal) => {
                let alike = self.alike(literal.c, literal.c);
                self.ranges(&alike);
            }
            ClassSetItem::Range(range) => {
                let alike = self.alike(range.start.c, range.end.c);
                self.ranges(&alike);
            }
            ClassSetItem::Perl(class) if !class.negated => self.text.push_str(perl(&class.kind)),
            ClassSetItem::Ascii(class) if !class.negated => {
                let known = match (&class.kind, self.insensitive) {
                    (ClassAsciiKind::Lower | ClassAsciiKind::Upper, true) => Some("A-Za-z"),
                    (kind, _) => posix(kind),
                };
                self.text
                    .push_str(known.ok_or_else(|| refused("such a class"))?);
            }
            ClassSetItem::Union(union) => {
                for item in &union.items {
                    self.item(item)?;
                }
            }
            _ => return Err(refused("a class within a class")),
        }
        Ok(())
    }

    /// Whether something repeats without bound; not within another that does, and not often.
    fn count(&mut self, kind: &RepetitionKind, repeats: bool) -> Result<bool, RestError> {
        let largest = match kind {
            RepetitionKind::ZeroOrOne => Some(1),
            RepetitionKind::ZeroOrMore | RepetitionKind::OneOrMore => None,
            RepetitionKind::Range(RepetitionRange::Exactly(count)) => Some(*count),
            RepetitionKind::Range(RepetitionRange::AtLeast(_)) => None,
            RepetitionKind::Range(RepetitionRange::Bounded(_, count)) => Some(*count),
        };
        if largest.is_some_and(|count| count > LARGEST_COUNT) {
            return Err(RestError::limit(
                format!("the pattern repeats something more than {LARGEST_COUNT} times"),
                "write +, or a smaller number",
            ));
        }
        let is_many = largest.is_none_or(|count| count > 1);
        if is_many && repeats {
            return Err(RestError::query(
                "the pattern has a repetition within a repetition, which can take for ever",
            )
            .hint("write the inner part without * or +"));
        }
        self.unbounded += usize::from(is_many);
        if self.unbounded > MOST_REPETITIONS {
            return Err(RestError::limit(
                format!("the pattern has more than {MOST_REPETITIONS} repetitions"),
                "write fewer of them",
            ));
        }
        Ok(is_many)
    }

    /// Whether something matches does not depend on how greedily.
    fn repetition(&mut self, kind: &RepetitionKind) {
        let text = match kind {
            RepetitionKind::ZeroOrOne => String::from("?"),
            RepetitionKind::ZeroOrMore => String::from("*"),
            RepetitionKind::OneOrMore => String::from("+"),
            RepetitionKind::Range(RepetitionRange::Exactly(count)) => format!("{{{count}}}"),
            RepetitionKind::Range(RepetitionRange::AtLeast(count)) => format!("{{{count},}}"),
            RepetitionKind::Range(RepetitionRange::Bounded(low, high)) => {
                format!("{{{low},{high}}}")
            }
        };
        self.text.push_str(&text);
    }
}

fn perl(kind: &ClassPerlKind) -> &'static str {
    match kind {
        ClassPerlKind::Digit => "0-9",
        ClassPerlKind::Space => " \t\n\r\u{b}\u{c}",
        ClassPerlKind::Word => "0-9A-Za-z_",
    }
}

fn posix(kind: &ClassAsciiKind) -> Option<&'static str> {
    Some(match kind {
        ClassAsciiKind::Alnum => "0-9A-Za-z",
        ClassAsciiKind::Alpha => "A-Za-z",
        ClassAsciiKind::Digit => "0-9",
        ClassAsciiKind::Lower => "a-z",
        ClassAsciiKind::Upper => "A-Z",
        ClassAsciiKind::Space => " \t\n\r\u{b}\u{c}",
        ClassAsciiKind::Word => "0-9A-Za-z_",
        ClassAsciiKind::Xdigit => "0-9A-Fa-f",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::translate;
    use sql::Dialect;

    #[test]
    fn a_pattern_is_written_anew_for_its_engine() {
        let read = |pattern| translate(pattern, Dialect::MariaDb, false);
        assert_eq!(read("^a.b+?$").as_deref(), Ok("^a.b+\\z"));
        assert_eq!(
            read(r"(\d|[x\-z]){2,5}").as_deref(),
            Ok(r"(?:[0-9]|[x\-z]){2,5}")
        );
        let alike = |pattern| translate(pattern, Dialect::MySql, true);
        assert_eq!(alike("1s[b-c]").as_deref(), Ok("1[Ssſ][B-Cb-c]"));
        assert_eq!(alike("ß").as_deref(), Ok("[ßẞ]"));
        assert_eq!(
            translate("a$", Dialect::Postgres, false).as_deref(),
            Ok("a$")
        );
    }

    #[test]
    fn what_takes_for_ever_or_is_not_everywhere_is_refused() {
        for pattern in [
            "(a+)+",
            "(a|b*)*",
            r"\bword",
            "(?i)a",
            "(?=a)",
            r"(a)\1",
            r"\pL",
            "a{256}",
            "[[",
            "a*b*c*d*e*f*",
        ] {
            assert!(
                translate(pattern, Dialect::Sqlite, false).is_err(),
                "{pattern}"
            );
        }
        assert!(translate(&"a".repeat(201), Dialect::Sqlite, false).is_err());
    }
}
