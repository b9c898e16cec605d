//! The OpenAPI 3.1 document, generated from tables, files and what a caller may do.

use lang::{Expr, ExprKind, Type};
use schema::{Catalog, Column, Table};
use serde_json::{Map, Value, json};

use crate::access::{Access, TableAccess};
use crate::endpoint::{Endpoint, Place};
use crate::{Answer, Api, RoleSet};

/// What the document says of the whole.
#[derive(Clone, Debug)]
pub struct OpenApiInfo {
    /// The project's name.
    pub title: String,
    /// The server's public address.
    pub server_url: String,
}

pub(crate) fn document(
    api: &Api,
    catalog: &Catalog,
    access: &Access,
    roles: &RoleSet,
    info: &OpenApiInfo,
) -> Value {
    let mut paths = Map::new();
    let mut schemas = Map::new();
    schemas.insert(String::from("Error"), error_schema());
    for table in catalog.relations() {
        if let Some(access) = access.table(table.name.as_str()).filter(|a| a.is_visible()) {
            table_schemas(&mut schemas, table, access);
            table_paths(&mut paths, table, access);
        }
    }
    for endpoint in api
        .endpoints
        .iter()
        .filter(|e| e.roles.iter().any(|role| roles.has(role)))
    {
        let path = format!("/api{}", endpoint.route_path());
        let entry = paths.entry(path).or_insert_with(|| json!({}));
        entry[endpoint.method.name().to_lowercase()] = operation(endpoint);
    }
    account_paths(&mut paths);
    json!({
        "openapi": "3.1.0",
        "info": {"title": info.title, "version": "1"},
        "servers": [{"url": info.server_url}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
            },
            "responses": {
                "Error": {
                    "description": "Refused; code, message and hint say why.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
                }
            }
        },
        "security": [{}, {"bearer": []}]
    })
}

fn error_schema() -> Value {
    json!({
        "type": "object",
        "required": ["code", "message", "details", "hint", "request_id"],
        "properties": {
            "code": {"type": "string"},
            "message": {"type": "string"},
            "details": {"type": ["string", "null"], "description": "More, for people"},
            "errors": {"type": "array", "description": "More, for programs"},
            "hint": {"type": ["string", "null"]},
            "request_id": {"type": "string"}
        }
    })
}

fn type_schema(ty: &Type, nullable: bool) -> Value {
    let mut schema = match ty {
        Type::Boolean => json!({"type": "boolean"}),
        Type::SmallInt => json!({"type": "integer", "minimum": -32_768, "maximum": 32_767}),
        Type::Integer => json!({"type": "integer", "format": "int32"}),
        // Beyond 2^53 a JSON number loses digits in many readers, so it is a text there.
        Type::BigInt => json!({"type": ["integer", "string"], "format": "int64"}),
        Type::Real | Type::Double => json!({"type": "number"}),
        Type::Numeric { .. } => json!({"type": "string", "pattern": "^-?[0-9]+(\\.[0-9]+)?$"}),
        Type::Text => json!({"type": "string"}),
        Type::Varchar(length) => json!({"type": "string", "maxLength": length}),
        Type::Uuid => json!({"type": "string", "format": "uuid"}),
        Type::Date => json!({"type": "string", "format": "date"}),
        Type::Time => json!({"type": "string", "format": "time"}),
        Type::Timestamp => json!({"type": "string", "format": "date-time"}),
        Type::Interval => json!({"type": "string", "format": "duration"}),
        Type::Bytes => json!({"type": "string", "contentEncoding": "base64"}),
        Type::Json => json!({}),
        Type::Array(element) => {
            json!({"type": "array", "items": {"type": element_types(*element)}})
        }
        Type::Range(_) => json!({"type": "string", "pattern": "^(empty|[\\[(].*,.*[\\])])$"}),
    };
    if nullable && let Some(name) = schema.get("type").cloned() {
        let mut names = match name {
            Value::Array(names) => names,
            one => vec![one],
        };
        names.push(json!("null"));
        schema["type"] = Value::Array(names);
    }
    schema
}

/// The JSON types of an array's values.
fn element_types(element: sql::Element) -> Value {
    use sql::Element::{
        BigInt, Boolean, Date, Double, Integer, Numeric, SmallInt, Text, Timestamp, Uuid,
    };
    match element {
        Boolean => json!(["boolean", "null"]),
        SmallInt | Integer => json!(["integer", "null"]),
        BigInt => json!(["integer", "string", "null"]),
        Double => json!(["number", "null"]),
        Numeric | Text | Uuid | Date | Timestamp => json!(["string", "null"]),
    }
}

fn object(columns: &[&Column], required: &[&Column]) -> Value {
    let properties: Map<String, Value> = columns
        .iter()
        .map(|column| {
            let mut schema = type_schema(&column.ty, column.nullable);
            if let Some(comment) = &column.comment {
                schema["description"] = json!(comment);
            }
            (column.name.to_string(), schema)
        })
        .collect();
    let mut schema = json!({"type": "object", "properties": properties});
    if !required.is_empty() {
        schema["required"] = required
            .iter()
            .map(|column| json!(column.name.as_str()))
            .collect();
    }
    schema
}

fn table_schemas(schemas: &mut Map<String, Value>, table: &Table, access: &TableAccess) {
    let pick = |names: &[sql::Ident]| -> Vec<&Column> {
        table
            .columns
            .iter()
            .filter(|column| names.contains(&column.name))
            .collect()
    };
    let readable = pick(access.readable());
    schemas.insert(table.name.to_string(), object(&readable, &readable));
    let insertable = pick(access.insertable());
    if !insertable.is_empty() {
        let needed =
            |column: &&&Column| !column.nullable && column.default.is_none() && !column.identity;
        let required: Vec<&Column> = insertable.iter().filter(needed).copied().collect();
        let mut schema = object(&insertable, &required);
        schema["additionalProperties"] = json!(false);
        schemas.insert(format!("{}.insert", table.name), schema);
    }
    let updatable = pick(access.updatable());
    if !updatable.is_empty() {
        let mut schema = object(&updatable, &[]);
        schema["additionalProperties"] = json!(false);
        schemas.insert(format!("{}.update", table.name), schema);
    }
}

fn refer(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// `select`, `order` and pages, for reading.
fn shape_parameters() -> Vec<Value> {
    let text = |name: &str, description: &str| json!({"name": name, "in": "query", "schema": {"type": "string"}, "description": description});
    let number = |name: &str| json!({"name": name, "in": "query", "schema": {"type": "integer", "minimum": 0}});
    vec![
        text("select", "Columns and related rows: a,b,related(c)"),
        text("order", "column.desc.nullslast"),
        number("limit"),
        number("offset"),
    ]
}

/// A condition for each readable column.
fn conditions(table: &Table, access: &TableAccess) -> Vec<Value> {
    let columns = table.columns.iter();
    let readable = columns.filter(|column| access.readable().contains(&column.name));
    let condition = |column: &Column| {
        json!({"name": column.name.as_str(), "in": "query", "schema": {"type": "string"},
               "description": "A condition: eq.value, gte.value, in.(a,b)"})
    };
    readable.map(condition).collect()
}

fn responses(success: &str, description: &str, schema: Option<Value>) -> Value {
    let mut ok = json!({"description": description});
    if let Some(schema) = schema {
        ok["content"] = json!({"application/json": {"schema": schema}});
    }
    json!({success: ok, "default": {"$ref": "#/components/responses/Error"}})
}

fn table_paths(paths: &mut Map<String, Value>, table: &Table, access: &TableAccess) {
    let name = table.name.as_str();
    let list = list_operations(table, access);
    if !list.is_empty() {
        paths.insert(format!("/api/{name}"), Value::Object(list));
    }
    let mut row = row_operations(table, access);
    if !row.is_empty() && table.primary_key.is_some() {
        let key = json!([
            {"name": "key", "in": "path", "required": true, "schema": {"type": "string"}}
        ]);
        row.insert(String::from("parameters"), key);
        paths.insert(format!("/api/{name}/{{key}}"), Value::Object(row));
    }
}

fn table_operation(verb: &str, table: &Table, summary: &str) -> Value {
    let name = table.name.as_str();
    json!({"operationId": format!("{verb}_{name}"), "tags": [name], "summary": summary})
}

fn body(table: &Table, kind: &str) -> Value {
    let schema = refer(&format!("{}.{kind}", table.name));
    json!({"required": true, "content": {"application/json": {"schema": schema}}})
}

/// What can be done with the rows that a filter finds.
fn list_operations(table: &Table, access: &TableAccess) -> Map<String, Value> {
    let name = table.name.as_str();
    let mut list = Map::new();
    if !access.readable().is_empty() {
        let rows = json!({"type": "array", "items": refer(name)});
        let mut get = table_operation("list", table, &format!("Rows of {name}"));
        let mut parameters = shape_parameters();
        parameters.extend(conditions(table, access));
        get["parameters"] = json!(parameters);
        get["responses"] = responses("200", "The rows", Some(rows));
        list.insert(String::from("get"), get);
    }
    if !access.insertable().is_empty() {
        let mut post = table_operation("insert", table, &format!("Insert into {name}"));
        post["requestBody"] = body(table, "insert");
        post["responses"] = responses("201", "Inserted", None);
        list.insert(String::from("post"), post);
    }
    if !access.updatable().is_empty() {
        let mut patch = table_operation("update_rows", table, &format!("Change rows of {name}"));
        patch["parameters"] = json!(conditions(table, access));
        patch["requestBody"] = body(table, "update");
        patch["responses"] = responses("204", "Changed", None);
        list.insert(String::from("patch"), patch);
    }
    if access.delete {
        let mut delete = table_operation("delete_rows", table, &format!("Delete rows of {name}"));
        delete["parameters"] = json!(conditions(table, access));
        delete["responses"] = responses("204", "Deleted", None);
        list.insert(String::from("delete"), delete);
    }
    list
}

/// What can be done with the row of a key.
fn row_operations(table: &Table, access: &TableAccess) -> Map<String, Value> {
    let name = table.name.as_str();
    let mut row = Map::new();
    if !access.readable().is_empty() {
        let mut get = table_operation("read", table, &format!("One row of {name}"));
        get["responses"] = responses("200", "The row", Some(refer(name)));
        row.insert(String::from("get"), get);
    }
    if !access.updatable().is_empty() {
        let mut patch = table_operation("update", table, &format!("Change a row of {name}"));
        patch["requestBody"] = body(table, "update");
        patch["responses"] = responses("204", "Changed", None);
        row.insert(String::from("patch"), patch);
        let mut put = table_operation("replace", table, &format!("Replace a row of {name}"));
        put["requestBody"] = body(table, "update");
        put["responses"] = responses("204", "Replaced", None);
        put["responses"]["201"] = json!({"description": "Made, as there was none"});
        row.insert(String::from("put"), put);
    }
    if access.delete {
        let mut delete = table_operation("delete", table, &format!("Delete a row of {name}"));
        delete["responses"] = responses("204", "Deleted", None);
        row.insert(String::from("delete"), delete);
    }
    row
}

fn operation(endpoint: &Endpoint) -> Value {
    let id: String = endpoint
        .route_path()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    let mut parameters = Vec::new();
    let mut properties = Map::new();
    let mut required = Vec::new();
    for parameter in &endpoint.parameters {
        let nullable = parameter.default == Some(sql::Value::Null);
        let mut schema = type_schema(&parameter.ty, nullable && parameter.place == Place::Body);
        let (low, high) = match parameter.ty {
            Type::Text | Type::Varchar(_) => ("minLength", "maxLength"),
            _ => ("minimum", "maximum"),
        };
        for (key, bound) in [(low, parameter.min), (high, parameter.max)] {
            if let Some(bound) = bound {
                schema[key] = json!(bound);
            }
        }
        let is_required = parameter.default.is_none();
        if parameter.place == Place::Body {
            schema["description"] = json!(parameter.description);
            properties.insert(parameter.name.clone(), schema);
            if is_required {
                required.push(json!(parameter.name));
            }
            continue;
        }
        let place = if parameter.place == Place::Path {
            "path"
        } else {
            "query"
        };
        parameters.push(json!({
            "name": parameter.name, "in": place, "required": is_required, "schema": schema,
            "description": parameter.description
        }));
    }
    let method = endpoint.method.name().to_lowercase();
    let mut operation = json!({
        "operationId": format!("{method}{id}"),
        "tags": ["endpoints"],
        "summary": endpoint.summary,
        "parameters": parameters,
    });
    if !properties.is_empty() {
        let schema = json!({"type": "object", "properties": properties, "required": required,
                            "additionalProperties": false});
        operation["requestBody"] =
            json!({"required": true, "content": {"application/json": {"schema": schema}}});
    }
    let status = endpoint
        .status
        .map_or(String::from("200"), |status| status.to_string());
    operation["responses"] = match &endpoint.answer {
        None => responses("204", "Done", None),
        Some(answer) => responses(&status, "The answer", Some(answer_schema(endpoint, answer))),
    };
    operation
}

fn answer_schema(endpoint: &Endpoint, answer: &Answer) -> Value {
    let projection = endpoint.projection();
    let properties: Map<String, Value> = projection
        .iter()
        .map(|column| (column.name.to_string(), expression_schema(&column.expr)))
        .collect();
    let row = json!({"type": "object", "properties": properties});
    match answer {
        Answer::Many => json!({"type": "array", "items": row}),
        Answer::One | Answer::Single | Answer::OneOr(_) => row,
        Answer::Value => projection
            .first()
            .map_or(json!({}), |column| expression_schema(&column.expr)),
    }
}

fn expression_schema(expr: &Expr) -> Value {
    match &expr.kind {
        ExprKind::JsonObject(members) => {
            let properties: Map<String, Value> = members
                .iter()
                .map(|(key, value)| (key.clone(), expression_schema(value)))
                .collect();
            json!({"type": "object", "properties": properties})
        }
        ExprKind::JsonAgg { element, .. } => {
            json!({"type": "array", "items": expression_schema(element)})
        }
        ExprKind::Scalar(query) => query
            .projection
            .first()
            .map_or(json!({}), |column| expression_schema(&column.expr)),
        _ => expr
            .ty
            .as_ref()
            .map_or(json!({}), |ty| type_schema(ty, expr.nullable)),
    }
}

fn account_paths(paths: &mut Map<String, Value>) {
    let account = json!({"type": "object", "required": ["email", "password"],
        "additionalProperties": false,
        "properties": {"email": {"type": "string"}, "password": {"type": "string", "minLength": 8},
            "username": {"type": "string"}, "first_name": {"type": "string"},
            "last_name": {"type": "string"}, "display_name": {"type": "string"}}});
    let form = json!({"type": "object", "required": ["username", "password"],
        "properties": {"username": {"type": "string"}, "password": {"type": "string"}}});
    let token = json!({"type": "object", "properties": {"access_token": {"type": "string"},
        "token_type": {"type": "string"}, "expires_in": {"type": "integer"}}});
    paths.insert(
        String::from("/register"),
        json!({"post": {
        "operationId": "register", "tags": ["account"], "summary": "Make an account",
        "requestBody": {"required": true, "content": {"application/json": {"schema": account}}},
        "responses": responses("201", "Made", Some(json!({"type": "object"})))}}),
    );
    paths.insert(
        String::from("/token"),
        json!({"post": {
        "operationId": "token", "tags": ["account"], "summary": "Sign in with a password",
        "requestBody": {"required": true,
            "content": {"application/x-www-form-urlencoded": {"schema": form}}},
        "responses": responses("200", "A bearer token", Some(token))}}),
    );
    paths.insert(
        String::from("/auth/me"),
        json!({"get": {
        "operationId": "me", "tags": ["account"], "summary": "Who you are",
        "security": [{"bearer": []}],
        "responses": responses("200", "Your account", Some(json!({"type": "object"})))}}),
    );
    for (path, id) in [("/healthz", "healthz"), ("/readyz", "readyz")] {
        paths.insert(
            String::from(path),
            json!({"get": {
            "operationId": id, "tags": ["server"], "security": [],
            "responses": responses("200", "It is well", Some(json!({"type": "object"})))}}),
        );
    }
    paths.insert(
        String::from("/.well-known/jwks.json"),
        json!({"get": {
        "operationId": "jwks", "tags": ["server"], "summary": "Keys that verify tokens",
        "security": [], "responses": responses("200", "Keys", Some(json!({"type": "object"})))}}),
    );
}
