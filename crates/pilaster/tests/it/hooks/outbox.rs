//! Files that run from the outbox: again until they work, once for each event, never lost.

use serde_json::{Value, json};
use sql::{Dialect, Kind, Query, Sql, Step};
use testkit::{Project, Running};

use super::{dead_letter, eventually, failures, pilaster, project, register, registered, rows};
use crate::http::{App, PILASTER, on_every_engine};

on_every_engine!(
    of_switch: what_fails_undoes_the_event_or_is_retried_until_it_works,
    what_is_delivered_twice_makes_one_row,
    what_nobody_wants_any_more_is_discarded,
    two_servers_run_nothing_twice,
);
on_every_engine!(of_failures: no_log_and_no_list_holds_what_people_say_of_themselves);
on_every_engine!(
    project: accounts_from_before_the_file_are_caught_up_on,
    those_to_whom_it_happened_are_caught_up_on_through_the_outbox,
    who_cannot_be_caught_up_on_is_named_and_can_be_stamped,
);

const NOTED: &str = "insert into log (delivery, event_id, event, person, email, detail) \
     select :delivery_id, :event_id, 'user_registered', :user_id, :email, :display_name ";

/// Registrations fail while there is no switch 1, sign-ins wait for it.
fn of_switch() -> Project {
    let project = project();
    project.write(
        "hooks/user_registered.sql",
        &format!(
            "-- @mode outbox\n\
             insert into guarded (delivery, switch) select :delivery_id, 1 \
             where not exists (select 1 from guarded where delivery = :delivery_id);\n\
             {NOTED} where not exists (select 1 from log where delivery = :delivery_id)"
        ),
    );
    project.write(
        "hooks/login.sql",
        "insert into guarded (delivery, switch) values (:delivery_id, 2)",
    );
    project
}

async fn switch_on(app: &App, id: i64) {
    let opened = app
        .server
        .send("POST", "", "/api/switches", &json!({"id": id}))
        .await;
    assert_eq!(opened.status, 201, "{}", opened.body);
}

// req: HK-2, HK-9
async fn what_fails_undoes_the_event_or_is_retried_until_it_works(app: App) {
    // From the outbox: the account stands, what failed is seen, given up, and told again.
    let id = registered(&app, "ada", "Ada").await;
    let dead = dead_letter(&app).await;
    assert_eq!(dead["target"], "hooks/user_registered.sql");
    assert_eq!(
        (&dead["event"], &dead["attempts"]),
        (&json!("user_registered"), &json!(2))
    );
    let error = dead["error"].as_str().expect("an error");
    assert!(error.contains("foreign key"), "{error}");
    let listed = pilaster(&app, &["hooks", "list"]);
    let counted = &listed["hooks"][0];
    assert_eq!(
        (&counted["mode"], &counted["dead"]),
        (&json!("outbox"), &json!(1)),
        "{listed}"
    );
    assert_eq!(rows(&app, "/api/log").await.len(), 0);

    let delivery = dead["id"].as_str().expect("an id").to_owned();
    let nobody = ["hooks", "retry", "019aa6f0-7d1c-7f39-9a51-2f1f6d0c7f11"];
    assert_eq!(app.project.run(PILASTER, &nobody).code, 1);
    assert_eq!(app.project.run(PILASTER, &["hooks", "retry", "x"]).code, 2);
    assert_eq!(app.project.run(PILASTER, &["hooks", "retry"]).code, 2);
    switch_on(&app, 1).await;
    assert_eq!(
        pilaster(&app, &["hooks", "retry", &delivery]),
        json!({"retried": 1})
    );
    let told = eventually("the retry", async || {
        Some(rows(&app, "/api/log").await).filter(|rows| !rows.is_empty())
    })
    .await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(
        (&told[0]["person"], &told[0]["delivery"]),
        (&json!(id), &json!(delivery))
    );
    assert_eq!(failures(&app), (Vec::new(), 0));
    assert_eq!(
        pilaster(&app, &["hooks", "retry", "--all"]),
        json!({"retried": 0})
    );

    // In the event's own transaction: what fails takes the event with it.
    app.project.write(
        "hooks/user_registered.sql",
        "insert into guarded (delivery, switch) values (:delivery_id, 3)",
    );
    let app = restarted(app).await;
    let refused = register(&app, "eve", "Eve").await;
    assert!(refused.status >= 400, "{}", refused.body);
    assert_eq!(
        app.server.token("eve", "a long pass phrase").await.status,
        401
    );
    assert_eq!(
        pilaster(&app, &["user", "list"]).as_array().map(Vec::len),
        Some(1)
    );
    switch_on(&app, 3).await;
    registered(&app, "eve", "Eve").await;
}

async fn restarted(app: App) -> App {
    let App {
        server,
        project,
        database,
    } = app;
    drop(server);
    let server = Running::serve(PILASTER, &project).await;
    App {
        server,
        project,
        database,
    }
}

// req: HK-3
async fn what_is_delivered_twice_makes_one_row(app: App) {
    registered(&app, "ada", "Ada").await;
    dead_letter(&app).await;
    let db = app.database.connect().await;
    let native = |text: &str| {
        let mut sql = Sql::new(db.dialect());
        sql.native(text);
        sql
    };
    // The delivery itself, kept aside and put back behind its own end: what a crash between an
    // effect elsewhere and the mark that it is done would do.
    let kept = "create table kept as select * from auth_deliveries";
    db.write(vec![Step::new(native(kept))])
        .await
        .expect("it is kept");
    switch_on(&app, 1).await;
    for _ in 0..2 {
        pilaster(&app, &["hooks", "retry", "--all"]);
        eventually("the delivery", async || {
            let left = Query::short(
                native("select count(*) from auth_deliveries"),
                vec![Kind::BigInt],
            );
            let left = db.rows(&left).await.expect("it counts");
            (left[0].0[0] == sql::Value::Int(0)).then_some(())
        })
        .await;
        assert_eq!(rows(&app, "/api/log").await.len(), 1);
        assert_eq!(rows(&app, "/api/guarded").await.len(), 1);
        let again = native("insert into auth_deliveries select * from kept");
        db.write(vec![Step::new(again)])
            .await
            .expect("it comes back");
    }
}

async fn what_nobody_wants_any_more_is_discarded(app: App) {
    registered(&app, "ada", "Ada").await;
    let dead = dead_letter(&app).await;
    let id = dead["id"].as_str().expect("an id").to_owned();
    assert_eq!(
        pilaster(&app, &["hooks", "discard", &id]),
        json!({"discarded": 1})
    );
    assert_eq!(
        app.project.run(PILASTER, &["hooks", "discard", &id]).code,
        1
    );
    // What is owed to a file that is gone waits until somebody says so.
    std::fs::remove_file(app.project.path().join("hooks/user_registered.sql"))
        .expect("it is there");
    registered(&app, "bo", "Bo").await;
    dead_letter(&app).await;
    let listed = pilaster(&app, &["hooks", "list"]);
    let target = "hooks/user_registered.sql";
    let left = json!([{"target": target, "waiting": 0, "dead": 1}]);
    assert_eq!(listed["orphans"], left, "{listed}");
    let asked = app.project.run(PILASTER, &["hooks", "discard", target]);
    assert_eq!(asked.code, 5, "{}", asked.text());
    let words = ["hooks", "discard", target, "--confirm", target];
    assert_eq!(pilaster(&app, &words), json!({"discarded": 1}));
    assert_eq!(failures(&app), (Vec::new(), 0));
}

async fn two_servers_run_nothing_twice(app: App) {
    switch_on(&app, 1).await;
    // Without a net: a second run would break the key, and be a dead letter.
    let plain = format!("-- @mode outbox\n{NOTED}");
    app.project.write("hooks/user_registered.sql", &plain);
    let first = restarted(app).await;
    let second = Running::serve(PILASTER, &first.project).await;
    let names: Vec<String> = (0..30).map(|number| format!("u{number}")).collect();
    let accounts = names.iter().enumerate().map(|(number, name)| {
        let server = if number % 2 == 0 {
            &first.server
        } else {
            &second
        };
        let account =
            json!({"email": format!("{name}@example.org"), "password": "a long pass phrase"});
        async move { server.send("POST", "", "/register", &account).await.status }
    });
    let statuses = futures_util::future::join_all(accounts).await;
    assert!(statuses.iter().all(|status| *status == 201), "{statuses:?}");
    eventually("every delivery", async || {
        let listed = pilaster(&first, &["hooks", "list"]);
        let hook = listed["hooks"]
            .as_array()?
            .iter()
            .find(|hook| hook["event"] == "user_registered")?
            .clone();
        assert_eq!(hook["dead"], 0, "{listed}");
        (hook["waiting"] == 0).then_some(())
    })
    .await;
    let told = rows(&first, "/api/log?select=person").await;
    let people: std::collections::BTreeSet<String> = told.iter().map(Value::to_string).collect();
    assert_eq!((told.len(), people.len()), (30, 30));
    for log in [first.server.log(), second.log()] {
        assert!(!log.contains("a delivery failed"), "{log}");
    }
}

const MARKER: &str = "Marker7f3a";

fn of_failures() -> Project {
    let project = project().with("LOG_LEVEL", "debug");
    // Engines quote in their own words what they cannot make a number of.
    let number = "insert into switches (id) values (cast(:display_name as integer))";
    project.write(
        "hooks/user_registered.sql",
        &format!("-- @mode outbox\n{number}"),
    );
    project.write(
        "hooks/login.sql",
        "insert into log (delivery, event_id, event, person, email, detail) \
         values (:user_id, :event_id, 'login', :user_id, :email, :display_name)",
    );
    project.write("hooks/user_deleted.sql", number);
    project
}

// req: HK-8
async fn no_log_and_no_list_holds_what_people_say_of_themselves(app: App) {
    let account = json!({"email": format!("{MARKER}@example.org"), "password": "a long pass phrase",
        "username": MARKER, "first_name": MARKER, "last_name": MARKER,
        "display_name": format!("{MARKER} of none")});
    let made = app.server.send("POST", "", "/register", &account).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let address = format!("{MARKER}@example.org");
    let first = app.server.token(&address, "a long pass phrase").await;
    assert_eq!(first.status, 200, "{}", first.body);
    // The second one breaks the log's key.
    let second = app.server.token(&address, "a long pass phrase").await;
    assert!(second.status >= 400, "{}", second.body);
    assert!(!second.body.contains(MARKER), "{}", second.body);
    let lenient = matches!(app.database.connect().await.dialect(), Dialect::Sqlite);
    let refused = app.project.run(
        PILASTER,
        &[
            "user",
            "delete",
            MARKER,
            "--confirm",
            &address.to_lowercase(),
        ],
    );
    if !lenient {
        assert_ne!(refused.code, 0, "{}", refused.text());
        let dead = dead_letter(&app).await;
        assert!(
            !dead
                .to_string()
                .to_lowercase()
                .contains(&MARKER.to_lowercase()),
            "{dead}"
        );
    }
    let failed = app.project.run(PILASTER, &["hooks", "failed"]);
    for text in [refused.text(), failed.text(), app.server.log()] {
        assert!(
            !text.to_lowercase().contains(&MARKER.to_lowercase()),
            "{text}"
        );
    }
}

const PEOPLE: &str = "insert into people (sub, name, email, handle) \
     values (:user_id, :display_name, :email, :username)";

/// Three accounts that no file was told of.
async fn three_accounts(app: &App) {
    for name in ["ada", "bo", "cy"] {
        registered(app, name, name).await;
    }
}

// req: HK-10
async fn accounts_from_before_the_file_are_caught_up_on(app: App) {
    three_accounts(&app).await;
    let words = ["hooks", "backfill", "user_registered"];
    assert_eq!(app.project.run(PILASTER, &words).code, 1);
    app.project.write("hooks/user_registered.sql", PEOPLE);
    let app = restarted(app).await;
    registered(&app, "di", "di").await;
    for ran in [3, 0] {
        let caught = pilaster(&app, &words);
        let expected = json!({"event": "user_registered", "ran": ran, "failed": []});
        assert_eq!(caught, expected);
    }
    let people = rows(&app, "/api/people?select=handle&order=handle").await;
    let handles: Vec<_> = people.iter().map(|row| &row["handle"]).collect();
    assert_eq!(handles, ["ada", "bo", "cy", "di"]);
}

async fn those_to_whom_it_happened_are_caught_up_on_through_the_outbox(app: App) {
    three_accounts(&app).await;
    pilaster(&app, &["user", "confirm", "bo"]);
    let noted = NOTED.replace("user_registered", "user_confirmed");
    app.project.write(
        "hooks/user_confirmed.sql",
        &format!("-- @mode outbox\n{noted}"),
    );
    let app = restarted(app).await;
    for ran in [1, 0] {
        let caught = pilaster(&app, &["hooks", "backfill", "user_confirmed"]);
        assert_eq!(caught["ran"], ran, "{caught}");
    }
    let told = eventually("the delivery", async || {
        Some(rows(&app, "/api/log?select=email").await).filter(|rows| !rows.is_empty())
    })
    .await;
    assert_eq!(told, [json!({"email": "bo@example.org"})]);
}

async fn who_cannot_be_caught_up_on_is_named_and_can_be_stamped(app: App) {
    three_accounts(&app).await;
    // One row fits, the next ones are in each other's way.
    let one = "'00000000-0000-0000-0000-000000000001'";
    let file = PEOPLE.replace(":user_id", one);
    app.project.write("hooks/user_registered.sql", &file);
    let app = restarted(app).await;
    let words = ["hooks", "backfill", "user_registered"];
    let partly = app
        .project
        .run(PILASTER, &[&words[..], &["--json"]].concat());
    assert_eq!(partly.code, 1, "{}", partly.text());
    let partly: Value = serde_json::from_str(&partly.out).expect("JSON");
    let failed = partly["failed"].as_array().expect("a list");
    assert_eq!((&partly["ran"], failed.len()), (&json!(1), 2), "{partly}");
    assert!(!partly.to_string().contains("example.org"), "{partly}");
    let stamped = pilaster(&app, &[&words[..], &["--stamp"]].concat());
    assert_eq!(stamped["ran"], 2);
    assert_eq!(pilaster(&app, &words)["ran"], 0);
    assert_eq!(rows(&app, "/api/people").await.len(), 1);
}
