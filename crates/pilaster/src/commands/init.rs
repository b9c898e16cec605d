//! `init`

use std::path::Path;

use rust_embed::RustEmbed;

use super::secret;
use crate::failure::{Failure, Outcome};

/// The example, as it stands in the repository.
#[derive(RustEmbed)]
#[folder = "../../examples/cruddur/"]
struct Cruddur;

const CONFIGURATION: &str = "\
# Settings of this project; `pilaster config show` lists all of them with value and origin.
# Secrets live in .env. The environment goes before .env, .env before this file.

[server]
port = 8000
# public_url = \"https://example.org\"   # the address that clients use

[database]
# A file by default. For a server, write DATABASE_URL=postgres://user:password@host/name into
# .env; mariadb:// and mysql:// work alike.
url = \"sqlite:data/app.db\"

[auth]
registration = \"open\"                  # or \"closed\"

[migrate]
mode = \"manual\"                        # \"auto\": serve applies pending migrations
";

const SCHEMA: &str = "\
-- Nothing is reachable without a GRANT; a granted table shows no row without a POLICY.
create table notes (
  id          uuid primary key default gen_random_uuid(),
  owner       uuid not null default auth.uid(),
  body        text not null check (length(body) between 1 and 2000),
  created_at  timestamptz not null default now()
);
create index notes_owner_idx on notes (owner, created_at desc);

grant select, delete on notes to authenticated;
grant insert (body), update (body) on notes to authenticated;

create policy notes_own on notes for all to authenticated
  using (owner = auth.uid()) with check (owner = auth.uid());
";

const TESTS: &str = "\
### nobody reads notes without an account
# @expect 404
GET /api/notes

### Ada makes an account
# @expect 201
POST /register
Content-Type: application/json

{\"email\": \"ada@example.org\", \"password\": \"a long pass phrase\"}

### Ada signs in
# @name ada
# @expect 200
POST /token
Content-Type: application/x-www-form-urlencoded

username=ada@example.org&password=a long pass phrase

### Ada writes a note
# @expect 201
POST /api/notes
Authorization: Bearer {{ada.response.body.access_token}}
Content-Type: application/json

{\"body\": \"remember the milk\"}

### and reads it
# @expect body.0.body \"remember the milk\"
GET /api/notes
Authorization: Bearer {{ada.response.body.access_token}}
";

const IGNORED: &str = ".env\ndata/\n";

pub(super) fn run(folder: &Path, example: &str) -> Outcome {
    if folder.join("pilaster.toml").exists() {
        return Err(
            Failure::failed(format!("{} is a project already", folder.display()))
                .fix("choose another folder"),
        );
    }
    match example {
        "cruddur" => {
            for name in Cruddur::iter().filter(|name| *name != ".env" && !name.starts_with("data/"))
            {
                if let Some(file) = Cruddur::get(&name) {
                    write(&folder.join(&*name), &file.data)?;
                }
            }
        }
        _ => {
            write(&folder.join("pilaster.toml"), CONFIGURATION.as_bytes())?;
            write(&folder.join("schema/notes.sql"), SCHEMA.as_bytes())?;
            write(&folder.join("tests/notes.http"), TESTS.as_bytes())?;
        }
    }
    for name in ["api", "migrations", "seed"] {
        let folder = folder.join(name);
        std::fs::create_dir_all(&folder).map_err(|error| failed(&folder, &error))?;
    }
    ignore(folder)?;
    if !folder.join(".env").exists() {
        secret::write(folder)?;
    }
    println!("made a project in {}", folder.display());
    println!("  next: cd {} && pilaster dev", folder.display());
    Ok(())
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::failed(format!("{}: {error}", path.display()))
}

/// Writes a file that is not there yet.
fn write(path: &Path, bytes: &[u8]) -> Outcome {
    if path.exists() {
        return Err(
            Failure::failed(format!("{} exists already", path.display()))
                .fix("begin in an empty folder"),
        );
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
    }
    std::fs::write(path, bytes).map_err(|error| failed(path, &error))
}

/// Adds to `.gitignore` what must not be committed.
fn ignore(folder: &Path) -> Outcome {
    let path = folder.join(".gitignore");
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    let missing: Vec<&str> = IGNORED
        .lines()
        .filter(|line| !known.lines().any(|known| known.trim() == *line))
        .collect();
    let missing = missing.join("\n");
    let end = if known.is_empty() || known.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    std::fs::write(&path, format!("{known}{end}{missing}\n")).map_err(|error| failed(&path, &error))
}
