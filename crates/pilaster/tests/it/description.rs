//! The description of the API: complete, valid, comparable, a source of types, and true.

mod complete;
mod diff;
mod fuzz;
mod pages;
mod types;

use testkit::{Project, tool};

/// Every relation that the grammar speaks of, every portable type, a view, and rights for anybody.
fn films() -> Project {
    let project = Project::empty();
    project.write("schema/films.sql", include_str!("films/films.sql"));
    project.write("schema/kinds.sql", include_str!("description/kinds.sql"));
    project.write("seed/films.sql", include_str!("films/seed.sql"));
    project
}

/// Runs Python with a package of those that `cargo xtask test` installs; what it prints, or `None`
/// in a plain `cargo test`.
fn python(project: &Project, arguments: &[&str], variables: &[(&str, &str)]) -> Option<Printed> {
    let python = tool("TEST_PYTHON")?;
    let mut command = project.command(&python, arguments);
    command.envs(variables.iter().copied());
    Some(Printed::of(&command.output().expect("python starts")))
}

/// Runs node with the modules that `cargo xtask test` installs.
fn node(project: &Project, arguments: &[&str]) -> Option<Printed> {
    let modules = tool("TEST_NODE_MODULES")?;
    let mut command = project.command("node", arguments);
    command.env("TEST_NODE_MODULES", modules);
    Some(Printed::of(&command.output().expect("node starts")))
}

/// What another program left behind.
#[derive(Debug)]
struct Printed {
    is_success: bool,
    text: String,
}

impl Printed {
    fn of(output: &std::process::Output) -> Self {
        let out = String::from_utf8_lossy(&output.stdout);
        let error = String::from_utf8_lossy(&output.stderr);
        Self {
            is_success: output.status.success(),
            text: format!("{out}{error}"),
        }
    }
}
