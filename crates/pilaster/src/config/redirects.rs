//! `[redirects.NAME]`: where a login for a purpose leads, and why it is asked for.

use std::collections::BTreeMap;

use server::Redirect;
use stdx::nearest;

use super::Configuration;
use super::layers::plain;
use crate::failure::{Failure, Outcome};

/// What is said of one redirect.
#[derive(Default)]
pub(super) struct Given {
    url: String,
    text: String,
}

/// Reads `[redirects.NAME]` of pilaster.toml.
pub(super) fn read_toml(name: &str, said: &toml::Table) -> Outcome<Given> {
    let wrong = |text: String| Failure::config(format!("pilaster.toml: redirects.{name}{text}"));
    let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
    if name.is_empty() || name.len() > 40 || !name.chars().all(is_letter) {
        return Err(wrong(String::from(" is no name for a redirect"))
            .fix("write small letters, digits, _ and -, at most 40"));
    }
    let mut given = Given::default();
    for (entry, value) in said {
        let text = plain(value).ok_or_else(|| wrong(format!(".{entry} is no plain value")))?;
        match entry.as_str() {
            "url" => given.url = text,
            "text" => given.text = text,
            other => {
                let failure = wrong(format!(".{other} is not a setting"));
                return Err(match nearest(other, ["url", "text"]) {
                    Some(near) => failure.fix(format!("did you mean {near}?")),
                    None => failure.fix("known are url and text"),
                });
            }
        }
    }
    Ok(given)
}

/// Name, value for showing, origin.
pub(super) fn shown(redirects: &BTreeMap<String, Given>) -> Vec<(String, String, String)> {
    let line = |name: &str, key: &str, value: &str| {
        let origin = String::from("pilaster.toml");
        (format!("redirects.{name}.{key}"), value.to_owned(), origin)
    };
    let both = redirects.iter().flat_map(|(name, given)| {
        [
            line(name, "url", &given.url),
            line(name, "text", &given.text),
        ]
    });
    both.collect()
}

/// All redirects, whole and right.
pub(super) fn redirects(configuration: &Configuration) -> Outcome<BTreeMap<String, Redirect>> {
    let mut redirects = BTreeMap::new();
    for (name, given) in &configuration.redirects {
        let redirect = Redirect::new(&given.url, &given.text).map_err(|error| {
            Failure::config(format!("pilaster.toml: redirects.{name}.url: {error}"))
        })?;
        redirects.insert(name.clone(), redirect);
    }
    Ok(redirects)
}
