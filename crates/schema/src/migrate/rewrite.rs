//! Changes of the files themselves: tags, several files into one, two branches into one line.

use std::fmt::Write as _;

use lang::{Diagnostic, Source, Span};

use super::file::{Migration, Migrations, checksum_of};
use super::fold;
use super::write::{down_of, slug, up_of};
use crate::{Catalog, CatalogKind, Operation, diff};

/// Files to write and to remove, by their names in `migrations/`.
#[derive(Clone, Debug, Default)]
pub struct Rewritten {
    /// Names and texts.
    pub write: Vec<(String, String)>,
    /// Names.
    pub remove: Vec<String>,
    /// What was done, a line each.
    pub summary: Vec<String>,
}

type Rewriting = Result<Rewritten, Vec<Diagnostic>>;

fn refuse(path: &str, message: String, hint: &str) -> Vec<Diagnostic> {
    let here = Span { line: 1, column: 1 };
    vec![Diagnostic::new(path, here, message).hint(hint)]
}

fn file_name(source: &Source) -> String {
    let name = source.path.rsplit('/').next();
    name.unwrap_or(&source.path).to_owned()
}

fn source_of<'s>(sources: &'s [Source], file: &Migration) -> Result<&'s Source, Vec<Diagnostic>> {
    let found = sources.iter().find(|source| source.path == file.up.path);
    found.ok_or_else(|| refuse(&file.up.path, file.title(), "this file is not there"))
}

/// What stands behind the header.
fn body(source: &Source) -> &str {
    let is_header = |line: &&str| {
        let line = line.trim();
        line.starts_with("-- @") && !line.starts_with("-- @up") && line != "-- @destructive"
    };
    let header: usize = source
        .text
        .split_inclusive('\n')
        .take_while(is_header)
        .map(str::len)
        .sum();
    &source.text[header..]
}

impl Migrations {
    /// Gives the state behind a file a name that `up`, `down` and `stamp` know.
    pub fn tag(&self, sources: &[Source], target: &str, tag: &str) -> Rewriting {
        let valid = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let path = "migrations/";
        if tag.is_empty()
            || tag == "head"
            || !tag.chars().all(valid)
            || !tag.contains(char::is_alphabetic)
        {
            let hint = "letters, digits, dots, hyphens and underscores, with at least one letter";
            return Err(refuse(path, format!("{tag} cannot be a tag"), hint));
        }
        if let Some(place) = self.find(tag) {
            let message = format!("{tag} is {} already", self.files[place].title());
            return Err(refuse(path, message, "choose another tag"));
        }
        let Some(file) = self.find(target).map(|place| &self.files[place]) else {
            let message = format!("there is no migration {target}");
            return Err(refuse(path, message, "pilaster migrate history lists them"));
        };
        let source = source_of(sources, file)?;
        let text = source
            .text
            .replacen("-- @up", &format!("-- @tag {tag}\n-- @up"), 1);
        // The tag belongs to the header, in front of what the checksum covers.
        let text = match body(source).starts_with("-- @destructive") {
            true => source.text.replacen(
                "-- @destructive",
                &format!("-- @tag {tag}\n-- @destructive"),
                1,
            ),
            false => text,
        };
        Ok(Rewritten {
            write: vec![(file_name(source), text)],
            summary: vec![format!("{} is {tag}", file.title())],
            ..Rewritten::default()
        })
    }

    /// Makes one file out of all up to `target`. Databases that have applied them all go on from
    /// it; those that have applied some have to apply the rest first.
    pub fn squash(
        &self,
        sources: &[Source],
        target: &str,
        name: &str,
        kind: CatalogKind,
    ) -> Rewriting {
        let path = "migrations/";
        let Some(last) = self.find(target) else {
            let message = format!("there is no migration {target}");
            return Err(refuse(path, message, "pilaster migrate history lists them"));
        };
        let squashed = &self.files[..=last];
        if squashed.len() < 2 {
            let hint = "squash makes one file out of at least two";
            return Err(refuse(
                path,
                String::from("there is nothing to squash"),
                hint,
            ));
        }
        let mut catalog = Catalog::empty();
        for file in squashed {
            let steps = fold::operations(&mut catalog, &file.up, kind)?;
            if steps
                .iter()
                .any(|(step, _)| matches!(step, Operation::Change(_)))
            {
                let message = format!("{} changes rows", file.title());
                let hint = "a squashed file holds structure alone; squash up to the file before, \
                            or from here on when no database needs the change any more";
                return Err(refuse(&file.up.path, message, hint));
            }
        }
        let operations = diff(&Catalog::empty(), &catalog)?.operations;
        let body = format!(
            "-- @up\n{}-- @down\n{}",
            up_of(&operations),
            down_of(&operations)
        );
        let file = &self.files[last];
        let slug = slug(name);
        let mut text = format!(
            "-- @revision {}\n-- @parent none\n-- @name {slug}\n",
            file.revision
        );
        let _ = writeln!(text, "-- @checksum sha256:{}", checksum_of(&body));
        for tag in &file.tags {
            let _ = writeln!(text, "-- @tag {tag}");
        }
        let mut remove = Vec::new();
        for file in squashed {
            for earlier in file.replaces.iter().chain([&file.reference()]) {
                let (revision, checksum) = (&earlier.revision, &earlier.checksum);
                let _ = writeln!(text, "-- @replaces {revision} sha256:{checksum}");
            }
            remove.push(file_name(source_of(sources, file)?));
        }
        text.push_str(&body);
        let new_name = format!("{}_{slug}.sql", file.revision);
        remove.retain(|name| *name != new_name);
        Ok(Rewritten {
            summary: vec![format!("{} files became {new_name}", squashed.len())],
            write: vec![(new_name, text)],
            remove,
        })
    }

    /// Puts two branches of the files into one line: of two files with the same parent the later
    /// one by its name, or those named in `behind`, go to the end.
    pub fn merge(sources: &[Source], behind: &[String], kind: CatalogKind) -> Rewriting {
        let files = Self::parse_all(sources)?;
        let is_named = |file: &Migration| {
            let name = |wanted: &String| wanted.trim_end_matches(".sql") == file.title();
            behind.iter().any(name)
        };
        let (mut line, mut moved): (Vec<Migration>, Vec<Migration>) = (Vec::new(), Vec::new());
        for file in files {
            let is_second = line.iter().any(|other| other.parent == file.parent);
            let goes = if behind.is_empty() {
                is_second
            } else {
                is_named(&file)
            };
            if goes { &mut moved } else { &mut line }.push(file);
        }
        if moved.is_empty() {
            let hint = "there is one line of migrations already";
            return Err(refuse(
                "migrations/",
                String::from("nothing to merge"),
                hint,
            ));
        }
        let fork = moved.first().and_then(|file| file.parent.clone());
        let fork = line
            .iter()
            .position(|file| Some(&file.revision) == fork.as_ref());
        let beside = &line[fork.map_or(0, |place| place + 1)..];
        let base = &line[..line.len() - beside.len()];
        let ours = fold_all(&[base, beside, &moved], kind)?;
        // Where the other order leads to the same tables, a database that has applied the moved
        // files alone can apply the others afterwards.
        let theirs = fold_all(&[base, &moved, beside], kind);
        let commute = theirs.is_ok_and(|theirs| is_same(&ours, &theirs));
        let mut rewritten = Rewritten::default();
        let mut parent = line.last().map(|file| file.revision.clone());
        for file in &moved {
            let source = source_of(sources, file)?;
            let revision = following(parent.as_deref());
            let mut text = format!(
                "-- @revision {revision}\n-- @parent {}\n-- @name {}\n-- @checksum sha256:{}\n",
                parent.as_deref().unwrap_or("none"),
                file.name,
                file.checksum
            );
            for tag in &file.tags {
                let _ = writeln!(text, "-- @tag {tag}");
            }
            if commute {
                let _ = writeln!(text, "-- @was {}", file.revision);
                for other in beside {
                    let (revision, checksum) = (&other.revision, &other.checksum);
                    let _ = writeln!(text, "-- @independent {revision} sha256:{checksum}");
                }
            }
            text.push_str(body(source));
            let name = format!("{revision}_{}.sql", file.name);
            rewritten
                .summary
                .push(format!("{} became {name}", file.title()));
            rewritten.write.push((name, text));
            rewritten.remove.push(file_name(source));
            parent = Some(revision);
        }
        if !commute {
            rewritten.summary.push(String::from(
                "the branches touch the same things: a database that has applied the moved files \
                 has to take them back first (pilaster migrate down)",
            ));
        }
        Ok(rewritten)
    }
}

/// The number behind a revision.
pub(super) fn following(revision: Option<&str>) -> String {
    let number = revision.and_then(|revision| revision.parse::<u32>().ok());
    format!("{:04}", number.unwrap_or(0) + 1)
}

fn fold_all(lists: &[&[Migration]], kind: CatalogKind) -> Result<Catalog, Vec<Diagnostic>> {
    let mut catalog = Catalog::empty();
    for file in lists.iter().copied().flatten() {
        fold::operations(&mut catalog, &file.up, kind)?;
    }
    Ok(catalog)
}

fn is_same(one: &Catalog, other: &Catalog) -> bool {
    let empty = |from, to| diff(from, to).is_ok_and(|difference| difference.operations.is_empty());
    empty(one, other) && empty(other, one)
}
