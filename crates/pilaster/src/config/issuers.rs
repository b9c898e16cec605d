//! `[issuers.NAME]`: who else may say who somebody is.

use std::collections::BTreeMap;

use server::{SubjectName, TrustedIssuer};
use stdx::nearest;

use super::Configuration;
use super::layers::plain;
use crate::failure::{Failure, Outcome};

/// What is said of one issuer.
#[derive(Default)]
pub(super) struct Given {
    issuer: String,
    /// A file of the project.
    jwks: String,
    subject: String,
    audience: String,
    scopes: Option<String>,
}

const NAMES: [&str; 5] = ["issuer", "jwks", "subject", "audience", "scopes"];

/// Reads `[issuers.NAME]` of pilaster.toml.
pub(super) fn read_toml(name: &str, said: &toml::Table) -> Outcome<Given> {
    let wrong = |text: String| Failure::config(format!("pilaster.toml: issuers.{name}{text}"));
    let mut given = Given::default();
    for (entry, value) in said {
        let text = plain(value).ok_or_else(|| wrong(format!(".{entry} is no plain value")))?;
        match entry.as_str() {
            "issuer" => given.issuer = text,
            "jwks" => given.jwks = text,
            "subject" => given.subject = text,
            "audience" => given.audience = text,
            "scopes" => given.scopes = Some(text),
            other => {
                let failure = wrong(format!(".{other} is not a setting"));
                return Err(match nearest(other, NAMES) {
                    Some(near) => failure.fix(format!("did you mean {near}?")),
                    None => failure.fix(format!("known are {}", NAMES.join(", "))),
                });
            }
        }
    }
    Ok(given)
}

/// Name, value for showing, origin.
pub(super) fn shown(issuers: &BTreeMap<String, Given>) -> Vec<(String, String, String)> {
    let mut shown = Vec::new();
    for (name, given) in issuers {
        let scopes = given.scopes.clone().unwrap_or_default();
        let values = [
            &given.issuer,
            &given.jwks,
            &given.subject,
            &given.audience,
            &scopes,
        ];
        for (key, value) in NAMES.into_iter().zip(values) {
            if !value.is_empty() {
                let origin = String::from("pilaster.toml");
                shown.push((format!("issuers.{name}.{key}"), value.clone(), origin));
            }
        }
    }
    shown
}

/// All of them, whole and right, with the keys of their files.
pub(super) fn issuers(configuration: &Configuration) -> Outcome<Vec<TrustedIssuer>> {
    let mut issuers = Vec::new();
    for (name, given) in &configuration.issuers {
        let wrong = |text: String| Failure::config(format!("pilaster.toml: issuers.{name}{text}"));
        if given.jwks.is_empty() {
            return Err(wrong(String::from(" has no jwks"))
                .fix("keep its public keys in the project: jwks = \"issuers/ci.json\""));
        }
        let path = configuration.folder.join(&given.jwks);
        let jwks = std::fs::read(&path)
            .map_err(|error| wrong(format!(".jwks: {}: {error}", path.display())))?;
        let mut issuer = TrustedIssuer::new(name, &given.issuer, &jwks)
            .map_err(|error| wrong(format!(": {error}")))?;
        if !given.subject.is_empty() {
            let subject: Result<SubjectName, _> = given.subject.parse();
            issuer.subject = subject.map_err(|error| wrong(format!(".subject: {error}")))?;
        }
        issuer.audiences = words(&given.audience);
        issuer.scopes = given.scopes.as_deref().map(words);
        issuers.push(issuer);
    }
    Ok(issuers)
}

/// A list, as `pilaster.toml` or a text has it.
fn words(text: &str) -> Vec<String> {
    let words = text.split([',', ' ']).map(str::trim);
    words
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}
