//! `rules explain`: which grant lets a request, which is missing, and which policy cuts the row.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use rest::{
    AppliedPolicy, BaseRole, Caller, Method, Moment, Prefixes, Probe, Request, RequestRules,
    RoleSet,
};
use schema::Catalog;
use serde_json::{Value as Json, json};
use sql::{Db, Value};
use stdx::{Clock, Rng};
use store::users::{self, LoginName};
use store::{Store, StoreError, roles};
use uuid::Uuid;

use super::compiled;
use crate::cli::Explain;
use crate::config::{Configuration, api_options};
use crate::failure::{Failure, Outcome};
use crate::project::{Files, connect};

/// What each policy says about a row; `None` where there is no such row.
type Verdicts = Option<Vec<(AppliedPolicy, Passes)>>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Passes {
    Yes,
    No,
    Null,
}

impl Passes {
    fn words(self) -> &'static str {
        match self {
            Self::Yes => "passes",
            Self::No => "does not pass",
            Self::Null => "does not pass (it is null)",
        }
    }
}

pub(super) async fn run(configuration: &Configuration, asked: &Explain, as_json: bool) -> Outcome {
    let mut compiled = compiled(configuration)?;
    let caller = known_role(&compiled.catalog, &asked.caller);
    let (path, query) = asked.url.split_once('?').unwrap_or((&asked.url, ""));
    let options = api_options(configuration)?;
    let path = segments(&options.prefixes, path)?;
    let needs_rows = caller.is_none() || path.len() > 1 || asked.body.is_some();
    let db = match needs_rows && !asked.offline {
        true => Some(connect(configuration).await?),
        false => None,
    };
    if let Some(db) = &db {
        let files = Files::read(&configuration.folder)?;
        compiled = files.compile(db.dialect(), options)?;
    }
    let caller = match (caller, &db) {
        (Some(caller), _) => caller,
        (None, Some(db)) => account(db, &compiled.catalog, &asked.caller).await?,
        (None, None) => {
            let message = format!(
                "there is no role {}, and --offline asks for no account",
                asked.caller
            );
            return Err(Failure::usage(message));
        }
    };
    let (clock, rng) = (Clock::System, Rng::System);
    let moment = Moment {
        now: clock.now(),
        clock: &clock,
        rng: &rng,
    };
    let request = Request {
        method: method(&asked.method)?,
        path: &path,
        query,
        prefer: &[],
        accept: None,
        range: None,
        profile: None,
        content_type: Some("application/json"),
        body: asked.body.as_deref().unwrap_or_default().as_bytes(),
    };
    let rules = compiled
        .api
        .explain(&request, &caller, moment)
        .map_err(|error| Failure::usage(error.message))?;
    let row = verdicts(db.as_ref(), rules.row.as_ref()).await?;
    let new_row = verdicts(db.as_ref(), rules.new_row.as_ref()).await?;
    let is_let = match as_json {
        true => show_json(&rules, row, new_row),
        false => show(&caller, &rules, row, new_row),
    };
    match is_let {
        true => Ok(()),
        false => Err(Failure::findings("the rules do not let this through")),
    }
}

fn method(name: &str) -> Outcome<Method> {
    let methods = [
        Method::Get,
        Method::Head,
        Method::Post,
        Method::Patch,
        Method::Put,
        Method::Delete,
    ];
    let found = methods
        .into_iter()
        .find(|method| method.name().eq_ignore_ascii_case(name));
    found.ok_or_else(|| {
        Failure::usage(format!("{name} is no method")).fix("GET, HEAD, POST, PATCH, PUT or DELETE")
    })
}

/// A prefix of the data API stands before the path, or none.
fn segments<'p>(prefixes: &Prefixes, path: &'p str) -> Outcome<Vec<Cow<'p, str>>> {
    let inner = prefixes.split(path).map_or(path, |(_, inner)| inner);
    let inner = inner.trim_matches('/');
    let decoded = inner.split('/').map(|segment| {
        percent_decode_str(segment)
            .decode_utf8()
            .map_err(|_| Failure::usage(format!("{path} is no URL: %XX are bytes of UTF-8")))
    });
    decoded.collect()
}

/// Somebody with this role and no account of their own.
fn known_role(catalog: &Catalog, name: &str) -> Option<Caller> {
    let role = catalog.roles.iter().find(|role| role.name == *name)?;
    Some(Caller {
        base_role: match name {
            "anon" => BaseRole::Anon,
            "service" => BaseRole::Service,
            _ => BaseRole::Authenticated,
        },
        roles: RoleSet::of_role(catalog, &role.name),
        ..Caller::anonymous(catalog)
    })
}

/// The caller that an account's token would make now.
async fn account(db: &Db, catalog: &Catalog, name: &str) -> Outcome<Caller> {
    let store = Store::new(db.clone(), Clock::System, Rng::System);
    let failed = |error: StoreError| match error {
        StoreError::Db(error) => Failure::database(&db.description(), &error),
        other => Failure::failed(other.to_string()),
    };
    let found = match (Uuid::try_parse(name), LoginName::parse(name)) {
        (Ok(id), _) => users::by_id(&store, id).await,
        (_, Some(LoginName::Email(email))) => users::by_email(&store, &email).await,
        (_, Some(LoginName::Username(username))) => users::by_username(&store, &username).await,
        (_, None) => Ok(None),
    };
    let Some(user) = found.map_err(failed)? else {
        return Err(
            Failure::usage(format!("there is neither a role nor an account {name}"))
                .fix("pilaster rules lists roles, pilaster user list accounts"),
        );
    };
    let own = roles::roles_of(&store, user.id).await.map_err(failed)?;
    Ok(Caller {
        user: Some(user.id),
        base_role: BaseRole::Authenticated,
        roles: RoleSet::effective(catalog, BaseRole::Authenticated, &own),
        ..Caller::anonymous(catalog)
    })
}

async fn verdicts(db: Option<&Db>, probe: Option<&Probe>) -> Outcome<Option<Verdicts>> {
    let (Some(db), Some(probe)) = (db, probe) else {
        return Ok(None);
    };
    let row = db
        .optional(&probe.query)
        .await
        .map_err(|error| Failure::database(&db.description(), &error))?;
    let Some(row) = row else {
        return Ok(Some(None));
    };
    let passes = (1..=probe.policies.len()).map(|place| match row.0.get(place) {
        Some(Value::Int(1)) => Passes::Yes,
        Some(Value::Int(0)) => Passes::No,
        _ => Passes::Null,
    });
    Ok(Some(Some(
        probe.policies.iter().cloned().zip(passes).collect(),
    )))
}

/// The policies that keep a row back, for each command by itself: every restrictive one that it
/// does not pass, and the permissive ones where it passes none.
fn cuts(
    verdicts: &[(AppliedPolicy, Passes)],
    asked: &[AppliedPolicy],
    clause: &str,
) -> Vec<String> {
    let mut privileges: Vec<&str> = verdicts
        .iter()
        .map(|(policy, _)| policy.privilege)
        .collect();
    privileges.extend(
        asked
            .iter()
            .filter(|p| p.clause == clause)
            .map(|p| p.privilege),
    );
    privileges.sort_unstable();
    privileges.dedup();
    let mut found = Vec::new();
    for privilege in privileges {
        let own = || {
            verdicts
                .iter()
                .filter(|(policy, _)| policy.privilege == privilege)
        };
        for (policy, _) in own().filter(|(p, passes)| !p.permissive && *passes != Passes::Yes) {
            found.push(format!(
                "{} ({privilege}, restrictive) keeps it back",
                policy.name
            ));
        }
        if own().any(|(policy, passes)| policy.permissive && *passes == Passes::Yes) {
            continue;
        }
        let names: Vec<&str> = own()
            .filter(|(policy, _)| policy.permissive)
            .map(|(policy, _)| policy.name.as_str())
            .collect();
        found.push(match names.as_slice() {
            [] => format!("no permissive policy for {privilege} is for these roles"),
            names => format!(
                "no permissive policy for {privilege} lets it through: {}",
                names.join(", ")
            ),
        });
    }
    found
}

fn show(
    caller: &Caller,
    rules: &RequestRules,
    row: Option<Verdicts>,
    new_row: Option<Verdicts>,
) -> bool {
    let names: Vec<&str> = caller.roles.names().map(sql::Ident::as_str).collect();
    let user = caller
        .user
        .map_or(String::from("nobody in particular"), |id| id.to_string());
    println!("{} as {user}, roles {}", rules.subject, names.join(", "));
    let mut is_let = match &rules.verdict {
        Ok(()) => {
            println!("allowed; which rows, the policies say");
            true
        }
        Err(error) => {
            println!("refused: {} ({})", error.message, error.code);
            false
        }
    };
    show_rules(rules);
    let parts = [
        ("the row", row, "using"),
        ("the row as it will be", new_row, "with check"),
    ];
    for (what, verdicts, clause) in parts {
        let Some(verdicts) = verdicts else { continue };
        let Some(verdicts) = verdicts else {
            println!("{what}: there is none with this key in the database");
            is_let = false;
            continue;
        };
        for (policy, passes) in &verdicts {
            println!(
                "  {what} {} {} ({})",
                passes.words(),
                policy.name,
                policy.privilege
            );
        }
        let cuts = cuts(&verdicts, &rules.policies, clause);
        for cut in &cuts {
            println!("{what}: {cut}");
        }
        if cuts.is_empty() {
            println!("{what}: let through");
        }
        is_let &= cuts.is_empty();
    }
    is_let
}

/// The grants that it needs and the policies that have a say.
fn show_rules(rules: &RequestRules) {
    for grant in &rules.grants {
        match grant.given_to.as_slice() {
            [] => println!(
                "  grant  {} on {}: MISSING for these roles",
                grant.privilege, grant.on
            ),
            roles => println!(
                "  grant  {} on {}: given to {}",
                grant.privilege,
                grant.on,
                roles.join("; ")
            ),
        }
        if !grant.given_to.is_empty() && !grant.withheld.is_empty() {
            println!("         without {}", grant.withheld.join(", "));
        }
    }
    for policy in &rules.policies {
        let kind = if policy.permissive {
            "permissive"
        } else {
            "restrictive"
        };
        let whose = match (policy.applies, policy.roles.as_slice()) {
            (true, _) => String::new(),
            (false, roles) => format!(", not for these roles but for {}", roles.join(", ")),
        };
        println!(
            "  policy {} ({}, {kind}{whose}) {} ({})",
            policy.name, policy.privilege, policy.clause, policy.condition
        );
    }
}

fn show_json(rules: &RequestRules, row: Option<Verdicts>, new_row: Option<Verdicts>) -> bool {
    let policy = |policy: &AppliedPolicy| {
        json!({
            "name": policy.name, "for": policy.privilege, "permissive": policy.permissive,
            "applies": policy.applies, "roles": policy.roles, "clause": policy.clause,
            "condition": policy.condition,
        })
    };
    let mut is_let = rules.verdict.is_ok();
    let mut part = |verdicts: Option<Verdicts>, clause: &str| match verdicts {
        None => Json::Null,
        Some(None) => {
            is_let = false;
            json!({"found": false})
        }
        Some(Some(verdicts)) => {
            let cuts = cuts(&verdicts, &rules.policies, clause);
            is_let &= cuts.is_empty();
            let each = verdicts.iter().map(|(policy, passes)| {
                let passes = *passes == Passes::Yes;
                json!({"name": policy.name, "for": policy.privilege, "passes": passes})
            });
            json!({"found": true, "policies": each.collect::<Vec<_>>(), "cut_by": cuts})
        }
    };
    let (row, new_row) = (part(row, "using"), part(new_row, "with check"));
    let grants = rules.grants.iter().map(|grant| {
        json!({
            "privilege": grant.privilege, "on": grant.on, "given_to": grant.given_to,
            "withheld": grant.withheld,
        })
    });
    let error = rules
        .verdict
        .as_ref()
        .err()
        .map(|error| json!({"code": error.code, "message": error.message, "hint": error.hint}));
    let document = json!({
        "subject": rules.subject, "let_through": is_let, "error": error,
        "grants": grants.collect::<Vec<_>>(),
        "policies": rules.policies.iter().map(policy).collect::<Vec<_>>(),
        "row": row, "new_row": new_row,
    });
    println!("{document}");
    is_let
}
