//! `user list | show`; what changes accounts stands beside.

mod change;
mod import;

use serde_json::{Value, json};
use stdx::{Clock, Rng};
use store::directory::{self, Listed, Wanted};
use store::roles::Held;
use store::users::{self, LoginName, User};
use store::{Store, StoreError};
use uuid::Uuid;

use crate::cli::{User as Verb, UserFilter};
use crate::config::Configuration;
use crate::failure::{Failure, Outcome};
use crate::project::connect;

pub(super) async fn run(configuration: &Configuration, verb: Verb, as_json: bool) -> Outcome {
    match verb {
        Verb::List(filter) => list(&open(configuration).await?, &filter, as_json).await,
        Verb::Show { user } => {
            print(&find(&open(configuration).await?, &user).await?, as_json);
            Ok(())
        }
        Verb::Import(file) => {
            import::run(configuration, &file, import::Reach::Named, as_json).await
        }
        Verb::Sync(file) => import::run(configuration, &file, import::Reach::All, as_json).await,
        Verb::Change(verb) => change::run(configuration, verb, as_json).await,
    }
}

async fn open(configuration: &Configuration) -> Outcome<Store> {
    let db = connect(configuration).await?;
    Ok(Store::new(db, Clock::System, Rng::System))
}

async fn list(store: &Store, filter: &UserFilter, as_json: bool) -> Outcome {
    let wanted = Wanted {
        text: filter.find.clone(),
        role: filter.role.clone(),
        active: filter.disabled.then_some(false),
        confirmed: filter.unconfirmed.then_some(false),
        ..Wanted::default()
    };
    let found = directory::list(store, &wanted, filter.limit).await;
    let found = found.map_err(|error| failed(store, error))?;
    let roles = |roles: &[Held]| {
        roles
            .iter()
            .map(|held| held.role.clone())
            .collect::<Vec<_>>()
    };
    if as_json {
        let one = |listed: &Listed| {
            let mut one = shown(&listed.user);
            one["roles"] = json!(roles(&listed.roles));
            one["external_source"] = json!(listed.external_source);
            one["external_id"] = json!(listed.external_id);
            one["seen_at"] = json!(listed.seen_at.map(|at| format!("{at:.6}")));
            one
        };
        let list: Vec<Value> = found.iter().map(one).collect();
        println!("{}", json!(list));
        return Ok(());
    }
    for listed in found {
        let user = &listed.user;
        let name = user.username.as_deref().unwrap_or("-");
        let mut line = format!("{} {:<32} {name}", user.id, user.email.as_str());
        if !listed.roles.is_empty() {
            line = format!("{line} ({})", roles(&listed.roles).join(", "));
        }
        if !user.active {
            line.push_str(" disabled");
        }
        println!("{line}");
    }
    Ok(())
}

async fn find(store: &Store, text: &str) -> Outcome<User> {
    let found = match (Uuid::try_parse(text), LoginName::parse(text)) {
        (Ok(id), _) => users::by_id(store, id).await,
        (_, Some(LoginName::Email(email))) => users::by_email(store, &email).await,
        (_, Some(LoginName::Username(username))) => users::by_username(store, &username).await,
        (_, None) => Ok(None),
    };
    found.map_err(|error| failed(store, error))?.ok_or_else(|| {
        Failure::failed(format!("there is no account {text}")).fix("pilaster user list")
    })
}

fn failed(store: &Store, error: StoreError) -> Failure {
    match error {
        StoreError::Db(error) => Failure::database(&store.db.description(), &error),
        other => Failure::failed(other.to_string()),
    }
}

fn shown(user: &User) -> Value {
    json!({
        "id": user.id.to_string(),
        "email": user.email.as_str(),
        "username": user.username,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "display_name": user.display_name,
        "active": user.active,
        "email_verified_at": user.email_verified_at.map(|moment| format!("{moment:.6}")),
        "created_at": format!("{:.6}", user.created_at),
        "updated_at": format!("{:.6}", user.updated_at),
    })
}

fn print(user: &User, as_json: bool) {
    let shown = shown(user);
    if as_json {
        println!("{shown}");
        return;
    }
    for (name, value) in shown.as_object().into_iter().flatten() {
        let text = match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        println!("{name:<18} {text}");
    }
}
