//! `keys list | rotate`: the keys that sign tokens.

use serde_json::{Value, json};
use server::Algorithm;
use store::signing_keys::{self, SigningKeys};
use store::{Store, StoreError};

use crate::cli::Keys as Verb;
use crate::config::{Configuration, master_key};
use crate::failure::{Failure, Outcome};
use crate::project::Accounts;

pub(super) async fn run(configuration: &Configuration, verb: &Verb, as_json: bool) -> Outcome {
    let seal = master_key(configuration)?.key_encryption_key();
    let accounts = Accounts::open(configuration).await?;
    let store = &accounts.store;
    let loaded = signing_keys::load_or_create(store, &seal).await;
    let mut keys = loaded.map_err(|error| failed(store, error))?;
    if let Verb::Rotate { algorithm } = verb {
        let wanted = algorithm.as_deref().map(read).transpose()?;
        for (algorithm, kid) in signing(&keys) {
            if wanted.is_none_or(|wanted| wanted == algorithm) {
                let rotated = signing_keys::rotate(store, &seal, algorithm, &kid).await;
                keys = rotated.map_err(|error| failed(store, error))?;
            }
        }
    }
    show(&keys, as_json);
    Ok(())
}

fn read(text: &str) -> Outcome<Algorithm> {
    Algorithm::from_name(text).ok_or_else(|| {
        Failure::usage(format!("{text} is no algorithm of ours"))
            .fix("write EdDSA, ES256, PS256 or RS256")
    })
}

/// The keys that sign: algorithm and id.
fn signing(keys: &SigningKeys) -> Vec<(Algorithm, String)> {
    let all = std::iter::once(&keys.current).chain(&keys.others);
    all.map(|key| (key.algorithm(), key.kid().to_owned()))
        .collect()
}

fn show(keys: &SigningKeys, as_json: bool) {
    let signing = signing(keys);
    let rows: Vec<Value> = keys
        .verifying
        .iter()
        .map(|key| {
            let signs = signing.iter().any(|(_, kid)| kid == key.kid());
            json!({"kid": key.kid(), "alg": key.algorithm().name(), "signs": signs})
        })
        .collect();
    if as_json {
        println!("{}", Value::Array(rows));
        return;
    }
    for row in rows {
        let does = match row["signs"] == true {
            true => "signs",
            false => "verifies",
        };
        let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        println!("{} {:<6} {does}", text("kid"), text("alg"));
    }
}

fn failed(store: &Store, error: StoreError) -> Failure {
    match error {
        StoreError::Db(error) => Failure::database(&store.db.description(), &error),
        other => Failure::failed(other.to_string()),
    }
}
