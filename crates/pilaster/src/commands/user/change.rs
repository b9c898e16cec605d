//! `user update | confirm | grant | revoke | password | disable | enable | logout | unlock |
//! delete`: each change and everything that is told of it in one unit.

use jiff::Timestamp;
use rest::Happened;
use serde_json::json;
use server::{
    AccountChange, Administration, ChangeError, EmailAddress, Password, RoleError, Username,
    find_role, hash_password, person, unlock,
};
use sql::{DbError, Ident};
use stdx::parse_duration;
use store::accounts::Taken;
use store::audit::{Act, Actor};
use store::users::{self, User, UserChange};
use store::{StoreError, roles, sessions};

use super::{failed, find, print};
use crate::cli::UserChange as Verb;
use crate::commands::confirm::confirm;
use crate::config::{Configuration, master_key};
use crate::failure::{Failure, Outcome};
use crate::project::Accounts;

pub(super) async fn run(configuration: &Configuration, verb: Verb, as_json: bool) -> Outcome {
    let accounts = Accounts::open(configuration).await?;
    let shell = shell(&accounts);
    match verb {
        Verb::Update {
            user,
            email,
            username,
            external_id,
            source,
        } => {
            let external = external_id.map(|id| (source, Some(id).filter(|id| !id.is_empty())));
            let person = wanted(email, username)?;
            let change = AccountChange {
                person,
                external,
                ..AccountChange::default()
            };
            update(&accounts, &user, &change, as_json).await
        }
        Verb::Confirm { user } => {
            let change = AccountChange {
                confirmed: Some(true),
                ..AccountChange::default()
            };
            alter(&accounts, &user, &change, as_json).await
        }
        Verb::Grant {
            user,
            role,
            time,
            expires,
        } => {
            let end = end(&accounts, time.as_deref(), expires.as_deref())?;
            grant(&accounts, &user, &role, end, as_json).await
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
            let ended = shell.end_sessions(&user).await;
            ended.map_err(|error| refused(&accounts, error))?;
            show(&accounts, &user, as_json).await
        }
        Verb::Unlock { user } => {
            let user = find(&accounts.store, &user).await?;
            forget_attempts(&accounts, &user).await?;
            show(&accounts, &user, as_json).await
        }
        Verb::Delete {
            user,
            confirm: given,
        } => {
            let user = find(&accounts.store, &user).await?;
            confirm("delete the account", user.email.as_str(), given.as_deref())?;
            let deleted = shell.delete(&user, Vec::new()).await;
            deleted.map_err(|error| refused(&accounts, error))?;
            match as_json {
                true => println!("{}", json!({"deleted": user.id.to_string()})),
                false => println!("deleted {}", user.id),
            }
            Ok(())
        }
    }
}

/// What is done here is done by whoever runs the program.
pub(super) fn shell(accounts: &Accounts) -> Administration<'_> {
    Administration {
        announcer: accounts.announcer(),
        actor: Actor::Shell,
        address: None,
        request_id: None,
    }
}

async fn forget_attempts(accounts: &Accounts, user: &User) -> Outcome {
    let moments = accounts.settings.identity.moments.open(&accounts.store);
    let moments = moments.map_err(|error| Failure::config(error.to_string()))?;
    let unlocked = unlock(&moments, user).await;
    unlocked.map_err(|error| failed(&accounts.store, error))?;
    let noted = shell(accounts).unlocked(user).await;
    noted.map_err(|error| refused(accounts, error))
}

async fn switch(accounts: &Accounts, user: &str, active: bool, as_json: bool) -> Outcome {
    let change = AccountChange {
        active: Some(active),
        ..AccountChange::default()
    };
    alter(accounts, user, &change, as_json).await
}

/// Changes an account and shows it.
async fn alter(accounts: &Accounts, user: &str, change: &AccountChange, as_json: bool) -> Outcome {
    let user = find(&accounts.store, user).await?;
    let changed = shell(accounts).change(&user, change).await;
    changed.map_err(|error| refused(accounts, error))?;
    show(accounts, &user, as_json).await
}

/// A change that was not made, told without what people say of themselves.
pub(super) fn refused(accounts: &Accounts, error: ChangeError) -> Failure {
    let message = error.to_string();
    match error {
        ChangeError::LastAdministrator => Failure::failed(message)
            .fix("pilaster user grant ADDRESS admin makes somebody else an administrator first"),
        ChangeError::Gone => Failure::failed("the account has changed meanwhile; nothing was done"),
        ChangeError::Taken(taken) => {
            let what = match taken {
                Taken::Email => "address",
                Taken::Username => "name",
            };
            Failure::failed(format!("another account has this {what}"))
        }
        ChangeError::RoleHeld | ChangeError::RoleNotHeld | ChangeError::ExternalIdTaken => {
            Failure::failed(message)
        }
        ChangeError::Store(StoreError::Db(error)) => of_unit(accounts, &error),
        ChangeError::Store(error) => failed(&accounts.store, error),
    }
}

/// A unit that failed in the database, or in what hook files did.
pub(super) fn of_unit(accounts: &Accounts, error: &DbError) -> Failure {
    match error {
        DbError::Unavailable(_) | DbError::ReadOnly | DbError::Denied(_) | DbError::Full(_) => {
            Failure::database(&accounts.store.db.description(), error)
        }
        other => Failure::failed(other.without_values())
            .fix("a file of hooks/ may be in the way; nothing was done"),
    }
}

async fn show(accounts: &Accounts, user: &User, as_json: bool) -> Outcome {
    print(&find(&accounts.store, &user.id.to_string()).await?, as_json);
    Ok(())
}

fn wanted(email: Option<String>, username: Option<String>) -> Outcome<UserChange> {
    let email = email.map(|text| EmailAddress::parse(&text)).transpose();
    let username = username.map(|text| Username::parse(&text)).transpose();
    Ok(UserChange {
        email: email.map_err(|error| Failure::usage(format!("--email: {error}")))?,
        username: username.map_err(|error| Failure::usage(format!("--username: {error}")))?,
        ..UserChange::default()
    })
}

async fn update(accounts: &Accounts, user: &str, change: &AccountChange, as_json: bool) -> Outcome {
    let person = &change.person;
    if person.email.is_none() && person.username.is_none() && change.external.is_none() {
        return Err(Failure::usage("nothing is to be changed")
            .fix("give --email, --username or --external-id"));
    }
    alter(accounts, user, change, as_json).await
}

/// The role of schema/ of that name.
fn role_of(accounts: &Accounts, name: &str) -> Outcome<Ident> {
    find_role(&accounts.catalog, name).map_err(|error| {
        let failure = Failure::usage(error.to_string());
        match error {
            RoleError::Unknown {
                near: Some(near), ..
            } => failure.fix(format!("did you mean {near}?")),
            RoleError::Unknown { near: None, .. } | RoleError::Protected(_) => {
                failure.fix("write create role … into schema/; pilaster role list lists them")
            }
        }
    })
}

/// When a role ends.
fn end(
    accounts: &Accounts,
    time: Option<&str>,
    moment: Option<&str>,
) -> Outcome<Option<Timestamp>> {
    let now = accounts.store.clock.now();
    let end = match (time, moment) {
        (Some(time), _) => {
            let time = parse_duration(time);
            let time = time.map_err(|error| Failure::usage(format!("--for: {error}")))?;
            let end = now.checked_add(time);
            end.map_err(|_| Failure::usage("--for: it ends behind the calendar"))?
        }
        (None, Some(moment)) => {
            let wrong =
                || Failure::usage("--expires takes a moment to come, as 2027-01-31T12:00:00Z");
            let end: Timestamp = moment.parse().map_err(|_| wrong())?;
            match end > now {
                true => end,
                false => return Err(wrong()),
            }
        }
        (None, None) => return Ok(None),
    };
    // As exactly as databases keep it.
    let kept = Timestamp::from_microsecond(end.as_microsecond());
    kept.map(Some)
        .map_err(|error| Failure::usage(error.to_string()))
}

async fn grant(
    accounts: &Accounts,
    user: &str,
    role: &str,
    expires_at: Option<Timestamp>,
    as_json: bool,
) -> Outcome {
    let role = role_of(accounts, role)?;
    let user = find(&accounts.store, user).await?;
    match shell(accounts).grant(&user, &role, expires_at).await {
        // It is as it was wanted.
        Ok(_) | Err(ChangeError::RoleHeld) => show_roles(accounts, &user, as_json).await,
        Err(error) => Err(refused(accounts, error)),
    }
}

async fn revoke(accounts: &Accounts, user: &str, role: &str, as_json: bool) -> Outcome {
    // A role that schema/ has lost can still be taken away.
    let role =
        Ident::new(role.trim()).map_err(|error| Failure::usage(format!("{role}: {error}")))?;
    let user = find(&accounts.store, user).await?;
    match shell(accounts).revoke(&user, &role).await {
        Ok(()) | Err(ChangeError::RoleNotHeld) => show_roles(accounts, &user, as_json).await,
        Err(error) => Err(refused(accounts, error)),
    }
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
    let shell = shell(accounts);
    let mut unit = users::change_password_steps(&accounts.store, user.id, &hash);
    unit.push(sessions::delete_others_step(&accounts.store, user.id, None));
    unit.extend(
        shell
            .announcer
            .steps(&person(user), Happened::PasswordChanged),
    );
    unit.push(shell.audit(Act::PasswordChanged, user, None));
    let written = accounts.store.db.write(unit).await;
    written.map_err(|error| of_unit(accounts, &error))?;
    match as_json {
        true => println!(
            "{}",
            json!({"id": user.id.to_string(), "password": text.expose()})
        ),
        false => println!("{}", text.expose()),
    }
    Ok(())
}
