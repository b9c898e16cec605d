//! The same world in PostgreSQL's own words: real roles, `create policy`, `set role`.

use std::path::Path;

use serde_json::Value as Json;
use sql::{Console, DatabaseUrl, DbOptions};
use testkit::{ThrowAwayDatabase, on_server};

use super::oracle::{Fate, Who};
use super::request::Ask;
use super::world::{ROLES, Row, World, literal};

/// A database in which PostgreSQL itself applies the rules.
pub(super) struct Native {
    console: Console,
    // Dropped in this order: roles own nothing any more when their database is gone.
    _database: ThrowAwayDatabase,
    roles: Roles,
}

/// Roles belong to the whole server and outlive the database.
struct Roles {
    server: String,
    /// Before each name.
    prefix: String,
}

/// A role for each kind of signed-in caller, which has those of the caller.
const CALLERS: [&str; 2] = ["ada", "bob"];

/// The facts about the caller, as functions over settings.
const AUTH: &str = "\
create schema auth;
create function auth.uid() returns uuid language sql stable as
  $$ select nullif(current_setting('app.uid', true), '')::uuid $$;
create function auth.has_role(name text) returns boolean language sql stable as
  $$ select pg_has_role(current_user, (current_setting('app.prefix') || name)::name, 'usage') $$;
grant usage on schema auth to public";

impl Native {
    pub(super) async fn build(world: &World, seed: u64) -> Option<Self> {
        let database = ThrowAwayDatabase::create("postgres").await?;
        let url = DatabaseUrl::parse(database.url(), Path::new("")).expect("our own address");
        let console = Console::connect(&url, &DbOptions::default())
            .await
            .expect("it is reached");
        let server = database.server().expect("it has a server").to_owned();
        let prefix = format!("rules_{}_{seed}_", std::process::id());
        let roles = Roles {
            server,
            prefix: prefix.clone(),
        };
        let mut native = Self {
            console,
            _database: database,
            roles,
        };
        for role in ROLES.iter().chain(&CALLERS) {
            native.must(&format!("create role {prefix}{role}")).await;
        }
        for (role, to) in [
            ("r1", "r2"),
            ("authenticated", "ada"),
            ("authenticated", "bob"),
            ("r2", "bob"),
        ] {
            native
                .must(&format!("grant {prefix}{role} to {prefix}{to}"))
                .await;
        }
        for statement in AUTH.split(";\n") {
            native.must(statement).await;
        }
        native.must(&format!("set app.prefix = '{prefix}'")).await;
        for statement in world.schema(Some(&prefix)).split(";\n") {
            native.must(statement).await;
        }
        for statement in world.seed().split(";\n") {
            native.must(statement).await;
        }
        Some(native)
    }

    async fn must(&mut self, statement: &str) {
        if !statement.trim().is_empty() {
            let done = self.console.run(statement).await;
            done.unwrap_or_else(|error| panic!("{error}: {statement}"));
        }
    }

    /// What PostgreSQL makes of a request; what it writes stays. A replacement is an update, and an
    /// insert where that has changed nothing.
    pub(super) async fn run(&mut self, world: &World, who: &Who, ask: &Ask) -> Fate {
        let Ask::Replace { table, key, values } = ask else {
            return self.run_one(world, who, ask).await;
        };
        let table = *table;
        let mut whole = values.clone();
        for name in world.tables[table].granted(who, "update") {
            if name != "id" {
                whole.entry(name).or_insert(Json::Null);
            }
        }
        let update = Ask::Update {
            table,
            key: Some(*key),
            filters: Vec::new(),
            values: whole,
            show: false,
        };
        let fate = self.run_one(world, who, &update).await;
        let makes = world.tables[table].granted(who, "insert").contains(&"id");
        if fate != Fate::Missing || !makes {
            return fate;
        }
        let mut row = values.clone();
        row.insert(String::from("id"), Json::from(*key));
        let is_there = world.tables[table].rows.iter().any(|row| row["id"] == *key);
        let rows = vec![row];
        let insert = Ask::Insert {
            table,
            rows,
            show: false,
        };
        match self.run_one(world, who, &insert).await {
            Fate::Conflict if is_there => Fate::NoPolicy,
            fate => fate,
        }
    }

    async fn run_one(&mut self, world: &World, who: &Who, ask: &Ask) -> Fate {
        let name = match who.roles.as_slice() {
            ["anon"] => "anon",
            ["authenticated"] => "ada",
            _ => "bob",
        };
        let (prefix, user) = (
            self.roles.prefix.clone(),
            who.user.clone().unwrap_or_default(),
        );
        self.must("begin").await;
        self.must(&format!("set local app.uid = '{user}'")).await;
        self.must(&format!("set local role {prefix}{name}")).await;
        let found = self.console.run(&statement(world, who, ask)).await;
        let fate = match found {
            Ok(shown) => {
                self.must("commit").await;
                let shown = shown.into_iter().next_back().expect("an answer");
                let rows = shown.rows.into_iter().map(|row| {
                    let text = row.into_iter().next().flatten().expect("a row as JSON");
                    text.parse::<Json>().expect("JSON")
                });
                fate(ask, rows.collect(), shown.affected)
            }
            Err(error) => {
                self.must("rollback").await;
                refusal(&error.to_string())
            }
        };
        self.must("reset role").await;
        fate
    }
}

impl Drop for Roles {
    fn drop(&mut self) {
        let (server, prefix) = (self.server.clone(), self.prefix.clone());
        // A runtime of its own: this one may be ending.
        let dropper = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime can be made");
            for role in CALLERS.iter().chain(&ROLES) {
                runtime.block_on(on_server(&server, &format!("drop role {prefix}{role}")));
            }
        });
        // Roles that cannot be dropped go with their private server.
        let _ = dropper.join();
    }
}

fn fate(ask: &Ask, rows: Vec<Json>, affected: u64) -> Fate {
    let total = rows.len();
    match ask {
        Ask::Read { key: Some(_), .. } if rows.is_empty() => Fate::Missing,
        Ask::Update {
            key: Some(_),
            show: false,
            ..
        }
        | Ask::Delete { key: Some(_), .. }
            if affected == 0 =>
        {
            Fate::Missing
        }
        Ask::Update {
            key: Some(_),
            show: true,
            ..
        } if rows.is_empty() => Fate::Missing,
        Ask::Read { .. } | Ask::Insert { show: true, .. } | Ask::Update { show: true, .. } => {
            Fate::Rows(rows, total)
        }
        Ask::Insert { .. } | Ask::Update { .. } | Ask::Delete { .. } | Ask::Replace { .. } => {
            Fate::Done
        }
    }
}

fn refusal(error: &str) -> Fate {
    if error.contains("permission denied") {
        return Fate::NoGrant;
    }
    if error.contains("row-level security") {
        return Fate::NoPolicy;
    }
    assert!(
        error.contains("duplicate key") || error.contains("foreign key"),
        "{error}"
    );
    Fate::Conflict
}

/// The request as one would write it by hand; each row comes as one JSON text.
#[expect(clippy::too_many_lines, reason = "one arm for each kind of request")]
fn statement(world: &World, who: &Who, ask: &Ask) -> String {
    let key = |key: &Option<i64>| key.map(|key| format!("id = {key}"));
    let wheres = |key: Option<String>, filters: &[super::request::Filter]| {
        let all: Vec<String> = key
            .into_iter()
            .chain(filters.iter().map(super::request::Filter::sql))
            .collect();
        if all.is_empty() {
            String::new()
        } else {
            format!(" where {}", all.join(" and "))
        }
    };
    let returning = |table: &usize, show: &bool| {
        let readable = world.tables[*table].granted(who, "select");
        // `RETURNING *` would need every column, as PostgREST's does.
        let readable = if readable.is_empty() {
            vec!["id"]
        } else {
            readable
        };
        if *show {
            format!(" returning {}", object(&readable, ""))
        } else {
            String::new()
        }
    };
    match ask {
        Ask::Read {
            table,
            key: row,
            select,
            filters,
            order,
            embed,
            ..
        } => {
            let own = &world.tables[*table];
            let readable = own.granted(who, "select");
            let named = select.clone().unwrap_or(readable);
            let named = if named.is_empty() { vec!["id"] } else { named };
            let mut shown = object(&named, "r.");
            if let (Some(columns), Some(parent)) = (embed, own.parent) {
                let inner = object(columns, "p.");
                shown = format!(
                    "{shown} || jsonb_build_object('t{parent}', (select {inner} from t{parent} p where p.id = r.up))"
                );
            }
            let keys = order.iter().map(|(column, is_descending)| {
                format!("{column} {}", if *is_descending { "desc" } else { "asc" })
            });
            let keys = keys.collect::<Vec<_>>().join(", ");
            let order = if keys.is_empty() {
                keys
            } else {
                format!(" order by {keys}")
            };
            format!(
                "select ({shown})::text from t{table} r{}{order}",
                wheres(key(row), filters)
            )
        }
        Ask::Insert { table, rows, show } => {
            let columns: Vec<&String> = rows[0].keys().collect();
            let values = rows.iter().map(|row: &Row| {
                let values: Vec<String> = columns.iter().map(|name| literal(&row[*name])).collect();
                format!("({})", values.join(", "))
            });
            let values = values.collect::<Vec<_>>().join(", ");
            let names: Vec<&str> = columns.iter().map(|name| name.as_str()).collect();
            format!(
                "insert into t{table} ({}) values {values}{}",
                names.join(", "),
                returning(table, show)
            )
        }
        Ask::Update {
            table,
            key: row,
            filters,
            values,
            show,
        } => {
            let set = values
                .iter()
                .map(|(name, value)| format!("{name} = {}", literal(value)));
            let set = set.collect::<Vec<_>>().join(", ");
            format!(
                "update t{table} set {set}{}{}",
                wheres(key(row), filters),
                returning(table, show)
            )
        }
        Ask::Replace { .. } => panic!("a replacement is two statements"),
        Ask::Delete {
            table,
            key: row,
            filters,
        } => {
            format!("delete from t{table}{}", wheres(key(row), filters))
        }
    }
}

fn object(columns: &[&str], before: &str) -> String {
    let members = columns
        .iter()
        .map(|name| format!("'{name}', {before}{name}"));
    format!(
        "jsonb_build_object({})",
        members.collect::<Vec<_>>().join(", ")
    )
}
