//! `openapi`

use rest::{Caller, Limits, OpenApiInfo};

use crate::config::{Configuration, database_url, settings};
use crate::failure::Outcome;
use crate::project::Files;

pub(super) fn run(configuration: &Configuration) -> Outcome {
    let files = Files::read(&configuration.folder)?;
    let dialect = database_url(configuration)?.likely_dialect();
    let compiled = files.compile(dialect, Limits::default())?;
    let settings = settings(configuration, 8000, false)?;
    let info = OpenApiInfo {
        title: settings.title,
        server_url: settings.public_url,
    };
    let caller = Caller::anonymous(&compiled.catalog);
    println!("{:#}", compiled.api.openapi(&caller.roles, &info));
    Ok(())
}
