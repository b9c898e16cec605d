//! Rules for people: who may do what with which rows, and what anyone on the internet may do.

use lang::{CheckedStatement, Expr, PolicyCommand, Privilege, Write, WriteKind};
use schema::{Policy, Table, View};

use crate::access::{Access, as_constant};
use crate::endpoint::Endpoint;
use crate::{Api, Prefixes, RoleSet};

/// The privileges, in the order in which they are listed.
pub(crate) const PRIVILEGES: [Privilege; 4] = [
    Privilege::Select,
    Privilege::Insert,
    Privilege::Update,
    Privilege::Delete,
];

/// What a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleSubject {
    /// A declared table.
    Table,
    /// A declared view.
    View,
    /// A file of `api/`.
    File,
}

impl RuleSubject {
    /// `table`, `view`, `file`
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::View => "view",
            Self::File => "file",
        }
    }
}

/// One cell of the matrix: what somebody with this role may do with one thing, what the role
/// inherits included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleLine {
    /// The role.
    pub role: String,
    /// What kind of thing it is.
    pub subject: RuleSubject,
    /// The table's or view's name, or the file's route: `GET /api/feed`.
    pub name: String,
    /// `select`, `insert`, `update`, `delete`, or `call` for a file.
    pub verb: &'static str,
    /// The columns, where not all of them are granted.
    pub columns: Option<Vec<String>>,
    /// Which rows: `all rows`, `no row`, or a condition in words.
    pub rows: String,
    /// The names of the policies that say so.
    pub policies: Vec<String>,
}

impl Api {
    /// Who may do what: every role with every table, view and file that it reaches.
    #[must_use]
    pub fn rules(&self) -> Vec<RuleLine> {
        let catalog = self.catalog();
        let mut lines = Vec::new();
        for role in &catalog.roles {
            let roles = RoleSet::of_role(catalog, &role.name);
            let rights = self.rights(&roles);
            let access = &rights.access;
            for table in catalog.relations() {
                let view = catalog.view(table.name.as_str());
                let cells = PRIVILEGES.into_iter();
                lines.extend(cells.filter_map(|privilege| {
                    relation_line(role.name.as_str(), &roles, access, table, view, privilege)
                }));
            }
            let callable = |file: &&Endpoint| file.roles.iter().any(|role| roles.has(role));
            let files = self.endpoints.iter().filter(callable);
            lines.extend(files.map(|file| file_line(role.name.as_str(), file, self.prefixes())));
        }
        lines
    }

    /// What callers without credentials can reach, one sorted line for each: columns, rows,
    /// files, and what files and views show past the rules. Nothing is listed that no row passes.
    #[must_use]
    pub fn exposure(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for cell in self.rules().into_iter().filter(|cell| cell.role == "anon") {
            if cell.rows == NO_ROW {
                continue;
            }
            let (verb, name) = (cell.verb, &cell.name);
            if cell.subject == RuleSubject::File {
                lines.push(format!("{verb} {name}"));
                continue;
            }
            let all = self
                .catalog()
                .relations()
                .find(|t| t.name == *name.as_str());
            let all = || all.into_iter().flat_map(|table| &table.columns);
            let columns = match (verb, cell.columns) {
                ("delete", _) => vec![String::new()],
                (_, Some(columns)) => columns,
                // A generated column is nobody's to write.
                ("select", None) => all().map(|column| column.name.to_string()).collect(),
                (_, None) => all()
                    .filter(|column| column.generated.is_none())
                    .map(|column| column.name.to_string())
                    .collect(),
            };
            lines.extend(columns.iter().map(|column| match column.as_str() {
                "" => format!("{verb} {name}"),
                column => format!("{verb} {name}.{column}"),
            }));
            lines.push(format!("rows {verb} {name}: {}", cell.rows));
        }
        let anon = RoleSet::of_role(self.catalog(), &sql::Ident::of("anon"));
        for view in self.open_views(&anon) {
            let (_, columns) = view.query.reads();
            let shown = columns.iter().map(|(table, column)| {
                format!("past the rules, view {}: {table}.{column}", view.name())
            });
            lines.extend(shown);
        }
        for file in self.open_files(&anon) {
            for statement in &file.statements {
                lines.extend(beneath(statement).into_iter().map(|what| {
                    format!("past the rules, {}: {what}", title(file, self.prefixes()))
                }));
            }
        }
        lines.sort();
        lines.dedup();
        lines
    }

    /// What is worth a second look, though it may be meant: columns that look secret and are
    /// shown of every row, views and files that pass the rules by.
    #[must_use]
    pub fn suspicions(&self) -> Vec<String> {
        let mut found = Vec::new();
        for cell in self.rules() {
            let is_read = cell.verb == "select" && cell.subject != RuleSubject::File;
            let is_wide = matches!(cell.role.as_str(), "anon" | "authenticated");
            if !is_read || !is_wide || cell.rows != ALL_ROWS {
                continue;
            }
            let table = self
                .catalog()
                .relations()
                .find(|t| t.name == *cell.name.as_str());
            let all = || {
                table
                    .into_iter()
                    .flat_map(|t| &t.columns)
                    .map(|c| c.name.to_string())
            };
            let columns = cell.columns.unwrap_or_else(|| all().collect());
            for column in columns.iter().filter(|column| looks_secret(column)) {
                let (role, name) = (&cell.role, &cell.name);
                found.push(format!(
                    "{role} may read {name}.{column} of every row, and it looks secret"
                ));
            }
        }
        let everybody = self.catalog().roles.iter();
        let names: Vec<&sql::Ident> = everybody.map(|role| &role.name).collect();
        let anyone = RoleSet::of_names(&names);
        for view in self.open_views(&anyone) {
            found.push(format!(
                "the view {} shows its rows whatever the policies beneath say (security_invoker = false)",
                view.name()
            ));
        }
        for file in self.open_files(&anyone) {
            let roles: Vec<&str> = file.roles.iter().map(sql::Ident::as_str).collect();
            let (path, roles) = (&file.path, roles.join(", "));
            found.push(format!(
                "{path} runs past the rules for {roles} (@security definer)"
            ));
        }
        found
    }

    fn open_views(&self, roles: &RoleSet) -> Vec<&View> {
        let views = self.catalog().views.iter();
        let granted = |view: &&View| view.relation.grants.iter().any(|g| roles.has(&g.role));
        views
            .filter(|view| !view.definition.security_invoker)
            .filter(granted)
            .collect()
    }

    fn open_files(&self, roles: &RoleSet) -> Vec<&Endpoint> {
        let callable = |file: &&Endpoint| file.roles.iter().any(|role| roles.has(role));
        let files = self.endpoints.iter().filter(|file| file.definer);
        files.filter(callable).collect()
    }
}

const ALL_ROWS: &str = "all rows";
const NO_ROW: &str = "no row";

fn relation_line(
    role: &str,
    roles: &RoleSet,
    access: &Access,
    table: &Table,
    view: Option<&View>,
    privilege: Privilege,
) -> Option<RuleLine> {
    let own = access.table(table.name.as_str())?;
    let (granted, rows) = match privilege {
        Privilege::Select => (own.readable(), rows_in_words(&own.read)),
        Privilege::Insert => (own.insertable(), new_rows_in_words(&own.insert_check)),
        Privilege::Update => (
            own.updatable(),
            changed_in_words(&own.update_using, &own.update_check),
        ),
        Privilege::Delete => (&[][..], rows_in_words(&own.delete_using)),
    };
    let is_delete = privilege == Privilege::Delete;
    if (is_delete && !own.delete) || (!is_delete && granted.is_empty()) {
        return None;
    }
    let writable = table
        .columns
        .iter()
        .filter(|column| privilege == Privilege::Select || column.generated.is_none());
    let is_whole = is_delete || granted.len() == writable.count();
    let policies = table
        .policies
        .iter()
        .filter(|p| concerns(p, roles, privilege));
    Some(RuleLine {
        role: role.to_owned(),
        subject: match view {
            None => RuleSubject::Table,
            Some(_) => RuleSubject::View,
        },
        name: table.name.to_string(),
        verb: privilege_name(privilege),
        columns: (!is_whole).then(|| granted.iter().map(ToString::to_string).collect()),
        rows: match view {
            None => rows,
            Some(view) if view.definition.security_invoker => {
                String::from("rows that the policies beneath let through")
            }
            Some(_) => String::from("all rows of its query, past the policies beneath"),
        },
        policies: policies.map(|policy| policy.name.to_string()).collect(),
    })
}

fn file_line(role: &str, file: &Endpoint, prefixes: &Prefixes) -> RuleLine {
    RuleLine {
        role: role.to_owned(),
        subject: RuleSubject::File,
        name: title(file, prefixes),
        verb: "call",
        columns: None,
        rows: String::from(match file.definer {
            true => "the file alone decides (@security definer)",
            false => "rows that the policies of its tables let through",
        }),
        policies: Vec::new(),
    }
}

fn title(file: &Endpoint, prefixes: &Prefixes) -> String {
    let path = prefixes.path(&file.route_path());
    format!("{} {path}", file.method.name())
}

/// What a statement reads and writes, as lines of an exposure.
fn beneath(statement: &CheckedStatement) -> Vec<String> {
    let read = |columns: &mut dyn Iterator<Item = (sql::Ident, sql::Ident)>| {
        columns
            .map(|(table, column)| format!("select {table}.{column}"))
            .collect::<Vec<_>>()
    };
    match statement {
        CheckedStatement::Query(query) => read(&mut query.reads().1.into_iter()),
        CheckedStatement::Write(write) => {
            let mut found = written(write);
            let mut columns = std::collections::BTreeSet::new();
            write.visit(&mut |expr| {
                columns.extend(lang::expression_reads(expr).1);
                let own = expr.row_columns().into_iter();
                columns.extend(own.map(|column| (write.table.clone(), column)));
            });
            found.extend(read(&mut columns.into_iter()));
            found
        }
    }
}

fn written(write: &Write) -> Vec<String> {
    let table = &write.table;
    match &write.kind {
        WriteKind::Insert { columns, .. } => columns
            .iter()
            .map(|column| format!("insert {table}.{column}"))
            .collect(),
        WriteKind::Update { assignments, .. } => assignments
            .iter()
            .map(|(column, _)| format!("update {table}.{column}"))
            .collect(),
        WriteKind::Delete { .. } => vec![format!("delete {table}")],
    }
}

/// Whether a policy has a say for these roles and this command.
pub(crate) fn concerns(policy: &Policy, roles: &RoleSet, privilege: Privilege) -> bool {
    let command = match policy.command {
        PolicyCommand::All => true,
        PolicyCommand::One(one) => one == privilege,
    };
    command && (policy.roles.is_empty() || policy.roles.iter().any(|role| roles.has(role)))
}

/// `select`, `insert`, `update`, `delete`
pub(crate) fn privilege_name(privilege: Privilege) -> &'static str {
    match privilege {
        Privilege::Select => "select",
        Privilege::Insert => "insert",
        Privilege::Update => "update",
        Privilege::Delete => "delete",
    }
}

fn rows_in_words(rule: &Expr) -> String {
    match as_constant(rule) {
        Some(true) => String::from(ALL_ROWS),
        Some(false) => String::from(NO_ROW),
        None => format!("rows where {}", words(rule)),
    }
}

fn new_rows_in_words(rule: &Expr) -> String {
    match as_constant(rule) {
        Some(true) => String::from("any new row"),
        Some(false) => String::from(NO_ROW),
        None => format!("new rows where {}", words(rule)),
    }
}

fn changed_in_words(using: &Expr, check: &Expr) -> String {
    let rows = rows_in_words(using);
    if as_constant(using) == Some(false) || as_constant(check) == Some(true) || using == check {
        return rows;
    }
    match as_constant(check) {
        Some(false) => String::from(NO_ROW),
        _ => format!("{rows}, if then {}", words(check)),
    }
}

/// A condition as its author could have written it: names without needless quotes, no brackets
/// around the whole.
pub(crate) fn words(rule: &Expr) -> String {
    let text = rule.to_string();
    let mut plain = String::with_capacity(text.len());
    let mut in_text = false;
    for character in text.chars() {
        in_text ^= character == '\'';
        if in_text || character != '"' {
            plain.push(character);
        }
    }
    crate::plan::without_brackets(&plain).to_owned()
}

/// Whether a column's name says that it holds what few should see.
fn looks_secret(column: &str) -> bool {
    const WORDS: [&str; 14] = [
        "password",
        "passwd",
        "secret",
        "token",
        "hash",
        "salt",
        "api_key",
        "apikey",
        "private_key",
        "email",
        "phone",
        "iban",
        "ssn",
        "birth",
    ];
    let column = column.to_lowercase();
    WORDS.iter().any(|word| column.contains(word))
}
