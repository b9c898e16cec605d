//! `user list | show`; what changes accounts stands beside.

mod change;

use serde_json::{Value, json};
use stdx::{Clock, Rng};
use store::users::{self, LoginName, User};
use store::{Store, StoreError};
use uuid::Uuid;

use crate::cli::User as Verb;
use crate::config::Configuration;
use crate::failure::{Failure, Outcome};
use crate::project::connect;

/// Accounts that `list` shows.
const LISTED: u64 = 1_000;

pub(super) async fn run(configuration: &Configuration, verb: Verb, as_json: bool) -> Outcome {
    match verb {
        Verb::List => list(&open(configuration).await?, as_json).await,
        Verb::Show { user } => {
            print(&find(&open(configuration).await?, &user).await?, as_json);
            Ok(())
        }
        Verb::Change(verb) => change::run(configuration, verb, as_json).await,
    }
}

async fn open(configuration: &Configuration) -> Outcome<Store> {
    let db = connect(configuration).await?;
    Ok(Store::new(db, Clock::System, Rng::System))
}

async fn list(store: &Store, as_json: bool) -> Outcome {
    let users = users::newest(store, LISTED)
        .await
        .map_err(|error| failed(store, error))?;
    if as_json {
        let list: Vec<Value> = users.iter().map(shown).collect();
        println!("{}", json!(list));
        return Ok(());
    }
    for user in users {
        let name = user.username.as_deref().unwrap_or("-");
        println!("{} {:<32} {name}", user.id, user.email.as_str());
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
