//! `CREATE ROLE`, and `ALTER ROLE … SET …`: what the data API gives a role at most.

use sqlparser::ast;

use super::{name, place, place_of, table_name};
use crate::{AlterRole, CreateRole, Diagnostic, RoleLimit, RoleSetting, Source, Span, Statement};

type Parsed<T> = Result<T, Diagnostic>;

/// The largest number: that of PostgreSQL's own settings.
const MOST: u32 = i32::MAX.unsigned_abs();

/// One statement for each name.
pub(super) fn create_roles(
    source: &Source,
    names: &[ast::ObjectName],
    span: Span,
) -> Parsed<Vec<Statement>> {
    let role = |object| {
        let name = table_name(&source.path, object, span)?;
        // Names of roles stand beside each other, separated by spaces: none is two.
        if name.as_str().chars().any(char::is_whitespace) {
            let message = format!("the role {name} has a space in its name");
            let hint = "write one word, as treasurer or vice_chair";
            return Err(Diagnostic::new(&source.path, span, message).hint(hint));
        }
        Ok(Statement::CreateRole(CreateRole { name, span }))
    };
    names.iter().map(role).collect()
}

pub(super) fn alter_role(
    source: &Source,
    role: &ast::Ident,
    operation: &ast::AlterRoleOperation,
    span: Span,
) -> Parsed<AlterRole> {
    let refuse =
        |message: String, hint: &str| Err(Diagnostic::new(&source.path, span, message).hint(hint));
    let (key, value) = match operation {
        ast::AlterRoleOperation::Set {
            config_name,
            config_value: ast::SetConfigValue::Value(value),
            in_database: None,
        } => (config_name, value),
        ast::AlterRoleOperation::Set {
            in_database: None, ..
        }
        | ast::AlterRoleOperation::Reset {
            in_database: None, ..
        } => {
            return refuse(
                format!("ALTER ROLE {role} {operation} is not offered"),
                "without an ALTER ROLE … SET the value of pilaster.toml holds; leave it out",
            );
        }
        other => {
            return refuse(
                format!("ALTER ROLE {role} {other} is not offered"),
                "write ALTER ROLE name SET api.max_rows = 500",
            );
        }
    };
    let limit = limit(source, key, span)?;
    Ok(AlterRole {
        name: name(&source.path, role, span)?,
        setting: RoleSetting {
            limit,
            value: amount(source, limit, value, span)?,
        },
        span,
    })
}

fn limit(source: &Source, key: &ast::ObjectName, span: Span) -> Parsed<RoleLimit> {
    let wanted = key.to_string().replace('"', "").to_lowercase();
    let known = RoleLimit::ALL;
    if let Some(limit) = known.into_iter().find(|limit| limit.name() == wanted) {
        return Ok(limit);
    }
    let at = match key.0.first() {
        Some(ast::ObjectNamePart::Identifier(first)) => place(first.span.start),
        _ => span,
    };
    let names = || known.into_iter().map(RoleLimit::name);
    let near = stdx::nearest(&wanted, names())
        .or_else(|| stdx::nearest(&format!("api.{wanted}"), names()));
    let hint = match near {
        Some(near) => format!("did you mean {near}?"),
        None => format!("known are {}", names().collect::<Vec<_>>().join(", ")),
    };
    let message = format!("{wanted} is not a setting of a role");
    Err(Diagnostic::new(&source.path, at, message).hint(hint))
}

/// A number, or a time in milliseconds.
fn number(limit: RoleLimit, text: &str) -> Option<u32> {
    let time = || {
        // PostgreSQL says min for minutes.
        let text = text.replace("min", "m");
        let time = stdx::parse_duration(&text).ok()?;
        u32::try_from(time.as_millis()).ok()
    };
    let plain = text.parse().ok();
    match limit {
        RoleLimit::StatementTimeout => plain.or_else(time),
        _ => plain,
    }
}

/// The place of a word, from 1.
fn acr(source: &Source, word: &str, at: Span) -> Parsed<u32> {
    let known = RoleLimit::ACR;
    let place = known.into_iter().zip(1..).find(|(name, _)| *name == word);
    place.map(|(_, place)| place).ok_or_else(|| {
        let message = format!("auth.acr is {}, not {word}", known.join(", "));
        Diagnostic::new(&source.path, at, message).hint("write auth.acr = mfa")
    })
}

/// A number from 1, or 1 and 0 for on and off.
fn amount(source: &Source, limit: RoleLimit, value: &ast::Expr, span: Span) -> Parsed<u32> {
    let text = match value {
        ast::Expr::Identifier(word) => word.value.clone(),
        ast::Expr::Value(literal) => match &literal.value {
            ast::Value::SingleQuotedString(text) => text.clone(),
            other => other.to_string(),
        },
        other => other.to_string(),
    };
    if limit == RoleLimit::Acr {
        return acr(source, &text.to_lowercase(), place_of(value, span));
    }
    let found = match (limit.is_switch(), text.to_lowercase().as_str()) {
        (true, "on" | "true") => Some(1),
        (true, "off" | "false") => Some(0),
        (true, _) => None,
        (false, text) => number(limit, text).filter(|number| (1..=MOST).contains(number)),
    };
    found.ok_or_else(|| {
        let wanted = match limit.is_switch() {
            true => String::from("on or off"),
            false if limit == RoleLimit::StatementTimeout => {
                String::from("a time, as '500ms' or '2s', or whole milliseconds from 1")
            }
            false => format!("a whole number from 1 to {MOST}"),
        };
        let message = format!("{} is {wanted}, not {value}", limit.name());
        let hint = format!(
            "write {} = {}",
            limit.name(),
            if limit.is_switch() { "on" } else { "500" }
        );
        Diagnostic::new(&source.path, place_of(value, span), message).hint(hint)
    })
}
