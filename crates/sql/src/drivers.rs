//! The three drivers, one file each.

use crate::{DbResult, Kind, ValueRef};

/// A row of SQLite.
pub struct SqliteRow<'row>(std::marker::PhantomData<&'row ()>);
/// A row of PostgreSQL.
pub struct PostgresRow<'row>(std::marker::PhantomData<&'row ()>);
/// A row of MySQL or MariaDB.
pub struct MySqlRow<'row>(std::marker::PhantomData<&'row ()>);
impl SqliteRow<'_> {
    pub(crate) fn get(&self, _i: usize, _k: Kind) -> DbResult<ValueRef<'_>> {
        unimplemented!()
    }
}
impl PostgresRow<'_> {
    pub(crate) fn get(&self, _i: usize, _k: Kind) -> DbResult<ValueRef<'_>> {
        unimplemented!()
    }
}
impl MySqlRow<'_> {
    pub(crate) fn get(&self, _i: usize, _k: Kind) -> DbResult<ValueRef<'_>> {
        unimplemented!()
    }
}
