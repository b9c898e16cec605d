//! `user update | confirm | grant | revoke | password | disable | enable | logout | unlock |
//! delete`: each change and everything that is told of it in one unit.

use rest::Happened;
use serde_json::{Value, json};
use server::{EmailAddress, Password, Username, hash_password, person, unlock};
use sql::{DbError, Ident, Step};
use stdx::parse_duration;
use store::accounts::Taken;
use store::audit::{self, Act, Actor, Entry, Target};
use store::users::{self, User, UserChange};
use store::{roles, sessions};

use super::{failed, find, print};
use crate::cli::UserChange as Verb;
use crate::commands::confirm::confirm;
use crate::config::{Configuration, master_key};
use crate::failure::{Failure, Outcome};
use crate::project::Accounts;

/// The role that administers accounts; schema/ need not declare it.
const ADMIN: &str = "admin";

/// Roles that everybody has by how they come, not by being given them.
const BASE_ROLES: [&str; 3] = ["anon", "authenticated", "service"];

pub(super) async fn run(configuration: &Configuration, verb: Verb, as_json: bool) -> Outcome {
    let accounts = Accounts::open(configuration).await?;
    match verb {
        Verb::Update {
            user,
            email,
            username,
        } => update(&accounts, &user, email, username, as_json).await,
        Verb::Confirm { user } => {
            let user = find(&accounts.store, &user).await?;
            if user.email_verified_at.is_none() {
                let mut unit = vec![users::confirm_step(&accounts.store, &user)];
                unit.extend(told(&accounts, &user, Happened::UserConfirmed));
                unit.push(noted(&accounts, Act::UserConfirmed, &user, None));
                write(&accounts, unit).await?;
            }
            show(&accounts, &user, as_json).await
        }
        Verb::Grant { user, role, time } => {
            grant(&accounts, &user, &role, time.as_deref(), as_json).await
        }
        Verb::Revoke { user, role } => revoke(&accounts, &user, &role, as_json).await,
        Verb::Password { user } => {
            let user = find(&accounts.store, &user).await?;
            new_password(configuration, &accounts, &user, as_json).await
        }
        Verb::Disable { user } => switch(&accounts, &user, false, as_json).await,
        Verb::Enable { user } => switch(&accounts, &user, true, as_json).await,
        Verb::Logout { user } => {
            let user = find(&accounts.store, &user).await?;
            let unit = vec![
                users::bump_epoch_step(&accounts.store, user.id),
                sessions::delete_others_step(&accounts.store, user.id, None),
                noted(&accounts, Act::SessionsEnded, &user, None),
            ];
            write(&accounts, unit).await?;
            show(&accounts, &user, as_json).await
        }
        Verb::Unlock { user } => {
            let user = find(&accounts.store, &user).await?;
            let moments = accounts.settings.identity.moments.open(&accounts.store);
            let moments = moments.map_err(|error| Failure::config(error.to_string()))?;
            let unlocked = unlock(&moments, &user).await;
            unlocked.map_err(|error| failed(&accounts.store, error))?;
            show(&accounts, &user, as_json).await
        }
        Verb::Delete {
            user,
            confirm: given,
        } => {
            let user = find(&accounts.store, &user).await?;
            confirm("delete the account", user.email.as_str(), given.as_deref())?;
            // What is told of it may still look at it.
            let mut unit = told(&accounts, &user, Happened::UserDeleted);
            unit.push(users::delete_step(&accounts.store, user.id));
            unit.push(noted(&accounts, Act::UserDeleted, &user, None));
            write(&accounts, unit).await?;
            match as_json {
                true => println!("{}", json!({"deleted": user.id.to_string()})),
                false => println!("deleted {}", user.id),
            }
            Ok(())
        }
    }
}

async fn switch(accounts: &Accounts, user: &str, active: bool, as_json: bool) -> Outcome {
    let store = &accounts.store;
    let user = find(store, user).await?;
    let mut unit = users::set_active_steps(store, user.id, active);
    unit.push(sessions::delete_others_step(store, user.id, None));
    let act = match active {
        true => Act::UserEnabled,
        false => Act::UserDisabled,
    };
    unit.push(noted(accounts, act, &user, None));
    write(accounts, unit).await?;
    show(accounts, &user, as_json).await
}

/// The step that writes the act down.
fn noted(accounts: &Accounts, act: Act, user: &User, details: Option<&Value>) -> Step {
    let entry = Entry {
        act,
        actor: Actor::Shell,
        target: Target {
            id: Some(user.id),
            name: Some(user.email.as_str().to_owned()),
        },
        address: None,
        request_id: None,
        details: details.map(ToString::to_string),
    };
    audit::insert_step(&accounts.store, &entry)
}

fn told(accounts: &Accounts, user: &User, happened: Happened) -> Vec<Step> {
    accounts.announcer().steps(&person(user), happened)
}

async fn write(accounts: &Accounts, unit: Vec<Step>) -> Outcome {
    let written = accounts.store.db.write(unit).await;
    written.map(drop).map_err(|error| refused(accounts, &error))
}

/// A unit that failed, told without what people say of themselves.
fn refused(accounts: &Accounts, error: &DbError) -> Failure {
    match error {
        DbError::Unavailable(_) | DbError::ReadOnly | DbError::Denied(_) | DbError::Full(_) => {
            Failure::database(&accounts.store.db.description(), error)
        }
        DbError::Unexpected { step: 0, .. } => {
            Failure::failed("the account has changed meanwhile; nothing was done")
        }
        other => Failure::failed(other.without_values())
            .fix("a file of hooks/ may be in the way; nothing was done"),
    }
}

async fn show(accounts: &Accounts, user: &User, as_json: bool) -> Outcome {
    print(&find(&accounts.store, &user.id.to_string()).await?, as_json);
    Ok(())
}

async fn update(
    accounts: &Accounts,
    user: &str,
    email: Option<String>,
    username: Option<String>,
    as_json: bool,
) -> Outcome {
    if email.is_none() && username.is_none() {
        return Err(Failure::usage("nothing is to be changed").fix("give --email or --username"));
    }
    let user = find(&accounts.store, user).await?;
    let email = email.map(|text| EmailAddress::parse(&text)).transpose();
    let username = username.map(|text| Username::parse(&text)).transpose();
    let change = UserChange {
        email: email.map_err(|error| Failure::usage(format!("--email: {error}")))?,
        username: username.map_err(|error| Failure::usage(format!("--username: {error}")))?,
        ..UserChange::default()
    };
    let mut more = match &change.email {
        Some(email) if *email != user.email => {
            let mut after = user.clone();
            after.email = email.clone();
            if let Some(username) = &change.username {
                after.username = Some(username.to_string());
            }
            let old_email = user.email.as_str().to_owned();
            told(accounts, &after, Happened::EmailChanged { old_email })
        }
        Some(_) | None => Vec::new(),
    };
    if let Some(email) = change.email.as_ref().filter(|email| **email != user.email) {
        let details = json!({"from": user.email.as_str(), "to": email.as_str()});
        more.push(noted(accounts, Act::EmailChanged, &user, Some(&details)));
    }
    if let Some(username) = &change.username {
        let details = json!({"username": username.to_string()});
        more.push(noted(accounts, Act::UserUpdated, &user, Some(&details)));
    }
    match users::update(&accounts.store, user.id, &change, more).await {
        Ok(None) => show(accounts, &user, as_json).await,
        Ok(Some(taken)) => {
            let what = match taken {
                Taken::Email => "address",
                Taken::Username => "name",
            };
            Err(Failure::failed(format!("another account has this {what}")))
        }
        Err(store::StoreError::Db(error)) => Err(refused(accounts, &error)),
        Err(error) => Err(failed(&accounts.store, error)),
    }
}

/// The role of schema/ of that name.
fn role_of(accounts: &Accounts, name: &str) -> Outcome<Ident> {
    if name == ADMIN {
        return Ident::new(name).map_err(|error| Failure::usage(format!("{name}: {error}")));
    }
    let known = accounts.catalog.roles.iter().map(|role| &role.name);
    let own: Vec<&Ident> = known
        .filter(|role| !BASE_ROLES.contains(&role.as_str()))
        .collect();
    if let Some(role) = own.iter().find(|role| role.as_str() == name) {
        return Ok((*role).clone());
    }
    let failure = Failure::usage(format!("{name} is no role that can be given"));
    Err(
        match stdx::nearest(name, own.iter().map(|role| role.as_str())) {
            Some(near) => failure.fix(format!("did you mean {near}?")),
            None => failure.fix("write create role … into schema/; pilaster db roles lists them"),
        },
    )
}

async fn grant(
    accounts: &Accounts,
    user: &str,
    role: &str,
    time: Option<&str>,
    as_json: bool,
) -> Outcome {
    let role = role_of(accounts, role)?;
    let user = find(&accounts.store, user).await?;
    let time = time.map(parse_duration).transpose();
    let time = time.map_err(|error| Failure::usage(format!("--for: {error}")))?;
    let expires_at = match time {
        None => None,
        Some(time) => {
            let end = accounts.store.clock.now().checked_add(time);
            Some(end.map_err(|_| Failure::usage("--for: it ends behind the calendar"))?)
        }
    };
    let mut unit = roles::grant_role_steps(&accounts.store, user.id, &role, expires_at);
    let happened = Happened::RolesChanged {
        role: role.to_string(),
        granted: true,
        expires_at,
    };
    unit.extend(told(accounts, &user, happened));
    let details = json!({"role": role.as_str(), "until": expires_at.map(|end| end.to_string())});
    unit.push(noted(accounts, Act::RoleGranted, &user, Some(&details)));
    write(accounts, unit).await?;
    show_roles(accounts, &user, as_json).await
}

async fn revoke(accounts: &Accounts, user: &str, role: &str, as_json: bool) -> Outcome {
    // A role that schema/ has lost can still be taken away.
    let role = Ident::new(role).map_err(|error| Failure::usage(format!("{role}: {error}")))?;
    let user = find(&accounts.store, user).await?;
    let held = roles::roles_of(&accounts.store, user.id).await;
    let held = held.map_err(|error| failed(&accounts.store, error))?;
    if held.iter().any(|held| held == role.as_str()) {
        let mut unit = roles::revoke_role_steps(&accounts.store, user.id, &role);
        let happened = Happened::RolesChanged {
            role: role.to_string(),
            granted: false,
            expires_at: None,
        };
        unit.extend(told(accounts, &user, happened));
        let details = json!({"role": role.as_str()});
        unit.push(noted(accounts, Act::RoleRevoked, &user, Some(&details)));
        write(accounts, unit).await?;
    }
    show_roles(accounts, &user, as_json).await
}

async fn show_roles(accounts: &Accounts, user: &User, as_json: bool) -> Outcome {
    let held = roles::roles_of(&accounts.store, user.id).await;
    let held = held.map_err(|error| failed(&accounts.store, error))?;
    match as_json {
        true => println!("{}", json!({"id": user.id.to_string(), "roles": held})),
        false if held.is_empty() => println!("{} has no role", user.id),
        false => println!("{} has {}", user.id, held.join(", ")),
    }
    Ok(())
}

async fn new_password(
    configuration: &Configuration,
    accounts: &Accounts,
    user: &User,
    as_json: bool,
) -> Outcome {
    let master = master_key(configuration)?;
    let (password, text) = Password::generate(&accounts.store.rng);
    let params = accounts.settings.password_params;
    let hash = hash_password(&master, &password, params, &accounts.store.rng);
    let hash = hash.map_err(|error| Failure::failed(error.to_string()))?;
    let mut unit = users::change_password_steps(&accounts.store, user.id, &hash);
    unit.push(sessions::delete_others_step(&accounts.store, user.id, None));
    unit.extend(told(accounts, user, Happened::PasswordChanged));
    unit.push(noted(accounts, Act::PasswordChanged, user, None));
    write(accounts, unit).await?;
    match as_json {
        true => println!(
            "{}",
            json!({"id": user.id.to_string(), "password": text.expose()})
        ),
        false => println!("{}", text.expose()),
    }
    Ok(())
}
