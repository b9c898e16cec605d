//! `client add | invite | list | show | rotate | remove`: programs that people log in to.

mod invite;
mod snippet;

use std::time::Duration;

use serde_json::{Map, Value, json};
use server::{ClientSecret, DeclaredClient, check_client_record};
use store::clients::{self, ClientRecord};
use store::{Store, StoreError};

use super::confirm::confirm;
use crate::cli::{Client as Verb, NewClient};
use crate::config::{Configuration, with_defaults};
use crate::failure::{Failure, Outcome};
use crate::project::Accounts;

/// How long a replaced secret stays good.
const OVERLAP: Duration = Duration::from_hours(24);

pub(super) async fn run(configuration: &Configuration, verb: &Verb, as_json: bool) -> Outcome {
    let accounts = Accounts::open(configuration).await?;
    match verb {
        Verb::Add(asked) => add(&accounts, asked, as_json).await,
        Verb::Invite { clients, days } => invite::run(&accounts, *clients, *days, as_json).await,
        Verb::List => list(&accounts, as_json).await,
        Verb::Show { id } => show(&accounts, id, as_json).await,
        Verb::Rotate { id, now } => {
            let overlap = match now {
                true => Duration::ZERO,
                false => OVERLAP,
            };
            rotate(&accounts, id, overlap, as_json).await
        }
        Verb::Remove { id, confirm: given } => {
            require_stored(&accounts, id)?;
            confirm("remove the client", id, given.as_deref())?;
            let removed = clients::delete(&accounts.store, id).await;
            match removed.map_err(|error| failed(&accounts.store, error))? {
                true => Ok(()),
                false => Err(missing(id)),
            }
        }
    }
}

async fn add(accounts: &Accounts, asked: &NewClient, as_json: bool) -> Outcome {
    let store = &accounts.store;
    let now = store.clock.now();
    let secret = (!asked.public).then(|| ClientSecret::generate(&store.rng));
    let record = ClientRecord {
        id: asked.id.clone(),
        metadata: metadata(asked).to_string(),
        secret: secret.as_ref().map(ClientSecret::hash),
        previous: None,
        is_first_party: asked.first_party,
        role: asked.role.clone(),
        registration: None,
        used_at: None,
        created_at: now,
        updated_at: now,
    };
    let issuer = &accounts.settings.public_url;
    check_client_record(issuer, &record)
        .map_err(|error| Failure::usage(format!("{}: {error}", asked.id)))?;
    if declared(accounts, &asked.id).is_some() {
        return Err(exists(&asked.id));
    }
    match store
        .db
        .write(vec![clients::insert_step(store, &record)])
        .await
    {
        Ok(_) => {}
        Err(sql::DbError::Unique { .. }) => return Err(exists(&asked.id)),
        Err(error) => return Err(Failure::database(&store.db.description(), &error)),
    }
    let secret = secret.map(|secret| secret.to_text());
    let given = Paste {
        issuer,
        id: &asked.id,
        secret: secret.as_ref().map(|secret| secret.expose().as_str()),
        redirect_uri: asked.redirect_uris.first().map(String::as_str),
    };
    match (&asked.snippet, as_json) {
        (Some(kind), _) => print!("{}", snippet::of(*kind, &given)),
        (None, true) => println!("{}", given.as_json()),
        (None, false) => given.print(),
    }
    Ok(())
}

/// What is pasted into a client's settings.
struct Paste<'a> {
    issuer: &'a str,
    id: &'a str,
    secret: Option<&'a str>,
    redirect_uri: Option<&'a str>,
}

impl Paste<'_> {
    fn as_json(&self) -> Value {
        json!({
            "issuer": self.issuer,
            "client_id": self.id,
            "client_secret": self.secret,
            "redirect_uri": self.redirect_uri,
        })
    }

    fn print(&self) {
        println!("OIDC_ISSUER={}", self.issuer);
        println!("OIDC_CLIENT_ID={}", self.id);
        if let Some(secret) = self.secret {
            println!("OIDC_CLIENT_SECRET={secret}");
            eprintln!("the secret is shown this once; pilaster client rotate gives another one");
        }
        if let Some(uri) = self.redirect_uri {
            println!("OIDC_REDIRECT_URI={uri}");
        }
    }
}

fn metadata(asked: &NewClient) -> Value {
    let mut metadata = Map::new();
    let name = asked.name.clone().unwrap_or_else(|| asked.id.clone());
    metadata.insert(String::from("client_name"), name.into());
    metadata.insert(
        String::from("redirect_uris"),
        asked.redirect_uris.clone().into(),
    );
    let grants: Vec<String> = asked.grants.iter().map(|name| grant_type(name)).collect();
    let lists = [
        (
            "post_logout_redirect_uris",
            &asked.post_logout_redirect_uris,
        ),
        ("grant_types", &grants),
    ];
    for (member, list) in lists {
        if !list.is_empty() {
            metadata.insert(member.to_owned(), list.clone().into());
        }
    }
    // Without a browser that comes back, there is nothing to answer it with.
    let has_codes = grants.iter().any(|grant| grant == "authorization_code");
    if !grants.is_empty() && !has_codes {
        metadata.insert(String::from("response_types"), json!([]));
    }
    if !asked.scopes.is_empty() {
        metadata.insert(String::from("scope"), asked.scopes.join(" ").into());
    }
    if asked.native {
        metadata.insert(String::from("application_type"), "native".into());
    }
    if let Some(algorithm) = &asked.id_token_alg {
        let member = String::from("id_token_signed_response_alg");
        metadata.insert(member, algorithm.as_str().into());
    }
    for (member, address) in [
        ("backchannel_logout_uri", &asked.logout_url),
        ("frontchannel_logout_uri", &asked.logout_page),
    ] {
        if let Some(address) = address {
            metadata.insert(member.to_owned(), address.as_str().into());
        }
    }
    with_defaults(metadata, !asked.public)
}

/// A grant's name in registrations, also by its last word: `device_code`.
fn grant_type(name: &str) -> String {
    match name {
        "device_code" | "token-exchange" | "jwt-bearer" => {
            format!("urn:ietf:params:oauth:grant-type:{name}")
        }
        name => name.to_owned(),
    }
}

async fn list(accounts: &Accounts, as_json: bool) -> Outcome {
    let stored = clients::all(&accounts.store).await;
    let stored = stored.map_err(|error| failed(&accounts.store, error))?;
    let mut rows: Vec<Value> = accounts
        .settings
        .oauth
        .clients
        .iter()
        .map(of_file)
        .collect();
    rows.extend(stored.iter().map(of_record));
    if as_json {
        println!("{}", Value::Array(rows));
        return Ok(());
    }
    for row in rows {
        let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        println!(
            "{:<24} {:<14} {}",
            text("client_id"),
            text("from"),
            text("name")
        );
    }
    Ok(())
}

async fn show(accounts: &Accounts, id: &str, as_json: bool) -> Outcome {
    let shown = match declared(accounts, id) {
        Some(client) => of_file(client),
        None => {
            let found = clients::find(&accounts.store, id).await;
            let found = found.map_err(|error| failed(&accounts.store, error))?;
            of_record(&found.ok_or_else(|| missing(id))?)
        }
    };
    if as_json {
        println!("{shown}");
        return Ok(());
    }
    for (name, value) in shown.as_object().into_iter().flatten() {
        let text = match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        println!("{name:<16} {text}");
    }
    Ok(())
}

async fn rotate(accounts: &Accounts, id: &str, overlap: Duration, as_json: bool) -> Outcome {
    require_stored(accounts, id)?;
    let store = &accounts.store;
    let secret = ClientSecret::generate(&store.rng);
    let rotated = clients::rotate_secret(store, id, &secret.hash(), overlap).await;
    if !rotated.map_err(|error| failed(store, error))? {
        return Err(
            Failure::failed(format!("there is no client {id} with a secret"))
                .fix("pilaster client list"),
        );
    }
    let secret = secret.to_text();
    let given = Paste {
        issuer: &accounts.settings.public_url,
        id,
        secret: Some(secret.expose()),
        redirect_uri: None,
    };
    match as_json {
        true => println!("{}", given.as_json()),
        false => given.print(),
    }
    Ok(())
}

fn of_file(client: &DeclaredClient) -> Value {
    shown(
        &client.id,
        "pilaster.toml",
        &client.metadata,
        client.secret.is_some(),
        client.is_first_party,
    )
}

fn of_record(record: &ClientRecord) -> Value {
    let has_secret = record.secret.is_some();
    let from = match record.registration {
        Some(_) => "registration",
        None => "database",
    };
    let mut value = shown(
        &record.id,
        from,
        &record.metadata,
        has_secret,
        record.is_first_party,
    );
    value["created_at"] = format!("{:.6}", record.created_at).into();
    value
}

fn shown(id: &str, from: &str, metadata: &str, has_secret: bool, is_first_party: bool) -> Value {
    let metadata: Value = serde_json::from_str(metadata).unwrap_or(Value::Null);
    json!({
        "client_id": id,
        "from": from,
        "name": metadata["client_name"],
        "first_party": is_first_party,
        "has_secret": has_secret,
        "metadata": metadata,
    })
}

fn declared<'a>(accounts: &'a Accounts, id: &str) -> Option<&'a DeclaredClient> {
    let mut clients = accounts.settings.oauth.clients.iter();
    clients.find(|client| client.id == id)
}

/// A client of the file is changed there.
fn require_stored(accounts: &Accounts, id: &str) -> Outcome {
    match declared(accounts, id) {
        Some(_) => Err(Failure::failed(format!("{id} stands in pilaster.toml"))
            .fix("change it there, and its secret in .env")),
        None => Ok(()),
    }
}

fn exists(id: &str) -> Failure {
    Failure::failed(format!("there is a client {id} already")).fix("pilaster client list")
}

fn missing(id: &str) -> Failure {
    Failure::failed(format!("there is no client {id}")).fix("pilaster client list")
}

fn failed(store: &Store, error: StoreError) -> Failure {
    match error {
        StoreError::Db(error) => Failure::database(&store.db.description(), &error),
        other => Failure::failed(other.to_string()),
    }
}
