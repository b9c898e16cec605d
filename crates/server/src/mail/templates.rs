//! What mails say: wording by language, set into layouts; each file may be a project's own.
//!
//! `en.json` holds messages of a language (a project writes `fr.toml`, which comes here as JSON), `layout.html` and `layout.txt` how every mail looks,
//! `reset.html` or `reset.nl.html` how one does. Files that end in `.html` escape what is set in;
//! the others do not. All of them are compiled and tried with sample values when the server starts.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::value::Value as Set;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use rust_embed::RustEmbed;
use serde_json::{Map, Value, json};

use super::Letter;
use crate::language;

/// The program's own files.
#[derive(RustEmbed)]
#[folder = "mail/"]
struct Files;

/// The language in which every message is there.
const FIRST: &str = "en";

/// Steps that a template may take: far more than any mail needs, and an end for a loop.
const FUEL: u64 = 200_000;

/// The longest subject, in characters; RFC 5322 §2.1.1 asks for less than 998 in a line.
const MOST_SUBJECT: usize = 200;

/// A file of `templates/mail/` that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("templates/mail/{file}: {what}")]
pub struct TemplateError {
    /// The file's name.
    pub file: String,
    /// What is wrong with it.
    pub what: String,
}

/// A mail, written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rendered {
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
}

/// All files, compiled.
pub(crate) struct Templates {
    environment: Environment<'static>,
    /// Messages by language and letter.
    wordings: BTreeMap<(String, &'static str), Wording>,
    languages: BTreeSet<String>,
    fallback: String,
}

/// One message: the names of its compiled parts.
#[derive(Clone, Debug, Default)]
struct Wording {
    lines: usize,
    parts: BTreeSet<&'static str>,
}

/// Parts of a message besides its lines.
const PARTS: [&str; 4] = ["subject", "button", "code_line", "note"];

/// Reads a project's files as the server would; the error names the file.
pub fn check_templates(
    files: &BTreeMap<String, String>,
    language: &str,
) -> Result<(), TemplateError> {
    Templates::new(files, language).map(drop)
}

fn wrong(file: &str, what: impl Into<String>) -> TemplateError {
    TemplateError {
        file: file.to_owned(),
        what: what.into(),
    }
}

/// The program's own file of that name.
fn own(name: &str) -> Result<String, TemplateError> {
    let file = Files::get(name).ok_or_else(|| wrong(name, "the program lacks it"))?;
    String::from_utf8(file.data.into_owned()).map_err(|_| wrong(name, "it is no text"))
}

impl Templates {
    /// Compiles the program's files and, before them, those of a project.
    pub(crate) fn new(
        files: &BTreeMap<String, String>,
        fallback: &str,
    ) -> Result<Self, TemplateError> {
        let mut environment = Environment::new();
        environment.set_fuel(Some(FUEL));
        environment.set_undefined_behavior(UndefinedBehavior::Lenient);
        environment.set_auto_escape_callback(|name| match name.rsplit('.').next() {
            Some("txt") => AutoEscape::None,
            _ => AutoEscape::Html,
        });
        let mut templates = Self {
            environment,
            wordings: BTreeMap::new(),
            languages: BTreeSet::new(),
            fallback: fallback.to_owned(),
        };
        for language in [FIRST, "nl", "de"] {
            let name = format!("{language}.json");
            templates.read_language(language, &name, &own(&name)?)?;
        }
        for name in ["layout.html", "layout.txt"] {
            templates.add(name, name, own(name)?)?;
        }
        for (name, text) in files {
            match name.strip_suffix(".toml") {
                Some(language) => templates.read_language(language, name, text)?,
                None => templates.read_layout(name, text)?,
            }
        }
        let known = templates.known(fallback);
        templates.fallback =
            known.ok_or_else(|| wrong(&format!("{fallback}.toml"), "there is no such language"))?;
        templates.try_all()?;
        Ok(templates)
    }

    fn add(&mut self, file: &str, name: &str, text: String) -> Result<(), TemplateError> {
        let added = self.environment.add_template_owned(name.to_owned(), text);
        added.map_err(|error| wrong(file, in_words(&error)))
    }

    fn read_layout(&mut self, name: &str, text: &str) -> Result<(), TemplateError> {
        let unknown = || {
            let names: Vec<&str> = Letter::ALL.into_iter().map(Letter::name).collect();
            let what = format!(
                "there is no such file; a file is called layout or one of {}, and ends in .html, \
                 .txt or, for one language, .nl.html",
                names.join(", ")
            );
            wrong(name, what)
        };
        let parts: Vec<&str> = name.split('.').collect();
        let ([letter, ending] | [letter, _, ending]) = parts[..] else {
            return Err(unknown());
        };
        let is_known = letter == "layout" || Letter::ALL.iter().any(|one| one.name() == letter);
        if !is_known || !matches!(ending, "html" | "txt") {
            return Err(unknown());
        }
        self.add(name, name, text.to_owned())
    }

    fn read_language(
        &mut self,
        language: &str,
        file: &str,
        text: &str,
    ) -> Result<(), TemplateError> {
        if !language::is_tag(language) {
            return Err(wrong(
                file,
                "a language is named as in BCP 47, as fr or pt-BR",
            ));
        }
        let table: Map<String, Value> = serde_json::from_str(text)
            .map_err(|error| wrong(file, format!("it is no table of messages: {error}")))?;
        for (name, message) in &table {
            let letter = Letter::ALL.into_iter().find(|letter| letter.name() == name);
            let letter = letter.ok_or_else(|| wrong(file, format!("there is no mail {name}")))?;
            let message = message
                .as_object()
                .ok_or_else(|| wrong(file, format!("{name} is no table")))?;
            self.read_message(language, file, letter, message)?;
        }
        self.languages.insert(language.to_ascii_lowercase());
        Ok(())
    }

    fn read_message(
        &mut self,
        language: &str,
        file: &str,
        letter: Letter,
        message: &Map<String, Value>,
    ) -> Result<(), TemplateError> {
        let language = language.to_ascii_lowercase();
        let prefix = format!("{language}/{}", letter.name());
        let mut wording = Wording::default();
        for (entry, value) in message {
            let at = format!("{}.{entry}", letter.name());
            if entry == "text" {
                let lines = value
                    .as_array()
                    .map(|lines| lines.iter().map(Value::as_str));
                let lines: Option<Vec<&str>> = lines.and_then(Iterator::collect);
                let lines =
                    lines.ok_or_else(|| wrong(file, format!("{at} is no list of texts")))?;
                for (place, line) in lines.iter().enumerate() {
                    self.add_both(file, &format!("{prefix}/{place}"), line)?;
                }
                wording.lines = lines.len();
                continue;
            }
            let part = PARTS.into_iter().find(|part| part == entry);
            let part =
                part.ok_or_else(|| wrong(file, format!("{at} is nothing that a mail has")))?;
            let text = value
                .as_str()
                .ok_or_else(|| wrong(file, format!("{at} is no text")))?;
            self.add_both(file, &format!("{prefix}/{part}"), text)?;
            wording.parts.insert(part);
        }
        if !wording.parts.contains("subject") || wording.lines == 0 {
            let what = format!("{} needs a subject and a text", letter.name());
            return Err(wrong(file, what));
        }
        self.wordings.insert((language, letter.name()), wording);
        Ok(())
    }

    /// The same words twice: set into HTML they are escaped.
    fn add_both(&mut self, file: &str, name: &str, text: &str) -> Result<(), TemplateError> {
        self.add(file, &format!("{name}.txt"), text.to_owned())?;
        self.add(file, &format!("{name}.html"), text.to_owned())
    }

    /// Writes every mail in every language with sample values.
    fn try_all(&self) -> Result<(), TemplateError> {
        let sample = json!({
            "name": "Ada <Lovelace>", "email": "ada@example.org", "minutes": 15,
            "link": "https://example.org/auth/confirm/0123456789", "code": "123456",
            "until": "2026-01-01 00:00 UTC",
        });
        let Value::Object(sample) = sample else {
            return Ok(());
        };
        for language in &self.languages {
            for letter in Letter::ALL {
                self.render(
                    letter.name(),
                    language,
                    &site("Sample", "https://example.org"),
                    &sample,
                )?;
            }
        }
        Ok(())
    }

    /// The language as it is known here: itself, or what stands before its first hyphen.
    pub(crate) fn known(&self, tag: &str) -> Option<String> {
        language::known(tag, self.languages.iter().map(String::as_str))
    }

    /// The best language of an `Accept-Language` header (RFC 9110 §12.5.4), or the project's.
    pub(crate) fn choose(&self, header: &str) -> String {
        language::best(header, |tag| self.known(tag)).unwrap_or_else(|| self.fallback.clone())
    }

    /// Writes a mail. `site` and `values` are what every template may set in; the error names the
    /// file and no value.
    pub(crate) fn render(
        &self,
        letter: &str,
        language: &str,
        site: &Map<String, Value>,
        values: &Map<String, Value>,
    ) -> Result<Rendered, TemplateError> {
        let mut context: BTreeMap<String, Set> = BTreeMap::new();
        // A name that nobody gave is the address.
        if let Some(email) = values.get("email").and_then(Value::as_str) {
            context.insert(String::from("name"), Set::from(email));
        }
        for (name, value) in site.iter().chain(values) {
            let value = match value {
                Value::String(text) => Set::from(on_one_line(text)),
                // Numbers alone, as they are spelled.
                other => Set::from(other.to_string()),
            };
            context.insert(name.clone(), value);
        }
        let known = [language, self.fallback.as_str(), FIRST]
            .into_iter()
            .find_map(|language| {
                let own = Letter::ALL.into_iter().find(|one| one.name() == letter)?;
                let wording = self.wordings.get(&(language.to_owned(), own.name()))?;
                Some((language, wording))
            });
        let (language, wording) = known.ok_or_else(|| wrong(letter, "there is no such mail"))?;
        context.insert(String::from("language"), Set::from(language));
        let prefix = format!("{language}/{letter}");
        let subject = self.part(&format!("{prefix}/subject.txt"), &context)?;
        let subject: String = on_one_line(&subject).chars().take(MOST_SUBJECT).collect();
        context.insert(String::from("subject"), Set::from(subject.clone()));
        let (text, html) = (
            self.whole(letter, language, wording, "txt", context.clone())?,
            self.whole(letter, language, wording, "html", context)?,
        );
        Ok(Rendered {
            subject,
            text,
            html,
        })
    }

    fn whole(
        &self,
        letter: &str,
        language: &str,
        wording: &Wording,
        ending: &str,
        mut context: BTreeMap<String, Set>,
    ) -> Result<String, TemplateError> {
        let set = |text: String| match ending {
            // Escaped already, when the value was set into the words.
            "html" => Set::from_safe_string(text),
            _ => Set::from(text),
        };
        let prefix = format!("{language}/{letter}");
        let lines: Result<Vec<Set>, TemplateError> = (0..wording.lines)
            .map(|place| {
                let line = self.part(&format!("{prefix}/{place}.{ending}"), &context)?;
                Ok(set(line))
            })
            .collect();
        let mut parts = Vec::new();
        for part in wording.parts.iter().filter(|part| **part != "subject") {
            let text = self.part(&format!("{prefix}/{part}.{ending}"), &context)?;
            parts.push(((*part).to_owned(), set(text)));
        }
        context.insert(String::from("lines"), Set::from(lines?));
        context.extend(parts);
        let names = [
            format!("{letter}.{language}.{ending}"),
            format!("{letter}.{ending}"),
            format!("layout.{language}.{ending}"),
            format!("layout.{ending}"),
        ];
        let name = names
            .iter()
            .find(|name| self.environment.get_template(name).is_ok());
        match name {
            Some(name) => self.part(name, &context),
            None => Err(wrong("layout", "it is missing")),
        }
    }

    fn part(&self, name: &str, context: &BTreeMap<String, Set>) -> Result<String, TemplateError> {
        let template = self.environment.get_template(name);
        let template = template.map_err(|error| wrong(name, in_words(&error)))?;
        let rendered = template.render(Set::from_object(context.clone()));
        rendered.map_err(|error| wrong(name, in_words(&error)))
    }
}

/// What every mail may say of the project.
pub(crate) fn site(title: &str, url: &str) -> Map<String, Value> {
    let mut site = Map::new();
    site.insert(String::from("title"), json!(title));
    site.insert(String::from("url"), json!(url));
    site
}

/// A text without anything that could begin another line, or another header.
fn on_one_line(text: &str) -> String {
    let is_break = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let words: Vec<&str> = text.split(is_break).map(str::trim).collect();
    words.join(" ").trim().to_owned()
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
    //! Wording, layouts, languages.

    use std::collections::BTreeMap;

    use serde_json::{Map, Value, json};

    use super::{Letter, Templates, site};

    fn own() -> Templates {
        Templates::new(&BTreeMap::new(), "en").expect("the program's own files are right")
    }

    fn with(name: &str, text: &str) -> Result<Templates, super::TemplateError> {
        Templates::new(&BTreeMap::from([(name.to_owned(), text.to_owned())]), "en")
    }

    fn values(name: &str) -> Map<String, Value> {
        let values = json!({"name": name, "email": "a@b.nl", "link": "https://x/auth/reset/T0k",
                            "code": "123456", "minutes": 15, "until": "then"});
        values.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn every_language_says_every_mail() {
        let templates = own();
        for language in ["en", "nl", "de"] {
            for letter in Letter::ALL {
                let key = (language.to_owned(), letter.name());
                assert!(templates.wordings.contains_key(&key), "{key:?}");
                let site = site("Films & more", "https://films.example");
                let mail = templates
                    .render(letter.name(), language, &site, &values("Ada"))
                    .expect("it renders");
                assert!(mail.subject.contains("Films & more"), "{}", mail.subject);
                assert!(mail.html.contains("Films &amp; more"), "{}", mail.html);
                assert!(!mail.html.contains("{{") && !mail.text.contains("{{"));
            }
        }
    }

    #[test]
    fn hostile_names_are_escaped_and_stay_on_their_line() {
        let hostile = "<img src=x onerror=alert(1)>\r\nBcc: eve@evil.example\u{2028}x{{ code }}";
        let mail = own()
            .render("reset", "en", &site("T", "https://t"), &values(hostile))
            .expect("it renders");
        assert!(!mail.html.contains("<img"), "{}", mail.html);
        assert!(mail.html.contains("&lt;img"), "{}", mail.html);
        let lines = mail.text.lines().chain(mail.html.lines());
        assert!(!lines.into_iter().any(|line| line.starts_with("Bcc:")));
        assert!(mail.text.contains("x{{ code }}"), "{}", mail.text);
    }

    #[test]
    fn files_of_a_project_go_first_and_mistakes_are_named() {
        let site = site("T", "https://t");
        let branded = with("layout.html", "<b>{{ title }}</b>{{ lines[0] }}").expect("right");
        let mail = branded
            .render("reset", "nl", &site, &values("<i>"))
            .expect("it renders");
        assert_eq!(mail.html, "<b>T</b>Hallo &lt;i&gt;,");
        let one = with("reset.nl.txt", "alleen {{ link }}").expect("right");
        let text = |language| {
            let mail = one.render("reset", language, &site, &values("Ada"));
            mail.expect("it renders").text
        };
        assert_eq!(text("nl"), "alleen https://x/auth/reset/T0k");
        assert!(text("en").contains("Set a new password"), "{}", text("en"));
        let french = with(
            "fr.toml",
            r#"{"reset": {"subject": "Mot de passe", "text": ["Bonjour"]}}"#,
        );
        let french = french.expect("right");
        assert_eq!(french.choose("fr-CA, en;q=0.5"), "fr");
        let mail = french.render("reset", "fr", &site, &values("Ada"));
        assert_eq!(mail.expect("it renders").subject, "Mot de passe");
        let english = french.render("confirm", "fr", &site, &values("Ada"));
        assert!(english.expect("it renders").subject.starts_with("Confirm"));
        for (name, text, said) in [
            ("reset.html", "{{ link", "reset.html: line 1"),
            ("reset.html", "{% for x in %}", "reset.html"),
            ("rest.html", "x", "rest.html: there is no such file"),
            ("en.toml", r#"{"reset": {"subjet": "x"}}"#, "reset.subjet"),
            (
                "en.toml",
                r#"{"rest": {"subject": "x"}}"#,
                "there is no mail rest",
            ),
            (
                "fr.toml",
                r#"{"reset": {"subject": "x"}}"#,
                "reset needs a subject and a text",
            ),
            (
                "confirm.txt",
                "{% for a in range(9999999) %}x{% endfor %}",
                "confirm.txt",
            ),
        ] {
            let error = with(name, text).err().map(|error| error.to_string());
            let error = error.unwrap_or_default();
            assert!(error.contains(said), "{name}: {error}");
        }
    }

    #[test]
    fn the_language_asked_for_most_is_chosen() {
        let templates = own();
        for (header, language) in [
            ("", "en"),
            ("nl", "nl"),
            ("nl-BE,nl;q=0.9,en;q=0.8", "nl"),
            ("fr, de;q=0.4, nl;q=0.7", "nl"),
            ("de;q=0, nl;q=NaN, *", "en"),
            ("DE-at", "de"),
        ] {
            assert_eq!(templates.choose(header), language, "{header}");
        }
    }
}
