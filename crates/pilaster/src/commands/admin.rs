//! `admin create`: the first administrator.

use std::time::Duration;

use serde_json::json;
use server::{EmailAddress, Purpose};
use store::audit::{self, Act, Actor, Entry, Target};
use store::tickets::{self, NewTicket};
use store::users;

use crate::cli::Admin;
use crate::config::{Configuration, master_key};
use crate::failure::{Failure, Outcome};
use crate::project::Accounts;

/// How long the link is good.
const LIFE: Duration = Duration::from_mins(30);

pub(super) async fn run(configuration: &Configuration, verb: &Admin, as_json: bool) -> Outcome {
    let Admin::Create { email } = verb;
    let email =
        EmailAddress::parse(email).map_err(|error| Failure::usage(format!("{email}: {error}")))?;
    let master = master_key(configuration)?;
    let accounts = Accounts::open(configuration).await?;
    let store = &accounts.store;
    let failed = |error: store::StoreError| Failure::failed(error.to_string());
    let existing = users::by_email(store, &email).await.map_err(failed)?;
    if existing.is_some() {
        return Err(Failure::failed(format!("{email} has an account already"))
            .fix(format!("pilaster user grant {email} admin")));
    }
    let ticket = NewTicket {
        purpose: Purpose::FirstAdministrator,
        user: None,
        mailbox: Some(email.clone()),
        content: String::from("{}"),
        life: LIFE,
    };
    let (issued, mut unit) = tickets::issue_steps(store, &master.code_key(), &ticket);
    unit.push(audit::insert_step(
        store,
        &Entry {
            act: Act::AdministratorLinkMade,
            actor: Actor::Shell,
            target: Target {
                id: None,
                name: Some(email.to_string()),
            },
            address: None,
            request_id: None,
            details: None,
        },
    ));
    let written = store.db.write(unit).await;
    written.map_err(|error| Failure::database(&store.db.description(), &error))?;
    let token = issued.token.to_text();
    let link = accounts.settings.mail.administrator_link(token.expose());
    let until = format!("{:.0}", issued.expires_at);
    match as_json {
        true => println!("{}", json!({"link": link, "expires_at": until})),
        false => {
            println!("{link}");
            eprintln!("good until {until}, once");
        }
    }
    Ok(())
}
