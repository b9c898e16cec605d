//! Access rules against an oracle: random schemas, rules, rows and requests, through HTTP on every
//! engine, and on PostgreSQL against its own row-level security.

mod native;
mod oracle;
mod request;
mod two_worlds;
mod world;

use serde_json::{Value as Json, json};
use sql::{Kind, Query, Sql, Value};
use testkit::{Answer, Project, Running, ThrowAwayDatabase};

use self::native::Native;
use self::oracle::{Fate, Who};
use self::request::{Ask, EMBED};
pub(crate) use self::world::Dice;
use self::world::World;
use crate::http::PILASTER;

/// How many worlds each engine sees; `PILASTER_RULE_ROUNDS` asks for more, `PILASTER_RULE_SEED` for
/// one of them again.
const ROUNDS: u64 = 3;
/// SQLite needs no server, so it sees enough worlds for the rare cases.
const SQLITE_ROUNDS: u64 = 25;
/// Requests of each world.
const REQUESTS: usize = 120;

pub(crate) fn number(variable: &str) -> Option<u64> {
    let text = std::env::var_os(variable)?.into_string().ok()?;
    Some(text.parse().expect("a whole number"))
}

fn seeds(rounds: u64) -> Vec<u64> {
    match number("PILASTER_RULE_SEED") {
        Some(seed) => vec![seed],
        None => (1..=number("PILASTER_RULE_ROUNDS").unwrap_or(rounds)).collect(),
    }
}

/// A served project with two users; the second one has `r2`.
struct Stage {
    server: Running,
    database: ThrowAwayDatabase,
    people: Vec<Who>,
    users: Vec<String>,
}

/// Gives a user a role, as an administrator would.
pub(crate) async fn give_role(database: &ThrowAwayDatabase, user: &str, role: &str) {
    let db = database.connect().await;
    let mut sql = Sql::new(db.dialect());
    sql.push("insert into auth_user_roles (user_id, role) values (");
    let id = user.parse::<uuid::Uuid>().expect("an id");
    sql.typed_arg(Value::Uuid(id), Kind::Uuid).push(", ");
    sql.typed_arg(Value::Text(role.to_owned()), Kind::Text)
        .push(")");
    db.write(vec![sql::Step::new(sql)])
        .await
        .expect("the role is given");
    db.close().await.expect("the connection closes");
}

impl Stage {
    async fn build(engine: &str, dice: &Dice) -> Option<(Self, World)> {
        Self::with_native_rls(engine, dice, "off").await
    }

    /// The same, with PostgreSQL's own policies beside ours or without.
    #[expect(clippy::too_many_lines, reason = "a project, its accounts, their rows")]
    async fn with_native_rls(engine: &str, dice: &Dice, native: &str) -> Option<(Self, World)> {
        let database = ThrowAwayDatabase::create(engine).await?;
        let project = Project::empty()
            .with("PILASTER_DATABASE_NATIVE_RLS", native)
            .with("DATABASE_URL", database.url())
            .with("PILASTER_API_AGGREGATES", "on")
            .with("PILASTER_AUTH_PASSWORD_MEMORY_KIB", "8192")
            .with("PILASTER_AUTH_PASSWORD_ITERATIONS", "1");
        // The accounts come first: rows belong to them.
        let users: Vec<String> = (1..=2)
            .map(|n| format!("0193a000-0000-7000-8000-00000000000{n}"))
            .collect();
        let world = World::random(dice, &users);
        project.write("schema/world.sql", &world.schema(None));
        project.succeed(PILASTER, &["migrate", "new", "init"]);
        project.succeed(PILASTER, &["migrate", "up"]);
        let server = Running::serve(PILASTER, &project).await;
        let mut people = vec![Who {
            user: None,
            roles: vec!["anon"],
            token: String::new(),
        }];
        let mut ids = Vec::new();
        for name in ["ada", "bob"] {
            server.sign_up(name).await;
            let token = server
                .token(&format!("{name}@example.org"), "a long pass phrase")
                .await;
            let me = server
                .get_as(
                    token.json()["access_token"].as_str().expect("a token"),
                    "/auth/me",
                )
                .await;
            ids.push(me.json()["id"].as_str().expect("an id").to_owned());
        }
        give_role(&database, &ids[1], "r2").await;
        for (name, id, roles) in [
            ("ada", &ids[0], vec!["authenticated"]),
            ("bob", &ids[1], vec!["authenticated", "r1", "r2"]),
        ] {
            let token = server
                .token(&format!("{name}@example.org"), "a long pass phrase")
                .await;
            let token = token.json()["access_token"]
                .as_str()
                .expect("a token")
                .to_owned();
            people.push(Who {
                user: Some(id.clone()),
                roles,
                token,
            });
        }
        let text = serde_json::to_string(&world.tables.iter().map(|t| &t.rows).collect::<Vec<_>>());
        let mut text = text.expect("JSON");
        for (from, to) in users.iter().zip(&ids) {
            text = text.replace(from, to);
        }
        let rows: Vec<Vec<world::Row>> = serde_json::from_str(&text).expect("JSON");
        let mut world = world;
        for (table, rows) in world.tables.iter_mut().zip(rows) {
            table.rows = rows;
        }
        let seed = world.seed() + &world.pairs();
        project.write("seed/world.sql", &seed);
        project.succeed(PILASTER, &["db", "seed"]);
        Some((
            Self {
                server,
                database,
                people,
                users: ids,
            },
            world,
        ))
    }

    async fn send(&self, who: &Who, ask: &Ask, world: &World) -> (Answer, String) {
        self.send_with(who, ask, world, "").await
    }

    /// Sends a request with more behind its `Prefer`; what it was, in words.
    async fn send_with(&self, who: &Who, ask: &Ask, world: &World, more: &str) -> (Answer, String) {
        let (method, mut url, body, prefer) = ask.http();
        if let Ask::Read { table, .. } = ask
            && let Some(parent) = world.tables[*table].parent
        {
            url = url.replace(EMBED, &format!("t{parent}"));
        }
        let mut request = self
            .server
            .request(method, &url)
            .header("Prefer", format!("{prefer}{more}"));
        if !who.token.is_empty() {
            request = request.bearer_auth(&who.token);
        }
        if !body.is_null() {
            request = request.json(&body);
        }
        let said = format!("{method} {url} {body} ({prefer}) as {:?}", who.roles);
        (Answer::read(request).await, said)
    }

    /// All rows, as the database has them.
    async fn rows(&self, world: &World) -> Vec<Vec<world::Row>> {
        let db = self.database.connect().await;
        let mut all = Vec::new();
        for table in &world.tables {
            let names = table.names();
            let text = format!(
                "select {} from {} order by id",
                names.join(", "),
                table.name
            );
            let text: &'static str = Box::leak(text.into_boxed_str());
            let mut sql = Sql::new(db.dialect());
            sql.push(text);
            let kinds = names.iter().map(|name| match *name {
                "owner" => Kind::Uuid,
                "flag" => Kind::Boolean,
                "txt" => Kind::Text,
                _ => Kind::Integer,
            });
            let query = Query::long(sql, kinds.collect());
            let rows = db.rows(&query).await.expect("the rows can be read");
            let rows = rows.into_iter().map(|row| {
                let values = row.0.into_iter().map(|value| match value {
                    Value::Int(number) => json!(number),
                    Value::Bool(value) => json!(value),
                    Value::Text(text) => json!(text),
                    Value::Uuid(id) => json!(id.to_string()),
                    _ => Json::Null,
                });
                names.iter().map(ToString::to_string).zip(values).collect()
            });
            all.push(rows.collect());
        }
        db.close().await.expect("the connection closes");
        all
    }
}

/// Whether an answer is what the oracle expects.
fn agrees(fate: &Fate, answer: &Answer, is_ordered: bool, is_one: bool) -> bool {
    let sorted = |rows: &[Json]| {
        let mut texts: Vec<String> = rows
            .iter()
            .map(|row| {
                let object: std::collections::BTreeMap<&String, &Json> =
                    row.as_object().expect("a row").iter().collect();
                serde_json::to_string(&object).expect("JSON")
            })
            .collect();
        if !is_ordered {
            texts.sort();
        }
        texts
    };
    let status = answer.status;
    match fate {
        Fate::Rows(rows, total) => {
            let body = answer.body.parse::<Json>().unwrap_or_default();
            let found = match (is_one, body) {
                (true, body @ Json::Object(_)) => vec![body],
                (false, Json::Array(found)) => found,
                _ => return false,
            };
            let range = answer.header("content-range");
            let counted = range.rsplit('/').next().unwrap_or_default();
            let is_counted = range.is_empty() || counted == "*" || counted == total.to_string();
            (200..300).contains(&status) && sorted(&found) == sorted(rows) && is_counted
        }
        Fate::Done => (200..300).contains(&status),
        Fate::NoGrant => matches!(status, 400 | 401 | 403 | 404 | 422),
        Fate::NoPolicy => matches!(status, 401 | 403),
        Fate::Missing => status == 404,
        Fate::Conflict => status == 409,
        Fate::NoPolicyOrConflict => matches!(status, 401 | 403 | 409),
    }
}

/// Engines without `UPDATE … RETURNING` cannot tell which rows were changed when the change moves
/// them out of a policy's condition; they have to say so, and then only.
fn cannot_show(engine: &str, answer: &Answer, ask: &Ask, world: &World) -> bool {
    let Ask::Update {
        table,
        key: None,
        values,
        show: true,
        ..
    } = ask
    else {
        return false;
    };
    let policies = world.tables[*table].policies.iter();
    let mut conditions = policies
        .filter(|policy| matches!(policy.command, "all" | "update"))
        .filter_map(|policy| policy.using.as_ref())
        .map(|using| using.text("r"));
    matches!(engine, "mysql" | "mariadb")
        && answer.status == 400
        && answer.body.contains("PGRST127")
        && conditions.any(|text| {
            values
                .keys()
                .any(|name| text.contains(&format!("r.{name}")))
        })
}

/// Whether PostgreSQL itself agrees with the oracle. Its rows are without a limit, and what it
/// refuses first, a grant, a policy or a key, is its own affair where several would.
fn are_alike(fate: &Fate, found: &Fate, ask: &Ask) -> bool {
    let text = |rows: &[Json]| {
        let mut texts: Vec<String> = rows.iter().map(sorted_text).collect();
        if !matches!(ask, Ask::Read { order, .. } if !order.is_empty()) {
            texts.sort();
        }
        texts
    };
    match (fate, found) {
        (Fate::Rows(rows, total), Fate::Rows(others, all)) => {
            let (rows, others) = (text(rows), text(others));
            total == all && others.starts_with(&rows)
        }
        (Fate::NoPolicyOrConflict, found) => matches!(found, Fate::NoPolicy | Fate::Conflict),
        (fate, found) => fate == found,
    }
}

fn sorted_text(row: &Json) -> String {
    let members = row.as_object().expect("a row").iter();
    let object: std::collections::BTreeMap<&String, String> = members
        .map(|(name, value)| match value {
            Json::Object(_) => (name, sorted_text(value)),
            other => (name, other.to_string()),
        })
        .collect();
    format!("{object:?}")
}

async fn against_the_oracle(engine: &str) {
    with_native_rls(engine, "off").await;
}

async fn with_native_rls(engine: &str, native_rls: &str) {
    let rounds = match engine {
        "sqlite" => SQLITE_ROUNDS,
        _ => ROUNDS,
    };
    for seed in seeds(rounds) {
        let dice = Dice::new(seed);
        let stage = Stage::with_native_rls(engine, &dice, native_rls).await;
        let Some((stage, mut world)) = stage else {
            return;
        };
        let mut native = match engine {
            "postgres" if native_rls == "off" => Native::build(&world, seed).await,
            _ => None,
        };
        for number in 0..REQUESTS {
            let who = dice.one(&stage.people);
            let ask = Ask::random(&dice, &world, &who, &stage.users);
            let before = world.clone();
            let fate = world.expect(&who, &ask);
            let (answer, said) = stage.send(&who, &ask, &world).await;
            let (is_ordered, is_one) = match &ask {
                Ask::Read { order, key, .. } => (!order.is_empty(), key.is_some()),
                Ask::Update { key, .. } => (false, key.is_some()),
                Ask::Insert { .. } | Ask::Delete { .. } | Ask::Replace { .. } => (false, false),
            };
            if cannot_show(engine, &answer, &ask, &before) {
                world = before;
                continue;
            }
            let context = || {
                format!(
                    "{engine}, PILASTER_RULE_SEED={seed}, request {number}\n{said}\nexpected {fate:?}\ngot {} {}\n{}{}",
                    answer.status,
                    answer.body,
                    before.schema(None),
                    before.seed()
                )
            };
            assert!(agrees(&fate, &answer, is_ordered, is_one), "{}", context());
            // A grant that only one half of a replacement lacks stops the whole of it here.
            let is_half = matches!((&ask, &fate), (Ask::Replace { .. }, Fate::NoGrant));
            if let Some(native) = native.as_mut().filter(|_| !is_half) {
                let found = native.run(&before, &who, &ask).await;
                assert!(
                    are_alike(&fate, &found, &ask),
                    "PostgreSQL itself: {found:?}\n{}",
                    context()
                );
            }
            if !matches!(ask, Ask::Read { .. }) {
                let mut wanted: Vec<Vec<world::Row>> =
                    world.tables.iter().map(|t| t.rows.clone()).collect();
                wanted
                    .iter_mut()
                    .for_each(|rows| rows.sort_by_key(|row| row["id"].as_i64()));
                assert_eq!(stage.rows(&world).await, wanted, "{}", context());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite() {
    against_the_oracle("sqlite").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres() {
    against_the_oracle("postgres").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_with_policies_of_its_own() {
    with_native_rls("postgres", "on").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mariadb() {
    against_the_oracle("mariadb").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mysql() {
    against_the_oracle("mysql").await;
}
