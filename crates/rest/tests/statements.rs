//! The statements of requests, as each engine gets them; `INSTA_UPDATE=always` writes new ones.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use lang::Source;
use rest::{Api, BaseRole, Caller, Limits, Method, Moment, Plan, Request, RoleSet};
use schema::{Catalog, CatalogKind};
use sql::{Dialect, Sql};
use stdx::{Clock, Rng};

const DIALECTS: [Dialect; 4] = [
    Dialect::Sqlite,
    Dialect::Postgres,
    Dialect::MySql,
    Dialect::MariaDb,
];

fn source(path: &str, text: &str) -> Source {
    Source {
        path: path.to_owned(),
        text: text.to_owned(),
    }
}

fn cruddur(dialect: Dialect) -> Api {
    let schema = include_str!("../../../examples/cruddur/schema/cruddur.sql");
    let schema = source("schema/cruddur.sql", schema);
    let catalog = Catalog::from_sources(&[schema], CatalogKind::User).expect("valid");
    let feed = include_str!("../../../examples/cruddur/api/feed.get.sql");
    let files = [source("api/feed.get.sql", feed)];
    Api::new(Arc::new(catalog), &files, dialect, Limits::default()).expect("valid")
}

fn show(text: &mut String, sql: &Sql) {
    writeln!(text, "{}", sql.text()).expect("a text takes text");
    for value in sql.args() {
        writeln!(text, "    {value:?}").expect("a text takes text");
    }
}

/// The statements of one request on each engine, as somebody who is signed in.
fn statements(method: Method, path: &str, query: &str, body: &str) -> String {
    let mut text = format!("{} /{path}?{query} {body}\n", method.name());
    for dialect in DIALECTS {
        let api = cruddur(dialect);
        let (clock, rng) = (Clock::manual(jiff::Timestamp::UNIX_EPOCH), Rng::seeded(1));
        let caller = Caller {
            user: Some(uuid::Uuid::from_u128(0x0193_a000)),
            base_role: BaseRole::Authenticated,
            roles: RoleSet::effective(api.catalog(), BaseRole::Authenticated, &[]),
            ..Caller::anonymous(api.catalog())
        };
        let path: Vec<Cow<'_, str>> = path.split('/').map(Cow::Borrowed).collect();
        let request = Request {
            method,
            path: &path,
            query,
            prefer: &["return=representation"],
            accept: None,
            range: None,
            profile: None,
            content_type: Some("application/json"),
            body: body.as_bytes(),
        };
        let moment = Moment {
            now: clock.now(),
            clock: &clock,
            rng: &rng,
        };
        writeln!(text, "\n-- {dialect}").expect("a text takes text");
        match api.plan(&request, &caller, moment) {
            Ok(Plan::Read(mut plan)) => {
                for (query, _) in plan.parts() {
                    show(&mut text, &query.sql);
                }
            }
            Ok(Plan::Write(mut plan)) => {
                for step in plan.take_unit() {
                    show(&mut text, &step.sql);
                }
            }
            Err(error) => writeln!(text, "{} {}", error.code, error.message).expect("text"),
        }
    }
    text
}

macro_rules! snapshots {
    ($($name:ident: $method:ident $path:literal $query:literal $body:literal;)*) => {
        $(#[test]
        fn $name() {
            insta::assert_snapshot!(statements(Method::$method, $path, $query, $body));
        })*
    };
}

snapshots! {
    read_by_key: Get "users/0193a000-0000-7000-8000-000000000001" "" "";
    list_with_author: Get "activities"
        "select=uuid,message,author:users(handle)&order=created_at.desc&limit=20" "";
    list_with_many: Get "users" "select=handle,activities(message)&activities.limit=2" "";
    inner_join: Get "activities" "select=message,users!inner(handle)&users.handle=eq.bayko" "";
    logic: Get "activities"
        "or=(likes_count.gte.3,and(message.ilike.*x*,expires_at.is.null))&uuid=not.in.(0193a000-0000-7000-8000-0000000000a1)" "";
    null_order: Get "activities" "select=message&order=expires_at.desc.nullslast,message" "";
    endpoint: Get "feed" "limit=3" "";
    insert_one: Post "activities" "" r#"{"message": "it's ?"}"#;
    insert_two: Post "activities" "select=message" r#"[{"message": "a"}, {"message": "b"}]"#;
    update_by_key: Patch "activities/0193a000-0000-7000-8000-0000000000a1" "select=message"
        r#"{"message": "new"}"#;
    update_rows: Patch "activities" "likes_count=gt.3&select=uuid" r#"{"message": "new"}"#;
    replace: Put "users/0193a000-0000-7000-8000-000000000001" ""
        r#"{"handle": "h", "display_name": "H"}"#;
    delete_rows: Delete "activities" "message=like.x*&select=uuid" "";
}
