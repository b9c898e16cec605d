//! A file of accounts: lines of CSV, or of JSON. Everything that is wrong is told at once, each with
//! its line and column.

use std::collections::HashMap;
use std::path::Path;

use schema::Catalog;
use serde_json::Value;
use server::{EmailAddress, PasswordHash, Username, find_role};
use sql::Ident;
use store::users::PersonName;

use crate::failure::{Failure, Outcome};

/// The columns that there are.
const COLUMNS: [&str; 11] = [
    "email",
    "username",
    "first_name",
    "last_name",
    "display_name",
    "language",
    "active",
    "email_confirmed",
    "password_hash",
    "roles",
    "external_id",
];

/// The most faults that are told.
const TOLD: usize = 50;

/// A line of the file; what is `None` the file says nothing of.
#[derive(Debug)]
pub(super) struct Entry {
    /// Counted from 1.
    pub(super) line: u64,
    pub(super) email: EmailAddress,
    pub(super) username: Option<Username>,
    /// Those that it says something of; without a text where there is none.
    pub(super) names: Vec<(PersonName, Option<String>)>,
    pub(super) language: Option<String>,
    pub(super) active: Option<bool>,
    pub(super) confirmed: Option<bool>,
    pub(super) hash: Option<PasswordHash>,
    pub(super) roles: Vec<Ident>,
    pub(super) external_id: Option<String>,
}

/// What is wrong with a file, place by place.
pub(super) struct Faults {
    file: String,
    list: Vec<(u64, String)>,
}

impl Faults {
    pub(super) fn of(file: &Path) -> Self {
        Self {
            file: file.display().to_string(),
            list: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, line: u64, column: &str, message: &str) {
        self.list.push((line, format!("{column}: {message}")));
    }

    /// Refuses the file if anything is wrong with it.
    pub(super) fn check(mut self) -> Outcome<Self> {
        if self.list.is_empty() {
            return Ok(self);
        }
        self.list.sort();
        let lines = self.list.iter().take(TOLD);
        let mut lines: Vec<String> = lines
            .map(|(line, said)| format!("{}:{line}: {said}", self.file))
            .collect();
        if self.list.len() > TOLD {
            lines.push(format!("and {} more", self.list.len() - TOLD));
        }
        Err(Failure::config(lines.join("\n")).fix("nothing was imported; mend the file"))
    }
}

/// The cells of a line by their columns.
type Cells = HashMap<String, Value>;

/// Reads a file whole. Two lines with one key, address or user name are faults.
pub(super) fn read(path: &Path, catalog: &Catalog) -> Outcome<(Vec<Entry>, Faults)> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::config(format!("{}: {error}", path.display())))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut faults = Faults::of(path);
    let lines = match path.extension().and_then(|ending| ending.to_str()) {
        Some("csv") => of_csv(text, &mut faults),
        Some("jsonl" | "ndjson") => of_json(text, &mut faults),
        _ => {
            let message = format!("{} ends with neither .csv nor .jsonl", path.display());
            return Err(Failure::usage(message));
        }
    };
    let mut entries = Vec::new();
    for (line, cells) in lines {
        let reader = Reader {
            line,
            cells,
            faults: &mut faults,
        };
        entries.extend(reader.read(catalog));
    }
    once(&entries, &mut faults);
    let faults = faults.check()?;
    Ok((entries, faults))
}

/// Lines of CSV; the first one names the columns.
fn of_csv(text: &str, faults: &mut Faults) -> Vec<(u64, Cells)> {
    let first = text.lines().next().unwrap_or_default();
    // As spreadsheets write it where the comma stands in numbers.
    let delimiter = match first.contains(';') && !first.contains(',') {
        true => b';',
        false => b',',
    };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut names: Option<Vec<String>> = None;
    let mut lines = Vec::new();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(1, csv::Position::line);
                faults.add(line, "line", &error.to_string());
                break;
            }
        };
        let line = record.position().map_or(1, csv::Position::line);
        let Some(names) = &names else {
            names = Some(header(&record, line, faults));
            continue;
        };
        if record.len() != names.len() {
            let (has, wanted) = (record.len(), names.len());
            faults.add(
                line,
                "line",
                &format!("it has {has} columns instead of {wanted}"),
            );
            continue;
        }
        let cell = |text: &str| match text.trim() {
            "" => Value::Null,
            text => Value::from(text),
        };
        let cells = names.iter().cloned().zip(record.iter().map(cell));
        lines.push((line, cells.collect()));
    }
    if names.is_none() {
        faults.add(1, "line", "the first line names the columns");
    }
    lines
}

fn header(record: &csv::StringRecord, line: u64, faults: &mut Faults) -> Vec<String> {
    let names: Vec<String> = record
        .iter()
        .map(|name| name.trim().to_lowercase())
        .collect();
    for (place, name) in names.iter().enumerate() {
        known(name, line, faults);
        if names.iter().take(place).any(|before| before == name) {
            faults.add(line, name, "the column is there twice");
        }
    }
    names
}

fn known(name: &str, line: u64, faults: &mut Faults) {
    if COLUMNS.contains(&name) {
        return;
    }
    let hint = match stdx::nearest(name, COLUMNS) {
        Some(near) => format!("there is no such column; did you mean {near}?"),
        None => format!("there is no such column; there are {}", COLUMNS.join(", ")),
    };
    faults.add(line, name, &hint);
}

/// Lines of JSON, an object on each.
fn of_json(text: &str, faults: &mut Faults) -> Vec<(u64, Cells)> {
    let mut lines = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        if text.trim().is_empty() {
            continue;
        }
        match serde_json::from_str(text) {
            Ok(Value::Object(object)) => {
                object.keys().for_each(|name| known(name, line, faults));
                lines.push((line, object.into_iter().collect()));
            }
            Ok(_) => faults.add(line, "line", "it is no JSON object"),
            Err(error) => {
                let message = format!("column {}: it is no JSON", error.column());
                faults.add(line, "line", &message);
            }
        }
    }
    lines
}

/// The cells of one line, being read.
struct Reader<'f> {
    line: u64,
    cells: Cells,
    faults: &'f mut Faults,
}

impl Reader<'_> {
    fn read(mut self, catalog: &Catalog) -> Option<Entry> {
        let email = self.parsed("email", EmailAddress::parse);
        if email.is_none() && self.cells.get("email").is_none_or(Value::is_null) {
            self.faults.add(self.line, "email", "an address is needed");
        }
        let username = self.parsed("username", Username::parse);
        let hash = self.parsed("password_hash", PasswordHash::from_stored);
        let language = self.parsed("language", language);
        let external_id = self.parsed("external_id", name);
        let (active, confirmed) = (self.flag("active"), self.flag("email_confirmed"));
        let names = self.names();
        let roles = self.roles(catalog);
        Some(Entry {
            line: self.line,
            email: email?,
            username,
            names,
            language,
            active,
            confirmed,
            hash,
            roles,
            external_id,
        })
    }

    /// The text of a cell; a number counts as its digits.
    fn text(&mut self, column: &str) -> Option<String> {
        match self.cells.get(column)? {
            Value::Null => None,
            Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                self.faults.add(self.line, column, "it must be a text");
                None
            }
        }
    }

    fn parsed<T, E: std::fmt::Display>(
        &mut self,
        column: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.text(column)?;
        match parse(&text) {
            Ok(value) => Some(value),
            Err(error) => {
                self.faults.add(self.line, column, &error.to_string());
                None
            }
        }
    }

    fn names(&mut self) -> Vec<(PersonName, Option<String>)> {
        let mut names = Vec::new();
        for (which, column) in [
            (PersonName::First, "first_name"),
            (PersonName::Last, "last_name"),
            (PersonName::Display, "display_name"),
        ] {
            if self.cells.contains_key(column) {
                names.push((which, self.parsed(column, name)));
            }
        }
        names
    }

    fn flag(&mut self, column: &str) -> Option<bool> {
        if let Some(Value::Bool(value)) = self.cells.get(column) {
            return Some(*value);
        }
        self.parsed(column, |text| match text.to_lowercase().as_str() {
            "true" | "yes" | "1" => Ok(true),
            "false" | "no" | "0" => Ok(false),
            _ => Err("it is true or false"),
        })
    }

    /// Roles, as a list or separated by spaces.
    fn roles(&mut self, catalog: &Catalog) -> Vec<Ident> {
        let names: Vec<String> = match self.cells.get("roles") {
            Some(Value::Array(list)) => {
                let texts = list.iter().map(|value| value.as_str().unwrap_or_default());
                texts.map(str::to_owned).collect()
            }
            _ => self
                .text("roles")
                .map(|text| text.split_whitespace().map(str::to_owned).collect())
                .unwrap_or_default(),
        };
        let mut roles = Vec::new();
        for name in names {
            match find_role(catalog, &name) {
                Ok(role) => roles.push(role),
                Err(error) => self.faults.add(self.line, "roles", &error.to_string()),
            }
        }
        roles.sort();
        roles.dedup();
        roles
    }
}

fn name(text: &str) -> Result<String, &'static str> {
    if text.chars().count() > 200 {
        return Err("it has more than 200 characters");
    }
    match text.chars().any(char::is_control) {
        true => Err("it cannot hold control characters"),
        false => Ok(text.to_owned()),
    }
}

/// A tag as BCP 47 writes it.
fn language(text: &str) -> Result<String, &'static str> {
    let is_tag = (2..=35).contains(&text.len())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    match is_tag {
        true => Ok(text.to_owned()),
        false => Err("it is a language, as nl or pt-BR"),
    }
}

/// Notes keys, addresses and user names that two lines have.
fn once(entries: &[Entry], faults: &mut Faults) {
    let mut seen: HashMap<(&str, &str), u64> = HashMap::new();
    for entry in entries {
        let own = [
            ("external_id", entry.external_id.as_deref()),
            ("email", Some(entry.email.as_str())),
            (
                "username",
                entry.username.as_ref().map(Username::username_key),
            ),
        ];
        for (column, text) in own {
            let Some(text) = text else { continue };
            if let Some(before) = seen.get(&(column, text)) {
                let message = format!("line {before} has the same");
                faults.add(entry.line, column, &message);
            } else {
                seen.insert((column, text), entry.line);
            }
        }
    }
}
