//! Where a statement ends: at a semicolon that stands in no text, comment or body.

use sql::Dialect;

/// What somebody has typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'t> {
    /// A statement, without its semicolon and without comments before it.
    Statement(&'t str),
    /// A command of the shell's own, without its backslash.
    Command(&'t str),
}

/// The first piece of a text and what stands behind it; `None` where it has not come to its end.
pub(super) fn first(text: &str, dialect: Dialect) -> Option<(Piece<'_>, &str)> {
    let begin = skip(text, dialect)?;
    let text = &text[begin..];
    if let Some(command) = text.strip_prefix('\\') {
        let (line, rest) = command.split_once('\n').unwrap_or((command, ""));
        return Some((Piece::Command(line.trim()), rest));
    }
    let mut body = Body::default();
    let mut place = 0;
    while place < text.len() {
        let rest = &text[place..];
        let length = token(rest, dialect)?;
        if rest.starts_with(';') && body.depth == 0 {
            let statement = text[..place].trim_end();
            let behind = &rest[1..];
            return match statement.is_empty() {
                true => first(behind, dialect),
                false => Some((Piece::Statement(statement), behind)),
            };
        }
        if is_letter(rest) {
            body.see(&rest[..length]);
        }
        place += length;
    }
    None
}

/// What is left of a text at its end: a statement without its semicolon, or nothing.
pub(super) fn last(text: &str, dialect: Dialect) -> Option<Piece<'_>> {
    let begin = skip(text, dialect)?;
    match text[begin..].strip_prefix(';') {
        Some(rest) => last(rest, dialect),
        None => Some(Piece::Statement(text[begin..].trim_end())),
    }
}

/// Where the first thing stands that is neither space nor comment; `None` where nothing does.
fn skip(text: &str, dialect: Dialect) -> Option<usize> {
    let mut place = 0;
    loop {
        let rest = &text[place..];
        let character = rest.chars().next()?;
        let is_comment = is_comment(rest, dialect);
        place += match (character.is_whitespace(), token(rest, dialect)) {
            (true, _) => character.len_utf8(),
            (false, Some(length)) if is_comment => length,
            // A comment without an end is the engine's to refuse.
            _ => return Some(place),
        };
    }
}

fn is_comment(text: &str, dialect: Dialect) -> bool {
    let has_hash = matches!(dialect, Dialect::MySql | Dialect::MariaDb);
    // `/*!` and `/*+` are statements and hints.
    let is_block = text.starts_with("/*") && !text.starts_with("/*!") && !text.starts_with("/*+");
    text.starts_with("--") || is_block || (has_hash && text.starts_with('#'))
}

fn is_letter(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// The length of the first token; `None` where it has no end.
fn token(text: &str, dialect: Dialect) -> Option<usize> {
    let until =
        |end: &str, from: usize| text.get(from..)?.find(end).map(|at| from + at + end.len());
    let first = text.chars().next()?;
    if text.starts_with("/*") {
        return until("*/", 2);
    }
    if is_comment(text, dialect) {
        return Some(until("\n", 1).unwrap_or(text.len()));
    }
    match first {
        // A doubled quote is the end of one text and the beginning of the next.
        '\'' | '"' | '`' => until(&first.to_string(), 1),
        'e' | 'E' if dialect == Dialect::Postgres && text[1..].starts_with('\'') => escaped(text),
        '$' if dialect == Dialect::Postgres => {
            let tag = 1 + text[1..].find(|c: char| !c.is_alphanumeric() && c != '_')?;
            match text[tag..].starts_with('$') && !text[1..].starts_with(|c: char| c.is_numeric()) {
                true => until(&text[..=tag], tag + 1),
                false => Some(1),
            }
        }
        _ if is_letter(text) => {
            let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
            Some(text.find(|c: char| !is_part(c)).unwrap_or(text.len()))
        }
        other => Some(other.len_utf8()),
    }
}

/// PostgreSQL's `E'…'`, in which a backslash takes the next letter along.
fn escaped(text: &str) -> Option<usize> {
    let mut letters = text.char_indices().skip(2);
    while let Some((place, letter)) = letters.next() {
        match letter {
            '\\' => drop(letters.next()?),
            '\'' => return Some(place + 1),
            _ => {}
        }
    }
    None
}

/// How deep a statement is in `BEGIN … END` of a trigger or a routine, whose semicolons do not
/// end it.
#[derive(Default)]
struct Body {
    is_routine: bool,
    depth: u32,
    is_after_end: bool,
}

impl Body {
    fn see(&mut self, word: &str) {
        let word = word.to_ascii_lowercase();
        let is_after_end = std::mem::replace(&mut self.is_after_end, word == "end");
        match word.as_str() {
            "trigger" | "procedure" | "function" | "event" => self.is_routine = true,
            // `end case` has closed what `case` opened.
            "case" if is_after_end => {}
            // These have opened nothing.
            "if" | "while" | "loop" | "repeat" | "for" if is_after_end => self.depth += 1,
            "begin" | "case" if self.is_routine => self.depth += 1,
            "end" => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use sql::Dialect;

    use super::{Piece, first, last};

    fn all(text: &str, dialect: Dialect) -> Vec<String> {
        let (mut pieces, mut rest) = (Vec::new(), text);
        while let Some((piece, behind)) = first(rest, dialect) {
            pieces.push(piece);
            rest = behind;
        }
        pieces.extend(last(rest, dialect));
        let text = |piece: &Piece<'_>| match piece {
            Piece::Statement(text) => (*text).to_owned(),
            Piece::Command(text) => format!("command {text}"),
        };
        pieces.iter().map(text).collect()
    }

    #[test]
    fn statements_end_at_their_own_semicolons() {
        for dialect in Dialect::ALL {
            for (text, wanted) in [
                ("select 1; select 2", vec!["select 1", "select 2"]),
                (
                    "select ';', 'it''s;', \";\"; x",
                    vec!["select ';', 'it''s;', \";\"", "x"],
                ),
                (
                    " -- a; b\n/* ; */ select 1 -- ;\n, 2;",
                    vec!["select 1 -- ;\n, 2"],
                ),
                (
                    "\\d users; \nselect 1;\\x",
                    vec!["command d users;", "select 1", "command x"],
                ),
                (";; ;", vec![]),
                ("select 'å;😀' ; é", vec!["select 'å;😀'", "é"]),
                ("-- nothing", vec![]),
                ("select 1; /* open;", vec!["select 1", "/* open;"]),
                (
                    "create trigger t after insert on a begin update b set c = case when d then 1 \
                     else 2 end; delete from e; end; select 1",
                    vec![
                        "create trigger t after insert on a begin update b set c = case when d \
                         then 1 else 2 end; delete from e; end",
                        "select 1",
                    ],
                ),
                ("begin; end; select 1", vec!["begin", "end", "select 1"]),
            ] {
                assert_eq!(all(text, dialect), wanted, "{dialect}");
            }
        }
        let routine = "create procedure p() begin if a then select 1; end if; while b do select 2; \
                       end while; end; call p()";
        let wanted = [
            routine.strip_suffix("; call p()").expect("its end"),
            "call p()",
        ];
        assert_eq!(all(routine, Dialect::MariaDb), wanted);
        let dollars = "do $$ begin; end $$; do $a$;$$;$a$; select $1; select E'\\';'; x";
        assert_eq!(
            all(dollars, Dialect::Postgres),
            [
                "do $$ begin; end $$",
                "do $a$;$$;$a$",
                "select $1",
                "select E'\\';'",
                "x"
            ]
        );
        assert_eq!(all("# ;\nselect 1;", Dialect::MySql), ["select 1"]);
        assert!(first("select 'open;", Dialect::Sqlite).is_none());
        assert!(first("select 1", Dialect::Sqlite).is_none());
    }
}
