//! `hooks/user_registered.sql`: SQL that runs inside the transaction of an event.

use lang::{CheckedStatement, Diagnostic, ParameterShape, Source, Span, Type};
use schema::Catalog;
use sql::{Dialect, Step, Value};

use super::compile::check_statements;
use super::run::write_steps;
use crate::Moment;
use crate::access::RequestEnvironment;

/// What a hook of a registration is told, in order; all trusted, none from the body unchecked.
const REGISTERED: [(&str, Type, bool); 6] = [
    ("user_id", Type::Uuid, false),
    ("email", Type::Text, false),
    ("username", Type::Text, true),
    ("first_name", Type::Text, true),
    ("last_name", Type::Text, true),
    ("display_name", Type::Text, false),
];

/// A compiled hook.
pub struct Hook {
    statements: Vec<CheckedStatement>,
    dialect: Dialect,
}

/// A new account, as its hook sees it.
#[derive(Clone, Debug)]
pub struct Registered {
    /// The account's id.
    pub user_id: uuid::Uuid,
    /// Its address, normalised.
    pub email: String,
    /// Its user name.
    pub username: Option<String>,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// The name to show; the user name or address where none was given.
    pub display_name: String,
}

impl Hook {
    /// Compiles `hooks/user_registered.sql` against the catalog.
    pub fn parse(
        source: &Source,
        catalog: &Catalog,
        dialect: Dialect,
    ) -> Result<Self, Vec<Diagnostic>> {
        if source.path != "hooks/user_registered.sql" {
            let span = Span { line: 1, column: 1 };
            return Err(vec![
                Diagnostic::new(&source.path, span, "there is no event of this name")
                    .hint("hooks/user_registered.sql runs when an account is made"),
            ]);
        }
        let shapes: Vec<ParameterShape> = REGISTERED
            .iter()
            .map(|(name, ty, nullable)| ParameterShape {
                name: (*name).to_owned(),
                ty: ty.clone(),
                nullable: *nullable,
            })
            .collect();
        let statements = check_statements(source, &shapes, catalog, false, dialect)?;
        Ok(Self {
            statements,
            dialect,
        })
    }

    /// The hook's steps, to be added to the event's unit. No table's rules apply: the file is
    /// the operator's own.
    #[must_use]
    pub fn steps(&self, event: &Registered, moment: Moment<'_>) -> Vec<Step> {
        let values = [
            Value::Uuid(event.user_id),
            Value::from(event.email.as_str()),
            event.username.clone().into(),
            event.first_name.clone().into(),
            event.last_name.clone().into(),
            Value::from(event.display_name.as_str()),
        ];
        let environment = RequestEnvironment::new(None, moment, None, &values);
        let mut unit = Vec::new();
        for statement in &self.statements {
            if let CheckedStatement::Write(write) = statement {
                write_steps(&mut unit, write, None, self.dialect, &environment);
            }
        }
        unit
    }
}
