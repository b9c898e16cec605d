//! `user list | show | update`

use serde_json::{Value, json};
use server::{EmailAddress, Username};
use stdx::{Clock, Rng};
use store::accounts::Taken;
use store::users::{self, LoginName, User, UserChange};
use store::{Store, StoreError};
use uuid::Uuid;

use crate::cli::User as Verb;
use crate::config::Configuration;
use crate::failure::{Failure, Outcome};
use crate::project::connect;

/// Accounts that `list` shows.
const LISTED: u64 = 1_000;

pub(super) async fn run(configuration: &Configuration, verb: Verb, as_json: bool) -> Outcome {
    let db = connect(configuration).await?;
    let store = Store::new(db, Clock::System, Rng::System);
    match verb {
        Verb::List => {
            let users = users::newest(&store, LISTED)
                .await
                .map_err(|error| failed(&store, error))?;
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
        Verb::Show { user } => {
            let user = find(&store, &user).await?;
            print(&user, as_json);
            Ok(())
        }
        Verb::Update {
            user,
            email,
            username,
        } => update(&store, &user, email, username, as_json).await,
    }
}

async fn update(
    store: &Store,
    user: &str,
    email: Option<String>,
    username: Option<String>,
    as_json: bool,
) -> Outcome {
    if email.is_none() && username.is_none() {
        return Err(Failure::usage("nothing is to be changed").fix("give --email or --username"));
    }
    let user = find(store, user).await?;
    let email = email.map(|text| EmailAddress::parse(&text)).transpose();
    let username = username.map(|text| Username::parse(&text)).transpose();
    let change = UserChange {
        email: email.map_err(|error| Failure::usage(format!("--email: {error}")))?,
        username: username.map_err(|error| Failure::usage(format!("--username: {error}")))?,
    };
    match users::update(store, user.id, &change).await {
        Ok(None) => {}
        Ok(Some(taken)) => {
            let what = match taken {
                Taken::Email => "address",
                Taken::Username => "name",
            };
            return Err(Failure::failed(format!("another account has this {what}")));
        }
        Err(error) => return Err(failed(store, error)),
    }
    print(&find(store, &user.id.to_string()).await?, as_json);
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
