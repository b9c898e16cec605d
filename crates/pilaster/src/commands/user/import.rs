//! `user import | sync`: a list of accounts that somebody else keeps. What it would do is shown first;
//! then all of it is done in one unit, or nothing.

mod file;
mod plan;

use rest::Happened;
use serde_json::{Value, json};
use server::{ChangeError, person};
use sql::{DbError, Step};
use store::administrators::{NOBODY_LEFT, keep_one_steps};
use store::audit::{Act, Target};
use store::external;
use store::sessions;
use store::users::{self, NewUser, PersonName};

use self::file::Entry;
use self::plan::{Alteration, Plan};
use super::change::{of_unit, refused, shell};
use crate::cli::UserFile;
use crate::commands::confirm::agree;
use crate::config::Configuration;
use crate::failure::{Failure, Outcome};
use crate::project::Accounts;

/// The longest name of a source, characters.
const LONGEST_SOURCE: usize = 60;

/// Which accounts a file speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Those that it names.
    Named,
    /// All of its source: who is not named may be nobody any more.
    All,
}

pub(super) async fn run(
    configuration: &Configuration,
    asked: &UserFile,
    reach: Reach,
    as_json: bool,
) -> Outcome {
    let source = asked.source.trim();
    if source.chars().count() > LONGEST_SOURCE || source.chars().any(char::is_control) {
        let message = format!("--source has at most {LONGEST_SOURCE} characters");
        return Err(Failure::usage(message));
    }
    let accounts = Accounts::open(configuration).await?;
    let (entries, faults) = file::read(&asked.file, &accounts.catalog)?;
    let plan = plan::make(&accounts, source, entries, faults, reach).await?;
    if !as_json {
        print(&plan);
    }
    if asked.dry_run || plan.is_nothing() {
        told(&plan, as_json, false);
        return Ok(());
    }
    let (changed, disabled) = (plan.altered.len(), plan.gone.len());
    if changed + disabled > 0 {
        let what = format!("{changed} accounts are changed and {disabled} disabled");
        agree(&what, asked.yes)?;
    }
    apply(&accounts, source, &plan).await?;
    told(&plan, as_json, true);
    Ok(())
}

fn told(plan: &Plan, as_json: bool, applied: bool) {
    if as_json {
        println!("{}", shown(plan, applied));
        return;
    }
    let word = match applied {
        true => "done",
        false => "nothing was done",
    };
    let (new, altered, gone) = (plan.new.len(), plan.altered.len(), plan.gone.len());
    let same = plan.same;
    println!("{new} new, {altered} changed, {gone} disabled, {same} the same: {word}");
}

fn print(plan: &Plan) {
    for entry in &plan.new {
        println!("+ {}", called(entry));
    }
    for alteration in &plan.altered {
        let said = alteration.said.join(", ");
        println!("~ {}: {said}", alteration.user.email);
    }
    for user in &plan.gone {
        println!("- {}", user.email);
    }
}

fn called(entry: &Entry) -> String {
    match &entry.external_id {
        Some(id) => format!("{} ({id})", entry.email),
        None => entry.email.to_string(),
    }
}

fn shown(plan: &Plan, applied: bool) -> Value {
    let new: Vec<&str> = plan.new.iter().map(|entry| entry.email.as_str()).collect();
    let altered = |one: &Alteration| json!({"id": one.user.id.to_string(), "email": one.user.email.as_str(), "what": one.said});
    let altered: Vec<Value> = plan.altered.iter().map(altered).collect();
    let gone: Vec<&str> = plan.gone.iter().map(|user| user.email.as_str()).collect();
    json!({"new": new, "changed": altered, "disabled": gone, "same": plan.same, "applied": applied})
}

/// Does all of it, or nothing.
async fn apply(accounts: &Accounts, source: &str, plan: &Plan) -> Outcome {
    let store = &accounts.store;
    let shell = shell(accounts);
    let leaving = plan.leaving();
    let mut unit = match leaving.is_empty() {
        true => Vec::new(),
        false => keep_one_steps(store, &leaving, store.clock.now()),
    };
    // First who lets go of an address, then who takes it.
    for alteration in &plan.altered {
        unit.extend(shell.change_steps(&alteration.user, &alteration.change));
        for role in &alteration.roles {
            unit.extend(store::roles::grant_new_steps(
                store,
                alteration.user.id,
                role,
                None,
            ));
            unit.extend(shell.granted(&alteration.user, role, None));
        }
    }
    for entry in &plan.new {
        unit.extend(made(accounts, source, entry));
    }
    for user in &plan.gone {
        unit.extend(users::set_active_steps(store, user.id, false));
        unit.push(sessions::delete_others_step(store, user.id, None));
        let details = json!({"by": "sync", "source": source});
        unit.push(shell.audit(Act::UserDisabled, user, Some(&details)));
    }
    let details = json!({
        "source": source, "new": plan.new.len(), "changed": plan.altered.len(),
        "disabled": plan.gone.len(),
    });
    unit.push(shell.audit_of(Act::UsersImported, Target::default(), Some(&details)));
    match store.db.write(unit).await {
        Ok(_) => Ok(()),
        Err(DbError::Unexpected { step, .. }) if !leaving.is_empty() && step == NOBODY_LEFT => {
            Err(refused(accounts, ChangeError::LastAdministrator))
        }
        Err(DbError::Unexpected { .. } | DbError::Unique { .. }) => Err(Failure::failed(
            "an account has changed meanwhile, or a file of hooks/ is in the way; nothing was done",
        )
        .fix("run the same again")),
        Err(error) => Err(of_unit(accounts, &error)),
    }
}

/// The steps that make one account, with everything that is told of it.
fn made(accounts: &Accounts, source: &str, entry: &Entry) -> Vec<Step> {
    let store = &accounts.store;
    let shell = shell(accounts);
    let mut user = NewUser::new(store, entry.email.clone());
    user.username.clone_from(&entry.username);
    for (which, name) in &entry.names {
        match which {
            PersonName::First => user.first_name.clone_from(name),
            PersonName::Last => user.last_name.clone_from(name),
            PersonName::Display => user.display_name.clone_from(name),
        }
    }
    let mut unit = vec![users::insert_step(store, &user)];
    if let Some(hash) = &entry.hash {
        unit.push(users::password_step(store, user.id, hash));
    }
    if let Some(id) = &entry.external_id {
        unit.push(external::link_step(store, user.id, source, Some(id)));
    }
    if entry.language.is_some() {
        let language = entry.language.as_deref();
        unit.push(external::language_step(store, user.id, language));
    }
    let is_confirmed = entry.confirmed == Some(true);
    if is_confirmed {
        unit.push(users::verified_step(store, user.id, Some(user.created_at)));
    }
    let made = user.made();
    let told = person(&made);
    let happened = Happened::UserRegistered { fields: None };
    unit.extend(shell.announcer.steps(&told, happened));
    let details = json!({"by": "import", "source": source});
    unit.push(shell.audit(Act::UserRegistered, &made, Some(&details)));
    if is_confirmed {
        let happened = Happened::UserConfirmed;
        unit.extend(shell.announcer.steps(&told, happened));
        unit.push(shell.audit(Act::UserConfirmed, &made, None));
    }
    for role in &entry.roles {
        unit.extend(store::roles::grant_new_steps(store, user.id, role, None));
        unit.extend(shell.granted(&made, role, None));
    }
    if entry.active == Some(false) {
        unit.extend(users::set_active_steps(store, user.id, false));
        unit.push(shell.audit(Act::UserDisabled, &made, None));
    }
    unit
}
