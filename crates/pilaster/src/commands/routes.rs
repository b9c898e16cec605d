//! `routes`

use serde_json::json;

use crate::config::{Configuration, api_options, database_url};
use crate::failure::Outcome;
use crate::project::Files;

pub(super) fn run(configuration: &Configuration, json: bool) -> Outcome {
    let files = Files::read(&configuration.folder)?;
    let dialect = database_url(configuration)?.likely_dialect();
    let options = api_options(configuration)?;
    let compiled = files.compile(dialect, options.clone())?;
    let mut lines: Vec<(String, String, String, Vec<String>)> = server::routes(&options.prefixes)
        .into_iter()
        .map(|route| {
            (
                route.method.to_owned(),
                route.path,
                route.policy.to_owned(),
                Vec::new(),
            )
        })
        .collect();
    for route in compiled.api.routes() {
        let policy = format!("{} ({})", route.roles.join(", "), route.source);
        lines.push((
            route.method.to_owned(),
            options.prefixes.path(&route.path),
            policy,
            route.roles,
        ));
    }
    if json {
        let list: Vec<_> = lines
            .iter()
            .map(|(method, path, policy, roles)| {
                json!({"method": method, "path": path, "policy": policy, "roles": roles})
            })
            .collect();
        println!("{}", json!(list));
        return Ok(());
    }
    for (method, path, policy, _) in lines {
        println!("{method:<7} {path:<40} {policy}");
    }
    Ok(())
}
