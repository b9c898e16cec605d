//! One file for each verb.

mod admin;
mod audit;
mod check;
mod client;
mod config;
mod confirm;
mod db;
mod dev;
mod hooks;
mod init;
mod keys;
mod log;
mod login;
mod migrate;
mod openapi;
mod role;
mod routes;
mod rules;
mod secret;
mod serve;
mod test;
mod types;
mod user;

use crate::cli::{Address, Arguments, Command};
use crate::config::{Configuration, find_file};
use crate::failure::Outcome;

/// Runs what the command line asks for.
pub(crate) async fn run(arguments: Arguments) -> Outcome {
    let load = || {
        let file = find_file(arguments.config.as_deref())?;
        Configuration::load(&file, &arguments.target, &arguments.set)
    };
    let listening = |address: &Address| address.flags(&arguments.set);
    match arguments.command {
        Command::Init { folder, example } => init::run(&folder, &example),
        Command::Version => {
            println!("pilaster {}", env!("CARGO_PKG_VERSION"));
            Ok(())
        }
        Command::Dev { folder, address } => {
            let file = find_file(folder.as_deref().or(arguments.config.as_deref()))?;
            Box::pin(dev::run(&file, &arguments.target, &listening(&address))).await
        }
        Command::Serve {
            address,
            trace_console,
        } => {
            let file = find_file(arguments.config.as_deref())?;
            let flags = listening(&address);
            let configuration = Configuration::load(&file, &arguments.target, &flags)?;
            Box::pin(serve::run(&configuration, trace_console)).await
        }
        Command::Test { paths, db } => Box::pin(test::run(&load()?, &db, &paths)).await,
        Command::User(verb) => Box::pin(user::run(&load()?, verb, arguments.json)).await,
        Command::Role(verb) => role::run(&load()?, &verb, arguments.json).await,
        Command::Login { user, opaque, code } => {
            let asked = login::Asked { user, opaque, code };
            login::run(&load()?, &asked, arguments.json).await
        }
        Command::Migrate(verb) => migrate::run(&load()?, &verb, arguments.json).await,
        Command::Db(verb) => Box::pin(db::run(&load()?, &verb, arguments.json)).await,
        Command::Backup { to, keep } => db::backup(&load()?, &to, keep).await,
        Command::Restore { file, confirmed } => {
            db::restore(&load()?, &file, confirmed.confirm.as_deref()).await
        }
        Command::Check { offline, strict } => {
            let asked = check::Asked {
                offline,
                strict,
                json: arguments.json,
            };
            check::run(&load()?, asked).await
        }
        Command::Rules { verb } => rules::run(&load()?, verb.as_ref(), arguments.json).await,
        Command::Routes => routes::run(&load()?, arguments.json),
        Command::Config(_) => {
            config::show(&load()?, arguments.json);
            Ok(())
        }
        Command::Client(verb) => client::run(&load()?, &verb, arguments.json).await,
        Command::Keys(verb) => keys::run(&load()?, &verb, arguments.json).await,
        Command::Admin(verb) => admin::run(&load()?, &verb, arguments.json).await,
        Command::Audit(filter) => audit::run(&load()?, &filter, arguments.json).await,
        Command::Hooks(verb) => hooks::run(&load()?, &verb, arguments.json).await,
        Command::Secret(verb) => secret::run(&load()?, &verb),
        Command::Openapi(asked) => openapi::run(load, &asked, arguments.json),
        Command::Types(verb) => types::run(&load()?, &verb),
    }
}
