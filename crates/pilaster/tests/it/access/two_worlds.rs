//! Two databases that differ in nothing but what the caller may not read answer alike, byte by
//! byte: rows, counts, errors, headers.
//!
//! The keys of hidden rows are the same in both: that one is taken or pointed to is what SQL itself
//! tells (docs/rules.md, "What the rules cannot hide"). What else such a conflict says is compared.

use serde_json::Value as Json;
use sql::{Kind, Sql, Step, Value};
use testkit::Answer;

use super::oracle::Who;
use super::request::Ask;
use super::world::{Dice, World, literal};
use super::{ROUNDS, Stage, seeds};

/// Random requests of each caller, besides those of [`FIXED`].
const REQUESTS: usize = 60;

/// Behind `/api/tN`; some of them are wrong on purpose.
const FIXED: [&str; 22] = [
    "",
    "/1",
    "/2",
    "/7",
    "/x",
    "?num=eq.x",
    "?num=gt.99999999999999",
    "?txt=like.*a*",
    "?txt=ilike.B",
    "?or=(num.eq.1,flag.is.true)",
    "?not.and=(num.eq.1,txt.eq.a)",
    "?id=in.(1,2,3)",
    "?owner=is.null",
    "?owner=eq.nobody",
    "?order=num",
    "?order=num.desc,id",
    "?order=owner",
    "?limit=0",
    "?limit=2&offset=1&order=id",
    "?offset=5&order=id",
    "?select=nothing",
    "?select=*&num=lt.4",
];

/// Reads of a table T and what it points to, P: relations of both directions, spread, as conditions
/// and orders, and groups.
const RELATED: [&str; 22] = [
    "T?select=id,P(*)",
    "T?select=id,...P(num,txt)&order=id",
    "T?select=id,P!inner(txt)&order=id",
    "T?select=id,P!inner(id)&P.num=gt.2",
    "T?select=id,P()&P=is.null",
    "T?select=id,P()&P=not.is.null&P.flag=is.true",
    "T?select=id,P()&or=(P.is.null,num.gt.2)",
    "T?select=id,P()&order=P(num).desc,id",
    "T?select=id,P(id,T(id,num))&P.T.order=num&limit=3",
    "P?select=id,T(*)",
    "P?select=id,T(id,num)&T.order=num.desc&T.limit=1",
    "P?select=id,...T(num)&T.order=txt",
    "P?select=id,T!inner(id)&T.num=lt.4",
    "P?select=id,T()&T=is.null",
    "P?select=id,T(count(),num.max())",
    "T?select=...P(num),count()",
    "T?select=count()",
    "T?select=flag,count(),num.sum(),txt.max()",
    "T?select=owner,num.avg(),num.count()",
    "T?select=num,count()&order=num.desc&limit=2",
    "T?select=id,P(nothing)",
    "T?select=txt.min()&flag=is.true",
];

/// Reads through the table between the first two.
const BETWEEN: [&str; 8] = [
    "t0?select=id,t1!pairs(id,num)",
    "t0?select=id,t1!pairs!inner(id)&t1.flag=is.true",
    "t1?select=id,t0!pairs(txt)&t0.order=num.desc&t0.limit=1",
    "t1?select=id,...t0!pairs(num)&t0.order=txt",
    "t0?select=id,t1!pairs()&t1=is.null",
    "t0?select=id,t1!pairs(num.sum(),count())",
    "pairs?select=t0(num),t1(txt)",
    "pairs?select=...t0(num),count()",
];

/// Reads of the view of a table.
const VIEWED: [&str; 6] = [
    "",
    "?num=gt.2&order=num,id",
    "?select=flag,count()&order=flag",
    "?or=(txt.eq.a,flag.is.false)&select=id",
    "?select=id,num&order=num.desc&limit=2",
    "?owner=is.null",
];

/// A request besides the fixed ones: method, address, body, preferences.
type More = (&'static str, String, Option<Json>, &'static str);

/// Those that speak of relations, groups and views, and writes that show relations or meet rows
/// that are there.
fn more(world: &World) -> Vec<More> {
    let mut all: Vec<More> = Vec::new();
    let mut read = |url: String| all.push(("GET", format!("/api/{url}"), None, "count=exact"));
    BETWEEN.iter().for_each(|url| read((*url).to_owned()));
    for (place, table) in world.tables.iter().enumerate() {
        VIEWED
            .iter()
            .for_each(|behind| read(format!("v{place}{behind}")));
        let parent = format!("t{}", table.parent.unwrap_or(place));
        for url in RELATED {
            read(url.replace('T', &table.name).replace('P', &parent));
        }
    }
    for (place, table) in world.tables.iter().enumerate() {
        let parent = format!("t{}", table.parent.unwrap_or(place));
        let shown = format!("/api/t{place}?select=id,num,{parent}(id,txt)");
        let own = format!("/api/t{place}");
        let row = |id: u8| serde_json::json!({"id": id, "num": 3, "txt": "b"});
        let both = serde_json::json!([row(1), row(2), row(90)]);
        let change = serde_json::json!({"num": 5});
        all.extend([
            (
                "POST",
                shown.clone(),
                Some(row(90)),
                "return=representation, tx=rollback",
            ),
            (
                "POST",
                shown.clone(),
                Some(both.clone()),
                "return=representation, resolution=merge-duplicates, tx=rollback",
            ),
            (
                "POST",
                own.clone(),
                Some(both.clone()),
                "return=representation, resolution=ignore-duplicates, tx=rollback",
            ),
            (
                "POST",
                own.clone(),
                Some(row(2)),
                "resolution=merge-duplicates, tx=rollback",
            ),
            (
                "PATCH",
                format!("{shown}&id=gt.0&order=id"),
                Some(change),
                "return=representation, tx=rollback",
            ),
            (
                "DELETE",
                format!("{shown}&num=lt.5"),
                None,
                "return=representation, tx=rollback",
            ),
        ]);
    }
    all
}

/// A change of the database that this caller must not notice; how many values it changes.
async fn change_what_is_hidden(stage: &Stage, world: &mut World, who: &Who, dice: &Dice) -> usize {
    let before = world.clone();
    let db = stage.database.connect().await;
    let mut unit = Vec::new();
    for place in 0..world.tables.len() {
        let readable = before.tables[place].granted(who, "select");
        for number in 0..before.tables[place].rows.len() {
            let is_hidden = readable.is_empty() || !before.reads(who, place, number);
            for column in ["owner", "flag", "num", "txt"] {
                // What a rule looks at decides more than itself.
                let is_free = !readable.contains(&column) && !before.rules_look_at(place, column);
                if !is_hidden && !is_free {
                    continue;
                }
                let new = match dice.happens(20) {
                    true => Json::Null,
                    false => before.value(dice, &before.tables[place], column, &stage.users),
                };
                let row = &mut world.tables[place].rows[number];
                let old = row.insert(column.to_owned(), new.clone());
                if old.as_ref() == Some(&new) {
                    continue;
                }
                if world.reads(who, place, number) != before.reads(who, place, number) {
                    let old = old.expect("the column was there");
                    world.tables[place].rows[number].insert(column.to_owned(), old);
                    continue;
                }
                let id = &before.tables[place].rows[number]["id"];
                unit.push(assignment(db.dialect(), place, column, &new, id));
            }
        }
    }
    let changed = unit.len();
    if changed > 0 {
        db.write(unit).await.expect("the hidden values change");
    }
    db.close().await.expect("the connection closes");
    changed
}

fn assignment(
    dialect: sql::Dialect,
    table: usize,
    column: &'static str,
    value: &Json,
    id: &Json,
) -> Step {
    let mut sql = Sql::new(dialect);
    let name = sql::Ident::new(&format!("t{table}")).expect("a name");
    sql.push("update ")
        .ident(&name)
        .push(" set ")
        .push(column)
        .push(" = ");
    let (value, kind) = match (column, value) {
        ("owner", Json::String(id)) => (Value::Uuid(id.parse().expect("an id")), Kind::Uuid),
        ("owner", _) => (Value::Null, Kind::Uuid),
        ("flag", value) => (
            value.as_bool().map_or(Value::Null, Value::Bool),
            Kind::Boolean,
        ),
        ("num", value) => (
            value.as_i64().map_or(Value::Null, Value::Int),
            Kind::Integer,
        ),
        (_, Json::String(text)) => (Value::Text(text.clone()), Kind::Text),
        _ => (Value::Null, Kind::Text),
    };
    sql.typed_arg(value, kind).push(" where id = ");
    sql.number(literal(id).parse().expect("a small number"));
    Step::new(sql)
}

/// Everything that the caller sees of an answer; its time and its own number are no news.
fn seen(answer: &Answer) -> String {
    let own = ["date", "x-request-id"];
    let headers = answer
        .headers
        .iter()
        .filter(|(name, _)| !own.contains(&name.as_str()));
    let headers: Vec<String> = headers
        .map(|(name, value)| format!("{name}: {value:?}"))
        .collect();
    let mut body = answer.body.clone();
    let id = answer.header("x-request-id");
    if !id.is_empty() {
        body = body.replace(id, "");
    }
    format!("{} {} {body}", answer.status, headers.join(", "))
}

/// The answers to all requests, none of which leaves a trace.
async fn answers(stage: &Stage, world: &World, who: &Who, asks: &[Ask]) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for table in 0..world.tables.len() {
        for method in ["GET", "HEAD"] {
            for behind in FIXED {
                let url = format!("/api/t{table}{behind}");
                let mut request = stage
                    .server
                    .request(method, &url)
                    .header("Prefer", "count=exact");
                if !who.token.is_empty() {
                    request = request.bearer_auth(&who.token);
                }
                all.push((
                    format!("{method} {url}"),
                    seen(&Answer::read(request).await),
                ));
            }
        }
    }
    for (method, url, body, prefer) in more(world) {
        let request = stage.server.request(method, &url).header("Prefer", prefer);
        let request = match who.token.is_empty() {
            true => request,
            false => request.bearer_auth(&who.token),
        };
        let request = match &body {
            Some(body) => request.json(body),
            None => request,
        };
        let answer = Answer::read(request).await;
        assert!(answer.status < 500, "{method} {url}: {}", answer.body);
        all.push((format!("{method} {url} ({prefer})"), seen(&answer)));
    }
    for ask in asks {
        let (answer, said) = stage.send_with(who, ask, world, ", tx=rollback").await;
        all.push((said, seen(&answer)));
    }
    all
}

async fn answers_alike(engine: &str) {
    for seed in seeds(ROUNDS) {
        let dice = Dice::new(seed ^ 0x5eed);
        let Some((stage, mut world)) = Stage::build(engine, &dice).await else {
            return;
        };
        let (mut changed, mut shown, mut asked) = (0, 0, 0);
        for who in &stage.people {
            let ask = |_| Ask::random(&dice, &world, who, &stage.users);
            let asks: Vec<Ask> = (0..REQUESTS).map(ask).collect();
            let first = answers(&stage, &world, who, &asks).await;
            changed += change_what_is_hidden(&stage, &mut world, who, &dice).await;
            let second = answers(&stage, &world, who, &asks).await;
            asked += first.len();
            shown += first.iter().filter(|(_, one)| one.starts_with('2')).count();
            for ((said, one), (_, other)) in first.iter().zip(&second) {
                let rules = world.schema(None);
                assert_eq!(
                    one, other,
                    "{engine}, PILASTER_RULE_SEED={seed}: {said}\n{rules}"
                );
            }
        }
        assert!(
            shown * 5 > asked,
            "{engine}, seed {seed}: {shown} of {asked}"
        );
        assert!(changed > 0, "{engine}, seed {seed}: nothing was hidden");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite() {
    answers_alike("sqlite").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres() {
    answers_alike("postgres").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mariadb() {
    answers_alike("mariadb").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mysql() {
    answers_alike("mysql").await;
}
