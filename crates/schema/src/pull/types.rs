//! Engines' types and defaults in the portable language.

use sql::{Dialect, Element, RangeOf};

/// The portable type for an engine's own; `None` where there is none.
pub(super) fn portable(native: &str, dialect: Dialect) -> Option<String> {
    let native = native.trim().to_lowercase();
    if dialect == Dialect::Postgres {
        let elements = Element::ALL.into_iter().map(Element::array_name);
        let ranges = RangeOf::ALL.into_iter().map(RangeOf::name);
        let own = native.replace("timestamp with time zone[]", "timestamptz[]");
        if let Some(known) = elements.chain(ranges).find(|name| *name == own) {
            return Some(known.to_owned());
        }
    }
    if native.ends_with("[]") {
        return None;
    }
    if let Some(values) = enumeration(&native) {
        let longest = values.iter().map(|value| value.chars().count()).max();
        // The quotes are not part of it.
        let longest = longest.unwrap_or(3).saturating_sub(2).max(1);
        return Some(format!("varchar({longest})"));
    }
    let (base, size) = match native.split_once('(') {
        Some((base, rest)) => (base.trim(), rest.split(')').next()),
        None => (native.as_str(), None),
    };
    let unsigned = native.contains("unsigned");
    let base = base.trim_end_matches(" zerofill");
    let base = base.trim_end_matches(" unsigned");
    named(base, size, unsigned, dialect)
}

/// The type of this name.
fn named(base: &str, size: Option<&str>, unsigned: bool, dialect: Dialect) -> Option<String> {
    let plain = match (base, dialect) {
        ("tinyint", Dialect::MySql | Dialect::MariaDb) if size == Some("1") => "boolean",
        ("boolean" | "bool", _) => "boolean",
        ("bit", Dialect::MySql | Dialect::MariaDb) if size == Some("1") => "boolean",
        ("tinyint" | "year", _) => "smallint",
        ("smallint" | "int2", _) if unsigned => "integer",
        ("smallint" | "int2", _) => "smallint",
        ("mediumint", _) => "integer",
        // SQLite's are 64 bits wide whatever they are called.
        ("int" | "integer" | "bigint" | "int8", Dialect::Sqlite) => "bigint",
        ("int" | "integer" | "int4", _) if unsigned => "bigint",
        ("int" | "integer" | "int4", _) => "integer",
        ("bigint" | "int8", _) => "bigint",
        ("real" | "float4", Dialect::Postgres) => "real",
        ("float", Dialect::MySql | Dialect::MariaDb) => "real",
        ("real" | "double" | "double precision" | "float" | "float8", _) => "double precision",
        ("numeric" | "decimal" | "money", _) => {
            let digits = size.map(|size| size.replace(' ', ""));
            let digits = digits.filter(|digits| !digits.is_empty());
            return Some(match digits.as_deref() {
                Some(digits) if digits.contains(',') => format!("numeric({digits})"),
                Some(digits) => format!("numeric({digits},0)"),
                None => String::from("numeric(38,10)"),
            });
        }
        (
            "character varying" | "varchar" | "nvarchar" | "character" | "char" | "nchar"
            | "bpchar",
            _,
        ) => {
            let length = size.and_then(|size| size.trim().parse::<u32>().ok());
            return Some(match length {
                Some(length) => format!("varchar({length})"),
                None => String::from("text"),
            });
        }
        (
            "text" | "tinytext" | "mediumtext" | "longtext" | "clob" | "ntext" | "set" | "name"
            | "citext",
            _,
        ) => "text",
        ("uuid", _) => "uuid",
        ("binary", Dialect::MySql) if size == Some("16") => "uuid",
        ("date", _) => "date",
        ("time" | "time without time zone", _) => "time",
        (
            "datetime"
            | "timestamp"
            | "timestamp with time zone"
            | "timestamp without time zone"
            | "timestamptz",
            _,
        ) => "timestamptz",
        ("interval", _) => "interval",
        (
            "bytea" | "blob" | "tinyblob" | "mediumblob" | "longblob" | "binary" | "varbinary"
            | "image" | "",
            _,
        ) => "bytea",
        ("json" | "jsonb", _) => "jsonb",
        _ => return None,
    };
    Some(plain.to_owned())
}

/// A default in the portable language; `None` where it is not a plain one.
pub(super) fn default(native: &str, ty: &str) -> Option<String> {
    let mut text = native.trim();
    while let Some(inner) = text
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'))
    {
        text = inner.trim();
    }
    let lower = text.to_lowercase();
    let moments = [
        "now()",
        "current_timestamp",
        "current_timestamp()",
        "current_timestamp(6)",
    ];
    if moments.contains(&lower.as_str()) || lower.starts_with("utc_timestamp") {
        return (ty == "timestamptz").then(|| String::from("now()"));
    }
    if lower == "gen_random_uuid()" || lower == "uuid()" || lower == "uuid_generate_v4()" {
        return Some(String::from("gen_random_uuid()"));
    }
    // PostgreSQL writes the type behind a constant.
    let text = match (text.starts_with('\''), text.rfind("'::")) {
        (true, Some(end)) => text.get(..=end)?,
        _ => text.split("::").next()?,
    };
    let inner = text
        .strip_prefix('\'')
        .and_then(|rest| rest.strip_suffix('\''));
    match (inner, ty) {
        (Some(digit), "boolean") => match digit {
            "0" | "false" | "f" => Some(String::from("false")),
            "1" | "true" | "t" => Some(String::from("true")),
            _ => None,
        },
        (Some(number), ty) if is_number(ty) => Some(number.to_owned()),
        (Some(_), _) => Some(text.to_owned()),
        (None, "boolean") => match lower.as_str() {
            "0" | "false" | "b'0'" => Some(String::from("false")),
            "1" | "true" | "b'1'" => Some(String::from("true")),
            _ => None,
        },
        (None, ty) => text.parse::<f64>().is_ok().then(|| match is_number(ty) {
            true => text.to_owned(),
            false => format!("'{text}'"),
        }),
    }
}

fn is_number(ty: &str) -> bool {
    let numbers = ["smallint", "integer", "bigint", "real", "double precision"];
    numbers.contains(&ty) || ty.starts_with("numeric")
}

/// The values of `enum('a','b')`, each in its quotes.
pub(super) fn enumeration(native: &str) -> Option<Vec<String>> {
    let inner = native.trim().strip_prefix("enum(")?.strip_suffix(')')?;
    let mut values = Vec::new();
    let mut value = String::new();
    let mut in_text = false;
    for character in inner.chars() {
        in_text ^= character == '\'';
        match character {
            ',' if !in_text => values.push(std::mem::take(&mut value)),
            other => value.push(other),
        }
    }
    values.push(value);
    Some(values)
}
