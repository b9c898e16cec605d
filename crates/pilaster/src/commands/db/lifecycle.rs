//! `db create | drop | setup | reset`

use schema::{Loss, NativeNames, drop_native_roles};
use sql::{DatabaseUrl, Db};

use crate::commands::confirm::{confirm, confirm_in_production};
use crate::config::{Configuration, admin_url, database_options, database_url, logins};
use crate::failure::{Failure, Outcome};
use crate::native::{Native, failure};
use crate::project::{Files, connect_to_migrate, migrate};

/// The administrator's address: the one that was given, or the login's own where it may.
fn administrator(configuration: &Configuration) -> Outcome<DatabaseUrl> {
    let own = logins(configuration)?;
    let own = own.migrator.unwrap_or(own.app);
    Ok(admin_url(configuration)?.unwrap_or(own))
}

fn failed(url: &DatabaseUrl, error: &sql::DbError) -> Failure {
    let failure = Failure::database(&url.to_string(), error);
    match error {
        sql::DbError::Denied(_) | sql::DbError::Unavailable(_) => failure.fix(
            "ADMIN_DATABASE_URL names the server's administrator, who makes logins and databases",
        ),
        _ => failure,
    }
}

pub(super) async fn create(configuration: &Configuration) -> Outcome {
    let logins = logins(configuration)?;
    let options = database_options(configuration, &logins.app)?;
    if let Some(path) = logins.app.sqlite_path() {
        let is_new = !path.exists();
        let db = Db::connect(&logins.app, &options).await;
        db.map_err(|error| failed(&logins.app, &error))?;
        println!(
            "{} {}",
            if is_new { "made" } else { "there already:" },
            path.display()
        );
        return Ok(());
    }
    let admin = administrator(configuration)?;
    let made = logins.create(&admin, &options).await;
    let made = made.map_err(|error| failed(&admin, &error))?;
    for line in &made {
        println!("made {line}");
    }
    if made.is_empty() {
        println!("there already: {}", logins.app);
    }
    Ok(())
}

pub(super) async fn drop(configuration: &Configuration, confirmed: Option<&str>) -> Outcome {
    let logins = logins(configuration)?;
    let name = logins.app.database_name();
    confirm("drop", &name, confirmed)?;
    if let Some(path) = logins.app.sqlite_path() {
        let mut there = false;
        for ending in ["", "-wal", "-shm"] {
            let mut file = path.as_os_str().to_owned();
            file.push(ending);
            match std::fs::remove_file(&file) {
                Ok(()) => there = true,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(Failure::failed(format!("{}: {error}", path.display()))),
            }
        }
        println!(
            "{}",
            if there {
                "dropped"
            } else {
                "there was nothing to drop"
            }
        );
        return Ok(());
    }
    let options = database_options(configuration, &logins.app)?;
    let admin = administrator(configuration)?;
    let server = Db::connect(&admin.maintenance(), &options).await;
    let server = server.map_err(|error| failed(&admin, &error))?;
    let names = NativeNames::of_database(&server, &name).await;
    let names = names.map_err(|error| failed(&admin, &error))?;
    let there = logins.drop_database(&admin, &options).await;
    let there = there.map_err(|error| failed(&admin, &error))?;
    if let Some(names) = names {
        let dropped = drop_native_roles(&server, &names).await;
        dropped.map_err(|error| failure(&server, &error))?;
    }
    match there {
        true => println!("dropped {name}; its logins stay"),
        false => println!("there was nothing to drop"),
    }
    Ok(())
}

/// Create, migrate, seed; the first failure stops.
pub(super) async fn setup(configuration: &Configuration, confirmed: Option<&str>) -> Outcome {
    let name = database_url(configuration)?.database_name();
    confirm_in_production(configuration, "put seed data into", &name, confirmed)?;
    create(configuration).await?;
    let files = Files::read(&configuration.folder)?;
    let db = connect_to_migrate(configuration).await?;
    let native = Native::of(configuration)?;
    for title in migrate(&db, &files, None, Loss::Refused, Some(&native)).await? {
        println!("applied {title}");
    }
    let rows = super::seed_into(&db, &files).await?;
    println!("seeded {rows} row(s) from {} file(s)", files.seed.len());
    Ok(())
}

pub(super) async fn reset(configuration: &Configuration, confirmed: Option<&str>) -> Outcome {
    let name = database_url(configuration)?.database_name();
    confirm("drop and make again", &name, confirmed)?;
    drop(configuration, Some(&name)).await?;
    setup(configuration, Some(&name)).await
}
