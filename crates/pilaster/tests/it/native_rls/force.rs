//! Put into force, kept as declared, taken away.

use testkit::{Project, ThrowAwayDatabase};

use super::{SCHEMA, Stage, console, role_of, run};
use crate::http::PILASTER;

/// Everything of ours in a database and its server, by what it is.
const OURS: &str = "select 'role ' || rolname from pg_roles \
    where rolname like 'pilaster\\_' || (select oid from pg_database \
      where datname = current_database()) || '%' \
    union all select 'schema ' || nspname from pg_namespace where nspname = 'auth' \
    union all select 'policy ' || polname || ' on ' || polrelid::regclass from pg_policy \
    union all select 'security of ' || relname from pg_class where relrowsecurity \
    union all select 'privileges on ' || relname from pg_class \
      where relacl::text like '%pilaster\\__%=%/%' and relacl::text ~ 'pilaster_[0-9]' \
    union all select 'privileges on ' || attrelid::regclass || '.' || attname from pg_attribute \
      where attacl is not null and attacl::text ~ 'pilaster_[0-9]' order by 1";

const SETTING: &str = "PILASTER_DATABASE_NATIVE_RLS";

/// What `db pull` makes of a database.
fn pulled(own: &Project, database: &ThrowAwayDatabase) -> String {
    let project = Project::empty().with("DATABASE_URL", database.url());
    project.succeed(PILASTER, &["db", "pull"]);
    // The books are those of our own project again.
    own.succeed(PILASTER, &["migrate", "stamp", "head"]);
    let files = project.read_dir("schema").into_iter();
    files
        .map(|name| project.read(&format!("schema/{name}")))
        .collect()
}

fn native(project: &Project, words: &[&str]) -> String {
    let words: Vec<&str> = ["rules", "native"].iter().chain(words).copied().collect();
    project.succeed(PILASTER, &words).out
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_declared_no_more_is_gone_with_the_next_up() {
    let Some(stage) = Stage::build("on").await else {
        return;
    };
    let (project, mut console) = (&stage.app.project, console(&stage.app.database).await);
    let before = run(&mut console, OURS).await;
    for thing in [
        "policy own on notes",
        "policy handed_in on notes",
        "security of handed_in",
    ] {
        assert!(
            before.iter().any(|line| line == thing),
            "{thing}: {before:?}"
        );
    }
    // Once more changes nothing, and a look changes nothing either.
    assert_eq!(native(project, &[]), "all is as it should be\n");
    let fewer = SCHEMA
        .replace("create role printer;", "")
        .replace("to editor, printer", "to editor")
        .replace(
            "create policy own on notes",
            "create policy theirs on notes",
        )
        .replace("grant select (body) on notes to reader;", "");
    let fewer = fewer.replace("(title <> 'damn')", "(title <> 'darn')");
    project.write("schema/notes.sql", &fewer);
    let script = native(project, &["--sql"]);
    for statement in [
        "drop policy \"own\" on \"notes\";",
        "revoke select (\"body\") on \"notes\" from",
        "create policy \"theirs\" on \"notes\" as permissive for all",
        "drop policy \"no_swearing\" on \"notes\";",
    ] {
        assert!(script.contains(statement), "{statement}: {script}");
    }
    assert_eq!(native(project, &["--dry-run"]), script);
    assert_eq!(run(&mut console, OURS).await, before);
    project.succeed(PILASTER, &["migrate", "up"]);
    let after = run(&mut console, OURS).await;
    assert!(
        after.iter().any(|line| line == "policy theirs on notes"),
        "{after:?}"
    );
    for gone in ["policy own on notes", "_printer"] {
        assert!(!after.iter().any(|line| line.ends_with(gone)), "{after:?}");
    }
    let reader = role_of(&mut console, &["reader"]).await;
    let may = format!("select has_column_privilege('{reader}', 'notes', 'body', 'select')");
    assert_eq!(run(&mut console, &may).await, ["f"]);
    let changed = run(
        &mut console,
        "select pg_get_expr(polqual, polrelid) from pg_policy where polname = 'no_swearing'",
    );
    assert!(changed.await[0].contains("darn"));
    assert_eq!(native(project, &[]), "all is as it should be\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_has_changed_by_hand_is_put_right() {
    let Some(stage) = Stage::build("on").await else {
        return;
    };
    let (project, mut console) = (&stage.app.project, console(&stage.app.database).await);
    let editor = role_of(&mut console, &["editor"]).await;
    let before = run(&mut console, OURS).await;
    let deparsed = "select polname, polroles::regrole[], pg_get_expr(polqual, polrelid), \
        pg_get_expr(polwithcheck, polrelid) from pg_policy order by 1, polrelid";
    let policies = run(&mut console, deparsed).await;
    for by_hand in [
        "alter policy own on notes using (true)",
        "alter policy handed_in on notes to public",
        "alter table handed_in disable row level security",
        "drop policy no_swearing on notes",
        &format!("grant update on notes to \"{editor}\""),
        "create or replace function auth.uid() returns uuid language sql stable as \
         'select null::uuid'",
    ] {
        run(&mut console, by_hand).await;
        assert!(native(project, &[]).starts_with("ran "), "{by_hand}");
        assert_eq!(run(&mut console, OURS).await, before, "{by_hand}");
        assert_eq!(run(&mut console, deparsed).await, policies, "{by_hand}");
        assert_eq!(native(project, &[]), "all is as it should be\n");
    }
    // A role that may do more than it should is nothing to build on.
    run(&mut console, &format!("alter role \"{editor}\" login")).await;
    let refused = project.run(PILASTER, &["migrate", "up"]);
    assert_eq!(refused.code, 1, "{}", refused.text());
    assert!(
        refused.err.contains("may log in or do more"),
        "{}",
        refused.err
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_made_stays_and_is_named() {
    let Some(stage) = Stage::build("off").await else {
        return;
    };
    let mut console = console(&stage.app.database).await;
    for theirs in [
        "create policy theirs on notes to public using (false)",
        "alter table handed_in enable row level security",
        "create policy open on handed_in using (true)",
    ] {
        run(&mut console, theirs).await;
    }
    let before = run(&mut console, OURS).await;
    let project = stage.app.project.with(SETTING, "on");
    let without = pulled(&project, &stage.app.database);
    let said = native(&project, &[]);
    for line in [
        "not Pilaster's, and left as it is: the policy theirs on notes",
        "not Pilaster's, and left as it is: the policy open on handed_in",
    ] {
        assert!(said.contains(line), "{said}");
    }
    // Neither drift nor what is pulled knows of ours.
    project.succeed(PILASTER, &["migrate", "check"]);
    assert_eq!(pulled(&project, &stage.app.database), without);
    let both = run(&mut console, OURS).await;
    assert!(before.iter().all(|line| both.contains(line)), "{both:?}");
    assert!(both.len() > before.len() + 10, "{both:?}");
    // Switched off, ours is gone and theirs is as it was.
    let project = project.with(SETTING, "off");
    project.succeed(PILASTER, &["migrate", "up"]);
    assert_eq!(run(&mut console, OURS).await, before);
    assert_eq!(native(&project, &[]), "all is as it should be\n");
    // A name that is taken is said, and nothing is done.
    run(&mut console, "create policy own on notes using (false)").await;
    let project = project.with(SETTING, "on");
    let refused = project.run(PILASTER, &["migrate", "up"]);
    assert!(
        refused
            .err
            .contains("notes has a policy own that Pilaster has not made"),
        "{}",
        refused.err
    );
    run(&mut console, "drop policy own on notes").await;
    run(&mut console, "create schema auth").await;
    let refused = project.run(PILASTER, &["rules", "native"]);
    assert!(
        refused.err.contains("there is a schema auth"),
        "{}",
        refused.err
    );
    run(&mut console, "drop schema auth").await;
    assert_eq!(run(&mut console, OURS).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_tables_does_not_stumble_over_policies() {
    let Some(stage) = Stage::build("on").await else {
        return;
    };
    let (project, mut console) = (&stage.app.project, console(&stage.app.database).await);
    let other = SCHEMA
        .replace(
            "  gone_at timestamptz\n",
            "  -- @new\n  ends_at timestamptz\n",
        )
        .replace(
            "comment on column notes.gone_at",
            "comment on column notes.ends_at",
        )
        .replace(
            "title   text not null unique",
            "title   varchar(80) not null unique",
        )
        .replace(
            "(owner = auth.uid())",
            "(owner = auth.uid() and marks >= 0)",
        );
    project.write("schema/notes.sql", &other);
    project.succeed(PILASTER, &["migrate", "new", "other"]);
    project.succeed(PILASTER, &["migrate", "up", "--allow-destructive"]);
    let role = role_of(&mut console, &["authenticated"]).await;
    let policy = "select pg_get_expr(polqual, polrelid) from pg_policy where polname = 'own'";
    assert!(run(&mut console, policy).await[0].contains("marks"));
    // Down again, and up: the rules come back with the tables.
    project.succeed(PILASTER, &["migrate", "down", "--allow-destructive"]);
    assert_eq!(run(&mut console, policy).await, Vec::<String>::new());
    project.succeed(PILASTER, &["migrate", "up", "--allow-destructive"]);
    run(&mut console, "begin").await;
    run(&mut console, &format!("set local role \"{role}\"")).await;
    run(
        &mut console,
        &format!(
            "select set_config('pilaster.uid', '{}', true)",
            stage.ids[0]
        ),
    )
    .await;
    let rows = run(&mut console, "select id from notes order by id").await;
    // What had expired has lost its moment with the column.
    assert_eq!(rows, ["1", "2", "5", "100"]);
    run(&mut console, "rollback").await;
}

/// PostgreSQL would say so to every caller who writes.
#[tokio::test(flavor = "multi_thread")]
async fn what_postgresql_takes_for_a_circle_is_said_at_once() {
    let Some(stage) = Stage::build("on").await else {
        return;
    };
    let (project, mut console) = (&stage.app.project, console(&stage.app.database).await);
    let before = run(&mut console, OURS).await;
    let full = |asked: &str| {
        format!(
            "{SCHEMA}create view every_note with (security_invoker = false) as \
             select owner, marks from notes;\n\
             create policy full on notes as restrictive for insert \
             with check (not exists (select 1 from {asked} n where n.marks > 100));\n"
        )
    };
    project.write("schema/notes.sql", &full("notes"));
    project.succeed(PILASTER, &["migrate", "new", "full"]);
    let refused = project.run(PILASTER, &["migrate", "up"]);
    assert_eq!(refused.code, 1, "{}", refused.text());
    let said = "the policy full of notes asks what asks notes again";
    assert!(refused.err.contains(said), "{}", refused.err);
    project.write("schema/notes.sql", &full("every_note"));
    project.succeed(PILASTER, &["migrate", "up"]);
    let after = run(&mut console, OURS).await;
    assert!(before.iter().all(|line| after.contains(line)), "{after:?}");
    // It holds, and reads what its caller may not.
    let body = serde_json::json!({"id": 60, "title": "sixty"});
    let server = testkit::Running::serve(PILASTER, project).await;
    let token = server.token("ada@example.org", "a long pass phrase").await;
    let token = token.json()["access_token"].as_str().map(str::to_owned);
    let token = token.expect("a token");
    for (marks, status) in [(100, 201), (101, 403)] {
        run(
            &mut console,
            &format!("update notes set marks = {marks} where id = 3"),
        )
        .await;
        let answer = server.send("POST", &token, "/api/notes", &body).await;
        assert_eq!(answer.status, status, "{}", answer.body);
        run(&mut console, "delete from notes where id = 60").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_databases_of_one_server_know_nothing_of_each_other() {
    let (Some(one), Some(other)) = (Stage::build("on").await, Stage::build("on").await) else {
        return;
    };
    let mut beside = console(&other.app.database).await;
    let before = run(&mut beside, OURS).await;
    let mut own = console(&one.app.database).await;
    assert!(
        run(&mut own, OURS)
            .await
            .iter()
            .all(|line| { !line.starts_with("role ") || !before.contains(line) })
    );
    let project = one.app.project.with(SETTING, "off");
    project.succeed(PILASTER, &["migrate", "up"]);
    assert_eq!(run(&mut own, OURS).await, Vec::<String>::new());
    assert_eq!(run(&mut beside, OURS).await, before);
    let answer = other
        .app
        .server
        .get_as(&other.tokens[0], "/api/notes?select=id&order=id");
    assert_eq!(answer.await.body, "[{\"id\":1},{\"id\":2},{\"id\":100}]");
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_that_nobody_had_together_get_one_of_their_own() {
    let Some(stage) = Stage::build("on").await else {
        return;
    };
    let (project, mut console) = (&stage.app.project, console(&stage.app.database).await);
    // Seven more roles: too many for all combinations to be there beforehand.
    let more: Vec<String> = (0..7).map(|n| format!("create role more{n};\n")).collect();
    project.write("schema/more.sql", &more.concat());
    project.succeed(PILASTER, &["migrate", "up"]);
    let server = testkit::Running::serve(PILASTER, project).await;
    for role in ["more1", "more5", "editor"] {
        crate::access::give_role(&stage.app.database, &stage.ids[0], role).await;
    }
    let before = run(&mut console, OURS).await;
    let token = server
        .token("ada@example.org", "a long pass phrase")
        .await
        .json();
    let token = token["access_token"].as_str().expect("a token").to_owned();
    let answer = server
        .get_as(&token, "/api/notes?select=id,body&order=id&limit=2")
        .await;
    assert_eq!(
        answer.body,
        "[{\"id\":1,\"body\":\"body 1\"},{\"id\":2,\"body\":\"body 2\"}]"
    );
    let role = role_of(&mut console, &["authenticated", "editor", "more1", "more5"]).await;
    let after = run(&mut console, OURS).await;
    let new: Vec<&String> = after.iter().filter(|line| !before.contains(line)).collect();
    assert_eq!(new, [&format!("role {role}")]);
    // It is one of those that are in use, and stays.
    assert_eq!(native(project, &[]), "all is as it should be\n");
}
