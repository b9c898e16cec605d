//! How long a role's statements may take, and what somebody is told whose request took longer.

use testkit::{Answer, Project};

use super::{App, on_every_engine};

on_every_engine!(
    slow: a_role_has_its_own_time, a_missing_index_is_named,
);

/// Each row of `numbers` is only shown after some hundred thousand comparisons.
const SCHEMA: &str = "
create table steps (n integer primary key);
create table numbers (
  n integer primary key, label text not null, kind text not null unique, \"Group\" integer not null
);
grant select on steps, numbers to anon, authenticated;
create policy steps_all on steps for select using (true);
create policy numbers_slow on numbers for select using (
  not exists (select 1 from steps a join steps b on a.n <> b.n where a.n + b.n = numbers.n - 90000)
);
alter role anon set statement_timeout = 1;
alter role authenticated set statement_timeout = '2min';
";

fn slow() -> Project {
    let project = Project::empty();
    project.write("schema/numbers.sql", SCHEMA);
    let steps: Vec<String> = (1..=600).map(|n| format!("({n})")).collect();
    let numbers: Vec<String> = (1..=5)
        .map(|n| format!("({n}, 'n{n}', 'k{n}', {n})"))
        .collect();
    let seed = format!(
        "insert into steps (n) values {};\n\
         insert into numbers (n, label, kind, \"Group\") values {};\n",
        steps.join(", "),
        numbers.join(", ")
    );
    project.write("seed/numbers.sql", &seed);
    project.write(
        "api/numbers_of.get.sql",
        "-- @access anon, authenticated\n-- @returns many\nselect n from numbers order by n\n",
    );
    project
}

fn hint_of(answer: &Answer) -> String {
    assert_eq!(answer.status, 504, "{}", answer.body);
    let error = answer.json();
    assert_eq!(error["code"], "57014", "{}", answer.body);
    assert_eq!(
        error["message"],
        "the statement took longer than 1 ms, the statement_timeout of the caller's role"
    );
    error["hint"].as_str().expect("a hint").to_owned()
}

async fn a_role_has_its_own_time(app: App) {
    let ada = app.server.sign_up("ada").await;
    for path in [
        "/api/numbers?select=n",
        "/api/numbers/3",
        "/api/rpc/numbers_of",
    ] {
        hint_of(&app.server.get(path).await);
        let answer = app.server.get_as(&ada, path).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    // Several statements in one snapshot, and the connection is as before afterwards.
    let count = "/api/steps?select=n&limit=1";
    let counted = app.server.get_as(&ada, count).await;
    assert_eq!(counted.status, 200, "{}", counted.body);
    let quick = app.server.get("/api/steps?select=n&n=eq.5").await;
    assert_eq!(quick.body, r#"[{"n":5}]"#);
}

async fn a_missing_index_is_named(app: App) {
    let hint = async |query: &str| {
        let path = format!("/api/numbers?select=n&{query}");
        hint_of(&app.server.get(&path).await)
    };
    assert_eq!(
        hint("label=like.n*&label=gte.n1&order=Group.desc").await,
        "add to schema/: create index on numbers (\"Group\");"
    );
    assert_eq!(
        hint("label=neq.x&Group=in.(1,2,3)&order=label,n").await,
        "add to schema/: create index on numbers (\"Group\", label, n);"
    );
    assert_eq!(
        hint("Group=gte.1").await,
        "add to schema/: create index on numbers (\"Group\");"
    );
    // Those that are there already need no other one.
    for query in [
        "n=gte.1",
        "kind=in.(k1,k2)&label=gte.n",
        "order=n",
        "label=neq.x",
    ] {
        assert!(!hint(query).await.contains("create index"), "{query}");
    }
}
