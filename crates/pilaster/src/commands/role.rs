//! `role list`: what accounts can be given.

use serde_json::{Value, json};
use server::assignable;
use store::{StoreError, roles};

use crate::cli::Roles;
use crate::config::Configuration;
use crate::failure::{Failure, Outcome};
use crate::project::Accounts;

pub(super) async fn run(configuration: &Configuration, verb: &Roles, as_json: bool) -> Outcome {
    let Roles::List = verb;
    let accounts = Accounts::open(configuration).await?;
    let store = &accounts.store;
    let holders = roles::holders(store).await.map_err(|error| match error {
        StoreError::Db(error) => Failure::database(&store.db.description(), &error),
        other => Failure::failed(other.to_string()),
    })?;
    let protected = &accounts.settings.identity.administration.protected_roles;
    let mut list: Vec<(String, u64)> = assignable(&accounts.catalog)
        .iter()
        .map(|role| (role.to_string(), 0))
        .collect();
    for (name, count) in holders {
        match list.iter_mut().find(|(role, _)| *role == name) {
            Some(known) => known.1 = count,
            // What schema/ has lost is still held.
            None => list.push((name, count)),
        }
    }
    let is_protected = |role: &String| protected.contains(role);
    if as_json {
        let one = |(role, count): &(String, u64)| json!({"role": role, "holders": count, "protected": is_protected(role)});
        println!("{}", json!(list.iter().map(one).collect::<Vec<Value>>()));
        return Ok(());
    }
    for (role, count) in &list {
        let mark = match is_protected(role) {
            true => " protected",
            false => "",
        };
        println!("{role:<32} {count:>6}{mark}");
    }
    Ok(())
}
