//! Facts about the declared tables and the migrations that make them.

use schema::{Catalog, CatalogKind, Migrations, diff};

use crate::{system_migrations, system_schema};

#[test]
fn the_migrations_make_what_is_declared() {
    let declared = Catalog::from_sources(&system_schema(), CatalogKind::System).unwrap();
    let migrations = Migrations::load(&system_migrations()).unwrap();
    let made = migrations.fold(CatalogKind::System).unwrap();
    let difference = diff(&made, &declared).unwrap();
    assert_eq!(
        difference.operations.len(),
        0,
        "{:?}",
        difference.operations
    );
    for table in &declared.tables {
        assert!(table.name.as_str().starts_with("auth_"), "{}", table.name);
        assert!(table.grants.is_empty(), "{} can be reached", table.name);
    }
}

#[test]
fn each_migration_drops_what_it_makes_in_the_other_order() {
    for migration in system_migrations() {
        let (up, down) = migration.text.split_once("-- @down\n").unwrap();
        let made: Vec<&str> = up
            .lines()
            .filter_map(|line| line.strip_prefix("create table "))
            .collect();
        let mut dropped: Vec<&str> = down
            .lines()
            .filter_map(|line| line.strip_prefix("drop table "))
            .collect();
        dropped.reverse();
        assert_eq!(made.len(), dropped.len(), "{}", migration.path);
        for (made, dropped) in made.iter().zip(dropped) {
            assert_eq!(made.trim_end_matches(" ("), dropped.trim_end_matches(';'));
        }
    }
}
