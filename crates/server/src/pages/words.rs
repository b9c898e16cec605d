//! What pages say, by language. A project's `templates/pages/nl.toml` changes single sentences;
//! `fr.toml` adds a language, and what it lacks is said in the language of who asks for none.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::templates::{PageError, own, wrong};
use crate::language;

/// The language in which every sentence is there.
const FIRST: &str = "en";

/// Languages of the program.
const OWN: [&str; 3] = ["en", "nl", "de"];

/// Sentences of pages, and those that scripts say.
const PARTS: [&str; 2] = ["page", "said"];

/// All sentences by language.
pub(super) struct Words {
    languages: BTreeMap<String, Map<String, Value>>,
    fallback: String,
}

impl Words {
    /// The program's words and, before them, those of a project's files; `{title}` stands for the
    /// organisation.
    pub(super) fn new(
        files: &BTreeMap<String, String>,
        fallback: &str,
        organisation: &str,
    ) -> Result<Self, PageError> {
        let mut words = Self {
            languages: BTreeMap::new(),
            fallback: fallback.to_owned(),
        };
        for language in OWN {
            let file = format!("words/{language}.json");
            words.read(language, &file, &own(&file)?, organisation)?;
        }
        for (name, text) in files {
            if let Some(language) = name.strip_suffix(".toml") {
                words.read(language, name, text, organisation)?;
            }
        }
        let known = words.known(fallback);
        let missing = || wrong(&format!("{fallback}.toml"), "there is no such language");
        words.fallback = known.ok_or_else(missing)?;
        words.complete();
        Ok(words)
    }

    fn read(
        &mut self,
        language: &str,
        file: &str,
        text: &str,
        organisation: &str,
    ) -> Result<(), PageError> {
        if !language::is_tag(language) {
            let what = "a language is named as in BCP 47, as fr or pt-BR";
            return Err(wrong(file, what));
        }
        let parsed: Map<String, Value> = serde_json::from_str(text)
            .map_err(|error| wrong(file, format!("it is no table of sentences: {error}")))?;
        let names = self.names();
        let language = language.to_ascii_lowercase();
        let sentences = self.languages.entry(language).or_insert_with(empty);
        for (part, table) in parsed {
            if part == "name" {
                sentences.insert(part, table);
                continue;
            }
            let (true, Value::Object(table)) = (PARTS.contains(&part.as_str()), table) else {
                let what = format!("{part} is neither name nor one of the tables page and said");
                return Err(wrong(file, what));
            };
            for (name, sentence) in table {
                let key = format!("{part}.{name}");
                let Some(sentence) = sentence.as_str() else {
                    return Err(wrong(file, format!("{key} is no text")));
                };
                if names.as_ref().is_some_and(|names| !names.contains(&key)) {
                    let near = names.iter().flatten().map(String::as_str);
                    let near = stdx::nearest(&key, near);
                    let near = near.map_or(String::new(), |near| format!("; did you mean {near}?"));
                    return Err(wrong(file, format!("there is no sentence {key}{near}")));
                }
                sentences[&part][name] = json!(sentence.replace("{title}", organisation));
            }
        }
        Ok(())
    }

    /// The names of all sentences, once the first language is read.
    fn names(&self) -> Option<BTreeSet<String>> {
        let first = self.languages.get(FIRST)?;
        let names = PARTS.into_iter().flat_map(|part| {
            let table = first[part].as_object().into_iter().flatten();
            table.map(move |(name, _)| format!("{part}.{name}"))
        });
        Some(names.collect())
    }

    /// Says in another language what one of them lacks.
    fn complete(&mut self) {
        let fallback = self.languages.get(&self.fallback).cloned();
        let first = self.languages.get(FIRST).cloned();
        for sentences in self.languages.values_mut() {
            for part in PARTS {
                for other in [&fallback, &first].into_iter().flatten() {
                    for (name, sentence) in other[part].as_object().into_iter().flatten() {
                        if sentences[part].get(name).is_none() {
                            sentences[part][name] = sentence.clone();
                        }
                    }
                }
            }
        }
    }

    /// The language as it is known here: itself, or what stands before its first hyphen.
    pub(super) fn known(&self, tag: &str) -> Option<String> {
        language::known(tag, self.languages.keys().map(String::as_str))
    }

    /// The best language of an `Accept-Language` header, or the project's.
    pub(super) fn choose(&self, header: &str) -> String {
        language::best(header, |tag| self.known(tag)).unwrap_or_else(|| self.fallback.clone())
    }

    /// The languages and how each calls itself.
    pub(super) fn languages(&self) -> impl Iterator<Item = (&str, &str)> {
        self.languages.iter().map(|(tag, sentences)| {
            let name = sentences.get("name").and_then(Value::as_str);
            (tag.as_str(), name.unwrap_or(tag))
        })
    }

    /// The sentences of one part: `page` or `said`.
    pub(super) fn part(&self, language: &str, part: &str) -> Value {
        let sentences = self.languages.get(language);
        let sentences = sentences.or_else(|| self.languages.get(FIRST));
        sentences
            .and_then(|sentences| sentences.get(part))
            .cloned()
            .unwrap_or_else(|| json!({}))
    }
}

fn empty() -> Map<String, Value> {
    let mut sentences = Map::new();
    for part in PARTS {
        sentences.insert(part.to_owned(), json!({}));
    }
    sentences
}
