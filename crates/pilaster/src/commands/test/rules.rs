//! Rule tests: who may do what, one line for each fact, past HTTP and sign-in.
//!
//! `ada PATCH /api/notes/1 {"text": "x"} => rows 1`: a caller, a request of the data API, what
//! becomes of it. Each line starts from the seeded database: what it writes is taken back.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use rest::{Api, BaseRole, Caller, ErrorKind, Method, Moment, Plan, Request, RestError, RoleSet};
use schema::Catalog;
use sql::Db;
use stdx::{Clock, Rng};
use uuid::Uuid;

/// A file of rule tests.
#[derive(Debug)]
pub(super) struct RulesFile {
    /// Its path in the project.
    pub(super) path: String,
    facts: Vec<Fact>,
}

/// One line.
#[derive(Debug)]
struct Fact {
    line: usize,
    text: String,
    user: Option<Uuid>,
    /// `anon`, `authenticated` or declared ones; all that were named.
    roles: Vec<String>,
    method: Method,
    url: String,
    body: String,
    expected: Expected,
}

/// What must become of a request.
#[derive(Debug, PartialEq, Eq)]
enum Expected {
    /// It succeeds.
    Allowed,
    /// It succeeds, and shows or changes this many rows.
    Rows(u64),
    /// The rules refuse it.
    Denied,
    /// There is no such table or row for this caller.
    Missing,
    /// It is refused with this code.
    Refused(String),
}

const FORM: &str =
    "write WHO METHOD /api/… [JSON] => allowed, rows N, denied, missing or refused CODE";

impl RulesFile {
    /// Reads a file; the error names path and line.
    pub(super) fn parse(path: &str, text: &str) -> Result<Self, String> {
        let mut users: Vec<(&str, Uuid)> = Vec::new();
        let mut facts = Vec::new();
        for (place, line) in text.lines().enumerate() {
            let line = line.trim();
            let wrong = |message: &str| format!("{path}:{}: {message}", place + 1);
            if line.is_empty() || line.starts_with('#') || line.starts_with("--") {
                continue;
            }
            if let Some(user) = line.strip_prefix('@') {
                let (name, id) = user
                    .split_once('=')
                    .ok_or_else(|| wrong("write @name = id"))?;
                let id = Uuid::try_parse(id.trim()).map_err(|_| wrong("a user's id is a UUID"))?;
                users.push((name.trim(), id));
                continue;
            }
            facts.push(fact(line, place + 1, &users).map_err(|message| wrong(&message))?);
        }
        if facts.is_empty() {
            return Err(format!("{path}: there is no rule to test; {FORM}"));
        }
        Ok(Self {
            path: path.to_owned(),
            facts,
        })
    }
}

fn fact(line: &str, number: usize, users: &[(&str, Uuid)]) -> Result<Fact, String> {
    let mut filled = line.to_owned();
    for (name, id) in users {
        filled = filled.replace(&format!("{{{{{name}}}}}"), &id.to_string());
    }
    let (request, expected) = filled.rsplit_once("=>").ok_or(FORM)?;
    let mut rest = request.trim();
    let mut word = || {
        let (word, behind) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        rest = behind.trim_start();
        (!word.is_empty()).then_some(word).ok_or(FORM)
    };
    let (who, method, url) = (word()?, word()?, word()?);
    let body = rest.trim();
    let methods = [
        Method::Get,
        Method::Post,
        Method::Patch,
        Method::Put,
        Method::Delete,
    ];
    let method = methods.into_iter().find(|known| known.name() == method);
    let mut user = None;
    let mut roles = Vec::new();
    for name in who.split('+') {
        match users.iter().find(|(known, _)| *known == name) {
            Some((_, id)) if user.is_none() => user = Some(*id),
            Some(_) => return Err(format!("{who} is two users")),
            None => roles.push(name.to_owned()),
        }
    }
    Ok(Fact {
        line: number,
        text: line.to_owned(),
        user,
        roles,
        method: method.ok_or(FORM)?,
        url: url.to_owned(),
        body: body.to_owned(),
        expected: expectation(expected.trim()).ok_or(FORM)?,
    })
}

fn expectation(text: &str) -> Option<Expected> {
    match text.split_once(' ') {
        Some(("rows", number)) => number.trim().parse().ok().map(Expected::Rows),
        Some(("refused", code)) => Some(Expected::Refused(code.trim().to_owned())),
        Some(_) => None,
        None => match text {
            "allowed" => Some(Expected::Allowed),
            "denied" => Some(Expected::Denied),
            "missing" => Some(Expected::Missing),
            _ => None,
        },
    }
}

/// Runs every line; prints each. Gives how many are as expected and how many are not.
pub(super) async fn all(api: &Api, db: &Db, file: &RulesFile) -> (usize, usize) {
    let (mut passed, mut failed) = (0, 0);
    for fact in &file.facts {
        let fault = match run(api, db, fact).await {
            Ok(found) => difference(&fact.expected, found),
            Err(fault) => Some(fault),
        };
        let verdict = if fault.is_none() { "ok    " } else { "FAILED" };
        println!("{verdict} {}:{}: {}", file.path, fact.line, fact.text);
        match fault {
            None => passed += 1,
            Some(fault) => {
                println!("       {fault}");
                failed += 1;
            }
        }
    }
    (passed, failed)
}

/// The rows that a request shows or changes, or its refusal. The outer error is about the test.
async fn run(api: &Api, db: &Db, fact: &Fact) -> Result<Result<u64, RestError>, String> {
    let caller = caller(api.catalog(), fact)?;
    let (path, query) = fact.url.split_once('?').unwrap_or((&fact.url, ""));
    let (_, inner) = api.prefixes().split(path).ok_or_else(|| {
        let first = api.prefixes().path("/");
        format!("a URL begins with {first}")
    })?;
    let segments: Result<Vec<Cow<'_, str>>, _> = inner
        .trim_matches('/')
        .split('/')
        .map(|segment| percent_decode_str(segment).decode_utf8())
        .collect();
    let segments = segments.map_err(|_| String::from("the URL is no UTF-8"))?;
    let (clock, rng) = (Clock::System, Rng::System);
    let moment = Moment {
        now: clock.now(),
        clock: &clock,
        rng: &rng,
    };
    let request = Request {
        method: fact.method,
        path: &segments,
        query,
        prefer: &[],
        accept: None,
        range: None,
        profile: None,
        content_type: Some("application/json"),
        body: fact.body.as_bytes(),
    };
    let of_engine = |error: sql::DbError| format!("{}: {error}", db.dialect());
    match api.plan(&request, &caller, moment) {
        Err(refused) => Ok(Err(refused)),
        Ok(Plan::Read(mut plan)) => {
            db.read_all(&mut plan.parts()).await.map_err(of_engine)?;
            Ok(plan.finish().map(|success| rows_of(&success.body)))
        }
        Ok(Plan::Write(mut plan)) => match db.rehearse(plan.take_unit()).await {
            Ok(outcomes) => {
                let rows = plan.affected(&outcomes);
                Ok(plan.finish(&outcomes, None).map(|_| rows))
            }
            Err(error) => match plan.explain(&error) {
                rest::Explained::Error(refused) | rest::Explained::Probe(_, refused) => {
                    Ok(Err(refused))
                }
            },
        },
    }
}

fn caller(catalog: &Catalog, fact: &Fact) -> Result<Caller, String> {
    let is_known = |name: &String| catalog.roles.iter().any(|role| role.name == *name.as_str());
    if let Some(name) = fact.roles.iter().find(|name| !is_known(name)) {
        return Err(format!(
            "there is neither a role nor a user {name}; write @{name} = id"
        ));
    }
    let base_role = match (fact.user, fact.roles.as_slice()) {
        (None, [role]) if role == "anon" => BaseRole::Anon,
        (None, [role]) if role == "service" => BaseRole::Service,
        _ => BaseRole::Authenticated,
    };
    Ok(Caller {
        user: fact.user,
        base_role,
        roles: RoleSet::effective(catalog, base_role, &fact.roles),
        ..Caller::anonymous(catalog)
    })
}

/// The elements of an array, and one for anything else but null.
fn rows_of(body: &[u8]) -> u64 {
    match serde_json::from_slice(body) {
        Ok(serde_json::Value::Array(rows)) => rows.len() as u64,
        Ok(serde_json::Value::Null) | Err(_) => 0,
        Ok(_) => 1,
    }
}

fn difference(expected: &Expected, found: Result<u64, RestError>) -> Option<String> {
    let is_met = match (expected, &found) {
        (Expected::Allowed, Ok(_)) => true,
        (Expected::Rows(wanted), Ok(rows)) => wanted == rows,
        (Expected::Denied, Err(error)) => {
            matches!(error.kind, ErrorKind::Denied | ErrorKind::Unauthenticated)
        }
        (Expected::Missing, Err(error)) => error.kind == ErrorKind::NotFound,
        (Expected::Refused(code), Err(error)) => *code == *error.code,
        _ => false,
    };
    (!is_met).then(|| match found {
        Ok(rows) => format!("it was allowed, rows {rows}"),
        Err(error) => format!("it was refused: {} ({})", error.message, error.code),
    })
}

#[cfg(test)]
mod tests {
    //! The format.

    use super::{Expected, RulesFile};

    const ID: &str = "0193a000-0000-7000-8000-0000000000a1";

    #[test]
    fn a_line_is_a_caller_a_request_and_what_becomes_of_it() {
        let text = format!(
            "-- notes\n@ada = {ID}\n\nanon GET /api/notes => rows 2\n\
             ada+editor PATCH /api/notes?owner=eq.{{{{ada}}}} {{\"text\": \"a => b\"}} => refused 23505\n"
        );
        let file = RulesFile::parse("t.rules", &text).expect("valid");
        let [first, second] = file.facts.as_slice() else {
            panic!("{:?}", file.facts);
        };
        assert_eq!((first.line, &first.expected), (4, &Expected::Rows(2)));
        assert_eq!(
            (first.user, first.roles.as_slice()),
            (None, &[String::from("anon")][..])
        );
        assert_eq!(second.user.map(|id| id.to_string()).as_deref(), Some(ID));
        assert_eq!(second.roles, ["editor"]);
        assert_eq!(second.url, format!("/api/notes?owner=eq.{ID}"));
        assert_eq!(second.body, "{\"text\": \"a => b\"}");
        assert_eq!(second.expected, Expected::Refused(String::from("23505")));
    }

    #[test]
    fn mistakes_name_their_line() {
        for (text, expected) in [
            ("anon GET /api/x", "t.rules:1: write WHO"),
            ("\nanon get /api/x => rows 1", "t.rules:2: write WHO"),
            ("anon GET /api/x => maybe", "t.rules:1: write WHO"),
            ("@ada = 5", "t.rules:1: a user's id"),
            ("-- nothing", "no rule to test"),
        ] {
            let error = RulesFile::parse("t.rules", text).expect_err("a mistake");
            assert!(error.contains(expected), "{error}");
        }
    }
}
