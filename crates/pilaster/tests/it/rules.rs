//! Who may do what, said before anybody tries: `rules`, `rules explain`, `check --strict`.

use serde_json::Value;
use testkit::{Project, ThrowAwayDatabase, is_enabled};

use crate::http::PILASTER;

/// Notes that their owner writes, and that are read where they are public and not hidden.
const SCHEMA: &str = "\
create role editor;
grant authenticated to editor;
create table notes (
  id      integer primary key,
  owner   uuid not null default auth.uid(),
  text    text not null,
  public  boolean not null default false,
  hidden  boolean not null default false,
  token   text
);
create table logs (id integer primary key, line text not null);
grant select (id, text, public) on notes to anon;
grant select, insert (id, text, public), delete on notes to authenticated;
grant update (text, public) on notes to editor;
grant select on logs to editor;
create policy public_notes on notes for select using (public);
create policy own_notes on notes to authenticated using (owner = auth.uid());
create policy editors on notes for all to editor using (true);
create policy not_hidden on notes as restrictive for select using (not hidden);
";

const SEED: &str = "\
insert into notes (id, owner, text, public, hidden) values
  (1, '0193a000-0000-7000-8000-0000000000a1', 'open', true, false),
  (2, '0193a000-0000-7000-8000-0000000000a1', 'closed', false, false),
  (3, '0193a000-0000-7000-8000-0000000000a1', 'gone', true, true);
";

fn project() -> Project {
    let project = Project::empty();
    project.write("schema/notes.sql", SCHEMA);
    project.write("seed/notes.sql", SEED);
    project.write(
        "api/count.get.sql",
        "-- @access anon\n-- @returns value\n-- @security definer\nselect count(*) as n from notes where token is null",
    );
    project
}

async fn filled(engine: &str) -> Option<(Project, ThrowAwayDatabase)> {
    let database = ThrowAwayDatabase::create(engine).await?;
    let project = project().with("DATABASE_URL", database.url());
    project.succeed(PILASTER, &["migrate", "new", "init"]);
    project.succeed(PILASTER, &["db", "setup"]);
    Some((project, database))
}

#[test]
fn the_matrix_says_who_may_do_what_with_which_rows() {
    let project = project();
    let said = project.succeed(PILASTER, &["rules"]).out;
    for line in [
        "anon           select (id, text, public): rows where public and (not hidden)",
        "authenticated  delete: rows where owner = auth.uid()  [own_notes]",
        "authenticated  insert (id, text, public): new rows where owner = auth.uid()  [own_notes]",
        "editor         update (text, public): all rows",
        "editor         select: no row",
        "anon           call: the file alone decides (@security definer)",
    ] {
        assert!(said.contains(line), "{line}\n{said}");
    }
    assert!(!said.contains("anon           insert"), "{said}");
    let json: Value =
        serde_json::from_str(&project.succeed(PILASTER, &["rules", "--json"]).out).expect("JSON");
    let cell = json.as_array().expect("a list").iter().find(|cell| {
        cell["role"] == "editor" && cell["name"] == "notes" && cell["verb"] == "delete"
    });
    let cell = cell.expect("an editor inherits what everybody signed in may do");
    assert_eq!(
        cell["policies"],
        serde_json::json!(["own_notes", "editors"])
    );
    assert_eq!(cell["subject"], "table");
}

#[expect(clippy::too_many_lines, reason = "one list of requests")]
#[tokio::test(flavor = "multi_thread")]
async fn explain_names_the_grant_that_is_missing_and_the_policy_that_cuts_the_row() {
    for engine in ["sqlite", "postgres", "mariadb", "mysql"] {
        let Some((project, _database)) = filled(engine).await else {
            continue;
        };
        let cases: [(&[&str], i32, &[&str]); 10] = [
            (
                &["anon", "GET", "/api/notes/1"],
                0,
                &["the row: let through"],
            ),
            (
                &["anon", "GET", "/api/notes/2"],
                6,
                &["no permissive policy for select lets it through: public_notes"],
            ),
            (
                &["authenticated", "GET", "/api/notes/2"],
                6,
                &[
                    "public_notes, own_notes",
                    "does not pass (it is null) own_notes",
                ],
            ),
            (
                &["editor", "GET", "/rest/v1/notes/3"],
                6,
                &["not_hidden (select, restrictive) keeps it back"],
            ),
            (
                &["anon", "GET", "/api/notes/9"],
                6,
                &["there is none with this key"],
            ),
            (
                &["anon", "GET", "/api/notes?select=token"],
                6,
                &[
                    "without owner, hidden, token",
                    "given to anon (id, text, public)",
                ],
            ),
            (
                &["anon", "DELETE", "/api/notes/1"],
                6,
                &[
                    "delete on notes: MISSING",
                    "own_notes (delete, permissive, not for these roles",
                ],
            ),
            (
                &[
                    "editor",
                    "PATCH",
                    "/api/notes/1",
                    "--body",
                    "{\"text\": \"x\"}",
                ],
                0,
                &["the row as it will be: let through"],
            ),
            (
                &[
                    "authenticated",
                    "POST",
                    "/api/notes",
                    "--body",
                    "{\"id\": 7, \"text\": \"x\"}",
                ],
                6,
                &["no permissive policy for insert lets it through: own_notes"],
            ),
            (
                &["anon", "GET", "/api/count"],
                0,
                &["call on api/count.get.sql: given to anon"],
            ),
        ];
        for (words, code, expected) in cases {
            let asked: Vec<&str> = ["rules", "explain", "--as"]
                .iter()
                .chain(words)
                .copied()
                .collect();
            let said = project.run(PILASTER, &asked);
            assert_eq!(said.code, code, "{engine} {words:?}\n{}", said.text());
            for part in expected {
                assert!(
                    said.out.contains(part),
                    "{engine} {words:?} {part}\n{}",
                    said.text()
                );
            }
        }
        let json = [
            "rules",
            "explain",
            "--as",
            "editor",
            "GET",
            "/api/notes/3",
            "--json",
        ];
        let json: Value = serde_json::from_str(&project.run(PILASTER, &json).out).expect("JSON");
        assert_eq!(json["let_through"], false, "{engine}: {json}");
        assert_eq!(
            json["row"]["cut_by"].as_array().map(Vec::len),
            Some(1),
            "{json}"
        );
    }
}

#[test]
fn explain_refuses_what_it_cannot_understand() {
    let project = project();
    for (words, part) in [
        (
            ["--as", "anon", "FETCH", "/api/notes"],
            "FETCH is no method",
        ),
        (
            ["--as", "nobody", "GET", "/api/notes"],
            "there is no role nobody",
        ),
        (
            ["--as", "anon", "GET", "/api/nothing"],
            "there is no table or endpoint nothing",
        ),
    ] {
        let asked: Vec<&str> = ["rules", "explain", "--offline"]
            .iter()
            .chain(&words)
            .copied()
            .collect();
        let said = project.run(PILASTER, &asked);
        assert_eq!(said.code, 2, "{}", said.text());
        assert!(said.err.contains(part), "{}", said.text());
    }
}

#[expect(clippy::too_many_lines, reason = "one list of edits")]
#[test]
fn strict_refuses_what_nobody_has_accepted_and_says_exactly_what_it_is() {
    let project = project();
    project.succeed(PILASTER, &["migrate", "new", "init"]);
    let strict = ["check", "--offline", "--strict"];
    let unknown = project.run(PILASTER, &strict);
    assert_eq!(unknown.code, 6, "{}", unknown.text());
    assert!(unknown.err.contains("rules accept"), "{}", unknown.text());
    // A finding of its own, which no lock can hide: a grant that no policy covers.
    assert!(
        unknown
            .out
            .contains("editor may select logs and no policy lets a row through")
    );
    let covered = format!("{SCHEMA}create policy all_logs on logs to editor using (true);\n");
    project.write("schema/notes.sql", &covered);
    project.succeed(PILASTER, &["rules", "accept"]);
    let lock = project.read("schema/exposure.lock");
    for line in [
        "\nselect notes.text\n",
        "\ncall GET /api/count\n",
        "\npast the rules, GET /api/count: select notes.token\n",
    ] {
        assert!(lock.contains(line), "{line}{lock}");
    }
    assert!(!lock.contains("\nselect notes.owner\n"), "{lock}");
    project.succeed(PILASTER, &strict);

    let edits: [(&str, &str, &str); 4] = [
        (
            "grant select on logs to editor",
            "grant select on logs to editor, anon",
            "",
        ),
        (
            "(id, text, public) on notes to anon",
            "(id, text, public, token) on notes to anon",
            "select notes.token",
        ),
        (
            "for select using (public);",
            "for select using (true);",
            "rows select notes: rows where not hidden",
        ),
        (
            "to authenticated using (owner = auth.uid());",
            "using (owner = auth.uid());\ngrant delete on notes to anon;",
            "delete notes",
        ),
    ];
    for (from, to, expected) in edits {
        assert!(covered.contains(from), "{from}");
        project.write("schema/notes.sql", &covered.replacen(from, to, 1));
        let said = project.run(PILASTER, &strict);
        // A grant without a policy shows nothing, so it is a warning and no growth.
        assert_eq!(said.code, 6, "{to}: {}", said.text());
        match expected {
            "" => assert!(
                said.out.contains("anon may select logs and no policy"),
                "{}",
                said.text()
            ),
            line => assert!(
                said.err.contains(&format!("\n  {line}")),
                "{line}: {}",
                said.text()
            ),
        }
        // Without --strict only a finding counts.
        let lax = project.run(PILASTER, &["check", "--offline"]);
        assert_eq!(
            lax.code,
            if expected.is_empty() { 6 } else { 0 },
            "{}",
            lax.text()
        );
    }
    // Less than what was accepted is no fault.
    let less = covered.replacen(
        "(id, text, public) on notes to anon",
        "(id) on notes to anon",
        1,
    );
    project.write("schema/notes.sql", &less);
    let said = project.succeed(PILASTER, &strict);
    assert!(
        said.out.contains("no longer public: select notes.text"),
        "{}",
        said.out
    );
    let json: Value = serde_json::from_str(
        &project
            .succeed(PILASTER, &["check", "--offline", "--json"])
            .out,
    )
    .expect("JSON");
    assert_eq!(json["exposure"]["recorded"], true);
    assert!(
        json["look_at"]
            .to_string()
            .contains("api/count.get.sql runs past the rules"),
        "{json}"
    );
}

#[test]
fn what_looks_secret_or_goes_past_the_rules_is_pointed_at() {
    let project = project();
    project.write(
        "schema/more.sql",
        "create table people (id integer primary key, password_hash text);\n\
         grant select on people to anon;\ncreate policy everybody on people for select using (true);\n\
         create view all_notes with (security_invoker = false) as select text from notes;\n\
         grant select on all_notes to anon;\n",
    );
    project.succeed(PILASTER, &["migrate", "new", "init"]);
    let said = project.run(PILASTER, &["check", "--offline"]);
    for part in [
        "anon may read people.password_hash of every row, and it looks secret",
        "the view all_notes shows its rows whatever the policies beneath say",
        "past the rules, view all_notes: notes.text",
    ] {
        assert!(said.out.contains(part), "{part}\n{}", said.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_tests_run_on_every_engine_and_fail_where_a_rule_is_loosened() {
    for engine in ["sqlite", "postgres", "mariadb", "mysql"] {
        if !is_enabled(engine) {
            continue;
        }
        let mut project = Project::cruddur();
        if engine != "sqlite" {
            let variable = format!("TEST_{}_URL", engine.to_uppercase());
            let address = testkit::tool(&variable).expect("the engine was asked for");
            project = project.with(&variable, &address);
        }
        let test = ["test", "tests/access.rules", "--db", engine];
        let said = project.succeed(PILASTER, &test);
        assert!(said.out.contains(", 0 failed"), "{}", said.out);
        let schema = project.read("schema/cruddur.sql");
        let loose = schema.replace(
            "using (user_uuid = auth.uid()) with check (user_uuid = auth.uid());",
            "using (true);",
        );
        assert_ne!(schema, loose);
        project.write("schema/cruddur.sql", &loose);
        let said = project.run(PILASTER, &test);
        assert_eq!(said.code, 1, "{engine}: {}", said.text());
        let line = "FAILED tests/access.rules:";
        assert!(
            said.out.contains(line) && said.out.contains("it was allowed, rows 1"),
            "{}",
            said.out
        );
    }
}
