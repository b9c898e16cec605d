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
    /// The up part, padded so that lines keep their numbers.
    pub up: Source,
    /// The down part, likewise.
    pub down: Source,
}

/// All files of a history, in order.
#[derive(Clone, Debug, Default)]
pub struct Migrations {
    /// The files.
    pub files: Vec<Migration>,
}

impl Migration {
    /// Revision and name, as in the file's name.
    #[must_use]
    pub fn title(&self) -> String {
        format!("{}_{}", self.revision, self.name)
    }

    fn parse(source: &Source) -> Result<Self, Diagnostic> {
        let wrong = |line: usize, message: &str| {
            let line = u32::try_from(line + 1).unwrap_or(u32::MAX);
            Diagnostic::new(&source.path, Span { line, column: 1 }, message).hint(
                "a migration begins with -- @revision, -- @parent, -- @name and -- @checksum, \
                 then has -- @up and -- @down; `pilaster migrate new NAME` writes one",
            )
        };
        let mut header = [None, None, None, None];
        let keys = ["revision", "parent", "name", "checksum"];
        let mut parts = [None, None];
        let mut body_start = None;
        let mut offset = 0;
        for (number, line) in source.text.split_inclusive('\n').enumerate() {
            offset += line.len();
            let Some(words) = line.trim().strip_prefix("-- @") else {
                continue;
            };
            let (key, value) = words.split_once(' ').unwrap_or((words, ""));
            match keys.iter().position(|known| *known == key) {
                Some(place) if parts[0].is_none() => {
                    header[place] = Some(value.trim().to_owned());
                    body_start = Some(offset);
                }
                _ => match key {
                    "up" => parts[0] = Some((number, offset)),
                    "down" => parts[1] = Some((number, offset)),
                    "destructive" => {}
                    _ => return Err(wrong(number, &format!("unknown key @{key}"))),
                },
            }
        }
        let [Some(revision), parent, Some(name), checksum] = header else {
            return Err(wrong(0, "the header is not complete"));
        };
        let (Some((_, up)), Some((down_line, down)), Some(start)) =
            (parts[0], parts[1], body_start)
        else {
            return Err(wrong(0, "the file has no -- @up and -- @down"));
        };
        let found = checksum_of(source.text.get(start..).unwrap_or_default());
        let written = checksum.unwrap_or_default();
        if !written.is_empty() && written.trim_start_matches("sha256:") != found {
            return Err(
                wrong(0, "the checksum in the header is not the text's").hint(format!(
                    "if the edit is wanted and no database has applied the file, write \
                 -- @checksum sha256:{found}"
                )),
            );
        }
        let up_end = source
            .text
            .split_inclusive('\n')
            .take(down_line)
            .map(str::len)
            .sum::<usize>();
        Ok(Self {
            revision,
            parent: parent.filter(|parent| parent != "none"),
            name,
            checksum: found,
            up: part(source, up, up_end),
            down: part(source, down, source.text.len()),
        })
    }
}

/// SHA-256 in hexadecimal.
pub(super) fn checksum_of(text: &str) -> String {
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
        let mut files = Vec::new();
        let mut errors = Vec::new();
        for source in sources {
            match Migration::parse(source) {
                Ok(migration) => files.push(migration),
                Err(error) => errors.push(error),
            }
        }
        files.sort_by(|left, right| left.revision.cmp(&right.revision));
        for pair in files.windows(2) {
            if pair[1].parent.as_ref() != Some(&pair[0].revision) {
                let message = format!(
                    "{} does not follow {}: its parent is {}",
                    pair[1].title(),
                    pair[0].title(),
                    pair[1].parent.as_deref().unwrap_or("none"),
                );
                errors.push(Diagnostic::new(
                    &pair[1].up.path,
                    Span { line: 1, column: 1 },
                    message,
                ));
            }
        }
        if errors.is_empty() {
            Ok(Self { files })
        } else {
            Err(errors)
        }
    }
}
