//! Questions at a terminal.

use testkit::Project;

use crate::http::PILASTER;

const BEFORE: &str = "
create table notes (id integer primary key, title text, subject text, pages integer);
create table tags (id integer primary key, name text);
";

const AFTER: &str = "
create table notes (id integer primary key, headline text, author text, sheets integer);
create table labels (id integer primary key, name text);
";

fn renamed() -> Project {
    let project = Project::empty();
    project.write("schema/notes.sql", BEFORE);
    project.succeed(PILASTER, &["migrate", "new", "init"]);
    project.succeed(PILASTER, &["migrate", "up"]);
    project.write("schema/notes.sql", AFTER);
    project
}

#[test]
fn what_looks_renamed_is_asked_at_a_terminal() {
    let project = renamed();
    // Which table was it; which of two columns; none of those; which of one.
    let written = project.at_terminal(PILASTER, &["migrate", "new", "names"], "1\n2\nn\n1\n");
    assert_eq!(written.code, 0, "{}", written.out);
    for line in [
        "labels is new, or was called otherwise:",
        "1  it was tags, and keeps its rows",
        "notes.headline is new, or was called otherwise:",
        "1  it was title, and keeps its rows",
        "2  it was subject, and keeps its rows",
        "n  it is new, and title and subject go",
        "rename table tags to labels",
        "rename column notes.subject to headline",
        "drop column notes.title",
        "add column notes.author",
        "rename column notes.pages to sheets",
        "this loses data",
    ] {
        assert!(written.out.contains(line), "{line}\n{}", written.out);
    }
    let file = project.read("migrations/0002_names.sql");
    assert!(
        file.contains("rename column \"subject\" to \"headline\""),
        "{file}"
    );
    project.succeed(PILASTER, &["migrate", "up", "--allow-destructive"]);
    project.succeed(PILASTER, &["migrate", "check"]);
    let again = project.succeed(PILASTER, &["migrate", "new", "names"]).out;
    assert!(again.contains("no changes"), "{again}");
}

#[test]
fn without_an_answer_nothing_is_written() {
    let project = renamed();
    let asked = project.at_terminal(PILASTER, &["migrate", "new", "names"], "maybe\n7\n\u{4}");
    assert_eq!(asked.code, 5, "{}", asked.out);
    assert!(asked.out.contains("nobody answered"), "{}", asked.out);
    assert_eq!(project.read_dir("migrations").len(), 1);
}
