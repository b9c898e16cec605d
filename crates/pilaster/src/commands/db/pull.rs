//! `db pull`: adopts a database that is there.

use schema::{Catalog, CatalogKind, History, Migrations, Pulled, Runner, pull};
use stdx::{Clock, Rng};

use crate::config::Configuration;
use crate::failure::{Failure, Outcome};
use crate::project::{Files, connect_to_migrate, system_migrations};

pub(super) async fn run(configuration: &Configuration) -> Outcome {
    let files = Files::read(&configuration.folder)?;
    if !files.schema.is_empty() || !files.migrations.is_empty() {
        return Err(
            Failure::decision("schema/ and migrations/ hold files already").fix(
                "pull into a project of its own: pilaster init --example blank, without schema/",
            ),
        );
    }
    let db = connect_to_migrate(configuration).await?;
    let (clock, rng) = (Clock::System, Rng::System);
    let failed = |error: sql::DbError| Failure::database(&db.description(), &error);
    let pulled = pull(&db, &clock, &rng).await.map_err(failed)?;
    let pulled = pulled.map_err(|errors| Failure::files(&errors))?;
    let write = |name: &str, text: &str| {
        let path = configuration.folder.join(name);
        let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        made.and_then(|()| std::fs::write(&path, text))
            .map_err(|error| Failure::failed(format!("{}: {error}", path.display())))?;
        println!("wrote {name}");
        Ok::<_, Failure>(())
    };
    write("schema/pulled.sql", &pulled.schema)?;
    let baseline = baseline(&pulled)?;
    write(&format!("migrations/{}", baseline.0), &baseline.1)?;
    if !pulled.conversions.is_empty() {
        let text = conversion(&baseline.1, db.dialect(), &pulled)?;
        write("migrations/0002_portable_types.sql", &text)?;
    }
    let files = Files::read(&configuration.folder)?;
    let rest = files
        .migrations()?
        .next(&files.catalog()?, "views and values", CatalogKind::User)
        .map_err(|errors| Failure::files(&errors))?;
    if let Some(rest) = &rest {
        write(&format!("migrations/{}", rest.file_name), &rest.text)?;
    }
    // Pilaster's own tables come; the user's are there.
    let system = system_migrations()?;
    let own = Runner::new(&db, &clock, &rng, History::System);
    let migrations = Files::read(&configuration.folder)?.migrations()?;
    let runner = Runner::new(&db, &clock, &rng, History::App);
    let stamped = async {
        own.up(&system, None, &mut |_| {}).await?;
        runner.stamp(&migrations, Some("0001")).await
    };
    stamped
        .await
        .map_err(|error| Failure::migration(&db, &error))?;
    for note in &pulled.notes {
        println!("note: {note}");
    }
    match pulled.conversions.is_empty() && rest.is_none() {
        true => println!("pilaster migrate check compares; grant what the API may show"),
        false => println!(
            "look at what stands behind 0001_pulled.sql, then pilaster migrate up; grant what the \
             API may show"
        ),
    }
    Ok(())
}

/// The file of what is there.
fn baseline(pulled: &Pulled) -> Outcome<(String, String)> {
    let source = lang::Source {
        path: String::from("schema/pulled.sql"),
        text: pulled.baseline.clone(),
    };
    let files = |errors: Vec<lang::Diagnostic>| Failure::files(&errors);
    let catalog = Catalog::from_sources(&[source], CatalogKind::User).map_err(files)?;
    let first = Migrations::default().next(&catalog, "pulled", CatalogKind::User);
    let first = first.map_err(|errors| Failure::files(&errors))?;
    let first = first.ok_or_else(|| Failure::failed("the database has no tables to pull"))?;
    Ok((first.file_name, first.text))
}

/// The file that makes this database's columns what the others get from the first one.
fn conversion(first: &str, dialect: sql::Dialect, pulled: &Pulled) -> Outcome<String> {
    let source = lang::Source {
        path: String::from("migrations/0001_pulled.sql"),
        text: first.to_owned(),
    };
    let known = Migrations::load(&[source]).map_err(|errors| Failure::files(&errors))?;
    let blank = known.blank("portable types").text;
    let (header, _) = blank.split_once("-- @up\n").unwrap_or((&blank, ""));
    let statements = pulled.conversions.join(";\n");
    let engine = dialect.name();
    Ok(format!(
        "{header}-- @up\n-- @engine {engine}\n{statements};\n-- @engine all\n-- @down\n"
    ))
}
