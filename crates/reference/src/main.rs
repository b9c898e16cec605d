//! What a good engineer would write by hand for three routes of the Cruddur example, so that
//! `cargo xtask bench` has something honest to compare Pilaster with.
//!
//! `reference load URL USERS ACTIVITIES` fills the tables that Pilaster made; `reference serve
//! URL PORT` answers `GET /users/{uuid}`, `GET /feed` (20 rows with a join) and
//! `POST /activities`. Statements are prepared once, rows become structs, serde writes them.
//! `reference compare URL` sets the ways that Pilaster chose beside those that it did not.
#![expect(clippy::print_stdout, reason = "a program for the terminal")]

mod compare;
mod load;
mod model;
mod mysql;
mod postgres;
mod serve;
mod sqlite;

use anyhow::{Context as _, Result, bail};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["load", url, users, activities] => {
            load::run(url, users.parse()?, activities.parse()?).await
        }
        ["compare", url] => compare::run(url).await,
        ["serve", url, port] => serve::run(url, port.parse().context("PORT is a number")?).await,
        _ => bail!(
            "reference load URL USERS ACTIVITIES | reference serve URL PORT | reference compare URL"
        ),
    }
}
