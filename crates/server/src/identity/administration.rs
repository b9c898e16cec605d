//! What others do to an account: administrators through HTTP, operators at the shell. Each act is one
//! unit with its audit row and those who are told of it, and none of them leaves a system that nobody
//! administers.

use jiff::Timestamp;
use rest::Happened;
use serde_json::{Map, Value, json};
use sql::{DbError, Ident, Step};
use store::accounts::Taken;
use store::administrators::{ADMIN, NOBODY_LEFT, keep_one_steps};
use store::audit::{self, Act, Actor, Entry, Target};
use store::users::{self, User, UserChange};
use store::{StoreError, external, factors, grants, roles, sessions};

use crate::events::{Announcer, person};

/// Who changes accounts, and who is told of it.
pub struct Administration<'a> {
    /// Who is told.
    pub announcer: Announcer<'a>,
    /// Who does it.
    pub actor: Actor,
    /// From which network address.
    pub address: Option<String>,
    /// By which request.
    pub request_id: Option<String>,
}

/// Why an account stays as it is. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// It is the last one that administers.
    #[error("nobody would be left who administers")]
    LastAdministrator,
    /// There is no such account any more, or it has changed meanwhile.
    #[error("the account is gone, or has changed meanwhile")]
    Gone,
    /// It holds the role already, with the same end.
    #[error("the account holds this role already")]
    RoleHeld,
    /// It does not hold the role.
    #[error("the account does not hold this role")]
    RoleNotHeld,
    /// Another account has the address or the name.
    #[error("another account has it")]
    Taken(Taken),
    /// Another account has this key of the source.
    #[error("another account has this external id")]
    ExternalIdTaken,
    /// Anything else.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is to be different about an account; what is `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct AccountChange {
    /// How it is called.
    pub person: UserChange,
    /// Whether it may be used.
    pub active: Option<bool>,
    /// Whether its address counts as proved.
    pub confirmed: Option<bool>,
    /// The language of its owner; `Some(None)` for nobody knows.
    pub language: Option<Option<String>>,
    /// By which key (the second one) which source (the first one) knows it; no key: by none.
    pub external: Option<(String, Option<String>)>,
}

impl AccountChange {
    /// Whether the account is so already.
    fn is_nothing(&self, user: &User) -> bool {
        let person = &self.person;
        person.email.is_none()
            && person.username.is_none()
            && person.names.is_empty()
            && self.language.is_none()
            && self.external.is_none()
            && self.active.is_none_or(|active| active == user.active)
            && self
                .confirmed
                .is_none_or(|confirmed| confirmed == user.email_verified_at.is_some())
    }
}

/// What giving a role did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Granted {
    /// It was not held before.
    New,
    /// It was, and has another end now.
    Ends,
}

type Changed<T = ()> = Result<T, ChangeError>;

impl Administration<'_> {
    /// Changes an account. Where it is switched off or on, its sessions end and its tokens die.
    pub async fn change(&self, user: &User, change: &AccountChange) -> Changed {
        if change.is_nothing(user) {
            return Ok(());
        }
        let store = self.announcer.store;
        let active = change.active.filter(|active| *active != user.active);
        let guarded = active == Some(false);
        let mut unit = match guarded {
            true => keep_one_steps(store, &[user.id], store.clock.now()),
            false => Vec::new(),
        };
        unit.extend(self.change_steps(user, change));
        let Err(error) = store.db.write(unit).await else {
            return Ok(());
        };
        if let Some(taken) = users::taken_by_other(store, user.id, &change.person, &error).await? {
            return Err(ChangeError::Taken(taken));
        }
        match (&error, &change.external) {
            (DbError::Unique { .. }, Some((_, Some(_)))) => Err(ChangeError::ExternalIdTaken),
            _ => Err(refused(error, guarded)),
        }
    }

    /// The steps of a change, for a larger unit; whoever switches an account off by them puts
    /// [`keep_one_steps`] before them.
    #[must_use]
    pub fn change_steps(&self, user: &User, change: &AccountChange) -> Vec<Step> {
        let store = self.announcer.store;
        let mut unit = vec![users::update_step(store, user.id, &change.person)];
        if let Some(language) = &change.language {
            unit.push(external::language_step(store, user.id, language.as_deref()));
        }
        if let Some((source, id)) = &change.external {
            unit.push(external::link_step(store, user.id, source, id.as_deref()));
        }
        let after = after(user, &change.person);
        if after.email != user.email {
            unit.extend(self.told_of_address(user, &after));
        }
        unit.extend(self.confirming(&after, change.confirmed));
        if let Some(details) = details(user, change) {
            unit.push(self.audit(Act::UserUpdated, user, Some(&details)));
        }
        if let Some(active) = change.active.filter(|active| *active != user.active) {
            unit.extend(users::set_active_steps(store, user.id, active));
            unit.push(sessions::delete_others_step(store, user.id, None));
            let act = match active {
                true => Act::UserEnabled,
                false => Act::UserDisabled,
            };
            unit.push(self.audit(act, user, None));
        }
        unit
    }

    /// Gives a role, for good or up to a moment; a role that is held gets the new end.
    pub async fn grant(
        &self,
        user: &User,
        role: &Ident,
        expires_at: Option<Timestamp>,
    ) -> Changed<Granted> {
        let store = self.announcer.store;
        let held = roles::held(store, user.id).await?;
        let held = held.iter().find(|held| held.role == role.as_str());
        let (granted, guarded, mut unit) = match held {
            None => {
                let steps = roles::grant_new_steps(store, user.id, role, expires_at);
                (Granted::New, false, steps)
            }
            Some(held) if held.expires_at == expires_at => return Err(ChangeError::RoleHeld),
            Some(_) => {
                let end = expires_at.filter(|_| role.as_str() == ADMIN);
                let mut unit =
                    end.map_or_else(Vec::new, |end| keep_one_steps(store, &[user.id], end));
                unit.push(roles::set_end_step(store, user.id, role, expires_at));
                (Granted::Ends, end.is_some(), unit)
            }
        };
        unit.extend(self.granted(user, role, expires_at));
        match store.db.write(unit).await {
            Ok(_) => Ok(granted),
            // Somebody else has given it at this moment.
            Err(DbError::Unique { .. }) if granted == Granted::New => Err(ChangeError::RoleHeld),
            Err(error) => Err(refused(error, guarded)),
        }
    }

    /// The steps that tell of a role that was given.
    #[must_use]
    pub fn granted(&self, user: &User, role: &Ident, expires_at: Option<Timestamp>) -> Vec<Step> {
        let happened = Happened::RolesChanged {
            role: role.to_string(),
            granted: true,
            expires_at,
        };
        let until = expires_at.map(|end| end.to_string());
        let details = json!({"role": role.as_str(), "until": until});
        let mut steps = self.announcer.steps(&person(user), happened);
        steps.push(self.audit(Act::RoleGranted, user, Some(&details)));
        steps
    }

    /// Takes a role away.
    pub async fn revoke(&self, user: &User, role: &Ident) -> Changed {
        let store = self.announcer.store;
        let held = roles::held(store, user.id).await?;
        if !held.iter().any(|held| held.role == role.as_str()) {
            return Err(ChangeError::RoleNotHeld);
        }
        let guarded = role.as_str() == ADMIN;
        let mut unit = match guarded {
            true => keep_one_steps(store, &[user.id], store.clock.now()),
            false => Vec::new(),
        };
        unit.extend(roles::revoke_role_steps(store, user.id, role));
        let happened = Happened::RolesChanged {
            role: role.to_string(),
            granted: false,
            expires_at: None,
        };
        unit.extend(self.announcer.steps(&person(user), happened));
        let details = json!({"role": role.as_str()});
        unit.push(self.audit(Act::RoleRevoked, user, Some(&details)));
        self.write(unit, guarded).await
    }

    /// Deletes an account, and runs `more` in the same unit.
    pub async fn delete(&self, user: &User, more: Vec<Step>) -> Changed {
        let store = self.announcer.store;
        let mut unit = keep_one_steps(store, &[user.id], store.clock.now());
        // What is told of it may still look at it.
        let happened = Happened::UserDeleted;
        unit.extend(self.announcer.steps(&person(user), happened));
        unit.push(users::delete_step(store, user.id));
        unit.push(self.audit(Act::UserDeleted, user, None));
        unit.extend(more);
        self.write(unit, true).await
    }

    /// Ends all sessions of an account and what it lets apps do, and makes its tokens worthless.
    pub async fn end_sessions(&self, user: &User) -> Changed {
        let store = self.announcer.store;
        let unit = vec![
            users::bump_epoch_step(store, user.id),
            sessions::delete_others_step(store, user.id, None),
            grants::revoke_of_user_step(store, user.id),
            self.audit(Act::SessionsEnded, user, None),
        ];
        self.write(unit, false).await
    }

    /// Takes all second factors away, and runs `more` in the same unit.
    pub async fn remove_factors(&self, user: &User, more: Vec<Step>) -> Changed {
        let store = self.announcer.store;
        let mut unit = factors::remove_all_steps(store, user.id);
        unit.push(self.audit(Act::FactorsRemoved, user, None));
        unit.extend(more);
        self.write(unit, false).await
    }

    /// Notes that failed sign-ins were forgotten.
    pub async fn unlocked(&self, user: &User) -> Changed {
        let unit = vec![self.audit(Act::UserUnlocked, user, None)];
        self.write(unit, false).await
    }

    /// The step that writes an act down.
    #[must_use]
    pub fn audit(&self, act: Act, user: &User, details: Option<&Value>) -> Step {
        let target = Target {
            id: Some(user.id),
            name: Some(user.email.as_str().to_owned()),
        };
        self.audit_of(act, target, details)
    }

    /// The same of whatever it is done to.
    #[must_use]
    pub fn audit_of(&self, act: Act, target: Target, details: Option<&Value>) -> Step {
        let entry = Entry {
            act,
            actor: self.actor.clone(),
            target,
            address: self.address.clone(),
            request_id: self.request_id.clone(),
            details: details.map(ToString::to_string),
        };
        audit::insert_step(self.announcer.store, &entry)
    }

    /// The steps that tell of another address.
    fn told_of_address(&self, user: &User, after: &User) -> Vec<Step> {
        let old_email = user.email.as_str().to_owned();
        let details = json!({"from": old_email, "to": after.email.as_str()});
        let happened = Happened::EmailChanged { old_email };
        let mut steps = self.announcer.steps(&person(after), happened);
        steps.push(self.audit(Act::EmailChanged, user, Some(&details)));
        steps
    }

    /// The steps that say whether an address is proved, where that is another answer than before.
    fn confirming(&self, user: &User, confirmed: Option<bool>) -> Vec<Step> {
        let store = self.announcer.store;
        match (confirmed, user.email_verified_at) {
            (Some(true), None) => {
                let mut steps = vec![users::confirm_step(store, user)];
                steps.extend(self.announcer.steps(&person(user), Happened::UserConfirmed));
                steps.push(self.audit(Act::UserConfirmed, user, None));
                steps
            }
            (Some(false), Some(_)) => {
                let details = json!({"email_confirmed": false});
                vec![
                    users::verified_step(store, user.id, None),
                    self.audit(Act::UserUpdated, user, Some(&details)),
                ]
            }
            (Some(_) | None, _) => Vec::new(),
        }
    }

    async fn write(&self, unit: Vec<Step>, guarded: bool) -> Changed {
        let written = self.announcer.store.db.write(unit).await;
        written.map(drop).map_err(|error| refused(error, guarded))
    }
}

/// A unit that failed; `guarded`: it begins with [`keep_one_steps`].
fn refused(error: DbError, guarded: bool) -> ChangeError {
    match error {
        DbError::Unexpected { step, .. } if guarded && step == NOBODY_LEFT => {
            ChangeError::LastAdministrator
        }
        DbError::Unexpected { .. } => ChangeError::Gone,
        error => ChangeError::Store(error.into()),
    }
}

/// An account as it is after a change of its address and user name.
fn after(user: &User, change: &UserChange) -> User {
    let mut after = user.clone();
    if let Some(username) = &change.username {
        after.username = Some(username.to_string());
    }
    if let Some(email) = &change.email {
        after.email = email.clone();
        // Another one is not proved yet.
        after.email_verified_at = None;
    }
    after
}

/// What the audit log says of a change, beside what has acts of its own; `None` for nothing.
fn details(user: &User, change: &AccountChange) -> Option<Value> {
    let mut said = Map::new();
    if let Some(username) = &change.person.username {
        said.insert(String::from("username"), json!(username.to_string()));
    }
    for (which, name) in &change.person.names {
        let (member, before) = match which {
            users::PersonName::First => ("first_name", &user.first_name),
            users::PersonName::Last => ("last_name", &user.last_name),
            users::PersonName::Display => ("display_name", &user.display_name),
        };
        if name != before {
            said.insert(member.to_owned(), json!(name));
        }
    }
    if let Some(language) = &change.language {
        said.insert(String::from("language"), json!(language));
    }
    if let Some((source, id)) = &change.external {
        said.insert(String::from("external_source"), json!(source));
        said.insert(String::from("external_id"), json!(id));
    }
    (!said.is_empty()).then_some(Value::Object(said))
}
