//! What a file would do: which accounts it makes, which it changes and how, which are gone from it.

use std::collections::{HashMap, HashSet};

use server::{AccountChange, Username};
use sql::Ident;
use store::external::{self, Linked, Owned};
use store::roles;
use store::users::{PersonName, User, UserChange};
use uuid::Uuid;

use super::Reach;
use super::file::{Entry, Faults};
use crate::commands::user::failed;
use crate::failure::Outcome;
use crate::project::Accounts;

/// What is to be done.
pub(super) struct Plan {
    pub(super) new: Vec<Entry>,
    pub(super) altered: Vec<Alteration>,
    /// Whom the file knows no more.
    pub(super) gone: Vec<User>,
    /// How many accounts are as the file says.
    pub(super) same: usize,
}

/// An account that is there, and what is to be different.
pub(super) struct Alteration {
    pub(super) user: User,
    pub(super) change: AccountChange,
    /// Roles that it does not hold.
    pub(super) roles: Vec<Ident>,
    /// The same in words.
    pub(super) said: Vec<String>,
}

impl Plan {
    pub(super) fn is_nothing(&self) -> bool {
        self.new.is_empty() && self.altered.is_empty() && self.gone.is_empty()
    }

    /// Who is switched off.
    pub(super) fn leaving(&self) -> Vec<Uuid> {
        let altered = self.altered.iter();
        let altered = altered.filter(|one| one.change.active == Some(false));
        let altered = altered.map(|one| one.user.id);
        altered
            .chain(self.gone.iter().map(|user| user.id))
            .collect()
    }
}

/// Compares a file with the accounts that its source has. An account is found by the source's key and
/// by nothing else: that somebody has the same address does not make him the same person.
pub(super) async fn make(
    accounts: &Accounts,
    source: &str,
    entries: Vec<Entry>,
    mut faults: Faults,
    reach: Reach,
) -> Outcome<Plan> {
    let store = &accounts.store;
    let of_store = |error| failed(store, error);
    let linked = external::of_source(store, source).await.map_err(of_store)?;
    let mut linked: HashMap<String, Linked> = linked
        .into_iter()
        .map(|one| (one.external_id.clone(), one))
        .collect();
    let emails: Vec<_> = entries.iter().map(|entry| &entry.email).collect();
    let names: Vec<&Username> = entries
        .iter()
        .filter_map(|entry| entry.username.as_ref())
        .collect();
    let owners = external::owners(store, &emails, &names).await;
    let owners = Owners::of(owners.map_err(of_store)?);
    let mut plan = Plan {
        new: Vec::new(),
        altered: Vec::new(),
        gone: Vec::new(),
        same: 0,
    };
    for entry in entries {
        if reach == Reach::All && entry.external_id.is_none() {
            let message = "a source that is synchronized has a key for everybody";
            faults.add(entry.line, "external_id", message);
        }
        let known = entry.external_id.as_ref();
        let known = known.and_then(|id| linked.remove(id));
        owners.judge(&entry, known.as_ref(), &mut faults);
        let Some(known) = known else {
            plan.new.push(entry);
            continue;
        };
        let held = roles::roles_of(store, known.user.id).await;
        let held = held.map_err(of_store)?;
        match alter(known, &entry, &held) {
            Some(alteration) => plan.altered.push(alteration),
            None => plan.same += 1,
        }
    }
    if reach == Reach::All {
        let gone = linked.into_values().map(|one| one.user);
        plan.gone = gone.filter(|user| user.active).collect();
        plan.gone.sort_by_key(|user| user.id);
    }
    faults.check()?;
    Ok(plan)
}

/// Who has which address and which user name.
struct Owners {
    emails: HashMap<String, Uuid>,
    names: HashMap<String, Uuid>,
}

impl Owners {
    fn of(owned: Vec<Owned>) -> Self {
        let mut owners = Self {
            emails: HashMap::new(),
            names: HashMap::new(),
        };
        for one in owned {
            owners.emails.insert(one.email, one.id);
            if let Some(key) = one.username_key {
                owners.names.insert(key, one.id);
            }
        }
        owners
    }

    /// Notes what of a line somebody else has.
    fn judge(&self, entry: &Entry, known: Option<&Linked>, faults: &mut Faults) {
        let own = known.map(|known| known.user.id);
        let is_other = |owner: Option<&Uuid>| owner.is_some_and(|owner| Some(*owner) != own);
        if is_other(self.emails.get(entry.email.as_str())) {
            let message = match &entry.external_id {
                Some(id) => format!(
                    "an account has this address that the source does not know by {id}; if it is \
                     the same person: pilaster user update {} --external-id {id} --source …",
                    entry.email
                ),
                None => String::from("an account has this address"),
            };
            faults.add(entry.line, "email", &message);
        }
        let key = entry.username.as_ref().map(Username::username_key);
        if key.is_some_and(|key| is_other(self.names.get(key))) {
            let message = "another account has this user name";
            faults.add(entry.line, "username", message);
        }
    }
}

/// What is to be different about an account; `None` where it is as the file says. A password's hash
/// is for new accounts alone: whoever has one may have changed it.
fn alter(known: Linked, entry: &Entry, held: &[String]) -> Option<Alteration> {
    let user = known.user;
    let mut change = AccountChange::default();
    let mut said = Vec::new();
    let person = UserChange {
        email: (entry.email != user.email).then(|| entry.email.clone()),
        username: entry
            .username
            .clone()
            .filter(|name| user.username.as_deref() != Some(name.as_str())),
        names: names(&user, entry),
    };
    if let Some(email) = &person.email {
        said.push(format!("email {email}"));
    }
    if let Some(username) = &person.username {
        said.push(format!("username {username}"));
    }
    for (which, name) in &person.names {
        let member = match which {
            PersonName::First => "first_name",
            PersonName::Last => "last_name",
            PersonName::Display => "display_name",
        };
        said.push(format!("{member} {}", name.as_deref().unwrap_or("-")));
    }
    if entry.language.is_some() && entry.language != known.language {
        change.language = Some(entry.language.clone());
        said.push(format!(
            "language {}",
            entry.language.as_deref().unwrap_or("-")
        ));
    }
    if let Some(active) = entry.active.filter(|active| *active != user.active) {
        change.active = Some(active);
        said.push(String::from(match active {
            true => "enabled",
            false => "disabled",
        }));
    }
    let is_proved = user.email_verified_at.is_some() && person.email.is_none();
    if let Some(confirmed) = entry.confirmed.filter(|confirmed| *confirmed != is_proved) {
        change.confirmed = Some(confirmed);
        said.push(String::from(match confirmed {
            true => "its address is proved",
            false => "its address is not proved",
        }));
    }
    let held: HashSet<&str> = held.iter().map(String::as_str).collect();
    let roles: Vec<Ident> = entry
        .roles
        .iter()
        .filter(|role| !held.contains(role.as_str()))
        .cloned()
        .collect();
    said.extend(roles.iter().map(|role| format!("role {}", role.as_str())));
    change.person = person;
    (!said.is_empty()).then_some(Alteration {
        user,
        change,
        roles,
        said,
    })
}

/// Those that are not as the file says.
fn names(user: &User, entry: &Entry) -> Vec<(PersonName, Option<String>)> {
    let others = entry.names.iter().filter(|(which, wanted)| {
        let is = match which {
            PersonName::First => &user.first_name,
            PersonName::Last => &user.last_name,
            PersonName::Display => &user.display_name,
        };
        wanted != is
    });
    others.cloned().collect()
}
