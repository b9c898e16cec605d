//! The OpenAPI 3.1 document, generated from tables, files and what a caller may do.

mod account;
mod administration;
mod bounds;
mod column;
mod diff;
mod files;
mod flows;
mod identity;
mod parameters;
mod responses;
mod several;
mod table;

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use crate::access::Access;
use crate::{Api, Prefixes, RoleSet};

pub(crate) use bounds::choices;
pub use diff::breaking_changes;

/// What the document says of the whole.
#[derive(Clone, Debug)]
pub struct OpenApiInfo {
    /// The project's name.
    pub title: String,
    /// The server's public address.
    pub server_url: String,
}

/// A JSON object.
type Object = Map<String, Value>;

/// What goes into the document: the API as one set of roles sees it.
#[derive(Clone, Copy)]
struct View<'a> {
    api: &'a Api,
    roles: &'a RoleSet,
    access: &'a Access,
    /// What anybody may do, to say where somebody has to sign in.
    anonymous: &'a Access,
}

const ABOUT: &str = "\
Tables, SQL files and accounts, as far as the roles of whoever asks for this document reach: with \
another token there is more or less of it.

Values are spelled alike on every engine: moments in UTC with six fraction digits, whole numbers \
beyond ±(2^53 − 1) as strings of digits, exact decimals as strings, bytes as base64.

Each GET has its HEAD. Every error has the same shape, and the id of its request.

SQL files are also called by name: POST {rpc} is api/films/of.get.sql, its parameters in the body. \
Reads have an ETag for If-None-Match and If-Match; cursor= pages behind the last row and links to \
the next page; Accept: text/event-stream tells changes as they happen. Writes take an \
Idempotency-Key; POST {batch} runs several requests in one transaction.";

/// What the document says of the whole, with the paths as they are mounted.
fn about(prefixes: &Prefixes) -> String {
    let text = ABOUT
        .replace("{rpc}", &prefixes.path("/rpc/films_of"))
        .replace("{batch}", &prefixes.path("/$batch"));
    let others: Vec<&str> = prefixes.all().skip(1).collect();
    match (prefixes.all().next(), others.as_slice()) {
        (Some(first), [_, ..]) => {
            let others = others.join(" and below ");
            format!("{text}\n\nEach path below {first} answers below {others} too.")
        }
        _ => text,
    }
}

pub(crate) fn document(api: &Api, roles: &RoleSet, info: &OpenApiInfo) -> Value {
    let rights = api.rights(roles);
    let anonymous = api.rights(&RoleSet::anonymous(api.catalog()));
    let view = View {
        api,
        roles,
        access: &rights.access,
        anonymous: &anonymous.access,
    };
    let mut paths = Object::new();
    let mut schemas = Object::new();
    let mut tags = vec![json!({"name": "account", "description": "Accounts and tokens"})];
    responses::schemas(&mut schemas);
    several::schemas(&mut schemas);
    account::paths(&mut paths);
    flows::paths(&mut paths);
    identity::paths(&mut paths);
    administration::paths(&mut paths);
    for table in api.catalog().relations() {
        let own = view.access.table(table.name.as_str());
        let Some(own) = own.filter(|own| own.is_visible()) else {
            continue;
        };
        let described = table::Described::new(view, table, own);
        described.schemas(&mut schemas);
        described.paths(&mut paths);
        tags.push(match &table.comment {
            Some(comment) => json!({"name": table.name.as_str(), "description": comment}),
            None => json!({"name": table.name.as_str()}),
        });
    }
    files::paths(view, &mut paths);
    several::paths(view, &mut paths);
    let endpoints = "SQL files, and several requests in one";
    tags.push(json!({"name": "endpoints", "description": endpoints}));
    tags.push(json!({"name": "server", "description": "The server itself"}));
    name_each_once(&mut paths);
    json!({
        "openapi": "3.1.0",
        "info": {"title": info.title, "version": "1", "description": about(api.prefixes())},
        "servers": [{"url": info.server_url}],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas,
            "parameters": parameters::shared(&rights.limits),
            "headers": responses::headers(),
            "responses": responses::shared(),
            "securitySchemes": security_schemes(&info.server_url),
        }
    })
}

fn security_schemes(server_url: &str) -> Value {
    json!({
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT",
            "description": "The access_token of POST /token"},
        "session": {"type": "apiKey", "in": "cookie", "name": "__Host-pilaster",
            "description": "The cookie of POST /auth/session, pilaster without https; whatever is no GET needs its csrf_token in X-CSRF-Token"},
        "password": {"type": "oauth2",
            "description": "Name and password are sent to POST /token, which gives the bearer token",
            "flows": {"password": {"tokenUrl": format!("{server_url}/token"), "scopes": {}}}},
    })
}

/// Who may call an operation: somebody signed in, or anybody as well.
fn security(is_open: bool) -> Value {
    match is_open {
        true => json!([{}, {"bearer": []}, {"password": []}]),
        false => json!([{"bearer": []}, {"password": []}]),
    }
}

fn refer(kind: &str, name: &str) -> Value {
    json!({"$ref": format!("#/components/{kind}/{name}")})
}

/// A name as a key of `components`, which holds letters, digits, `.`, `_` and `-` alone.
fn component(name: &str) -> String {
    let spelled =
        |character: char| match character.is_ascii_alphanumeric() || "_-".contains(character) {
            true => String::from(character),
            false => format!(".{:x}.", u32::from(character)),
        };
    let key: String = name.chars().map(spelled).collect();
    match matches!(name, "Error" | "Fault" | "Filter" | "Selected") {
        true => key + ".row",
        false => key,
    }
}

/// A name as a segment of a path.
fn segment(name: &str) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~');
    utf8_percent_encode(name, KEPT).to_string()
}

/// The path with every parameter alike: two of the same shape are the same path (OpenAPI 3.1,
/// §4.8.8).
fn shape(path: &str) -> String {
    let part = |part: &str| match part.starts_with('{') {
        true => String::from("{}"),
        false => part.to_owned(),
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// The names of a path's parameters.
fn places(path: &str) -> Vec<String> {
    let name = |part: &str| {
        let inner = part.strip_prefix('{')?.strip_suffix('}')?;
        Some(inner.to_owned())
    };
    path.split('/').filter_map(name).collect()
}

/// An operation's id is its alone; a later one of the same name gets a number.
fn name_each_once(paths: &mut Object) {
    let mut known = HashSet::new();
    for item in paths.values_mut().filter_map(Value::as_object_mut) {
        for operation in item.values_mut() {
            let Some(id) = operation.get("operationId").and_then(Value::as_str) else {
                continue;
            };
            let mut name = id.to_owned();
            let mut count = 1;
            while !known.insert(name.clone()) {
                count += 1;
                name = format!("{id}_{count}");
            }
            operation["operationId"] = json!(name);
        }
    }
}
