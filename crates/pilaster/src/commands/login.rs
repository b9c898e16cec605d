//! `login`: a bearer token for scripts, by the same requests that any client makes.

use std::io::Read as _;

use serde_json::{Value, json};
use server::opaque_client::{ClientLogin, KeyStretching, LoginResponse};
use server::{Answered, App, InProcess, Password};
use stdx::{Rng, Secret};

use crate::config::{Configuration, master_key, settings};
use crate::failure::{Failure, Outcome};
use crate::project::{Files, connect, prepare, require_current};

/// What was asked for.
pub(super) struct Asked {
    pub(super) user: String,
    pub(super) opaque: bool,
    pub(super) code: Option<String>,
}

pub(super) async fn run(configuration: &Configuration, asked: &Asked, as_json: bool) -> Outcome {
    let password = read_password()?;
    let service = service(configuration).await?;
    let answer = match asked.opaque {
        true => by_opaque(&service, &asked.user, password).await?,
        false => {
            let body = json!({"username": asked.user, "password": password.expose()});
            send(&service, "/token", &body).await?
        }
    };
    let answer = second_factor(&service, asked, answer).await?;
    let body = read(&answer)?;
    let Some(token) = body["access_token"].as_str() else {
        return Err(refused(&answer));
    };
    match as_json {
        true => println!("{body}"),
        false => println!("{token}"),
    }
    Ok(())
}

async fn service(configuration: &Configuration) -> Outcome<InProcess> {
    let port = configuration.text("server.port").parse().unwrap_or(0);
    let settings = settings(configuration, port, false)?;
    let master = master_key(configuration)?;
    let files = Files::read(&configuration.folder)?;
    let db = connect(configuration).await?;
    require_current(&db, &files).await?;
    let compiled = files.compile(db.dialect(), settings.api.clone())?;
    prepare(&db, &compiled).await?;
    let app = App::new(db, &master, settings, compiled.api, compiled.hooks).await;
    let app = app.map_err(|error| Failure::config(error.to_string()))?;
    Ok(InProcess::new(app))
}

/// One line, or all there is; without what ends it.
fn read_password() -> Outcome<Secret<String>> {
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| Failure::failed(format!("standard input: {error}")))?;
    let text = Secret::new(text);
    let line = text.expose().trim_end_matches(['\r', '\n']).to_owned();
    match line.is_empty() {
        true => Err(Failure::usage("there is no password on standard input")
            .fix("pilaster login ada@example.org < password.txt")),
        false => Ok(Secret::new(line)),
    }
}

async fn by_opaque(service: &InProcess, user: &str, password: Secret<String>) -> Outcome<Answered> {
    let failed = |error: &dyn std::fmt::Display| Failure::failed(error.to_string());
    let rng = Rng::System;
    let password = Password::presented(password.expose().clone()).map_err(|e| failed(&e))?;
    let (client, request) = ClientLogin::start(password, &rng).map_err(|e| failed(&e))?;
    let body = json!({"identifier": user, "login_request": request.to_base64url()});
    let started = send(service, "/auth/opaque/login/start", &body).await?;
    let answer = read(&started)?;
    let (Some(id), Some(response)) = (
        answer["login_id"].as_str(),
        answer["login_response"].as_str(),
    ) else {
        return Err(refused(&started));
    };
    let response = LoginResponse::from_base64url(response).map_err(|e| failed(&e))?;
    let stretching: KeyStretching =
        serde_json::from_value(answer["key_stretching"].clone()).map_err(|e| failed(&e))?;
    // A wrong password is known here; the server is not told of it, but counts the start.
    let finished = client.finish(response, stretching, &rng);
    let (finish, _) = finished.map_err(|_| Failure::failed("the name or the password is wrong"))?;
    let body = json!({"login_id": id, "login_finish": finish.to_base64url(), "result": "token"});
    send(service, "/auth/opaque/login/finish", &body).await
}

/// Shows the code where one is owed.
async fn second_factor(service: &InProcess, asked: &Asked, answer: Answered) -> Outcome<Answered> {
    let body = read(&answer)?;
    if body["code"] != "mfa_required" {
        return Ok(answer);
    }
    let Some(code) = &asked.code else {
        return Err(Failure::decision("a second factor is needed")
            .fix("give the authenticator app's code with --code"));
    };
    let id = &body["errors"][0]["login_id"];
    send(service, "/token", &json!({"login_id": id, "code": code})).await
}

async fn send(service: &InProcess, path: &str, body: &Value) -> Outcome<Answered> {
    let headers = [(
        String::from("content-type"),
        String::from("application/json"),
    )];
    let sent = service.send("POST", path, &headers, body.to_string().into_bytes());
    sent.await.map_err(Failure::failed)
}

fn read(answer: &Answered) -> Outcome<Value> {
    serde_json::from_str(&answer.body).map_err(|error| Failure::failed(error.to_string()))
}

/// The server's own words.
fn refused(answer: &Answered) -> Failure {
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    Failure::failed(body["message"].as_str().unwrap_or("refused").to_owned())
}
