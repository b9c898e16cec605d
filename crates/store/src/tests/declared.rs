//! Facts about the declared tables and the migration that makes them.

use crate::{system_migrations, system_schema};

/// SQL without comments and line breaks, so that only what it says is compared.
fn plain(text: &str) -> String {
    let lines = text
        .lines()
        .map(|line| line.split_once("--").map_or(line, |(code, _)| code));
    let words: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
    words.join(" ")
}

#[test]
fn the_first_migration_makes_what_is_declared() {
    let declared: Vec<String> = system_schema().iter().map(|f| plain(&f.text)).collect();
    let migrations = system_migrations();
    let (_, up) = migrations[0].text.split_once("-- @up\n").unwrap();
    let (up, down) = up.split_once("-- @down\n").unwrap();
    assert_eq!(plain(up), declared.join(" "));

    let made: Vec<&str> = up
        .lines()
        .filter_map(|l| l.strip_prefix("create table "))
        .collect();
    let mut dropped: Vec<&str> = down
        .lines()
        .filter_map(|l| l.strip_prefix("drop table "))
        .collect();
    dropped.reverse();
    assert_eq!(made.len(), dropped.len());
    for (made, dropped) in made.iter().zip(dropped) {
        assert_eq!(made.trim_end_matches(" ("), dropped.trim_end_matches(';'));
        assert!(made.starts_with("auth_"));
    }
}
