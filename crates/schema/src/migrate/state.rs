//! How the files of a history stand with a database.

use jiff::Timestamp;

use super::books::{Direction, Recorded};
use super::file::{Migration, Migrations};
use super::{History, MigrationError, fold};
use crate::{Catalog, Operation};

/// How a migration stands with a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MigrationState {
    /// Applied.
    Applied(Timestamp),
    /// Begun and not finished, on an engine without transactional DDL.
    Interrupted {
        /// Which way it was going.
        direction: Direction,
        /// Statements that are done.
        done: i64,
        /// Of how many.
        of: i64,
    },
    /// Not applied.
    Pending,
}

/// One line of `migrate status`.
#[derive(Clone, Debug)]
pub struct MigrationStatus {
    /// Its revision.
    pub revision: String,
    /// Its name.
    pub name: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// How it stands.
    pub state: MigrationState,
}

/// A file, and what the database remembers of it.
pub(super) struct Standing<'m> {
    pub(super) migration: &'m Migration,
    pub(super) state: MigrationState,
    /// The line in the books that is this file's.
    pub(super) known: Option<Recorded>,
    /// Lines in the books that it stands for: of files that were squashed into it, or its own
    /// under the revision that it had before a merge.
    pub(super) stale: Vec<String>,
}

impl Standing<'_> {
    pub(super) fn is_applied(&self) -> bool {
        matches!(self.state, MigrationState::Applied(_))
    }
}

/// The files of a history beside the books of a database, verified against each other.
pub(super) fn standings<'m>(
    migrations: &'m Migrations,
    recorded: &[Recorded],
) -> Result<Vec<Standing<'m>>, MigrationError> {
    for known in recorded {
        if !migrations.files.iter().any(|file| is_of(file, known)) {
            return Err(no_file(migrations, known));
        }
    }
    let standings: Vec<Standing<'m>> = migrations
        .files
        .iter()
        .map(|file| standing(file, recorded))
        .collect::<Result<_, _>>()?;
    in_order(&standings)?;
    Ok(standings)
}

/// Whether a line in the books is about this file, or about one that it replaces.
fn is_of(file: &Migration, known: &Recorded) -> bool {
    is_own(file, known) || replaces(file, known)
}

fn is_own(file: &Migration, known: &Recorded) -> bool {
    file.checksum == known.checksum
        && (file.revision == known.revision || file.was.as_ref() == Some(&known.revision))
}

fn replaces(file: &Migration, known: &Recorded) -> bool {
    let mut replaced = file.replaces.iter();
    replaced.any(|one| one.revision == known.revision && one.checksum == known.checksum)
}

fn no_file(migrations: &Migrations, known: &Recorded) -> MigrationError {
    let name = format!("{}_{}", known.revision, known.name);
    let mut files = migrations.files.iter();
    match files.find(|file| file.revision == known.revision && file.name == known.name) {
        Some(file) => MigrationError::Edited {
            name,
            applied: known.checksum.clone(),
            found: file.checksum.clone(),
        },
        None => MigrationError::Missing(name),
    }
}

fn standing<'m>(
    migration: &'m Migration,
    recorded: &[Recorded],
) -> Result<Standing<'m>, MigrationError> {
    if let Some(known) = recorded.iter().find(|known| is_own(migration, known)) {
        let state = match known.is_applied() {
            true => MigrationState::Applied(known.at),
            false => MigrationState::Interrupted {
                direction: known.direction,
                done: known.done,
                of: known.steps,
            },
        };
        let renamed = known.revision != migration.revision;
        return Ok(Standing {
            migration,
            state,
            stale: Vec::from_iter(renamed.then(|| known.revision.clone())),
            known: Some(known.clone()),
        });
    }
    let replaced: Vec<&Recorded> = recorded
        .iter()
        .filter(|known| replaces(migration, known) && known.is_applied())
        .collect();
    let lacks: Vec<String> = migration
        .replaces
        .iter()
        .filter(|one| replaced.iter().all(|known| known.revision != one.revision))
        .map(|one| one.revision.clone())
        .collect();
    let state = match replaced.last() {
        Some(last) if lacks.is_empty() => MigrationState::Applied(last.at),
        Some(_) => {
            let squashed = migration.title();
            return Err(MigrationError::HalfSquashed { squashed, lacks });
        }
        None => MigrationState::Pending,
    };
    Ok(Standing {
        migration,
        state,
        known: None,
        stale: replaced
            .iter()
            .map(|known| known.revision.clone())
            .collect(),
    })
}

/// Nothing pending stands before what is applied, unless a merge has found it independent.
fn in_order(standings: &[Standing<'_>]) -> Result<(), MigrationError> {
    for (place, pending) in standings.iter().enumerate() {
        if pending.state != MigrationState::Pending {
            continue;
        }
        let reference = pending.migration.reference();
        let mut later = standings.iter().skip(place + 1);
        let in_the_way = later
            .any(|other| other.is_applied() && !other.migration.independent.contains(&reference));
        if in_the_way {
            return Err(MigrationError::OutOfOrder(pending.migration.title()));
        }
    }
    Ok(())
}

/// The tables that what is applied has led to. Applied files come first: after a merge a pending
/// one can stand before them.
pub(super) fn applied_catalog(
    standings: &[Standing<'_>],
    history: History,
) -> Result<Catalog, MigrationError> {
    let mut catalog = Catalog::empty();
    for standing in standings.iter().filter(|standing| standing.is_applied()) {
        follow(&mut catalog, standing.migration, history)?;
    }
    Ok(catalog)
}

/// A file's operations, each with the catalog that it leads to.
pub(super) fn follow(
    catalog: &mut Catalog,
    migration: &Migration,
    history: History,
) -> Result<Vec<(Operation, Catalog)>, MigrationError> {
    fold::operations(catalog, &migration.up, history.kind()).map_err(MigrationError::Files)
}
