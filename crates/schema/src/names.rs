//! Names of constraints that their author did not name, by PostgreSQL's rule.

use sql::Ident;

/// `table_column_suffix`, made unique by `is_taken` with 1, 2, … and cut to what all engines
/// take, the tail replaced by a hash so that two long names stay two.
pub(crate) fn constraint_name(
    table: &Ident,
    columns: &[Ident],
    suffix: &str,
    is_taken: &dyn Fn(&Ident) -> bool,
) -> Ident {
    let mut base = table.as_str().to_owned();
    for column in columns {
        base.push('_');
        base.push_str(column.as_str());
    }
    let mut number = 0;
    loop {
        let text = match number {
            0 => format!("{base}_{suffix}"),
            _ => format!("{base}_{suffix}{number}"),
        };
        let name = shorten(&text);
        if !is_taken(&name) {
            return name;
        }
        number += 1;
    }
}

/// The name, its tail replaced by a hash where it is too long for an engine.
pub(crate) fn shorten(text: &str) -> Ident {
    if let Ok(name) = Ident::new(text) {
        return name;
    }
    // FNV-1a (Fowler, Noll, Vo): small, stable over releases, and nothing secret is hashed.
    let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    let mut end = Ident::MAX_BYTES - 9;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    Ident::new(&format!("{}_{hash:08x}", &text[..end])).expect("it was cut to fit")
}
