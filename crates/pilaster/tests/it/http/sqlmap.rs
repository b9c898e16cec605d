//! sqlmap, a program that looks for SQL injections, against every kind of parameter.
//!
//! `PILASTER_SQLMAP_LEVEL` and `PILASTER_SQLMAP_RISK` ask for more of its tests; from level 3 on all
//! of its techniques are used, those that wait for the engine included.

use std::path::Path;
use std::process::Command;

use testkit::{Project, tool};

use super::grammar::films;
use super::{App, on_every_engine};
use crate::access::number;

on_every_engine!(searched: nothing_can_be_injected);

/// What stands in front of the program's findings.
const FOUND: &str = "identified the following injection point";

/// A request; each `*` is a place that is tried.
struct Target {
    path: &'static str,
    headers: &'static [&'static str],
    body: Option<&'static str>,
}

const fn read(path: &'static str) -> Target {
    Target {
        path,
        headers: &[],
        body: None,
    }
}

const TARGETS: [Target; 11] = [
    // Values of filters, plain and within a tree, a pattern, a list, a search.
    read("/api/films?title=eq.Citizen%20Kane*&or=(title.like.C%25*,id.in.(3*))&summary=wfts.man*"),
    // Names of columns and members, operators.
    read("/api/films?title*=eq.Citizen%20Kane&info->>mood*=eq.sombre&language=eq*.English"),
    read("/api/films?select=id*,n:title*,info->>mood*,directors!director_id*(last_name*)"),
    read("/api/films?select=id&order=id*.asc*&limit=3*&offset=0*"),
    read("/api/films/3*?select=id,title"),
    Target {
        path: "/api/films?select=id&limit=1",
        headers: &[
            "Prefer: count=exact*",
            "Accept: application/json*",
            "Range: 0-1*",
        ],
        body: None,
    },
    Target {
        path: "/api/films?select=id&columns=id,title*&on_conflict=id*",
        headers: &[
            "Prefer: tx=rollback, return=representation",
            "Content-Type: application/json",
        ],
        body: Some(
            r#"{"id": "900*", "title": "x*", "director_id": 1, "year": 2000, "info": {"a": "b*"}}"#,
        ),
    },
    // The same parameters of SQL files.
    read("/api/found/Kane*?most=3*"),
    Target {
        path: "/api/found",
        headers: &["Content-Type: application/json"],
        body: Some(r#"{"word": "Kane*"}"#),
    },
    // Accounts.
    Target {
        path: "/token",
        headers: &["Content-Type: application/x-www-form-urlencoded"],
        body: Some("username=ada@example.org*&password=wrong*"),
    },
    Target {
        path: "/register",
        headers: &["Content-Type: application/json"],
        body: Some(r#"{"email": "ada*", "password": "short*", "username": "a*"}"#),
    },
];

/// Films with SQL files that take parameters in the path, the query and the body.
fn searched() -> Project {
    let project = films()
        .with("PILASTER_AUTH_PASSWORD_MEMORY_KIB", "8192")
        .with("PILASTER_AUTH_PASSWORD_ITERATIONS", "1");
    project.write(
        "api/found/[word].get.sql",
        "-- @summary  Films with a word in their title\n\
         -- @param    word  text  in path\n\
         -- @param    most  integer = 5 min 1 max 50\n\
         -- @access   anon\n\
         -- @returns  many\n\
         select id, title from films where title like '%' || :word || '%' order by id limit :most\n",
    );
    project.write(
        "api/found.post.sql",
        "-- @summary  The same, asked for with a body\n\
         -- @param    word  text\n\
         -- @access   anon\n\
         -- @returns  many\n\
         select id, title from films where title like '%' || :word || '%' order by id\n",
    );
    project
}

/// What the program says of a target.
fn look(program: &Path, home: &Path, base: &str, dbms: &str, target: &Target) -> String {
    let level = number("PILASTER_SQLMAP_LEVEL").unwrap_or(1);
    let risk = number("PILASTER_SQLMAP_RISK").unwrap_or(1);
    let mut command = Command::new(program);
    command
        .args([
            "--batch",
            "--flush-session",
            "--disable-coloring",
            "--threads=2",
        ])
        .args(["--ignore-code=*", "--skip-waf", "--answers=process it=Y"])
        .arg(format!("--level={level}"))
        .arg(format!("--risk={risk}"))
        .arg(format!("--dbms={dbms}"))
        .arg(format!("--output-dir={}", home.join("sqlmap").display()))
        .arg(format!("--url={base}{}", target.path))
        .env("HOME", home);
    if level < 3 {
        command.arg("--technique=BEU");
    }
    for header in target.headers {
        command.arg("-H").arg(header);
    }
    if let Some(body) = target.body {
        command.arg(format!("--data={body}"));
    }
    let output = command.output().expect("sqlmap starts");
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn dbms(url: &str) -> &'static str {
    match url.split(':').next() {
        Some("postgres" | "postgresql") => "PostgreSQL",
        Some("mysql" | "mariadb") => "MySQL",
        _ => "SQLite",
    }
}

// req: SC-4
async fn nothing_can_be_injected(app: App) {
    let Some(python) = tool("TEST_PYTHON") else {
        return;
    };
    let program = Path::new(&python).with_file_name("sqlmap");
    let (home, base) = (app.project.path().to_owned(), app.server.base().to_owned());
    let dbms = dbms(app.database.url());
    let looking = tokio::task::spawn_blocking(move || {
        for target in &TARGETS {
            let said = look(&program, &home, &base, dbms, target);
            let places = [target.path]
                .into_iter()
                .chain(target.headers.iter().copied())
                .chain(target.body);
            let places: usize = places.map(|text| text.matches('*').count()).sum();
            let tried = said.matches("does not seem to be injectable").count();
            assert!(!said.contains(FOUND), "{}: {said}", target.path);
            // It also tries what is not marked, behind what is.
            assert!(
                tried >= places,
                "{tried} of {places} places of {} were tried: {said}",
                target.path
            );
        }
    });
    looking.await.expect("nothing is found");
    for name in ["films", "directors", "actors"] {
        let rows = app.server.get(&format!("/api/{name}?select=count()")).await;
        assert_eq!(rows.status, 200, "{}", rows.body);
        let before = match name {
            "films" => 6,
            "directors" => 4,
            _ => 5,
        };
        assert_eq!(rows.json()[0]["count"], before, "{name}");
    }
    assert!(
        !app.server.log().contains("a statement failed"),
        "{}",
        app.server.log()
    );
}

/// A server with a hole, so that it is known that the program sees one.
const HOLE: &str = r#"
import http.server, sqlite3, sys, urllib.parse
rows = sqlite3.connect(":memory:", check_same_thread=False)
rows.executescript("create table films (id, title); insert into films values (1, 'Kane'), (2, 'Cleo');")
class Hole(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        try:
            found = rows.execute("select id, title from films where title = '%s'" % query["title"][0]).fetchall()
            status, text = 200, repr(found)
        except Exception as error:
            status, text = 400, str(error)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())
    def log_message(self, *words):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Hole)
print(server.server_port, flush=True)
server.serve_forever()
"#;

#[test]
fn a_hole_would_be_found() {
    use std::io::BufRead as _;
    let Some(python) = tool("TEST_PYTHON") else {
        return;
    };
    let project = Project::empty();
    let mut server = Command::new(&python)
        .args(["-c", HOLE])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("python starts");
    let mut port = String::new();
    let out = server.stdout.take().expect("it is piped");
    std::io::BufReader::new(out)
        .read_line(&mut port)
        .expect("it says its port");
    let base = format!("http://127.0.0.1:{}", port.trim());
    let program = Path::new(&python).with_file_name("sqlmap");
    let said = look(
        &program,
        project.path(),
        &base,
        "SQLite",
        &read("/films?title=Kane*"),
    );
    server.kill().expect("the server ends");
    server.wait().expect("the server ends");
    assert!(said.contains(FOUND), "{said}");
}
