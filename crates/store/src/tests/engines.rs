//! A store with its tables on every engine that the tests run on.

use credentials::{HashParams, MasterKey};
use jiff::Timestamp;
use sql::{Dialect, Sql, Step};
use stdx::{Clock, Rng};
use testkit::ThrowAwayDatabase;

use crate::Store;

/// The least work that Argon2 takes, so that a test is quick.
pub(super) const QUICK: HashParams = HashParams {
    memory_kib: 8,
    iterations: 1,
    parallelism: 1,
};

pub(super) fn master() -> MasterKey {
    MasterKey::parse("9f2c4e8a1b7d3f6058e1c9a4b2d7f03e6a8c5b1d9e4f7023c6a1b8d5e3f09274").unwrap()
}

/// Runs `fact` on a fresh database of each engine that was asked for.
pub(super) async fn every_engine(fact: impl AsyncFn(&Store)) {
    for dialect in Dialect::ALL {
        let Some(database) = ThrowAwayDatabase::create(dialect.name()).await else {
            continue;
        };
        // Shown with a failure alone.
        println!("on {dialect}");
        let clock = Clock::manual(Timestamp::from_second(1_795_000_000).unwrap());
        let store = Store::new(database.connect().await, clock, Rng::System);
        create_tables(&store).await;
        fact(&store).await;
        store.db.close().await.unwrap();
    }
}

/// The tables of the migrations, spelled for the engine by replacing type names: enough for
/// these tables, and independent of the room that does it for everybody's.
async fn create_tables(store: &Store) {
    for migration in crate::system_migrations() {
        let (_, up) = migration.text.split_once("-- @up\n").unwrap();
        let (up, _) = up.split_once("-- @down\n").unwrap();
        apply(store, up).await;
    }
}

async fn apply(store: &Store, up: &str) {
    let replacements: &[(&str, &str)] = match store.db.dialect() {
        Dialect::Postgres => &[],
        Dialect::Sqlite => &[
            (" uuid ", " text "),
            ("boolean", "integer"),
            ("timestamptz", "text"),
            ("bytea", "blob"),
            // SQLite adds no constraint to a table that is there; an index is the same.
            (
                "alter table auth_users add constraint auth_users_external_id_key unique (",
                "create unique index auth_users_external_id_key on auth_users (",
            ),
            (
                "alter table auth_users drop constraint auth_users_external_id_key",
                "drop index auth_users_external_id_key",
            ),
            (
                "alter table auth_users add constraint \
                 auth_users_external_source_external_id_key unique (",
                "create unique index auth_users_external_source_external_id_key on auth_users (",
            ),
        ],
        Dialect::MariaDb => &[
            ("references auth_users", "references auth_users (id)"),
            ("references auth_grants", "references auth_grants (id)"),
            (
                "references auth_opaque_setups",
                "references auth_opaque_setups (id)",
            ),
            ("timestamptz", "datetime(6)"),
            ("bytea", "longblob"),
        ],
        Dialect::MySql => &[
            ("references auth_users", "references auth_users (id)"),
            ("references auth_grants", "references auth_grants (id)"),
            (
                "references auth_opaque_setups",
                "references auth_opaque_setups (id)",
            ),
            (" uuid ", " binary(16) "),
            (" uuid,", " binary(16),"),
            ("timestamptz", "datetime(6)"),
            ("bytea", "longblob"),
        ],
    };
    let mut up = up.to_owned();
    for (portable, native) in replacements {
        up = up.replace(portable, native);
    }
    for statement in up.split(';').map(str::trim).filter(|s| !s.is_empty()) {
        let mut sql = Sql::new(store.db.dialect());
        // Text from a file of ours; the writer wants it static.
        sql.push(statement.to_owned().leak());
        let is_table = statement.starts_with("create table");
        sql.push(match store.db.dialect() {
            _ if !is_table => "",
            Dialect::Sqlite | Dialect::Postgres => "",
            Dialect::MariaDb => " character set utf8mb4 collate utf8mb4_nopad_bin",
            Dialect::MySql => " character set utf8mb4 collate utf8mb4_0900_bin",
        });
        store.db.write(vec![Step::new(sql)]).await.unwrap();
    }
}
