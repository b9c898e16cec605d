//! Migration files: a header, an up part and a down part.
//!
//! ```text
//! -- @revision 0001
//! -- @parent none
//! -- @name init
//! -- @checksum sha256:…
//! -- @up
//! create table …
//! -- @down
//! drop table …
//! ```
//!
//! The header can also hold `-- @tag v1` (a name for this place in the history),
//! `-- @replaces 0001 sha256:…` (files that were squashed into this one), and, written by
//! `migrate merge`, `-- @was 0002` (its revision before) with `-- @independent 0002 sha256:…` (a
//! file that may be applied after it although it stands before it).

use aws_lc_rs::digest::{SHA256, digest};
use lang::{Diagnostic, Source, Span};

/// One file.
#[derive(Clone, Debug)]
pub struct Migration {
    /// Its revision, which orders it: `0001`.
    pub revision: String,
    /// The revision before it.
    pub parent: Option<String>,
    /// What its author called it.
    pub name: String,
    /// Of everything behind the header, in hexadecimal.
    pub checksum: String,
    /// Names for the state that it leads to.
    pub tags: Vec<String>,
    /// The files that were squashed into it.
    pub replaces: Vec<Reference>,
    /// Its revision before a merge.
    pub was: Option<String>,
    /// The files before it that need not be applied before it.
    pub independent: Vec<Reference>,
    /// The up part, padded so that lines keep their numbers.
    pub up: Source,
    /// The down part, likewise.
    pub down: Source,
}

/// Another file, by what cannot change about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Its revision.
    pub revision: String,
    /// Its checksum.
    pub checksum: String,
}

/// All files of a history, in order.
#[derive(Clone, Debug, Default)]
pub struct Migrations {
    /// The files.
    pub files: Vec<Migration>,
}

/// The keys of a header, as they were read.
#[derive(Default)]
struct Header {
    revision: Option<String>,
    parent: Option<String>,
    name: Option<String>,
    checksum: Option<String>,
    tags: Vec<String>,
    replaces: Vec<Reference>,
    was: Option<String>,
    independent: Vec<Reference>,
}

impl Header {
    /// Takes a line of the header; gives whether the key is one of a header.
    fn take(&mut self, key: &str, value: &str) -> bool {
        let text = Some(value.to_owned());
        match key {
            "revision" => self.revision = text,
            "parent" => self.parent = text,
            "name" => self.name = text,
            "checksum" => self.checksum = text,
            "was" => self.was = text,
            "tag" => self.tags.extend(text),
            "replaces" => self.replaces.extend(reference(value)),
            "independent" => self.independent.extend(reference(value)),
            _ => return false,
        }
        true
    }
}

fn reference(value: &str) -> Option<Reference> {
    let (revision, checksum) = value.split_once(' ')?;
    Some(Reference {
        revision: revision.to_owned(),
        checksum: checksum.trim().trim_start_matches("sha256:").to_owned(),
    })
}

impl Migration {
    /// Revision and name, as in the file's name.
    #[must_use]
    pub fn title(&self) -> String {
        format!("{}_{}", self.revision, self.name)
    }

    /// This file as others point to it.
    #[must_use]
    pub fn reference(&self) -> Reference {
        Reference {
            revision: self.revision.clone(),
            checksum: self.checksum.clone(),
        }
    }

    pub(super) fn parse(source: &Source) -> Result<Self, Diagnostic> {
        let wrong = |line: usize, message: &str| {
            let line = u32::try_from(line + 1).unwrap_or(u32::MAX);
            Diagnostic::new(&source.path, Span { line, column: 1 }, message).hint(
                "a migration begins with -- @revision, -- @parent, -- @name and -- @checksum, \
                 then has -- @up and -- @down; `pilaster migrate new NAME` writes one",
            )
        };
        let mut header = Header::default();
        let (mut up, mut down) = (None, None);
        let (mut body_start, mut offset) = (None, 0);
        for (number, line) in source.text.split_inclusive('\n').enumerate() {
            offset += line.len();
            let Some(words) = line.trim().strip_prefix("-- @") else {
                continue;
            };
            let (key, value) = words.split_once(' ').unwrap_or((words, ""));
            match key {
                "up" => up = Some(offset),
                "down" => down = Some((number, offset)),
                "destructive" | "engine" => {}
                key if up.is_none() && header.take(key, value.trim()) => {
                    body_start = Some(offset);
                }
                _ => return Err(wrong(number, &format!("unknown key @{key}"))),
            }
        }
        let (Some(revision), Some(name)) = (header.revision, header.name) else {
            return Err(wrong(0, "the header is not complete"));
        };
        let (Some(up), Some((down_line, down)), Some(start)) = (up, down, body_start) else {
            return Err(wrong(0, "the file has no -- @up and -- @down"));
        };
        let found = checksum_of(source.text.get(start..).unwrap_or_default());
        let written = header.checksum.unwrap_or_default();
        if !written.is_empty() && written.trim_start_matches("sha256:") != found {
            return Err(
                wrong(0, "the checksum in the header is not the text's").hint(format!(
                    "if the edit is wanted and no database has applied the file, write \
                 -- @checksum sha256:{found}"
                )),
            );
        }
        let lines = source.text.split_inclusive('\n');
        let up_end = lines.take(down_line).map(str::len).sum::<usize>();
        Ok(Self {
            revision,
            parent: header.parent.filter(|parent| parent != "none"),
            name,
            checksum: found,
            tags: header.tags,
            replaces: header.replaces,
            was: header.was,
            independent: header.independent,
            up: part(source, up, up_end),
            down: part(source, down, source.text.len()),
        })
    }
}

/// SHA-256 in hexadecimal.
pub(crate) fn checksum_of(text: &str) -> String {
    let mut hexadecimal = String::with_capacity(64);
    for byte in digest(&SHA256, text.as_bytes()).as_ref() {
        hexadecimal.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
        hexadecimal.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
    }
    hexadecimal
}

/// A part of a file; what stands before it becomes empty lines.
fn part(source: &Source, start: usize, end: usize) -> Source {
    let before = source.text.get(..start).unwrap_or_default();
    let lines = before.matches('\n').count();
    let text = source.text.get(start..end.max(start)).unwrap_or_default();
    Source {
        path: source.path.clone(),
        text: format!("{}{text}", "\n".repeat(lines)),
    }
}

impl Migrations {
    /// Parses files that are already read, and puts them in order.
    pub fn load(sources: &[Source]) -> Result<Self, Vec<Diagnostic>> {
        let files = Self::parse_all(sources)?;
        let mut errors = Vec::new();
        for pair in files.windows(2) {
            let [before, after] = pair else { continue };
            if after.parent.as_ref() == Some(&before.revision) {
                continue;
            }
            let here = Span { line: 1, column: 1 };
            let (before_title, title) = (before.title(), after.title());
            let error = if after.parent == before.parent {
                let message = format!("two heads: {before_title} and {title} have the same parent");
                Diagnostic::new(&after.up.path, here, message)
                    .hint("pilaster migrate merge puts one behind the other")
            } else {
                let parent = after.parent.as_deref().unwrap_or("none");
                let message =
                    format!("{title} does not follow {before_title}: its parent is {parent}");
                Diagnostic::new(&after.up.path, here, message)
            };
            errors.push(error);
        }
        if errors.is_empty() {
            Ok(Self { files })
        } else {
            Err(errors)
        }
    }

    /// The files in the order of their revisions, whether or not they follow each other.
    pub(super) fn parse_all(sources: &[Source]) -> Result<Vec<Migration>, Vec<Diagnostic>> {
        let mut files = Vec::new();
        let mut errors = Vec::new();
        for source in sources {
            match Migration::parse(source) {
                Ok(migration) => files.push(migration),
                Err(error) => errors.push(error),
            }
        }
        files.sort_by(|left: &Migration, right| {
            let key = |file: &Migration| (file.revision.clone(), file.name.clone());
            key(left).cmp(&key(right))
        });
        if errors.is_empty() {
            Ok(files)
        } else {
            Err(errors)
        }
    }

    /// The place of the file that a user means: a revision, a tag, `0003_name`, or `head`.
    #[must_use]
    pub fn find(&self, wanted: &str) -> Option<usize> {
        if wanted == "head" {
            return self.files.len().checked_sub(1);
        }
        self.files.iter().position(|file| {
            file.revision == wanted
                || file.title() == wanted
                || file.revision.trim_start_matches('0') == wanted
                || file.tags.iter().any(|tag| tag == wanted)
        })
    }
}
