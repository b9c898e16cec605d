//! One file for each verb.

mod check;
mod config;
mod db;
mod dev;
mod init;
mod migrate;
mod openapi;
mod routes;
mod secret;
mod serve;

use crate::cli::{Arguments, Command};
use crate::config::{Configuration, find_file};
use crate::failure::Outcome;

/// Runs what the command line asks for.
pub(crate) async fn run(arguments: Arguments) -> Outcome {
    let load = || {
        let file = find_file(arguments.config.as_deref())?;
        Configuration::load(&file, &arguments.target)
    };
    match arguments.command {
        Command::Init { folder, example } => init::run(&folder, &example),
        Command::Version => {
            println!("pilaster {}", env!("CARGO_PKG_VERSION"));
            Ok(())
        }
        Command::Dev { folder } => {
            let file = find_file(folder.as_deref().or(arguments.config.as_deref()))?;
            dev::run(&file, &arguments.target).await
        }
        Command::Serve => serve::run(&load()?).await,
        Command::Migrate(verb) => migrate::run(&load()?, &verb, arguments.json).await,
        Command::Db(verb) => db::run(&load()?, &verb, arguments.json).await,
        Command::Check { offline } => check::run(&load()?, offline).await,
        Command::Routes => routes::run(&load()?, arguments.json),
        Command::Config(_) => {
            config::show(&load()?, arguments.json);
            Ok(())
        }
        Command::Secret(_) => secret::generate(&load()?),
        Command::Openapi => openapi::run(&load()?),
    }
}
