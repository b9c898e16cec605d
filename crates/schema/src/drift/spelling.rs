//! Expressions as PostgreSQL tells them, which depend on how they came to be: a constraint that was
//! there before its column changed its type has casts and brackets that a new one does not have.

/// The same expression without the casts of texts, and without brackets around one thing.
pub(super) fn plain(expression: &str) -> String {
    let mut text = expression.to_owned();
    for cast in [
        "::character varying[]",
        "::character varying",
        "::text[]",
        "::text",
    ] {
        text = text.replace(cast, "");
    }
    let tokens = tokens(&text);
    let mut place = 0;
    let items = group(&tokens, &mut place);
    let mut plain = String::new();
    write(&items, &mut plain);
    plain
}

/// A token, or what stands in brackets.
enum Item<'t> {
    Token(&'t str),
    Group(Vec<Item<'t>>),
}

fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || "_.$".contains(c);
        let end = match first {
            '\'' | '"' => quoted(rest, first),
            c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        let (token, behind) = rest.split_at(end);
        tokens.push(token);
        rest = behind.trim_start();
    }
    tokens
}

/// The length of a quoted text, in which the quote stands twice for itself.
fn quoted(text: &str, quote: char) -> usize {
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((place, character)) = characters.next() {
        if character != quote {
            continue;
        }
        if characters.next_if(|(_, next)| *next == quote).is_none() {
            return place + 1;
        }
    }
    text.len()
}

fn group<'t>(tokens: &[&'t str], place: &mut usize) -> Vec<Item<'t>> {
    let mut items: Vec<Item<'t>> = Vec::new();
    while let Some(token) = tokens.get(*place) {
        *place += 1;
        match *token {
            ")" => break,
            "(" => {
                let mut inner = group(tokens, place);
                let called = match items.last() {
                    Some(Item::Token(before)) => before.starts_with(char::is_alphabetic),
                    Some(Item::Group(_)) | None => false,
                };
                // `any ((…))` is a call of one thing in brackets.
                while let [Item::Group(_)] = inner.as_slice() {
                    if let Some(Item::Group(deeper)) = inner.pop() {
                        inner = deeper;
                    }
                }
                match inner.as_slice() {
                    [Item::Token(_)] if !called => items.extend(inner),
                    _ => items.push(Item::Group(inner)),
                }
            }
            token => items.push(Item::Token(token)),
        }
    }
    items
}

fn write(items: &[Item<'_>], text: &mut String) {
    for item in items {
        match item {
            Item::Token(token) => {
                text.push_str(token);
                text.push(' ');
            }
            Item::Group(inner) => {
                text.push_str("( ");
                write(inner, text);
                text.push_str(") ");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn two_histories_of_one_constraint_are_the_same() {
        let new = "(((rating)::text = ANY (ARRAY[('G'::character varying)::text, \
                   ('it''s (x)'::character varying)::text])))";
        let old = "(((rating)::text = ANY ((ARRAY['G'::character varying, \
                   'it''s (x)'::character varying])::text[])))";
        assert_eq!(plain(new), plain(old));
        let other = new.replace("'G'", "'H'");
        assert_ne!(plain(new), plain(&other));
        // Brackets that decide something stay.
        assert_ne!(plain("a and (b or c)"), plain("(a and b) or c"));
        assert_ne!(plain("length(a) > 1"), plain("length > 1"));
    }
}
