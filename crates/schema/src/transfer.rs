//! Rows from one database into another of any engine, in bounded memory, checked by checksums.

use aws_lc_rs::digest::{SHA256, digest};
use lang::Type;
use sql::{Db, DbResult, Dialect, Ident, Kind, Query, Row, Sql, Step, Tx, Value};

use crate::diff::in_order_of_dependency;
use crate::{Catalog, Column, Table};

/// Rows in one page.
const PAGE: u64 = 1_000;
/// Values bound in one statement; SQLite takes 32,766.
const VALUES: usize = 20_000;

/// Count and checksum of a table's rows, in whatever order they come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digest {
    /// How many.
    pub rows: u64,
    /// The sum of the rows' SHA-256 digests, as two 64-bit numbers.
    pub sum: [u64; 2],
}

impl Digest {
    /// Takes a row in.
    pub fn add(&mut self, row: &Row) {
        let text = format!("{:?}", row.0);
        let hash = digest(&SHA256, text.as_bytes());
        let number = |place: usize| {
            let bytes = hash.as_ref().get(place..place + 8);
            let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
            u64::from_be_bytes(bytes.unwrap_or_default())
        };
        self.rows += 1;
        self.sum[0] = self.sum[0].wrapping_add(number(0));
        self.sum[1] = self.sum[1].wrapping_add(number(8));
    }
}

/// The tables of a catalog, for moving rows.
pub struct Transfer<'c> {
    tables: Vec<&'c Table>,
}

impl<'c> Transfer<'c> {
    /// Of all its tables, those that others point to first; the books of migrations left out.
    #[must_use]
    pub fn of(catalog: &'c Catalog) -> Self {
        Self {
            tables: in_order_of_dependency(catalog),
        }
    }

    /// The tables in order.
    #[must_use]
    pub fn tables(&self) -> &[&'c Table] {
        &self.tables
    }

    /// The columns whose values are moved: the engine works the others out.
    #[must_use]
    pub fn columns(table: &Table) -> Vec<&Column> {
        let columns = table.columns.iter();
        columns
            .filter(|column| column.generated.is_none())
            .collect()
    }

    /// Begins to read at one moment: what others write meanwhile is not seen.
    pub async fn begin(db: &Db) -> DbResult<Tx> {
        let mut tx = db.begin().await?;
        if db.dialect() == Dialect::Postgres {
            let mut sql = Sql::new(Dialect::Postgres);
            sql.push("set transaction isolation level repeatable read, read only");
            tx.execute(&sql).await?;
        }
        Ok(tx)
    }

    /// The rows behind `after`, at most a page of them, in the order of the primary key; without
    /// a key all rows come at once. `skip` leaves out so many first.
    pub async fn page(
        tx: &mut Tx,
        dialect: Dialect,
        table: &Table,
        after: Option<&Row>,
        skip: u64,
    ) -> DbResult<Vec<Row>> {
        let columns = Self::columns(table);
        let mut sql = Sql::new(dialect);
        sql.push("select ")
            .idents(columns.iter().map(|column| &column.name));
        sql.push(" from ").ident(&table.name);
        let key = key(table);
        if let (Some(after), false) = (after, key.is_empty()) {
            sql.push(" where (")
                .idents(key.iter().copied())
                .push(") > (");
            for (place, name) in key.iter().enumerate() {
                if place > 0 {
                    sql.push(", ");
                }
                let at = columns.iter().position(|column| column.name == **name);
                let value = at.and_then(|at| after.0.get(at).cloned());
                let kind = at.map_or(Kind::Text, |at| columns[at].ty.kind());
                sql.typed_arg(value.unwrap_or(Value::Null), kind);
            }
            sql.push(")");
        }
        if !key.is_empty() {
            sql.push(" order by ").idents(key.iter().copied());
            sql.push(" limit ").number(PAGE);
            if skip > 0 {
                sql.push(" offset ").number(skip);
            }
        }
        let kinds = columns.iter().map(|column| column.ty.kind()).collect();
        tx.rows(&Query::long(sql, kinds)).await
    }

    /// Whether a page was the last one.
    #[must_use]
    pub fn is_last(table: &Table, page: &[Row]) -> bool {
        key(table).is_empty() || u64::try_from(page.len()).unwrap_or(0) < PAGE
    }

    /// The statements that insert rows. Keys that point into the table itself, or to one that
    /// comes later, are left null where they can be; [`Self::late`] fills them.
    #[must_use]
    pub fn insert(&self, dialect: Dialect, table: &Table, rows: &[Row]) -> Vec<Step> {
        let columns = Self::columns(table);
        let late = self.late_columns(table);
        let mut steps = Vec::new();
        for rows in rows.chunks((VALUES / columns.len().max(1)).clamp(1, 500)) {
            let mut sql = Sql::new(dialect);
            sql.push("insert into ").ident(&table.name).push(" (");
            sql.idents(columns.iter().map(|column| &column.name));
            sql.push(") values ");
            for (number, row) in rows.iter().enumerate() {
                sql.push(if number > 0 { ", (" } else { "(" });
                for (place, (column, value)) in columns.iter().zip(&row.0).enumerate() {
                    if place > 0 {
                        sql.push(", ");
                    }
                    match (late.contains(&&column.name), &column.ty) {
                        (true, _) => sql.push("null"),
                        // It is a text until the server reads it.
                        (false, Type::Range(_)) => sql.typed_arg(value.clone(), column.ty.kind()),
                        (false, _) => sql.arg(value.clone()),
                    };
                }
                sql.push(")");
            }
            steps.push(Step::new(sql));
        }
        steps
    }

    /// The columns that [`Self::insert`] leaves null.
    #[must_use]
    pub fn late_columns<'t>(&self, table: &'t Table) -> Vec<&'t Ident> {
        let place = |name: &Ident| self.tables.iter().position(|other| other.name == *name);
        let own = place(&table.name);
        let is_late = |target: &Ident| place(target) >= own;
        let can_wait = |column: &&'t Ident| {
            let column = table.column(column.as_str());
            column.is_some_and(|column| column.nullable) && !key(table).is_empty()
        };
        table
            .foreign_keys
            .iter()
            .filter(|foreign| is_late(&foreign.target))
            .flat_map(|foreign| &foreign.columns)
            .filter(can_wait)
            .collect()
    }

    /// The statements that fill those columns.
    #[must_use]
    pub fn late(&self, dialect: Dialect, table: &Table, rows: &[Row]) -> Vec<Step> {
        let late = self.late_columns(table);
        let columns = Self::columns(table);
        let value = |row: &Row, name: &Ident| {
            let at = columns.iter().position(|column| column.name == *name);
            at.and_then(|at| row.0.get(at).cloned())
                .unwrap_or(Value::Null)
        };
        let is_filled = |row: &&Row| late.iter().any(|name| value(row, name) != Value::Null);
        rows.iter()
            .filter(is_filled)
            .map(|row| {
                let mut sql = Sql::new(dialect);
                sql.push("update ").ident(&table.name).push(" set ");
                for (place, name) in late.iter().enumerate() {
                    sql.push(if place > 0 { ", " } else { "" });
                    sql.ident(name).push(" = ").arg(value(row, name));
                }
                for (place, name) in key(table).iter().enumerate() {
                    sql.push(if place > 0 { " and " } else { " where " });
                    sql.ident(name).push(" = ").arg(value(row, name));
                }
                Step::new(sql)
            })
            .collect()
    }

    /// The statement after which PostgreSQL goes on numbering behind the rows that are there;
    /// the other engines see to it themselves.
    #[must_use]
    pub fn numbering(dialect: Dialect, table: &Table) -> Vec<Step> {
        if dialect != Dialect::Postgres {
            return Vec::new();
        }
        let numbered = table.columns.iter().filter(|column| column.identity);
        numbered
            .map(|column| {
                let mut sql = Sql::new(dialect);
                let quoted = format!("\"{}\"", table.name.as_str().replace('"', "\"\""));
                sql.push("select setval(pg_get_serial_sequence(")
                    .quoted(&quoted);
                sql.push(", ").quoted(column.name.as_str());
                sql.push("), coalesce(max(").ident(&column.name);
                sql.push("), 0) + 1, false) from ").ident(&table.name);
                Step::new(sql)
            })
            .collect()
    }
}

fn key(table: &Table) -> Vec<&Ident> {
    let key = table.primary_key.iter();
    key.flat_map(|key| &key.columns).collect()
}
