//! `types`

use std::path::Path;

use super::openapi::{compiled, role_of, write};
use crate::cli::Types as Verb;
use crate::config::Configuration;
use crate::failure::Outcome;

pub(super) fn run(configuration: &Configuration, verb: &Verb) -> Outcome {
    let Verb::Ts { role, out } = verb;
    typescript(configuration, role, out.as_deref())
}

fn typescript(configuration: &Configuration, role: &str, out: Option<&Path>) -> Outcome {
    let compiled = compiled(configuration)?;
    let roles = role_of(&compiled, role)?;
    write(out, &compiled.api.typescript(&roles))
}
