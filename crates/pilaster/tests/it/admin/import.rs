//! Accounts from a file: all of it or nothing, shown first, each known by the key of its source.

use serde_json::{Value, json};

use super::{acts, administrator, project, somebody};
use crate::http::{App, PILASTER, on_every_engine};

on_every_engine!(
    project: who_had_a_password_elsewhere_keeps_it,
    a_file_with_a_mistake_changes_nothing,
    a_source_is_followed,
    a_key_is_of_its_source,
);

/// One password as libxcrypt (bcrypt), Werkzeug (scrypt) and Django (PBKDF2) have it.
const HASHES: [(&str, &str); 3] = [("bcrypt", BCRYPT), ("scrypt", SCRYPT), ("pbkdf2", PBKDF2)];

const PASSWORD: &str = "correct horse battery";
const BCRYPT: &str = "$2b$06$abcdefghijklmnopqrstuu50eFBEC8vQwBnuFXMHE45jBnqvQ8xz.";
const SCRYPT: &str = "scrypt:16384:8:1$abcdefgh12345678$065b8dabd8872909103f4df12e85b188360fb4b4ab53b028ca53d1e11d0848ca71898fde38e054a0ff30b888c4c88c99724709faeb22d167deb3b952bce27655";
const PBKDF2: &str =
    "pbkdf2_sha256$100000$abcdefgh12345678$ZAHHQBl/eOTY78rdIwnAc7VSPcTfTQ6Fv2dQzOv9lfE=";

/// The rows of the database that hold passwords' hashes.
async fn stored(app: &App) -> Vec<String> {
    let rows = app.database.dump().await;
    let hashes = rows
        .into_iter()
        .filter(|row| row.starts_with("auth_passwords.hash"));
    hashes.collect()
}

fn review(app: &App, words: &[&str]) -> Value {
    let words = [words, &["--json"]].concat();
    let said = app.project.succeed(PILASTER, &words);
    serde_json::from_str(&said.out).expect("JSON")
}

// req: ID-10
async fn who_had_a_password_elsewhere_keeps_it(app: App) {
    let mut csv = vec![String::from(
        "email,username,password_hash,email_confirmed,roles",
    )];
    for (name, hash) in HASHES {
        csv.push(format!("{name}@Example.org,{name},\"{hash}\",yes,editor"));
    }
    let csv = csv.join("\n");
    app.project.write("users.csv", &csv);
    let shown = review(&app, &["user", "import", "users.csv", "--dry-run"]);
    assert_eq!(shown["new"].as_array().map(Vec::len), Some(3), "{shown}");
    assert_eq!(stored(&app).await.len(), 0);
    // New accounts alone are nobody's loss, so nobody is asked.
    let said = app
        .project
        .succeed(PILASTER, &["user", "import", "users.csv"]);
    assert!(
        said.out.contains("3 new, 0 changed, 0 disabled"),
        "{}",
        said.out
    );
    for (name, hash) in HASHES {
        assert!(
            stored(&app).await.iter().any(|row| row.contains(hash)),
            "{name}"
        );
        let wrong = app.server.token(name, "correct horse").await;
        assert_eq!(wrong.status, 401, "{name}: {}", wrong.body);
        let right = app.server.token(name, PASSWORD).await;
        assert_eq!(right.status, 200, "{name}: {}", right.body);
        let now = stored(&app).await;
        assert!(!now.iter().any(|row| row.contains(hash)), "{name}: {now:?}");
        assert_eq!(app.server.token(name, PASSWORD).await.status, 200);
    }
    let now = stored(&app).await;
    assert!(now.iter().all(|row| row.contains("$argon2id$")), "{now:?}");
    let root = administrator(&app, "root").await;
    let listed = root
        .get(&app.server, "/admin/api/users?role=editor&confirmed=true")
        .await;
    assert_eq!(
        listed.json().as_array().map(Vec::len),
        Some(3),
        "{}",
        listed.body
    );
}

// req: ID-26
async fn a_file_with_a_mistake_changes_nothing(app: App) {
    somebody(&app, "ada").await;
    let before = app.database.dump().await;
    let refused = |file: &str, text: &str, places: &[&str]| {
        app.project.write(file, text);
        for verb in ["import", "sync"] {
            let words = ["user", verb, file, "--source", "crm", "--yes"];
            let said = app.project.run(PILASTER, &words);
            assert_eq!(said.code, 3, "{text}: {}", said.text());
            for place in places {
                assert!(said.err.contains(place), "{place}: {}", said.err);
            }
        }
    };
    let head = "external_id,email,username,active";
    // A key twice; whole, though all other lines are good.
    refused(
        "twice.csv",
        &format!("{head}\nM-1,bob@example.org,,\nM-2,cy@example.org,,\nM-1,dee@example.org,,\n"),
        &["twice.csv:4: external_id: line 2 has the same"],
    );
    refused(
        "wrong.csv",
        &format!("{head}\nM-1,bob@,,\nM-2,cy@example.org,a@b,maybe\nM-3,CY@example.org,,\nM-4\n"),
        &[
            "wrong.csv:2: email: ",
            "wrong.csv:3: username: ",
            "wrong.csv:3: active: it is true or false",
            "wrong.csv:4: email: line 3 has the same",
            "wrong.csv:5: line: it has 1 columns instead of 4",
        ],
    );
    refused(
        "column.csv",
        "external_id;e-mail\nM-1;bob@example.org\n",
        &["column.csv:1: e-mail: there is no such column; did you mean email?"],
    );
    refused(
        "lines.jsonl",
        "{\"external_id\": \"M-1\", \"email\": \"bob@example.org\", \"roles\": [\"service\"]}\n\
         [1]\n{\"email\"\n{\"external_id\": 7, \"email\": \"cy@example.org\", \"password_hash\": \"md5$x\"}\n",
        &[
            "lines.jsonl:1: roles: service is no role",
            "lines.jsonl:2: line: it is no JSON object",
            "lines.jsonl:3: line: ",
            "lines.jsonl:4: password_hash: ",
        ],
    );
    // Nobody is somebody else because of an address.
    refused(
        "known.csv",
        &format!("{head}\nM-1,ADA@example.org,,\nM-2,bob@example.org,Ada,\n"),
        &[
            "known.csv:2: email: an account has this address that the source does not know by M-1",
            "known.csv:3: username: another account has this user name",
        ],
    );
    assert_eq!(app.database.dump().await, before);
    let words = ["user", "import", "users.xls"];
    app.project.write("users.xls", "");
    assert_eq!(app.project.run(PILASTER, &words).code, 2);
}

async fn a_source_is_followed(app: App) {
    let root = administrator(&app, "root").await;
    let server = &app.server;
    app.project.write(
        "members.jsonl",
        "{\"external_id\": \"M-1\", \"email\": \"ada@example.org\", \"first_name\": \"Ada\"}\n\
         {\"external_id\": 2, \"email\": \"bob@example.org\", \"roles\": \"editor boss\"}\n",
    );
    let sync = ["user", "sync", "members.jsonl", "--source", "crm"];
    let first = review(&app, &sync);
    let new = json!(["ada@example.org", "bob@example.org"]);
    assert_eq!(
        (&first["new"], &first["applied"]),
        (&new, &json!(true)),
        "{first}"
    );
    // The same again is nothing to do, and asks nobody.
    let again = review(&app, &sync);
    assert_eq!(
        (&again["same"], &again["applied"]),
        (&json!(2), &json!(false))
    );
    // Another name and address of the one, the other is gone, a third is new.
    app.project.write(
        "members.jsonl",
        "{\"external_id\": \"M-1\", \"email\": \"lovelace@example.org\", \"first_name\": null}\n\
         {\"external_id\": \"M-3\", \"email\": \"cy@example.org\"}\n",
    );
    let before = app.database.dump().await;
    let asked = app.project.run(PILASTER, &sync);
    assert_eq!(asked.code, 5, "{}", asked.text());
    for line in [
        "+ cy@example.org (M-3)",
        "~ ada@example.org: ",
        "- bob@example.org",
    ] {
        assert!(asked.out.contains(line), "{line}: {}", asked.out);
    }
    let shown = review(&app, &[&sync[..], &["--dry-run"]].concat());
    assert_eq!(shown["disabled"], json!(["bob@example.org"]), "{shown}");
    assert_eq!(app.database.dump().await, before);
    let done = review(&app, &[&sync[..], &["--yes"]].concat());
    assert_eq!(done["applied"], true, "{done}");
    let of = async |name: &str| {
        let path = format!("/admin/api/users?q={name}");
        root.get(server, &path).await.json()[0].clone()
    };
    let ada = of("lovelace").await;
    assert_eq!(
        (
            &ada["external_id"],
            &ada["external_source"],
            &ada["first_name"]
        ),
        (&json!("M-1"), &json!("crm"), &json!(null))
    );
    assert_eq!(
        (&of("bob").await["active"], &of("cy@").await["active"]),
        (&json!(false), &json!(true))
    );
    // Who is not of this source is none of its business.
    assert_eq!(of("root").await["active"], true);
    let noted = acts(&app, &root, "act=users_imported").await;
    assert_eq!(noted.len(), 2, "{noted:?}");
    assert_eq!(noted[0]["details"]["disabled"], 1);
}

async fn a_key_is_of_its_source(app: App) {
    let root = administrator(&app, "root").await;
    app.project.write(
        "members.jsonl",
        "{\"external_id\": \"M-1\", \"email\": \"ada@example.org\"}\n",
    );
    let sync = ["user", "sync", "members.jsonl", "--source", "crm"];
    review(&app, &sync);
    // The same key of another source is somebody else's.
    app.project
        .write("erp.csv", "external_id;email\nM-1;dee@example.org\n");
    let other = review(&app, &["user", "import", "erp.csv", "--source", "erp"]);
    assert_eq!(other["new"], json!(["dee@example.org"]));
    // Who came by himself is known to a source when somebody says so.
    somebody(&app, "eve").await;
    let words = [
        "user",
        "update",
        "eve",
        "--external-id",
        "M-4",
        "--source",
        "crm",
    ];
    app.project.succeed(PILASTER, &words);
    app.project.write(
        "members.jsonl",
        "{\"external_id\": \"M-1\", \"email\": \"ada@example.org\"}\n\
         {\"external_id\": \"M-4\", \"email\": \"eve@example.org\", \"last_name\": \"Adams\"}\n",
    );
    let linked = review(&app, &[&sync[..], &["--yes"]].concat());
    assert_eq!(linked["changed"][0]["email"], "eve@example.org", "{linked}");
    // A source that forgets the last administrator does not take him away.
    let words = [
        "user",
        "update",
        "root",
        "--external-id",
        "M-5",
        "--source",
        "crm",
    ];
    app.project.succeed(PILASTER, &words);
    let refused = app.project.run(PILASTER, &[&sync[..], &["--yes"]].concat());
    assert_eq!(refused.code, 1, "{}", refused.text());
    assert!(
        refused.err.contains("nobody would be left"),
        "{}",
        refused.err
    );
    let still = root.get(&app.server, &root.path("")).await;
    assert_eq!(still.json()["active"], true, "{}", still.body);
}
