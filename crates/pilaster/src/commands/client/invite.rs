//! `client invite`: a token by which programs register themselves as clients.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use server::{ClientRegistration, RegistrationToken, RegistrationUse};
use store::audit::{self, Act, Actor, Entry, Target};
use store::client_invitations;

use crate::failure::{Failure, Outcome};
use crate::project::Accounts;

/// A day.
const DAY: Duration = Duration::from_hours(24);

pub(super) async fn run(accounts: &Accounts, clients: u32, days: u16, as_json: bool) -> Outcome {
    if accounts.settings.oauth.registration == ClientRegistration::Off {
        return Err(Failure::usage("clients do not register themselves here")
            .fix("set oauth.registration = \"token\" in pilaster.toml"));
    }
    let store = &accounts.store;
    let token = RegistrationToken::generate(&store.rng);
    let life = SignedDuration::try_from(DAY * u32::from(days)).unwrap_or(SignedDuration::MAX);
    let until = store.clock.now().checked_add(life);
    let until = until.unwrap_or(Timestamp::MAX);
    let hash = token.hash(RegistrationUse::Register);
    let details = json!({"clients": clients, "until": format!("{until:.0}")});
    let unit = vec![
        client_invitations::insert_step(store, &hash, clients, until),
        audit::insert_step(
            store,
            &Entry {
                act: Act::ClientInvited,
                actor: Actor::Shell,
                target: Target::default(),
                address: None,
                request_id: None,
                details: Some(details.to_string()),
            },
        ),
    ];
    let written = store.db.write(unit).await;
    written.map_err(|error| Failure::database(&store.db.description(), &error))?;
    let text = token.to_text();
    let place = format!("{}/oauth2/register", accounts.settings.public_url);
    let until = format!("{until:.0}");
    match as_json {
        true => println!(
            "{}",
            json!({"token": text.expose(), "registration_endpoint": place, "expires_at": until})
        ),
        false => {
            println!("{}", text.expose());
            eprintln!("good for {clients} at {place} until {until}; it is shown this once");
        }
    }
    Ok(())
}
