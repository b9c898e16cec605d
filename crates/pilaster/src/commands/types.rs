//! `types`

use std::path::Path;

use super::openapi::{compiled, role_of, write};
use crate::config::Configuration;
use crate::failure::Outcome;

pub(super) fn typescript(configuration: &Configuration, role: &str, out: Option<&Path>) -> Outcome {
    let compiled = compiled(configuration)?;
    let roles = role_of(&compiled, role)?;
    write(out, &compiled.api.typescript(&roles))
}
