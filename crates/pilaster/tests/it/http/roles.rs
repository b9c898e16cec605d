//! Who may do what: every role at every door, and rules about membership; the same on every engine.

use serde_json::{Value, json};
use testkit::Project;

use super::{App, PILASTER, on_every_engine};

on_every_engine!(club: every_role_at_every_door, members_alone_write_to_their_group);

const SCHEMA: &str = "
create role treasurer;
create role auditor;
grant auditor to treasurer;

create table people (
  id   uuid primary key default auth.uid(),
  name text not null
);
create table dues (
  id     integer primary key,
  person text not null,
  amount numeric(8, 2) not null,
  paid   boolean not null default false
);
create table groups (id integer primary key, name text not null);
create table members (
  group_id integer not null references groups,
  person   uuid not null,
  primary key (group_id, person)
);
create table messages (
  id       integer primary key,
  group_id integer not null references groups,
  author   uuid not null default auth.uid(),
  body     text not null
);

grant select on groups to anon, authenticated;
grant select (id, person, amount) on dues to auditor;
grant select, insert, update (paid), delete on dues to treasurer;
grant select on members to authenticated;
grant insert (group_id) on members to authenticated;
grant select, insert (id, group_id, body) on messages to authenticated;
create policy everybody on groups using (true);
create policy books on dues to auditor using (true);
create policy keeps on dues to treasurer using (true) with check (amount > 0);
create policy all_members on members for select using (true);
create policy inside on messages to authenticated
  using (exists (select 1 from members m where m.group_id = messages.group_id and m.person = auth.uid()))
  with check (author = auth.uid()
              and exists (select 1 from members m where m.group_id = messages.group_id and m.person = auth.uid()));
";

fn club() -> Project {
    let project = Project::empty();
    project.write("schema/club.sql", SCHEMA);
    project.write(
        "seed/club.sql",
        "insert into groups (id, name) values (1, 'board'), (2, 'choir');\n\
         insert into dues (id, person, amount) values (1, 'ada', 12.50);\n",
    );
    project.write(
        "api/total.get.sql",
        "-- @access auditor\n-- @returns value\nselect sum(amount) as total from dues\n",
    );
    project
}

/// Tokens of nobody, somebody signed in, an auditor and a treasurer.
async fn tokens(app: &App) -> Vec<String> {
    let mut tokens = vec![String::new(), app.server.sign_up("plain").await];
    for role in ["auditor", "treasurer"] {
        app.server.sign_up(role).await;
        let email = format!("{role}@example.org");
        app.project
            .succeed(PILASTER, &["user", "grant", &email, role]);
        let token = app.server.token(&email, "a long pass phrase").await;
        let token = token.json()["access_token"].clone();
        tokens.push(token.as_str().expect("a token").to_owned());
    }
    tokens
}

// req: RB-1
async fn every_role_at_every_door(app: App) {
    let tokens = tokens(&app).await;
    let due = |id: i64| json!({"id": id, "person": "x", "amount": "1.00"});
    let paid = json!({"paid": true});
    let doors: [(&str, &str, Value, [u16; 4]); 10] = [
        ("GET", "/api/groups", Value::Null, [200, 200, 200, 200]),
        (
            "GET",
            "/api/dues?select=id,amount",
            Value::Null,
            [404, 404, 200, 200],
        ),
        (
            "GET",
            "/api/dues?select=paid",
            Value::Null,
            [404, 404, 400, 200],
        ),
        (
            "GET",
            "/api/dues?paid=is.false&select=id",
            Value::Null,
            [404, 404, 400, 200],
        ),
        ("GET", "/api/total", Value::Null, [401, 403, 200, 200]),
        ("GET", "/api/members", Value::Null, [404, 200, 200, 200]),
        ("PATCH", "/api/dues/1", paid, [404, 404, 403, 204]),
        (
            "PATCH",
            "/api/dues/1",
            json!({"amount": "0.01"}),
            [404, 404, 403, 422],
        ),
        ("DELETE", "/api/dues/99", Value::Null, [404, 404, 403, 404]),
        (
            "POST",
            "/api/groups",
            json!({"id": 9, "name": "x"}),
            [401, 403, 403, 403],
        ),
    ];
    for (method, path, body, statuses) in doors {
        for (token, status) in tokens.iter().zip(statuses) {
            let answer = app.server.send(method, token, path, &body).await;
            assert_eq!(
                answer.status, status,
                "{method} {path} as {statuses:?}: {}",
                answer.body
            );
        }
    }
    for (place, (token, status)) in tokens.iter().zip([404, 404, 403, 201]).enumerate() {
        let body = due(10 + i64::try_from(place).expect("small"));
        let answer = app.server.send("POST", token, "/api/dues", &body).await;
        assert_eq!(answer.status, status, "{}", answer.body);
    }
}

// req: RB-5
async fn members_alone_write_to_their_group(app: App) {
    let (ada, eve) = (
        app.server.sign_up("ada").await,
        app.server.sign_up("eve").await,
    );
    let me = app.server.get_as(&ada, "/auth/me").await.json()["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let join = format!("insert into members (group_id, person) values (1, '{me}')");
    let mysql = app.database.url().starts_with("mysql");
    let join = match mysql {
        true => join.replace(&format!("'{me}'"), &format!("x'{}'", me.replace('-', ""))),
        false => join,
    };
    app.project.succeed(
        PILASTER,
        &["db", "connect", "--builtin", "--execute", &join],
    );
    let write = async |token: &str, id: i64, group: i64| {
        let body = json!({"id": id, "group_id": group, "body": "hello"});
        app.server.send("POST", token, "/api/messages", &body).await
    };
    assert_eq!(write(&ada, 1, 1).await.status, 201);
    for (token, group) in [(&eve, 1), (&ada, 2), (&eve, 2)] {
        let refused = write(token, 9, group).await;
        assert_eq!(
            (refused.status, refused.json()["code"].as_str()),
            (403, Some("42501")),
            "{}",
            refused.body
        );
    }
    assert_eq!(
        app.server
            .get_as(&ada, "/api/messages?select=body")
            .await
            .body,
        r#"[{"body":"hello"}]"#
    );
    assert_eq!(
        app.server
            .get_as(&eve, "/api/messages?select=body")
            .await
            .body,
        "[]"
    );
    assert_eq!(app.server.get_as(&eve, "/api/messages/1").await.status, 404);
}
