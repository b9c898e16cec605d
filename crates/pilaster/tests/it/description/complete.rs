//! Every served route is described to those who may use it, and nothing else is.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use testkit::Project;

use super::{films, python};
use crate::http::{App, PILASTER};

/// What is no API: pages for people with what they load, the second spelling of a route, and the form
/// behind the link of `pilaster admin create`, which is there only while somebody holds one.
const UNLISTED: &[&str] = &[
    "/docs",
    "/docs/{file}",
    "/redoc",
    "/oauth2/jwks",
    "/_mail",
    "/_mail/{id}",
    "/_mail/{id}/html",
    "/_mail/{id}/source",
    "/auth/assets/{version}/brand.css",
    "/auth/assets/{version}/logo",
    "/auth/assets/{version}/{file}",
    "/auth/confirm/{token}",
    "/auth/reset/{token}",
    "/auth/email/{token}",
    "/auth/invitations/{token}",
    "/auth/administrator/{token}",
    "/auth/administrator",
    "/auth/administrator/start",
    // Clients of OAuth find these by the issuer's own metadata, and know their requests by the RFCs.
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
    "/.well-known/oauth-protected-resource",
    "/oauth2/authorize",
    "/oauth2/authorize/{flow}",
    "/oauth2/par",
    "/oauth2/register",
    "/oauth2/register/{client_id}",
    "/oauth2/device_authorization",
    "/oauth2/token",
    "/oauth2/userinfo",
    "/oauth2/introspect",
    "/oauth2/revoke",
    "/oauth2/logout",
    "/oauth2/submit.js",
    "/oauth2/leave.js",
];

/// Pages for people whose paths take other methods of programs.
const PAGES: [&str; 8] = [
    "/auth",
    "/auth/account",
    "/auth/confirm",
    "/auth/consent",
    "/auth/login",
    "/auth/register",
    "/auth/reset",
    "/oauth2/device",
];

type Operation = (String, String);

/// A path with every parameter alike.
fn shape(path: &str) -> String {
    let part = |part: &str| match part.starts_with('{') {
        true => String::from("{}"),
        false => part.to_owned(),
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// The methods and paths of an OpenAPI document.
fn described(document: &Value) -> BTreeSet<Operation> {
    let mut found = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        let members = methods.as_object().expect("methods").keys();
        for method in members.filter(|member| *member != "parameters") {
            let is_new = found.insert((method.to_uppercase(), shape(path)));
            assert!(is_new, "{method} {path} is described twice");
        }
    }
    found
}

/// The methods and paths of `pilaster routes` that one of these roles may use.
fn served(project: &Project, roles: &[&str]) -> BTreeSet<Operation> {
    let listed = project.succeed(PILASTER, &["routes", "--json"]).out;
    let listed: Vec<Value> = serde_json::from_str(&listed).expect("--json prints JSON");
    let text = |route: &Value, key: &str| route[key].as_str().expect("a text").to_owned();
    let is_theirs = |route: &&Value| {
        let own = route["roles"].as_array().expect("a list");
        own.is_empty() || own.iter().any(|own| roles.iter().any(|role| own == role))
    };
    listed
        .iter()
        .filter(is_theirs)
        .map(|route| (text(route, "method"), shape(&text(route, "path"))))
        .filter(|(method, path)| {
            let is_twin = path.len() > 1 && path.ends_with('/');
            let unlisted = UNLISTED.iter().any(|unlisted| *path == shape(unlisted));
            let is_page = method == "GET" && PAGES.contains(&path.as_str());
            method != "*" && !is_twin && !unlisted && !is_page
        })
        .collect()
}

fn document(project: &Project, role: &str) -> Value {
    let printed = project.succeed(PILASTER, &["openapi", "--role", role]);
    serde_json::from_str(&printed.out).expect("a document is JSON")
}

/// Roles that inherit, a file on the path of a table's rows, names that URLs and references escape.
fn notes() -> Project {
    let project = Project::empty();
    project.write(
        "schema/notes.sql",
        "create role editor;
         create table notes (
           id    integer primary key,
           body  text not null check (length(body) between 1 and 50),
           state text not null default 'draft' check (state in ('draft', 'out')),
           stars integer not null default 0 check (stars >= 0 and stars < 6)
         );
         comment on table notes is 'What people jot down.';
         comment on column notes.body is 'The text itself.';
         create table \"Odd name/s\" (\"a b\" integer, \"c.d\" text not null, primary key (\"a b\", \"c.d\"));
         create table \"Error\" (id integer primary key);
         grant select on notes, \"Odd name/s\", \"Error\" to anon, authenticated;
         grant insert (body), update (body, state), delete on notes to editor;
         grant insert, update, delete on \"Odd name/s\" to editor;
         create policy all_notes on notes using (true) with check (true);
         create policy all_odd on \"Odd name/s\" using (true) with check (true);
         create policy all_errors on \"Error\" using (true);
         create view drafts with (security_invoker = true) as select id, body from notes where state = 'draft';
         grant select on drafts to authenticated;",
    );
    project.write(
        "api/notes/[note].get.sql",
        "-- @param note integer in path\n-- @access anon, authenticated\n-- @returns one\n\
         select id, body from notes where id = :note",
    );
    project.write(
        "api/notes/home.get.sql",
        "-- @summary What is out\n-- @description Newest first.\n\
         -- @param most integer = 3 min 1 max 9 -- how many\n-- @param since timestamptz null\n\
         -- @access authenticated\n\
         select id, body, stars, (select count(*) from notes) as total, \
         json_object('state', state) as kind from notes \
         where state = 'out' and (:since is null or :since < now()) limit :most",
    );
    project
}

// req: DO-1
#[test]
fn each_role_is_told_of_its_routes_and_of_no_other() {
    let all = [
        (
            Project::cruddur(),
            vec![
                ("anon", vec!["anon"]),
                ("authenticated", vec!["authenticated"]),
            ],
        ),
        (
            films(),
            vec![
                ("anon", vec!["anon"]),
                ("authenticated", vec!["authenticated"]),
            ],
        ),
        (
            notes(),
            vec![
                ("anon", vec!["anon"]),
                ("authenticated", vec!["authenticated"]),
                ("editor", vec!["authenticated", "editor"]),
            ],
        ),
    ];
    for (project, roles) in all {
        let mut files = Vec::new();
        for (role, effective) in roles {
            let document = document(&project, role);
            let (described, served) = (described(&document), served(&project, &effective));
            // A name of the schema is written as a URL writes it.
            let spelled = |path: &str| {
                path.replace("Odd name/s", "Odd%20name%2Fs")
                    .replace("/Odd%20name/s", "/Odd%20name%2Fs")
            };
            let served: BTreeSet<Operation> = served
                .into_iter()
                .map(|(method, path)| (method, spelled(&path)))
                .collect();
            assert_eq!(described, served, "{role}");
            let names = operation_ids(&document);
            let each: BTreeSet<&String> = names.iter().collect();
            assert_eq!(each.len(), names.len(), "{names:?}");
            let file = format!("{role}.json");
            project.write(&file, &document.to_string());
            files.push(file);
        }
        let script = "import json, sys\nfrom openapi_spec_validator import validate\n\
                      [validate(json.load(open(name))) for name in sys.argv[1:]]";
        let mut words = vec!["-c", script];
        words.extend(files.iter().map(String::as_str));
        if let Some(valid) = python(&project, &words, &[]) {
            assert!(valid.is_success, "{}", valid.text);
        }
    }
}

fn operation_ids(document: &Value) -> Vec<String> {
    let paths = document["paths"].as_object().expect("paths").values();
    let operations = paths.flat_map(|item| item.as_object().expect("methods").values());
    operations
        .filter_map(|operation| operation["operationId"].as_str().map(str::to_owned))
        .collect()
}

// req: DO-1
#[tokio::test(flavor = "multi_thread")]
async fn what_is_described_is_served() {
    let Some(app) = App::cruddur("sqlite").await else {
        return;
    };
    let ada = app.server.sign_up("ada").await;
    let anonymous = app.server.get("/openapi.json").await.json();
    let signed_in = app.server.get_as(&ada, "/openapi.json").await.json();
    assert_eq!(anonymous["paths"], document(&app.project, "anon")["paths"]);
    assert_eq!(
        signed_in["paths"],
        document(&app.project, "authenticated")["paths"]
    );
    let (few, many) = (described(&anonymous), described(&signed_in));
    assert!(few.is_subset(&many) && few.len() < many.len(), "{few:?}");
    for (method, path) in &many {
        let key = match path.starts_with("/api/likes") {
            true => "0193a000-0000-7000-8000-0000000000a1,0193a000-0000-7000-8000-0000000000a1",
            false => "0193a000-0000-7000-8000-0000000000a1",
        };
        let path = path.replace("{}", key);
        let answer = app.server.send(method, &ada, &path, &json!({})).await;
        // The document itself has some of these codes as examples.
        let is_served = answer.status < 300
            || !["PGRST125", "PGRST117", "PGRST205"]
                .iter()
                .any(|nowhere| answer.body.contains(nowhere));
        assert!(
            is_served,
            "described, not served: {method} {path}: {}",
            answer.body
        );
    }
}

// req: SQ-12
#[test]
fn a_file_is_described_with_the_types_of_what_it_takes_and_answers() {
    let document = document(&notes(), "authenticated");
    let home = &document["paths"]["/api/notes/home"]["get"];
    assert_eq!(home["summary"], "What is out");
    assert_eq!(home["description"], "Newest first.");
    assert_eq!(home["security"], json!([{"bearer": []}, {"password": []}]));
    let most = json!({"name": "most", "in": "query", "required": false, "description": "how many",
        "schema": {"type": "integer", "minimum": 1, "maximum": 9, "format": "int32", "default": 3}});
    assert_eq!(home["parameters"][0], most);
    let since = &home["parameters"][1];
    assert_eq!(
        since["schema"],
        json!({"type": "string", "format": "date-time"})
    );
    let row = &home["responses"]["200"]["content"]["application/json"]["schema"]["items"];
    let types = |name: &str| row["properties"][name]["type"].clone();
    assert_eq!(
        row["required"],
        json!(["id", "body", "stars", "total", "kind"])
    );
    assert_eq!(types("body"), "string");
    assert_eq!(types("total"), json!(["integer", "string"]));
    assert_eq!(
        row["properties"]["kind"]["properties"]["state"]["type"],
        "string"
    );
    // By its name, what stands in the path comes from the query string or the body.
    let called = &document["paths"]["/api/rpc/notes"];
    let note = &called["get"]["parameters"][0];
    assert_eq!(
        (&note["name"], &note["in"]),
        (&json!("note"), &json!("query"))
    );
    let body = &called["post"]["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(body["required"], json!(["note"]));
    let batch = &document["paths"]["/api/$batch"]["post"]["requestBody"]["content"];
    assert!(batch["application/json"]["schema"]["items"].is_object());
    let rows = &document["paths"]["/api/notes"]["get"]["responses"]["200"]["content"];
    assert!(rows["text/event-stream"].is_object(), "{rows}");
    // The file answers GET of one row; the table's own path keeps its name and other methods.
    let one = &document["paths"]["/api/notes/{key}"];
    assert_eq!(one["get"]["operationId"], "get_notes__note_");
    assert_eq!(one["parameters"][0]["name"], "key");
}

// req: DO-1
#[test]
fn declarations_become_bounds_defaults_and_words() {
    let document = document(&notes(), "editor");
    let schemas = &document["components"]["schemas"];
    let insert = &schemas["notes.insert"];
    assert_eq!(insert["required"], json!(["body"]));
    assert_eq!(insert["additionalProperties"], false);
    let body = json!({"type": "string", "minLength": 1, "maxLength": 50, "description": "The text itself."});
    assert_eq!(insert["properties"], json!({ "body": body }));
    let state = json!({"type": "string", "enum": ["draft", "out"], "default": "draft"});
    assert_eq!(schemas["notes.update"]["properties"]["state"], state);
    assert_eq!(schemas["notes"]["description"], "What people jot down.");
    let stars = &schemas["notes"]["properties"]["stars"];
    assert_eq!(
        (&stars["minimum"], &stars["maximum"], &stars["readOnly"]),
        (&json!(0), &json!(5), &json!(true))
    );
    let views = &document["paths"]["/api/drafts"];
    assert!(views["get"].is_object() && views["post"].is_null() && views["delete"].is_null());
    assert!(schemas["Error"]["properties"]["request_id"].is_object());
    assert!(schemas["Error.row"]["properties"]["id"].is_object());
}
