//! Templates of pages, compiled: the program's own and, before them, those of a project.

use std::collections::BTreeMap;

use minijinja::value::Value as Set;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use rust_embed::RustEmbed;
use serde_json::{Value, json};

use super::assets::Assets;
use super::settings::{PageName, PageSettings};
use super::words::Words;

/// The program's own files: templates, words, scripts, styles.
#[derive(RustEmbed)]
#[folder = "pages/"]
pub(super) struct Files;

/// Steps that a template may take: far more than any page needs, and an end for a loop.
const FUEL: u64 = 200_000;

/// What every page is set into.
const LAYOUT: &str = "layout.html";

/// A file of `templates/pages/` that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("templates/pages/{file}: {what}")]
pub struct PageError {
    /// The file's name.
    pub file: String,
    /// What is wrong with it.
    pub what: String,
}

pub(super) fn wrong(file: &str, what: impl Into<String>) -> PageError {
    PageError {
        file: file.to_owned(),
        what: what.into(),
    }
}

/// The program's own file of that name.
pub(super) fn own(name: &str) -> Result<String, PageError> {
    let file = Files::get(name).ok_or_else(|| wrong(name, "the program lacks it"))?;
    String::from_utf8(file.data.into_owned()).map_err(|_| wrong(name, "it is no text"))
}

/// Reads a project's files as the server would; the error names the file.
pub fn check_pages(settings: &PageSettings, base: &str) -> Result<(), PageError> {
    Pages::new(settings, base).map(drop)
}

/// All pages, ready to be written.
pub(crate) struct Pages {
    environment: Environment<'static>,
    pub(super) words: Words,
    pub(super) assets: Assets,
    /// What the paths of this server begin with: nothing, or as `/credentials`.
    pub(super) base: String,
    organisation: String,
    has_logo: bool,
}

/// What a page is written with.
pub(super) struct Writing<'w> {
    pub(super) page: PageName,
    pub(super) language: &'w str,
    /// The same page in each language: tag, name, address.
    pub(super) languages: Vec<(String, String, String)>,
    /// What its template sets in.
    pub(super) values: Value,
    /// What its script is told.
    pub(super) data: Value,
}

impl Pages {
    /// What the paths of this server begin with.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Compiles everything and tries every page in every language.
    pub(crate) fn new(settings: &PageSettings, base: &str) -> Result<Self, PageError> {
        let mut environment = Environment::new();
        environment.set_fuel(Some(FUEL));
        environment.set_undefined_behavior(UndefinedBehavior::Lenient);
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        let names = PageName::ALL.into_iter().map(PageName::name);
        let names: Vec<String> = names.map(|name| format!("{name}.html")).collect();
        let parts = ["parts.html", LAYOUT];
        for name in names.iter().map(String::as_str).chain(parts) {
            let text = own(&format!("templates/{name}"))?;
            let added = environment.add_template_owned(name.to_owned(), text);
            added.map_err(|error| wrong(name, in_words(&error)))?;
        }
        for (name, text) in &settings.files {
            if name.strip_suffix(".toml").is_some() {
                continue;
            }
            if !names.contains(name) && !parts.contains(&name.as_str()) {
                let what = format!("there is no such page; pages are {}", names.join(", "));
                return Err(wrong(name, what));
            }
            let added = environment.add_template_owned(name.clone(), text.clone());
            added.map_err(|error| wrong(name, in_words(&error)))?;
        }
        let pages = Self {
            environment,
            words: Words::new(&settings.files, &settings.language, &settings.organisation)?,
            assets: Assets::new(settings),
            base: base.to_owned(),
            organisation: settings.organisation.clone(),
            has_logo: settings.logo.is_some(),
        };
        pages.try_all()?;
        Ok(pages)
    }

    fn try_all(&self) -> Result<(), PageError> {
        for (language, _) in self.words.languages() {
            for page in PageName::ALL {
                self.write(&Writing {
                    page,
                    language,
                    languages: Vec::new(),
                    values: json!({}),
                    data: json!({}),
                })?;
            }
        }
        Ok(())
    }

    /// Writes a page; the error names the file and no value.
    pub(super) fn write(&self, writing: &Writing<'_>) -> Result<String, PageError> {
        let name = format!("{}.html", writing.page.name());
        let template = self.environment.get_template(&name);
        let template = template.map_err(|error| wrong(&name, in_words(&error)))?;
        let mut data = writing.data.clone();
        data["base"] = json!(self.base);
        data["language"] = json!(writing.language);
        data["words"] = self.words.part(writing.language, "said");
        let languages = writing.languages.iter().map(|(tag, name, url)| {
            json!({"tag": tag, "name": name, "url": url, "is_current": tag == writing.language})
        });
        let context: BTreeMap<&str, Set> = BTreeMap::from([
            ("page", Set::from(writing.page.name())),
            ("language", Set::from(writing.language)),
            ("languages", set(&name, languages.collect())?),
            ("t", set(&name, self.words.part(writing.language, "page"))?),
            ("data", Set::from(data.to_string())),
            ("base", Set::from(self.base.as_str())),
            (
                "assets",
                Set::from(format!("{}/auth/assets/{}", self.base, self.assets.version)),
            ),
            ("organisation", Set::from(self.organisation.as_str())),
            ("has_logo", Set::from(self.has_logo)),
            ("is", set(&name, writing.values.clone())?),
        ]);
        let rendered = template.render(context);
        rendered.map_err(|error| {
            let file = error.name().unwrap_or(&name).to_owned();
            wrong(&file, in_words(&error))
        })
    }
}

/// JSON as a template has it.
fn set(file: &str, value: Value) -> Result<Set, PageError> {
    serde_json::from_value(value).map_err(|error| wrong(file, error.to_string()))
}

/// An engine's error: where, and what kind; it quotes no value.
fn in_words(error: &minijinja::Error) -> String {
    let line = error.line().map_or(0, |line| line);
    match error.detail() {
        Some(detail) => format!("line {line}: {}: {detail}", error.kind()),
        None => format!("line {line}: {}", error.kind()),
    }
}

#[cfg(test)]
mod tests {
    //! What can be wrong with a project's own files.

    use std::collections::{BTreeMap, BTreeSet};

    use serde_json::{Value, json};

    use super::{PageSettings, Pages, Writing};
    use crate::pages::{Colour, PageName};

    fn with(files: &[(&str, &str)]) -> Result<Pages, super::PageError> {
        let settings = PageSettings {
            organisation: String::from("Films & <more>"),
            accent: "#1f5c4d".parse::<Colour>().expect("a colour"),
            logo: None,
            home: None,
            language: String::from("en"),
            off: BTreeSet::new(),
            redirects: BTreeMap::new(),
            files: files
                .iter()
                .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
                .collect(),
        };
        Pages::new(&settings, "")
    }

    fn login(pages: &Pages, language: &str) -> String {
        let writing = Writing {
            page: PageName::Login,
            language,
            languages: Vec::new(),
            values: json!({}),
            data: json!({"next": "/\"><script>"}),
        };
        pages.write(&writing).expect("it is written")
    }

    #[test]
    fn every_language_says_everything() {
        let pages = with(&[]).expect("the program's own files are right");
        let names = |language: &str, part: &str| -> Vec<String> {
            let text = super::own(&format!("words/{language}.json")).expect("it is there");
            let all: Value = serde_json::from_str(&text).expect("JSON");
            let table = all[part].as_object().expect("a table");
            table.keys().cloned().collect()
        };
        for part in ["page", "said"] {
            for language in ["nl", "de"] {
                assert_eq!(
                    names("en", part),
                    names(language, part),
                    "{language} {part}"
                );
            }
        }
        for language in ["en", "nl", "de"] {
            let page = login(&pages, language);
            assert!(
                page.contains(&format!("<html lang=\"{language}\"")),
                "{page}"
            );
            assert!(page.contains("Films &amp; &lt;more&gt;"), "{page}");
            assert!(!page.contains("\"><script>"), "{page}");
        }
    }

    #[test]
    fn files_of_a_project_go_first_and_mistakes_are_named() {
        let own = with(&[
            ("login.html", "<h1>{{ t.login_title }}</h1>"),
            (
                "nl.toml",
                r#"{"page": {"login_title": "Kom binnen bij {title}"}}"#,
            ),
            (
                "fr.toml",
                r#"{"name": "Français", "page": {"login_title": "Entrez"}}"#,
            ),
        ]);
        let own = own.expect("right");
        assert_eq!(
            login(&own, "nl"),
            "<h1>Kom binnen bij Films &amp; &lt;more&gt;</h1>"
        );
        assert_eq!(login(&own, "fr"), "<h1>Entrez</h1>");
        assert_eq!(own.words.choose("fr-CA, en;q=0.5"), "fr");
        for (name, text, said) in [
            ("login.html", "{{ t.", "login.html: line 1"),
            ("logon.html", "x", "logon.html: there is no such page"),
            (
                "nl.toml",
                r#"{"page": {"login_titel": "x"}}"#,
                "did you mean page.login_title?",
            ),
            ("nl.toml", r#"{"pages": {}}"#, "pages is neither"),
            (
                "nl.toml",
                r#"{"page": {"login_title": 1}}"#,
                "page.login_title is no text",
            ),
            (
                "login.html",
                "{% for a in range(9999999) %}x{% endfor %}",
                "login.html",
            ),
        ] {
            let error = with(&[(name, text)]).err().map(|error| error.to_string());
            let error = error.unwrap_or_default();
            assert!(error.contains(said), "{name}: {error}");
        }
    }
}
