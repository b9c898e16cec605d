//! All rows of a database, Pilaster's own included, as a file that every engine can take.
//!
//! One JSON value on each line: the header, then for each table its columns, its rows and its
//! count with checksum.

use std::io::{BufRead, Write};

use rest::{value_as_json, value_from_json};
use schema::{Catalog, CatalogKind, Digest, Table, Transfer};
use serde_json::{Value as Json, json};
use sql::{Db, Kind, Query, Row, Sql, Step, Tx, Value};

use crate::failure::{Failure, Outcome};
use crate::progress::Bar;
use crate::project::{Files, require_current, system_migrations};

/// The file's version.
const VERSION: u64 = 1;

/// Both catalogs of a project, the system's first: users' rows may point to accounts.
pub(super) struct Catalogs {
    system: Catalog,
    user: Catalog,
}

impl Catalogs {
    pub(super) fn of(files: &Files) -> Outcome<Self> {
        let system = system_migrations()?.fold(CatalogKind::System);
        Ok(Self {
            system: system.map_err(|errors| Failure::files(&errors))?,
            user: files.catalog()?,
        })
    }

    pub(super) fn transfers(&self) -> [Transfer<'_>; 2] {
        [Transfer::of(&self.system), Transfer::of(&self.user)]
    }
}

pub(super) fn failed(db: &Db, error: &sql::DbError) -> Failure {
    Failure::database(&db.description(), error)
}

fn not_written(error: &std::io::Error) -> Failure {
    Failure::failed(format!("the file cannot be written: {error}"))
}

/// Writes everything, as of one moment; gives the number of rows.
pub(super) async fn dump(db: &Db, files: &Files, out: &mut impl Write) -> Outcome<u64> {
    require_current(db, files).await?;
    let catalogs = Catalogs::of(files)?;
    let revision = files
        .migrations()?
        .files
        .last()
        .map(|file| file.revision.clone());
    let header = json!({"pilaster": "dump", "version": VERSION, "revision": revision});
    writeln!(out, "{header}").map_err(|error| not_written(&error))?;
    let mut tx = Transfer::begin(db)
        .await
        .map_err(|error| failed(db, &error))?;
    let mut bar = Bar::new();
    let mut total = 0;
    for transfer in &catalogs.transfers() {
        for (place, table) in transfer.tables().iter().enumerate() {
            bar.step("dump", place, transfer.tables().len(), table.name.as_str());
            total += dump_table(db, &mut tx, table, out).await?;
        }
    }
    tx.rollback().await.map_err(|error| failed(db, &error))?;
    out.flush().map_err(|error| not_written(&error))?;
    Ok(total)
}

async fn dump_table(db: &Db, tx: &mut Tx, table: &Table, out: &mut impl Write) -> Outcome<u64> {
    let columns = Transfer::columns(table);
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let head = json!({"table": table.name.as_str(), "columns": names});
    writeln!(out, "{head}").map_err(|error| not_written(&error))?;
    let mut digest = Digest::default();
    let mut last: Option<Row> = None;
    loop {
        let page = Transfer::page(tx, db.dialect(), table, last.as_ref(), 0).await;
        let page = page.map_err(|error| failed(db, &error))?;
        for row in &page {
            digest.add(row);
            let values: Vec<String> = row
                .0
                .iter()
                .zip(&columns)
                .map(|(value, column)| value_as_json(value, column.ty.kind()))
                .collect();
            let line = writeln!(out, "[{}]", values.join(","));
            line.map_err(|error| not_written(&error))?;
        }
        if Transfer::is_last(table, &page) {
            break;
        }
        last = page.into_iter().next_back();
    }
    let end = json!({"end": table.name.as_str(), "rows": digest.rows, "sum": digest.sum});
    writeln!(out, "{end}").map_err(|error| not_written(&error))?;
    Ok(digest.rows)
}

/// Reads a dump to its end and takes nothing from it: whether it is whole and fits.
pub(super) fn verify(files: &Files, lines: &mut dyn BufRead) -> Outcome {
    let catalogs = Catalogs::of(files)?;
    let transfers = catalogs.transfers();
    let mut reader = Reader {
        lines,
        number: 0,
        text: String::new(),
    };
    reader.header(files)?;
    while let Some(head) = reader.next()? {
        let (_, table) = reader.table(&head, &transfers)?;
        let columns = Transfer::columns(table);
        let mut digest = Digest::default();
        while let Some(row) = reader.row_of(table, &columns, &digest)? {
            digest.add(&row);
        }
    }
    Ok(())
}

/// Puts a dump's rows into a database whose tables are there and empty; gives their number.
pub(super) async fn load(db: &Db, files: &Files, lines: &mut dyn BufRead) -> Outcome<u64> {
    let catalogs = Catalogs::of(files)?;
    let transfers = catalogs.transfers();
    require_empty(db, &transfers).await?;
    let mut reader = Reader {
        lines,
        number: 0,
        text: String::new(),
    };
    reader.header(files)?;
    let mut bar = Bar::new();
    let mut total = 0;
    while let Some(head) = reader.next()? {
        let (transfer, table) = reader.table(&head, &transfers)?;
        bar.step("load", reader.number, reader.number, table.name.as_str());
        total += load_table(db, &mut reader, transfer, table).await?;
    }
    Ok(total)
}

async fn load_table(
    db: &Db,
    reader: &mut Reader<'_>,
    transfer: &Transfer<'_>,
    table: &Table,
) -> Outcome<u64> {
    let columns = Transfer::columns(table);
    let mut digest = Digest::default();
    // What waits for rows that come later: few, where it is anything at all.
    let mut late = Vec::new();
    let mut rows = Vec::new();
    while let Some(row) = reader.row_of(table, &columns, &digest)? {
        digest.add(&row);
        late.extend(transfer.late(db.dialect(), table, std::slice::from_ref(&row)));
        rows.push(row);
        if rows.len() >= 1_000 {
            put(db, transfer, table, &mut rows).await?;
        }
    }
    put(db, transfer, table, &mut rows).await?;
    late.extend(Transfer::numbering(db.dialect(), table));
    write(db, late).await?;
    Ok(digest.rows)
}

async fn put(db: &Db, transfer: &Transfer<'_>, table: &Table, rows: &mut Vec<Row>) -> Outcome {
    write(db, transfer.insert(db.dialect(), table, rows)).await?;
    rows.clear();
    Ok(())
}

/// Units of a bounded size; an empty list is none.
pub(super) async fn write(db: &Db, mut steps: Vec<Step>) -> Outcome {
    while !steps.is_empty() {
        let rest = steps.split_off(steps.len().min(500));
        let unit = std::mem::replace(&mut steps, rest);
        db.write(unit).await.map_err(|error| failed(db, &error))?;
    }
    Ok(())
}

/// Refuses a database with rows: they would be mixed.
pub(super) async fn require_empty(db: &Db, transfers: &[Transfer<'_>]) -> Outcome {
    for table in transfers.iter().flat_map(Transfer::tables) {
        if count(db, table).await? > 0 && table.name != *"auth_settings" {
            return Err(Failure::decision(format!(
                "{} has rows in {}",
                db.description(),
                table.name
            ))
            .fix("take an empty database, or pilaster restore, which replaces what is there"));
        }
    }
    Ok(())
}

pub(super) async fn count(db: &Db, table: &Table) -> Outcome<u64> {
    let mut sql = Sql::new(db.dialect());
    sql.push("select count(*) from ").ident(&table.name);
    let row = db.optional(&Query::long(sql, vec![Kind::BigInt])).await;
    let row = row.map_err(|error| failed(db, &error))?;
    let count = row.and_then(|row| match row.0.first() {
        Some(Value::Int(count)) => u64::try_from(*count).ok(),
        _ => None,
    });
    Ok(count.unwrap_or(0))
}

/// Every row goes, those that point to others first.
pub(super) fn clear(db: &Db, transfers: &[Transfer<'_>]) -> Vec<Step> {
    let mut steps = Vec::new();
    for transfer in transfers.iter().rev() {
        for table in transfer.tables().iter().rev() {
            let late = transfer.late_columns(table);
            for name in late {
                let mut sql = Sql::new(db.dialect());
                sql.push("update ").ident(&table.name);
                sql.push(" set ").ident(name).push(" = null");
                steps.push(Step::new(sql));
            }
            let mut sql = Sql::new(db.dialect());
            sql.push("delete from ").ident(&table.name);
            steps.push(Step::new(sql));
        }
    }
    steps
}

/// The lines of a dump.
struct Reader<'r> {
    lines: &'r mut dyn BufRead,
    number: usize,
    text: String,
}

impl Reader<'_> {
    fn wrong(&self, message: &str) -> Failure {
        Failure::failed(format!("line {} of the dump: {message}", self.number))
    }

    fn next(&mut self) -> Outcome<Option<Json>> {
        self.text.clear();
        self.number += 1;
        let read = self.lines.read_line(&mut self.text);
        match read.map_err(|error| self.wrong(&error.to_string()))? {
            0 => Ok(None),
            _ => serde_json::from_str(&self.text)
                .map(Some)
                .map_err(|_| self.wrong("it is no JSON")),
        }
    }

    fn header(&mut self, files: &Files) -> Outcome {
        let header = self.next()?.unwrap_or(Json::Null);
        if header["pilaster"] != "dump" || header["version"] != json!(VERSION) {
            return Err(self.wrong("this is no dump of this version"));
        }
        let own = files
            .migrations()?
            .files
            .last()
            .map(|file| file.revision.clone());
        if header["revision"] != json!(own) {
            let theirs = header["revision"].as_str().unwrap_or("base");
            let own = own.as_deref().unwrap_or("base");
            return Err(self
                .wrong(&format!(
                    "it was made at migration {theirs}, and this is {own}"
                ))
                .fix(format!(
                    "pilaster migrate up {theirs} with the files of that time, load, then go on"
                )));
        }
        Ok(())
    }

    /// The table that a head names, with the columns that it has here.
    fn table<'t, 'c>(
        &self,
        head: &Json,
        transfers: &'t [Transfer<'c>],
    ) -> Outcome<(&'t Transfer<'c>, &'c Table)> {
        let name = head["table"].as_str().unwrap_or_default();
        let found = transfers.iter().find_map(|transfer| {
            let mut tables = transfer.tables().iter();
            let table = tables.find(|table| table.name == *name);
            table.map(|table| (transfer, *table))
        });
        let (transfer, table) =
            found.ok_or_else(|| self.wrong(&format!("schema/ has no table {name}")))?;
        let columns = Transfer::columns(table);
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        match head["columns"] == json!(names) {
            true => Ok((transfer, table)),
            false => Err(self.wrong(&format!("the columns of {name} are others"))),
        }
    }

    /// The next row of a table; `None` at its end, where count and checksum of the rows before
    /// have to be those of the file.
    fn row_of(
        &mut self,
        table: &Table,
        columns: &[&schema::Column],
        before: &Digest,
    ) -> Outcome<Option<Row>> {
        match self.next()? {
            Some(Json::Array(values)) => self.row(&values, columns).map(Some),
            Some(end) if end["end"] == json!(table.name.as_str()) => {
                match end["rows"] == json!(before.rows) && end["sum"] == json!(before.sum) {
                    true => Ok(None),
                    false => Err(self.wrong(&format!("the rows of {} are not whole", table.name))),
                }
            }
            _ => Err(self.wrong("the file ends too early")),
        }
    }

    fn row(&self, values: &[Json], columns: &[&schema::Column]) -> Outcome<Row> {
        if values.len() != columns.len() {
            return Err(self.wrong("a row has too few or too many values"));
        }
        let values = values.iter().zip(columns).map(|(value, column)| {
            value_from_json(value, &column.ty)
                .map_err(|message| self.wrong(&format!("{}: {message}", column.name)))
        });
        Ok(Row(values.collect::<Outcome<_>>()?))
    }
}
