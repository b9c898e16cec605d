//! Parts of JSON values: what is refused, and the text that stands in migrations.

use super::{show, source};
use crate::{Catalog, CatalogKind, Migrations};

fn with_check(check: &str) -> Result<Catalog, String> {
    let text = format!("create table t (id integer, s text, data jsonb, check (\n{check}\n));");
    Catalog::from_sources(&[source(&text)], CatalogKind::User).map_err(|errors| show(&errors))
}

#[expect(clippy::too_many_lines, reason = "one list of mistakes")]
#[test]
fn what_is_no_part_of_a_json_value_is_refused_with_advice() {
    for (check, place, message, hint) in [
        (
            "data ->> s = 'x'",
            "2:10",
            "behind ->> stands a constant, not s",
            "write the member's name in single quotes: ->> 's'",
        ),
        (
            "data ->> 'n' + 1 > 2",
            "2:10",
            "behind ->> stands a constant, not 'n' + 1",
            "put the access in brackets: (data ->> 'key')",
        ),
        (
            "data ->> 'n'::integer > 1",
            "2:10",
            "not 'n'::INTEGER",
            "put the access in brackets: (data ->> 'key')",
        ),
        (
            "data -> 1.5 is null",
            "2:9",
            "1.5 is no place in a JSON array",
            "0 is the first element, -1 the last",
        ),
        (
            "data -> -2147483649 is null",
            "2:10",
            "-2147483649 is no place",
            "write a whole number",
        ),
        (
            "data -> null is null",
            "2:9",
            "not NULL",
            "write the member's name as 'key'",
        ),
        (
            "s ->> 'a' = 'x'",
            "2:1",
            "->> takes a part of a jsonb, not of a text",
            "write cast(… as jsonb)",
        ),
        (
            "id -> 'a' is null",
            "2:1",
            "-> takes a part of a jsonb, not of a integer",
            "",
        ),
        (
            "null -> 'a' is null",
            "2:1",
            "-> takes a part of a jsonb, not of null",
            "",
        ),
        (
            "data ->> 'a' ->> 'b' = 'x'",
            "2:1",
            "not of a text",
            "write -> for the steps before it",
        ),
        (
            "data -> 'a' = '1'",
            "2:1",
            "JSON values are not compared",
            "write ->> for the last step",
        ),
        (
            "data <> '{}'",
            "2:1",
            "JSON values are not compared",
            "data ->> 'key' = 'text'",
        ),
        (
            "data -> 'a' in ('1', '2')",
            "2:1",
            "JSON values are not compared",
            "",
        ),
        (
            "nullif(data -> 'a', 'null') is null",
            "2:8",
            "JSON values are not compared",
            "",
        ),
        ("data -> 'a' like 'x%'", "2:1", "LIKE compares texts", ""),
        (
            "data #>> '{a,b}' = 'x'",
            "2:1",
            "the operator #>> is not portable",
            "write each step: data -> 'a' -> 0 ->> 'b'",
        ),
        (
            "data @> '{\"a\": 1}'",
            "2:1",
            "the operator @> is not portable",
            "compare each member",
        ),
        (
            "data ? 'a'",
            "2:1",
            "the operator ? is not portable",
            "write data -> 'a' is not null",
        ),
    ] {
        let found = with_check(check).expect_err(check);
        assert!(
            found.starts_with(&format!("schema/test.sql:{place}: ")),
            "{check}: {found}"
        );
        assert!(found.contains(message), "{check}: {found}");
        assert!(found.contains(hint), "{check}: {found}");
    }
}

#[test]
fn steps_are_no_more_than_the_least_engine_has() {
    let steps = |count: usize| format!("data{} is null", " -> 'a'".repeat(count));
    assert!(with_check(&steps(32)).is_ok());
    let found = with_check(&steps(33)).expect_err("33 steps");
    assert!(found.contains("more than 32 steps"), "{found}");
}

#[test]
fn a_part_keeps_its_text_in_migrations() {
    let keys = r#"data -> 'it''s "a\b' -> '' -> -1 -> 0 -> '$.x[0]' ->> 'é' || 'x' = 'y'"#;
    let wanted = with_check(keys).unwrap_or_else(|errors| panic!("{errors}"));
    let none = Migrations::default();
    let first = none.next(&wanted, "init", CatalogKind::User);
    let first = first.expect("it can be written").expect("something is new");
    let text = r#"(((((("data" -> 'it''s "a\b') -> '') -> -1) -> 0) -> '$.x[0]') ->> 'é')"#;
    assert!(first.text.contains(text), "{}", first.text);
    let known = Migrations::load(&[lang::Source {
        path: format!("migrations/{}", first.file_name),
        text: first.text.clone(),
    }]);
    let known = known.unwrap_or_else(|errors| panic!("{}", show(&errors)));
    let second = known.next(&wanted, "again", CatalogKind::User);
    assert!(second.expect("it can be compared").is_none());
}
