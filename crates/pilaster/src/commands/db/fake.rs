//! `db fake`: accounts to try things out with, made as the service makes them, so that hooks run
//! and passwords work.

use rest::Limits;
use server::{App, InProcess};

use crate::commands::confirm::confirm_in_production;
use crate::config::{Configuration, database_url, master_key, settings};
use crate::failure::{Failure, Outcome};
use crate::progress::Bar;
use crate::project::{Files, connect, prepare, require_current};

/// What every one of them signs in with.
const PASSWORD: &str = "correct horse battery staple";

const NAMES: [&str; 12] = [
    "ada", "grace", "alan", "edsger", "barbara", "donald", "radia", "ken", "margaret", "dennis",
    "frances", "tony",
];

pub(super) async fn run(
    configuration: &Configuration,
    users: usize,
    confirmed: Option<&str>,
) -> Outcome {
    let name = database_url(configuration)?.database_name();
    confirm_in_production(configuration, "put made-up accounts into", &name, confirmed)?;
    let files = Files::read(&configuration.folder)?;
    let db = connect(configuration).await?;
    require_current(&db, &files).await?;
    let compiled = files.compile(db.dialect(), Limits::default())?;
    prepare(&db, &compiled).await?;
    let settings = settings(configuration, 0, true)?;
    let master = master_key(configuration)?;
    let app = App::new(db.clone(), &master, settings, compiled.api, compiled.hooks)
        .await
        .map_err(|error| Failure::failed(error.to_string()))?;
    let service = InProcess::new(app);
    let mut bar = Bar::new();
    let (mut made, mut number) = (0, 0);
    while made < users {
        number += 1;
        let name = format!("{}{number}", NAMES[number % NAMES.len()]);
        bar.step("fake", made, users, &name);
        made += usize::from(register(&service, &name).await?);
    }
    drop(bar);
    println!(
        "made {made} account(s), {}1@example.org and so on",
        NAMES[1]
    );
    println!("all sign in with \"{PASSWORD}\"");
    Ok(())
}

/// Gives whether the account is new: an earlier run may have made it.
async fn register(service: &InProcess, name: &str) -> Outcome<bool> {
    let body = serde_json::json!({
        "email": format!("{name}@example.org"), "username": name, "password": PASSWORD,
    });
    let headers = [(
        String::from("content-type"),
        String::from("application/json"),
    )];
    let answer = service
        .send("POST", "/register", &headers, body.to_string().into_bytes())
        .await;
    let answer = answer.map_err(Failure::failed)?;
    match answer.status {
        201 => Ok(true),
        409 => Ok(false),
        status => Err(Failure::failed(format!(
            "POST /register answered {status}: {}",
            answer.body
        ))),
    }
}
