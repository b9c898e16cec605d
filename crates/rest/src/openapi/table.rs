//! Tables and views: the shapes of their rows, and what can be done with these.

use schema::{Column, Table};
use serde_json::{Value, json};
use sql::Ident;

use super::bounds::Bounds;
use super::responses::Responses;
use super::{Object, View, column, component, parameters, refer, security, segment};
use crate::access::TableAccess;

/// Refusals of every read, and of every write besides.
const OF_READS: [u16; 10] = [300, 400, 401, 403, 404, 406, 422, 500, 503, 504];
const OF_WRITES: [u16; 14] = [
    300, 400, 401, 403, 404, 406, 409, 413, 415, 422, 500, 503, 504, 507,
];

const WRITTEN: [(&str, &str); 1] = [("Preference-Applied", "PreferenceApplied")];
const CREATED: [(&str, &str); 2] = [
    ("Location", "Location"),
    ("Preference-Applied", "PreferenceApplied"),
];
const READ: [(&str, &str); 2] = [
    ("Content-Location", "ContentLocation"),
    ("Preference-Applied", "PreferenceApplied"),
];
const PAGE: [(&str, &str); 3] = [
    ("Content-Location", "ContentLocation"),
    ("Content-Range", "ContentRange"),
    ("Preference-Applied", "PreferenceApplied"),
];

/// A table or view that is described.
pub(super) struct Described<'a> {
    table: &'a Table,
    access: &'a TableAccess,
    anonymous: Option<&'a TableAccess>,
    /// Whether it is a view, of which rows are only read.
    is_view: bool,
    /// Its name below `components.schemas`.
    name: String,
    /// The path of its rows.
    path: String,
}

impl<'a> Described<'a> {
    pub(super) fn new(view: View<'a>, table: &'a Table, access: &'a TableAccess) -> Self {
        let name = table.name.as_str();
        Self {
            table,
            access,
            anonymous: view.anonymous.table(name),
            is_view: view.api.catalog().view(name).is_some(),
            name: component(name),
            path: view.api.prefixes().path(&format!("/{}", segment(name))),
        }
    }

    fn columns(&self, names: &'a [Ident]) -> Vec<&'a Column> {
        let columns = self.table.columns.iter();
        columns
            .filter(|column| names.contains(&column.name))
            .collect()
    }

    fn key(&self) -> &'a [Ident] {
        let primary = self.table.primary_key.as_ref();
        primary.map_or(&[][..], |key| &key.columns)
    }

    fn may_insert(&self) -> bool {
        !self.is_view && !self.access.insertable().is_empty()
    }

    fn may_update(&self) -> bool {
        !self.is_view && !self.access.updatable().is_empty()
    }

    fn may_delete(&self) -> bool {
        !self.is_view && self.access.delete
    }

    /// A replacement writes at least one column that is not of the key.
    fn may_replace(&self) -> bool {
        self.may_update() && !self.key().is_empty()
    }

    /// Whether anybody may do what `may` says.
    fn is_open(&self, may: fn(&TableAccess) -> bool) -> Value {
        security(self.anonymous.is_some_and(may))
    }

    /// The row as it is read, inserted, changed and replaced.
    pub(super) fn schemas(&self, schemas: &mut Object) {
        let name = &self.name;
        let readable = self.columns(self.access.readable());
        if !readable.is_empty() {
            schemas.insert(name.clone(), self.row(&readable));
        }
        if self.may_insert() {
            let columns = self.columns(self.access.insertable());
            let needed = |column: &&&Column| is_needed(column);
            let needed: Vec<&Column> = columns.iter().filter(needed).copied().collect();
            schemas.insert(
                format!("{name}.insert"),
                self.body(&columns, &needed, &needed),
            );
        }
        if self.may_update() {
            let columns = self.columns(self.access.updatable());
            let shown = columns.iter().take(1).copied().collect::<Vec<_>>();
            let mut schema = self.body(&columns, &[], &shown);
            schema["minProperties"] = json!(1);
            allow_counting(&columns, &mut schema);
            schemas.insert(format!("{name}.update"), schema);
        }
        if self.may_replace() {
            schemas.insert(format!("{name}.replace"), self.replacement());
        }
    }

    fn row(&self, readable: &[&Column]) -> Value {
        let mut properties = Object::new();
        for column in readable {
            let mut schema = column::answered(&column.ty);
            Bounds::of(self.table, column).narrow(&mut schema);
            self.describe(column, &mut schema);
            let is_written = self.access.insertable().contains(&column.name)
                || self.access.updatable().contains(&column.name);
            if !is_written || self.is_view {
                schema["readOnly"] = json!(true);
            }
            properties.insert(column.name.to_string(), schema);
        }
        let required: Vec<&str> = readable.iter().map(|column| column.name.as_str()).collect();
        let mut schema = json!({"type": "object", "properties": properties, "required": required});
        if let Some(comment) = &self.table.comment {
            schema["description"] = json!(comment);
        }
        schema
    }

    /// `shown` are the columns of the example.
    fn body(&self, columns: &[&Column], required: &[&Column], shown: &[&Column]) -> Value {
        let mut properties = Object::new();
        let mut example = Object::new();
        for column in columns {
            let bounds = Bounds::of(self.table, column);
            if shown.iter().any(|shown| shown.name == column.name) {
                example.insert(
                    column.name.to_string(),
                    column::example(&column.ty, &bounds),
                );
            }
            let mut schema = column::sent(&column.ty);
            bounds.narrow(&mut schema);
            self.describe(column, &mut schema);
            if let Some(default) = column::default(column) {
                schema["default"] = default;
            }
            properties.insert(column.name.to_string(), schema);
        }
        let mut schema = json!({"type": "object", "properties": properties});
        if !required.is_empty() {
            schema["required"] = required.iter().map(|column| column.name.as_str()).collect();
        }
        schema["additionalProperties"] = json!(false);
        if !example.is_empty() {
            schema["example"] = Value::Object(example);
        }
        schema
    }

    /// Whether it can be null, and what is said of it.
    fn describe(&self, column: &Column, schema: &mut Value) {
        if column.nullable {
            *schema = column::nullable(schema.take());
        }
        if let Some(description) = column::description(self.table, column) {
            schema["description"] = json!(description);
        }
    }

    /// What a replacement says: what may be changed, and, where it may make the row, what that
    /// needs. The key may be repeated.
    fn replacement(&self) -> Value {
        let (key, access) = (self.key(), self.access);
        let makes = key.iter().all(|name| access.insertable().contains(name));
        let is_said = |column: &&Column| {
            let (insert, update) = (
                access.insertable().contains(&column.name),
                access.updatable().contains(&column.name),
            );
            key.contains(&column.name) || (update && (insert || !makes))
        };
        let columns: Vec<&Column> = self.table.columns.iter().filter(is_said).collect();
        let is_required =
            |column: &&&Column| makes && !key.contains(&column.name) && is_needed(column);
        let required: Vec<&Column> = columns.iter().filter(is_required).copied().collect();
        let shown: Vec<&Column> = match required.is_empty() {
            true => columns
                .iter()
                .filter(|column| !key.contains(&column.name))
                .take(1)
                .copied()
                .collect(),
            false => required.clone(),
        };
        self.body(&columns, &required, &shown)
    }

    pub(super) fn paths(&self, paths: &mut Object) {
        let path = &self.path;
        let list = self.list();
        if !list.is_empty() {
            paths.insert(path.clone(), Value::Object(list));
        }
        let mut row = self.by_key();
        if !row.is_empty() {
            row.insert(String::from("parameters"), json!([self.key_parameter()]));
            paths.insert(format!("{path}/{{key}}"), Value::Object(row));
        }
    }

    fn key_parameter(&self) -> Value {
        let columns: Vec<&Column> = self
            .key()
            .iter()
            .filter_map(|name| self.table.column(name.as_str()))
            .collect();
        let names: Vec<&str> = self.key().iter().map(Ident::as_str).collect();
        let (schema, example) = match columns.as_slice() {
            [only] => (
                column::in_url(&only.ty),
                column::example(&only.ty, &Bounds::default()),
            ),
            several => {
                let parts = vec!["[^,]*"; several.len()].join(",");
                let example = several.iter().map(|column| {
                    match column::example(&column.ty, &Bounds::default()) {
                        Value::String(text) => text,
                        other => other.to_string(),
                    }
                });
                (
                    json!({"type": "string", "pattern": format!("^{parts}$")}),
                    json!(example.collect::<Vec<_>>().join(",")),
                )
            }
        };
        json!({"name": "key", "in": "path", "required": true, "schema": schema, "example": example,
               "description": format!("The primary key: {}", names.join(","))})
    }

    fn operation(&self, id: &str, summary: &str, security: Value) -> Value {
        let name = self.table.name.as_str();
        let id = format!("{id}_{}", self.name.replace(['.', '-'], "_"));
        let mut operation = parameters::operation(&id, name, summary);
        operation.insert(String::from("security"), security);
        Value::Object(operation)
    }

    /// What can be done with many rows.
    fn list(&self) -> Object {
        let name = self.table.name.as_str();
        let (table, access) = (self.table, self.access);
        let mut list = Object::new();
        if !access.readable().is_empty() {
            let open = self.is_open(|access| !access.readable().is_empty());
            let mut get = self.operation("list", &format!("Rows of {name}"), open);
            parameters::put(&mut get, parameters::of_read(table, access));
            get["responses"] = Responses::new()
                .success(200, "The rows", &PAGE, Some(self.rows_or_changes()))
                .success(
                    206,
                    "The rows of a page, where a total was asked for and is greater",
                    &PAGE,
                    Some(self.rows()),
                )
                .refusals(&OF_READS)
                .refusals(&[416])
                .into_value();
            list.insert(String::from("get"), get);
        }
        if self.may_insert() {
            list.insert(String::from("post"), self.insertion());
        }
        if self.may_replace() {
            let mut put = self.replace("replace");
            parameters::put(&mut put, parameters::of_replacement(table));
            put["responses"]["405"] = refer("responses", "MethodNotAllowed");
            list.insert(String::from("put"), put);
        }
        if self.may_update() {
            let open = self.is_open(|access| !access.updatable().is_empty());
            let mut patch = self.operation("update", &format!("Change rows of {name}"), open);
            parameters::put(&mut patch, parameters::of_change(table, access));
            patch["requestBody"] = self.change_body("update");
            patch["responses"] = changed("Changed", self.rows());
            list.insert(String::from("patch"), patch);
        }
        if self.may_delete() {
            let open = self.is_open(|access| access.delete);
            let mut delete = self.operation("delete", &format!("Delete rows of {name}"), open);
            parameters::put(&mut delete, parameters::of_change(table, access));
            delete["responses"] = changed("Deleted", self.rows());
            list.insert(String::from("delete"), delete);
        }
        list
    }

    /// What can be done with the row of a key.
    fn by_key(&self) -> Object {
        let name = self.table.name.as_str();
        let mut row = Object::new();
        if self.key().is_empty() {
            return row;
        }
        if !self.access.readable().is_empty() {
            let open = self.is_open(|access| !access.readable().is_empty());
            let mut get = self.operation("read", &format!("One row of {name}"), open);
            parameters::put(&mut get, parameters::of_row("prefer.read"));
            get["responses"] = Responses::new()
                .success(200, "The row", &READ, Some(self.one_row()))
                .refusals(&OF_READS)
                .into_value();
            row.insert(String::from("get"), get);
        }
        if self.may_replace() {
            let mut put = self.replace("replace_one");
            parameters::put(&mut put, parameters::of_row("prefer.change"));
            row.insert(String::from("put"), put);
        }
        if self.may_update() {
            let open = self.is_open(|access| !access.updatable().is_empty());
            let mut patch = self.operation("update_one", &format!("Change a row of {name}"), open);
            parameters::put(&mut patch, parameters::of_row("prefer.change"));
            patch["requestBody"] = self.change_body("update");
            patch["responses"] = changed("Changed", self.one_row());
            row.insert(String::from("patch"), patch);
        }
        if self.may_delete() {
            let open = self.is_open(|access| access.delete);
            let mut delete = self.operation("delete_one", &format!("Delete a row of {name}"), open);
            parameters::put(&mut delete, parameters::of_row("prefer.change"));
            delete["responses"] = changed("Deleted", self.one_row());
            row.insert(String::from("delete"), delete);
        }
        row
    }

    fn insertion(&self) -> Value {
        let name = self.table.name.as_str();
        let open = self.is_open(|access| !access.insertable().is_empty());
        let mut post = self.operation("insert", &format!("Insert into {name}"), open);
        parameters::put(&mut post, parameters::of_insert());
        let row = refer("schemas", &format!("{}.insert", self.name));
        let rows = json!({"anyOf": [row, {"type": "array", "items": row}]});
        post["requestBody"] = json!({"required": true, "content": {
            "application/json": {"schema": rows},
            "text/csv": {"schema": {"type": "string"}},
            "application/x-www-form-urlencoded": {"schema": row},
        }});
        post["responses"] = Responses::new()
            .success(
                200,
                "All rows were there already; with return=representation what became of them",
                &WRITTEN,
                Some(self.rows()),
            )
            .success(
                201,
                "Inserted; with return=representation the rows",
                &CREATED,
                Some(self.rows()),
            )
            .success(204, "All rows were there already", &WRITTEN, None)
            .refusals(&OF_WRITES)
            .into_value();
        post
    }

    fn replace(&self, id: &str) -> Value {
        let name = self.table.name.as_str();
        let open = self.is_open(|access| !access.updatable().is_empty());
        let summary = format!("Replace a row of {name}, or make it");
        let mut put = self.operation(id, &summary, open);
        put["requestBody"] = self.change_body("replace");
        put["responses"] = Responses::new()
            .success(
                200,
                "Replaced, with return=representation: the row",
                &WRITTEN,
                Some(self.one_row()),
            )
            .success(
                201,
                "Made, as there was none; with return=representation the row",
                &CREATED,
                Some(self.one_row()),
            )
            .success(204, "Replaced", &WRITTEN, None)
            .refusals(&OF_WRITES)
            .into_value();
        put
    }

    fn change_body(&self, kind: &str) -> Value {
        let row = refer("schemas", &format!("{}.{kind}", self.name));
        json!({"required": true, "content": {
            "application/json": {"schema": row},
            "application/x-www-form-urlencoded": {"schema": row},
        }})
    }

    /// A row, whole or as `select` wants it.
    fn item(&self) -> Value {
        let selected = refer("schemas", "Selected");
        match self.access.readable().is_empty() {
            true => selected,
            false => json!({"anyOf": [refer("schemas", &self.name), selected]}),
        }
    }

    fn rows(&self) -> Value {
        json!({
            "application/json": {"schema": {"type": "array", "items": self.item()}},
            "application/vnd.pgrst.object+json": {"schema": self.item()},
            "text/csv": {"schema": {"type": "string"}},
        })
    }

    /// The rows, or these and then what becomes of them.
    fn rows_or_changes(&self) -> Value {
        let mut content = self.rows();
        content["text/event-stream"] = json!({"schema": {"type": "string",
            "description": "Events `snapshot` with all rows, then `insert`, `update` and `delete` \
                with one each, as they happen"}});
        content
    }

    fn one_row(&self) -> Value {
        json!({
            "application/vnd.pgrst.object+json": {"schema": self.item()},
            "text/csv": {"schema": {"type": "string"}},
        })
    }
}

/// Whether an insert has to say it.
fn is_needed(column: &Column) -> bool {
    !column.nullable && column.default.is_none() && !column.identity
}

/// `count+` and `count-`, which change a number by the given one.
fn allow_counting(columns: &[&Column], schema: &mut Value) {
    for column in columns {
        if !column::is_number(&column.ty) {
            continue;
        }
        for sign in ['+', '-'] {
            let name = format!("{}{sign}", column.name);
            let mut own = column::sent(&column.ty);
            own["description"] = json!(match sign {
                '+' => format!("Makes {} greater by this", column.name),
                _ => format!("Makes {} less by this", column.name),
            });
            schema["properties"][name] = own;
        }
    }
}

/// Answers of a change of rows.
fn changed(description: &str, content: Value) -> Value {
    let shown = format!("{description}, with return=representation: what was");
    Responses::new()
        .success(200, &shown, &WRITTEN, Some(content))
        .success(204, description, &WRITTEN, None)
        .refusals(&OF_WRITES)
        .into_value()
}
