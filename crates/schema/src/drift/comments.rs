//! Comments as two databases of one engine have them. One that keeps none tells of none.

use crate::inspect::{InspectedObject, InspectedTable};

/// Those on a table and on the columns that both have.
pub(super) fn compare_table(
    found: &InspectedTable,
    wanted: &InspectedTable,
    lines: &mut Vec<String>,
) {
    let name = &wanted.name;
    let table = format!("table {name}");
    lines.extend(differing(&table, &found.comment, &wanted.comment));
    for column in &wanted.columns {
        let same = found.columns.iter().find(|other| other.name == column.name);
        let on = format!("column {name}.{}", column.name);
        lines.extend(same.and_then(|same| differing(&on, &same.comment, &column.comment)));
    }
}

/// Those on a view and its columns.
pub(super) fn compare_object(
    found: &InspectedObject,
    wanted: &InspectedObject,
    lines: &mut Vec<String>,
) {
    let (kind, name) = (&wanted.kind, &wanted.name);
    let mut columns: Vec<&String> = Vec::new();
    for (column, _) in wanted.comments.iter().chain(&found.comments) {
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    for column in columns {
        let on = match column.as_str() {
            "" => format!("{kind} {name}"),
            column => format!("column {name}.{column}"),
        };
        let of = |object: &InspectedObject| {
            let mut all = object.comments.iter();
            let own = all.find(|(other, _)| other == column);
            own.map(|(_, text)| text.clone()).unwrap_or_default()
        };
        lines.extend(differing(&on, &of(found), &of(wanted)));
    }
}

fn differing(on: &str, is: &str, should: &str) -> Option<String> {
    (is != should).then(|| format!("the comment on {on} is '{is}', not '{should}'"))
}
