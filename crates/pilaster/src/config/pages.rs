//! `[pages]`: how the pages for people look and where they lead.

use std::collections::BTreeSet;

use server::{Logo, PageName, PageSettings, check_pages};
use stdx::nearest;

use super::Configuration;
use super::mail::read_folder;
use super::redirects::redirects;
use super::settings::list;
use crate::failure::{Failure, Outcome};

/// Where a project's own templates stand.
const FOLDER: &str = "templates/pages";

/// How the pages look and where they lead; `base` is what the server's paths begin with.
pub(super) fn pages(configuration: &Configuration, base: &str) -> Outcome<PageSettings> {
    let organisation = match configuration.text("pages.organisation") {
        "" => configuration.text("server.title"),
        given => given,
    };
    let accent = configuration.text("pages.accent").parse();
    let accent =
        accent.map_err(|_| configuration.ill_typed("pages.accent", "a colour, as #1f5c4d"))?;
    let home = PageSettings::home(configuration.text("pages.home"));
    let wanted = "a path, as /, or an address, as https://example.org";
    let settings = PageSettings {
        organisation: organisation.to_owned(),
        accent,
        logo: logo(configuration)?,
        home: home.map_err(|_| configuration.ill_typed("pages.home", wanted))?,
        language: configuration.text("pages.language").to_owned(),
        off: off(configuration)?,
        redirects: redirects(configuration)?,
        files: read_folder(&configuration.folder, FOLDER)?,
    };
    check_pages(&settings, base).map_err(|error| Failure::config(error.to_string()))?;
    Ok(settings)
}

/// The file that `pages.logo` names.
fn logo(configuration: &Configuration) -> Outcome<Option<Logo>> {
    let name = configuration.text("pages.logo");
    if name.is_empty() {
        return Ok(None);
    }
    let path = configuration.folder.join(name);
    let failed = |error: &dyn std::fmt::Display| {
        Failure::config(format!("pages.logo: {}: {error}", path.display()))
    };
    let bytes = std::fs::read(&path).map_err(|error| failed(&error))?;
    Logo::new(name, bytes)
        .map(Some)
        .map_err(|error| failed(&error))
}

/// Pages that are switched off: single ones, or `all`.
fn off(configuration: &Configuration) -> Outcome<BTreeSet<PageName>> {
    let names = list(configuration, "pages.off");
    if names == ["all"] {
        return Ok(PageName::ALL.into_iter().collect());
    }
    let read = |name: &String| {
        PageName::of_name(name).ok_or_else(|| {
            let failure = Failure::config(format!("pages.off: there is no page {name}"));
            let known = PageName::ALL.map(PageName::name);
            match nearest(name, known) {
                Some(near) => failure.fix(format!("did you mean {near}?")),
                None => failure.fix(format!("pages are {}; or write all", known.join(", "))),
            }
        })
    };
    names.iter().map(read).collect()
}
