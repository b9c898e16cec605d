//! What the database hides by itself: from a connection that becomes a caller's role, and from
//! statements that come through our own door without any rule in them.

use sql::{Actor, DbError, Expect, Kind, Query, Row, RowRef, RowSink, Sql, Step, Value};

use super::{Stage, console, role_of, run};

/// The values of a caller's rows.
#[derive(Default)]
struct Ids(Vec<i64>);

impl RowSink for Ids {
    fn row(&mut self, row: &RowRef<'_>) -> sql::DbResult<()> {
        let Row(values) = row.to_owned_row(&[Kind::Integer])?;
        match values.first() {
            Some(Value::Int(id)) => self.0.push(*id),
            other => panic!("{other:?} is no id"),
        }
        Ok(())
    }
}

fn statement(text: &'static str) -> Sql {
    let mut sql = Sql::new(sql::Dialect::Postgres);
    sql.push(text);
    sql
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_becomes_a_role_sees_what_its_callers_see() {
    let Some(stage) = Stage::build("on").await else {
        return;
    };
    let mut console = console(&stage.app.database).await;
    let ada = role_of(&mut console, &["authenticated"]).await;
    let bob = role_of(&mut console, &["authenticated", "editor"]).await;
    let anon = role_of(&mut console, &["anon"]).await;
    for (role, uid, token, seen) in [
        (&ada, &stage.ids[0], &stage.tokens[0], vec!["1", "2", "100"]),
        (&bob, &stage.ids[1], &stage.tokens[1], vec!["2", "3", "200"]),
        (&ada, &String::new(), &String::new(), vec![]),
    ] {
        run(&mut console, "begin").await;
        run(&mut console, &format!("set local role \"{role}\"")).await;
        let uid = format!("select set_config('pilaster.uid', '{uid}', true)");
        run(&mut console, &uid).await;
        let rows = run(&mut console, "select id from notes order by id").await;
        assert_eq!(rows, seen, "{role}");
        if !token.is_empty() {
            let answer = stage
                .app
                .server
                .get_as(token, "/api/notes?select=id&order=id")
                .await;
            let ids = answer.json();
            let ids = ids.as_array().expect("rows").iter();
            assert_eq!(
                ids.map(|row| row["id"].to_string()).collect::<Vec<_>>(),
                seen
            );
        }
        run(&mut console, "rollback").await;
    }
    // What is granted to nobody, or to others, is refused.
    for (role, refused) in [
        (&anon, "select id from notes"),
        (&ada, "select body from notes"),
        (&ada, "select * from handed_in"),
        (&bob, "update notes set id = 9"),
        (&bob, "truncate notes"),
        (&bob, "select * from auth_users"),
        (&bob, "create table public.mine (id integer)"),
    ] {
        run(&mut console, "begin").await;
        run(&mut console, &format!("set local role \"{role}\"")).await;
        let error = console.run(refused).await.expect_err(refused).to_string();
        assert!(error.contains("permission denied"), "{refused}: {error}");
        run(&mut console, "rollback").await;
    }
}

/// A compiler of rules that has forgotten them all: the statements of this test name no rule.
#[tokio::test(flavor = "multi_thread")]
async fn statements_without_their_rules_reach_no_more() {
    let Some(stage) = Stage::build("on").await else {
        return;
    };
    let mut console = console(&stage.app.database).await;
    let role = role_of(&mut console, &["authenticated"]).await;
    let db = stage.app.database.connect().await;
    let actor = Actor::new(role, &[("pilaster.uid", stage.ids[0].clone())]);
    let all = Query::short(
        statement("select id from notes order by id"),
        vec![Kind::Integer],
    );
    let mut seen = Ids::default();
    db.read(&all, &mut seen).await.expect("the server's own");
    assert_eq!(seen.0, [1, 2, 3, 4, 5, 100, 200]);
    let mut seen = Ids::default();
    db.read_as(&actor, &all, &mut seen)
        .await
        .expect("the caller's");
    assert_eq!(seen.0, [1, 2, 100]);
    let (mut first, mut second) = (Ids::default(), Ids::default());
    let mut reads: Vec<(&Query, &mut (dyn RowSink + Send))> =
        vec![(&all, &mut first), (&all, &mut second)];
    db.read_all_as(&actor, &mut reads)
        .await
        .expect("the caller's");
    assert_eq!((first.0, second.0), (vec![1, 2, 100], vec![1, 2, 100]));
    // Alone and in a unit, kept and taken back.
    let change = || Step::new(statement("update notes set marks = 7"));
    let done = db.write_as(&actor, vec![change()]).await.expect("it runs");
    assert_eq!(done[0].affected, 3);
    let unit = vec![change().expecting(Expect::Rows(3)), change()];
    let done = db.write_as(&actor, unit).await.expect("it runs");
    assert_eq!(done[1].affected, 3);
    let gone = Step::new(statement("delete from notes"));
    let done = db
        .rehearse_as(&actor, vec![gone.clone()])
        .await
        .expect("it runs");
    assert_eq!(done[0].affected, 3);
    let theft = "insert into notes (id, owner, title) \
        values (50, '00000000-0000-0000-0000-000000000001', 'x')";
    let swearing = "update notes set title = 'damn' where id = 1";
    for refused in [theft, swearing] {
        let unit = vec![Step::new(statement(refused)), change()];
        let error = db.write_as(&actor, unit).await.expect_err(refused);
        assert!(
            matches!(error, DbError::RowSecurity(_)),
            "{refused}: {error}"
        );
    }
    let denied = db
        .write_as(&actor, vec![Step::new(statement("delete from handed_in"))])
        .await;
    assert!(matches!(denied, Err(DbError::Denied(_))), "{denied:?}");
    // In a transaction that goes on as the server and back again.
    let mut tx = db.begin().await.expect("it begins");
    for (actor, count) in [(Some(&actor), 3), (None, 7), (Some(&actor), 3)] {
        tx.act_as(actor).await.expect("it goes on");
        assert_eq!(tx.rows(&all).await.expect("rows").len(), count);
    }
    tx.rollback().await.expect("it ends");
    let marks = run(
        &mut console,
        "select id from notes where marks = 7 order by id",
    )
    .await;
    assert_eq!(marks, ["1", "2", "100"]);
    // Nothing of it is left on a connection that others use.
    let done = db.write(vec![gone]).await.expect("the server's own");
    assert_eq!(done[0].affected, 7);
}

/// Many callers on few connections: nobody gets another one's rows.
#[tokio::test(flavor = "multi_thread")]
async fn callers_at_once_stay_apart() {
    let Some(stage) = Stage::build("on").await else {
        return;
    };
    let stage = std::sync::Arc::new(stage);
    let requests = (0..240).map(|number| {
        let stage = std::sync::Arc::clone(&stage);
        tokio::spawn(async move {
            let (place, seen) = match number % 3 {
                0 => (0, "[{\"id\":1},{\"id\":2},{\"id\":100}]"),
                1 => (1, "[{\"id\":2},{\"id\":3},{\"id\":200}]"),
                _ => (2, ""),
            };
            let server = &stage.app.server;
            let url = "/api/notes?select=id&order=id";
            match stage.tokens.get(place) {
                Some(token) if number % 2 == 0 => {
                    let answer = server.get_as(token, url).await;
                    assert_eq!(answer.body, seen);
                }
                Some(token) => {
                    let body = serde_json::json!({"body": format!("by {place}")});
                    let url = "/api/notes?id=gt.0&select=id&order=id";
                    let request = server.request("PATCH", url).bearer_auth(token).json(&body);
                    let request = request.header("Prefer", "return=representation");
                    let answer = testkit::Answer::read(request).await;
                    let own = seen.replace("{\"id\":2},{\"id\":3}", "{\"id\":3}");
                    assert_eq!(answer.body, own);
                }
                None => assert_eq!(server.get(url).await.status, 404),
            }
        })
    });
    for request in requests.collect::<Vec<_>>() {
        request.await.expect("as it should be");
    }
    let mut console = console(&stage.app.database).await;
    let bodies = "select id, body from notes where body like 'by %' order by id";
    let bodies = run(&mut console, bodies).await;
    assert_eq!(
        bodies,
        ["1|by 0", "2|by 0", "3|by 1", "100|by 0", "200|by 1"]
    );
}
