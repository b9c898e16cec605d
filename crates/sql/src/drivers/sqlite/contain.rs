//! What JSON values have in common: `json_contains` and `json_overlaps`, which the servers have.

use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use serde_json::Value;

/// Makes the two known to a connection.
pub(super) fn register(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function("json_contains", 2, flags, |call| {
        Ok(both(call)?.map(|(whole, part)| contains(&whole, &part)))
    })?;
    connection.create_scalar_function("json_overlaps", 2, flags, |call| {
        Ok(both(call)?.map(|(one, other)| overlaps(&one, &other)))
    })
}

/// Both arguments; `None` where one is null or no JSON.
fn both(call: &Context<'_>) -> rusqlite::Result<Option<(Value, Value)>> {
    let (one, other): (Option<String>, Option<String>) = (call.get(0)?, call.get(1)?);
    let parse = |text: Option<String>| serde_json::from_str(&text?).ok();
    Ok(parse(one).zip(parse(other)))
}

/// PostgreSQL's rule (manual, 8.14.3): members and elements of the part are in the whole, whatever
/// else is there; a list also contains a single value that is one of its elements.
fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Array(whole), Value::Array(part)) => part.iter().all(|element| {
            whole
                .iter()
                .any(|other| same_shape(other, element) && contains(other, element))
        }),
        (Value::Array(whole), part) if is_plain(part) => {
            whole.iter().any(|element| alike(element, part))
        }
        (Value::Object(whole), Value::Object(part)) => part.iter().all(|(name, value)| {
            let other = whole.get(name);
            other.is_some_and(|other| same_shape(other, value) && contains(other, value))
        }),
        (whole, part) => alike(whole, part),
    }
}

/// Within lists and objects a list does not stand for its elements.
fn same_shape(one: &Value, other: &Value) -> bool {
    one.is_array() == other.is_array() && one.is_object() == other.is_object()
}

fn is_plain(value: &Value) -> bool {
    !value.is_array() && !value.is_object()
}

/// Whether two lists share an element; a single value is a list of itself.
fn overlaps(one: &Value, other: &Value) -> bool {
    let elements = |value: &Value| match value {
        Value::Array(elements) => elements.clone(),
        single => vec![single.clone()],
    };
    let others = elements(other);
    let mut own = elements(one).into_iter();
    own.any(|element| others.iter().any(|other| alike(&element, other)))
}

/// Numbers are alike by value: `1` and `1.0`.
fn alike(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => one.to_bits() == other.to_bits(),
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::{contains, overlaps};
    use serde_json::json;

    #[test]
    fn the_manuals_examples_hold() {
        assert!(contains(&json!("foo"), &json!("foo")));
        assert!(contains(&json!([1, 2, 3]), &json!([3, 1])));
        assert!(contains(&json!([1, 2, 3]), &json!([1, 2, 2])));
        let product = json!({"product": "PostgreSQL", "version": 9.4, "jsonb": true});
        assert!(contains(&product, &json!({"version": 9.40})));
        assert!(!contains(&json!([1, 2, [1, 3]]), &json!([1, 3])));
        assert!(contains(&json!([1, 2, [1, 3]]), &json!([[1, 3]])));
        assert!(!contains(
            &json!({"foo": {"bar": "baz"}}),
            &json!({"bar": "baz"})
        ));
        assert!(contains(
            &json!({"foo": {"bar": "baz"}}),
            &json!({"foo": {}})
        ));
        assert!(contains(&json!(["foo", "bar"]), &json!("bar")));
        assert!(!contains(&json!("bar"), &json!(["bar"])));
    }

    #[test]
    fn lists_overlap_in_an_element() {
        assert!(overlaps(&json!([1, 2]), &json!([2.0, 5])));
        assert!(overlaps(&json!(["a"]), &json!("a")));
        assert!(!overlaps(&json!([1]), &json!(["1"])));
    }
}
