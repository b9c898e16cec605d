//! Two documents compared: what of the new one breaks a client of the old one.
//!
//! What a client sends may only be allowed more, what it reads may only be promised more.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::shape;

const METHODS: [&str; 7] = ["get", "head", "post", "put", "patch", "delete", "options"];

/// How deep schemas are compared; those that refer to themselves end here.
const DEPTH: usize = 24;

/// Every change that breaks somebody, a sentence each, in the order of the old document.
#[must_use]
pub fn breaking_changes(old: &Value, new: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (path, item) in members(&old["paths"]) {
        let Some(newer) = members(&new["paths"])
            .find(|(other, _)| shape(other) == shape(path))
            .map(|(_, item)| item)
        else {
            found.push(format!("{path} is gone"));
            continue;
        };
        for method in METHODS.iter().filter(|method| item.get(**method).is_some()) {
            let place = format!("{} {path}", method.to_uppercase());
            let mut pair = Pair {
                old,
                new,
                place,
                found: &mut found,
            };
            match newer.get(method) {
                None => pair.say("", "is gone"),
                Some(operation) => pair.operation((item, &item[method]), (newer, operation)),
            }
        }
    }
    found
}

/// Which way a value goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// From the client: what was allowed stays allowed.
    Sent,
    /// To the client: what was promised stays promised.
    Answered,
}

/// Two documents, and the operation that is looked at.
struct Pair<'a> {
    old: &'a Value,
    new: &'a Value,
    place: String,
    found: &'a mut Vec<String>,
}

impl<'a> Pair<'a> {
    fn say(&mut self, what: &str, change: &str) {
        let line = match what {
            "" => format!("{} {change}", self.place),
            what => format!("{}: {what} {change}", self.place),
        };
        if !self.found.contains(&line) {
            self.found.push(line);
        }
    }

    fn operation(&mut self, old: (&'a Value, &'a Value), new: (&'a Value, &'a Value)) {
        self.security(old.1, new.1);
        self.parameters(old, new);
        self.body(&old.1["requestBody"], &new.1["requestBody"]);
        self.responses(&old.1["responses"], &new.1["responses"]);
    }

    /// Where nobody had to sign in, nobody has to.
    fn security(&mut self, old: &Value, new: &Value) {
        let is_open = |document: &Value, operation: &Value| {
            let own = operation
                .get("security")
                .or_else(|| document.get("security"));
            own.and_then(Value::as_array).is_none_or(|ways| {
                ways.is_empty()
                    || ways
                        .iter()
                        .any(|way| way.as_object().is_some_and(Map::is_empty))
            })
        };
        if is_open(self.old, old) && !is_open(self.new, new) {
            self.say("", "takes credentials now");
        }
    }

    fn parameters(&mut self, old: (&'a Value, &'a Value), new: (&'a Value, &'a Value)) {
        let old = parameters(self.old, old.0, old.1);
        let new = parameters(self.new, new.0, new.1);
        // Those of a path have their places, whatever they are called.
        let key = |parameter: &Value, place: usize| match parameter["in"].as_str() {
            Some("path") => (String::from("path"), place.to_string()),
            other => {
                let name = parameter["name"].as_str().unwrap_or_default();
                let kind = other.unwrap_or_default();
                let is_header = kind == "header";
                let name = if is_header {
                    name.to_lowercase()
                } else {
                    name.to_owned()
                };
                (kind.to_owned(), name)
            }
        };
        let keyed = |list: &[&'a Value]| -> Vec<((String, String), &'a Value)> {
            let mut paths = 0;
            let with_key = list.iter().map(|parameter| {
                let own = key(parameter, paths);
                paths += usize::from(parameter["in"] == "path");
                (own, *parameter)
            });
            with_key.collect()
        };
        let (old, new) = (keyed(&old), keyed(&new));
        for (key, parameter) in &old {
            let what = format!(
                "the parameter {}",
                parameter["name"].as_str().unwrap_or_default()
            );
            let Some((_, newer)) = new.iter().find(|(other, _)| other == key) else {
                self.say(&what, "is gone");
                continue;
            };
            if newer["required"] == true && parameter["required"] != true {
                self.say(&what, "is required now");
            }
            self.schema(Way::Sent, &what, &parameter["schema"], &newer["schema"], 0);
        }
        for (key, parameter) in &new {
            let is_new = !old.iter().any(|(other, _)| other == key);
            if is_new && parameter["required"] == true && key.0 != "path" {
                let name = parameter["name"].as_str().unwrap_or_default();
                self.say(&format!("the parameter {name}"), "is new and required");
            }
        }
    }

    fn body(&mut self, old: &'a Value, new: &'a Value) {
        let (old, new) = (resolve(self.old, old), resolve(self.new, new));
        if new["required"] == true && old["required"] != true {
            self.say("the body", "is required now");
        }
        for (kind, content) in members(&old["content"]) {
            match new["content"].get(kind) {
                None => self.say("the body", &format!("may no longer be {kind}")),
                Some(newer) => {
                    self.schema(
                        Way::Sent,
                        "the body",
                        &content["schema"],
                        &newer["schema"],
                        0,
                    );
                }
            }
        }
    }

    /// Successes alone: a refusal is no promise.
    fn responses(&mut self, old: &'a Value, new: &'a Value) {
        for (status, response) in members(old).filter(|(status, _)| status.starts_with('2')) {
            let what = format!("the answer {status}");
            let Some(newer) = new.get(status) else {
                self.say(&what, "is gone");
                continue;
            };
            let (response, newer) = (resolve(self.old, response), resolve(self.new, newer));
            for (name, header) in members(&response["headers"]) {
                let promised = |document: &'a Value, header: &'a Value| {
                    resolve(document, header)["required"] == true
                };
                let now = newer["headers"].get(name);
                let is_kept = now.is_some_and(|now| promised(self.new, now));
                if promised(self.old, header) && !is_kept {
                    self.say(&what, &format!("has no header {name} any more"));
                }
            }
            for (kind, content) in members(&response["content"]) {
                match newer["content"].get(kind) {
                    None => self.say(&what, &format!("is no longer {kind}")),
                    Some(newer) => {
                        self.schema(
                            Way::Answered,
                            &what,
                            &content["schema"],
                            &newer["schema"],
                            0,
                        );
                    }
                }
            }
        }
    }

    fn schema(&mut self, way: Way, what: &str, old: &'a Value, new: &'a Value, depth: usize) {
        let (old, new) = (resolve(self.old, old), resolve(self.new, new));
        if depth > DEPTH || (old == new && !has_reference(old)) {
            return;
        }
        let alternatives = |schema: &'a Value| {
            let either = schema.get("anyOf").or_else(|| schema.get("oneOf"));
            either.and_then(Value::as_array)
        };
        match (alternatives(old), alternatives(new)) {
            (Some(old), Some(new)) => {
                for (old, new) in old.iter().zip(new) {
                    self.schema(way, what, old, new, depth + 1);
                }
                let is_narrower = match way {
                    Way::Sent => new.len() < old.len(),
                    Way::Answered => new.len() > old.len(),
                };
                if is_narrower {
                    self.say(what, "has other alternatives");
                }
                return;
            }
            (Some(_), None) | (None, Some(_)) => {
                self.say(what, "has other alternatives");
                return;
            }
            (None, None) => {}
        }
        self.types(way, what, old, new);
        self.values(way, what, old, new);
        if way == Way::Sent {
            self.bounds(what, old, new);
        }
        self.properties(way, what, old, new, depth);
        if let (Some(old), Some(new)) = (old.get("items"), new.get("items")) {
            self.schema(way, &format!("{what}[]"), old, new, depth + 1);
        }
    }

    fn types(&mut self, way: Way, what: &str, old: &Value, new: &Value) {
        let (before, after) = (types(old), types(new));
        let is_kept = match way {
            Way::Sent => covers(&after, &before),
            Way::Answered => covers(&before, &after),
        };
        if !is_kept {
            let shown = |types: &BTreeSet<&str>| match types.is_empty() {
                true => String::from("anything"),
                false => types.iter().copied().collect::<Vec<_>>().join(" or "),
            };
            self.say(
                what,
                &format!("was {} and is {}", shown(&before), shown(&after)),
            );
        }
        let format = |schema: &Value| schema["format"].as_str().map(str::to_owned);
        let (before, after) = (format(old), format(new));
        let is_narrower = match way {
            Way::Sent => after.is_some(),
            Way::Answered => before.is_some(),
        };
        if before != after && is_narrower {
            let shown = |format: Option<String>| format.unwrap_or_else(|| String::from("any"));
            self.say(
                what,
                &format!("had the format {} and has {}", shown(before), shown(after)),
            );
        }
    }

    fn values(&mut self, way: Way, what: &str, old: &Value, new: &Value) {
        let list = |schema: &'_ Value| schema["enum"].as_array().cloned();
        let (old, new) = (list(old), list(new));
        let (narrow, wide) = match way {
            Way::Sent => (new, old),
            Way::Answered => (old, new),
        };
        let Some(narrow) = narrow else { return };
        match wide {
            None => self.say(
                what,
                match way {
                    Way::Sent => "may only be one of a list now",
                    Way::Answered => "is no longer one of a list",
                },
            ),
            Some(wide) => {
                for value in wide.iter().filter(|value| !narrow.contains(value)) {
                    self.say(
                        what,
                        &match way {
                            Way::Sent => format!("may no longer be {value}"),
                            Way::Answered => format!("may be {value} now"),
                        },
                    );
                }
            }
        }
    }

    /// Bounds of what is sent may become wider alone.
    fn bounds(&mut self, what: &str, old: &Value, new: &Value) {
        for (key, is_upper) in [
            ("minimum", false),
            ("exclusiveMinimum", false),
            ("minLength", false),
            ("minItems", false),
            ("minProperties", false),
            ("maximum", true),
            ("exclusiveMaximum", true),
            ("maxLength", true),
            ("maxItems", true),
        ] {
            let Some(after) = new[key].as_f64() else {
                continue;
            };
            let is_narrower = old[key].as_f64().is_none_or(|before| match is_upper {
                true => after < before,
                false => after > before,
            });
            if is_narrower {
                self.say(what, &format!("has the {key} {} now", new[key]));
            }
        }
        if let Some(pattern) = new["pattern"].as_str()
            && old["pattern"] != new["pattern"]
        {
            self.say(what, &format!("has to match {pattern} now"));
        }
    }

    fn properties(&mut self, way: Way, what: &str, old: &'a Value, new: &'a Value, depth: usize) {
        for (name, schema) in members(&old["properties"]) {
            let own = format!("{what}.{name}");
            let Some(newer) = new["properties"].get(name) else {
                let may_be_sent = way == Way::Sent && new["additionalProperties"] != false;
                if !may_be_sent {
                    self.say(&own, "is gone");
                }
                continue;
            };
            if way == Way::Answered && is_required(old, name) && !is_required(new, name) {
                self.say(&own, "may be missing now");
            }
            self.schema(way, &own, schema, newer, depth + 1);
        }
        if way == Way::Answered {
            return;
        }
        if new["additionalProperties"] == false && old["additionalProperties"] != false {
            self.say(what, "takes no other members now");
        }
        let required = new["required"].as_array().into_iter().flatten();
        for name in required
            .filter_map(Value::as_str)
            .filter(|name| !is_required(old, name))
        {
            let known = old["properties"].get(name).is_some();
            let change = if known {
                "is required now"
            } else {
                "is new and required"
            };
            self.say(&format!("{what}.{name}"), change);
        }
    }
}

/// The members of an object; of anything else none.
fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let object = value.as_object().into_iter().flatten();
    object.map(|(name, value)| (name.as_str(), value))
}

/// What a value is or refers to, within its document.
fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let mut value = value;
    for _ in 0..DEPTH {
        let Some(pointer) = value.get("$ref").and_then(Value::as_str) else {
            break;
        };
        let found = pointer
            .strip_prefix('#')
            .and_then(|path| document.pointer(path));
        match found {
            Some(found) => value = found,
            None => break,
        }
    }
    value
}

fn has_reference(value: &Value) -> bool {
    match value {
        Value::Object(members) => {
            members.contains_key("$ref") || members.values().any(has_reference)
        }
        Value::Array(elements) => elements.iter().any(has_reference),
        _ => false,
    }
}

/// Those of the path and of the operation, which are stronger.
fn parameters<'a>(document: &'a Value, item: &'a Value, operation: &'a Value) -> Vec<&'a Value> {
    let list = |value: &'a Value| {
        let list = value["parameters"].as_array().into_iter().flatten();
        list.map(|parameter| resolve(document, parameter))
            .collect::<Vec<_>>()
    };
    let own = list(operation);
    let is_same = |a: &Value, b: &Value| a["name"] == b["name"] && a["in"] == b["in"];
    let mut all = list(item);
    all.retain(|parameter| !own.iter().any(|own| is_same(own, parameter)));
    all.extend(own);
    all
}

fn types(schema: &Value) -> BTreeSet<&str> {
    match &schema["type"] {
        Value::String(name) => BTreeSet::from([name.as_str()]),
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => BTreeSet::new(),
    }
}

/// Whether everything of `narrow` is of `wide`; no type is any.
fn covers(wide: &BTreeSet<&str>, narrow: &BTreeSet<&str>) -> bool {
    let has = |name: &&str| wide.contains(name) || (*name == "integer" && wide.contains("number"));
    wide.is_empty() || (!narrow.is_empty() && narrow.iter().all(has))
}

fn is_required(schema: &Value, name: &str) -> bool {
    let required = schema["required"].as_array();
    required.is_some_and(|required| required.iter().any(|own| own == name))
}
