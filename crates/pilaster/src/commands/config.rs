//! `config show`

use serde_json::json;

use crate::config::Configuration;

pub(super) fn show(configuration: &Configuration, json: bool) {
    let shown = configuration.shown();
    if json {
        let list: Vec<_> = shown
            .iter()
            .map(|(name, value, origin)| json!({"name": name, "value": value, "origin": origin}))
            .collect();
        println!("{}", json!(list));
        return;
    }
    for (name, value, origin) in shown {
        println!("{name:<28} {value:<40} {origin}");
    }
}
