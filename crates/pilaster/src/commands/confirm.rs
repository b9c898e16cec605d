//! Destructive acts are confirmed: by typing the database's name, or by a flag that holds it; what was
//! shown first, by a yes.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use crate::config::Configuration;
use crate::failure::{Failure, Outcome};

/// Asks for the database's name. `given` is what `--confirm` holds; no setting can answer.
pub(super) fn confirm(what: &str, database: &str, given: Option<&str>) -> Outcome {
    if let Some(given) = given {
        return same(what, database, given);
    }
    if !std::io::stdin().is_terminal() {
        return Err(
            Failure::decision(format!("{what} {database}: nobody is here to confirm it"))
                .fix(format!("--confirm {database}")),
        );
    }
    let asked = || {
        let mut out = std::io::stderr();
        write!(out, "{what} {database}. Type its name to go on: ")?;
        out.flush()?;
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line)?;
        Ok::<_, std::io::Error>(line)
    };
    let typed = asked().map_err(|error| Failure::failed(error.to_string()))?;
    same(what, database, typed.trim())
}

/// Asks for a yes to what was shown before; `yes` is what `--yes` says.
pub(super) fn agree(what: &str, yes: bool) -> Outcome {
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(
            Failure::decision(format!("{what}: nobody is here to agree to it")).fix("--yes"),
        );
    }
    let asked = || {
        let mut out = std::io::stderr();
        write!(out, "{what}. Go on? [y/N] ")?;
        out.flush()?;
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line)?;
        Ok::<_, std::io::Error>(line)
    };
    let typed = asked().map_err(|error| Failure::failed(error.to_string()))?;
    match typed.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failure::decision(format!(
            "{what}: nobody agreed, so nothing was done"
        ))),
    }
}

/// [`confirm`] for acts that only production is guarded against.
pub(super) fn confirm_in_production(
    configuration: &Configuration,
    what: &str,
    database: &str,
    given: Option<&str>,
) -> Outcome {
    match configuration.target.as_str() {
        "prod" => confirm(what, database, given),
        _ => Ok(()),
    }
}

fn same(what: &str, database: &str, typed: &str) -> Outcome {
    if typed == database {
        return Ok(());
    }
    Err(Failure::decision(format!(
        "{what} {database}: \"{typed}\" is not its name, so nothing was done"
    )))
}
