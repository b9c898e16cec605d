//! Sending the requests of a file and looking at the answers.

use std::collections::HashMap;

use serde_json::Value;
use server::{Answered, InProcess};

use super::file::{Expectation, RequestFile, TestRequest};

/// Sends all requests in order; prints each, with the difference where there is one.
pub(super) async fn all(server: &InProcess, file: &RequestFile) -> (usize, usize) {
    let (mut passed, mut failed) = (0, 0);
    let mut answers: HashMap<String, Answered> = HashMap::new();
    for request in &file.requests {
        let fill = |text: &str| filled(text, &file.variables, &answers);
        let faults = match send(server, request, &fill).await {
            Ok(answer) => {
                let differences = request
                    .expectations
                    .iter()
                    .filter_map(|expectation| difference(expectation, &answer, &fill));
                let faults: Vec<String> = unsaid_failure(request, &answer)
                    .into_iter()
                    .chain(differences)
                    .collect();
                if let Some(name) = &request.name {
                    answers.insert(name.clone(), answer);
                }
                faults
            }
            Err(fault) => vec![fault],
        };
        let verdict = if faults.is_empty() {
            "ok    "
        } else {
            "FAILED"
        };
        println!("{verdict} {}: {}", file.path, request.title);
        for fault in &faults {
            println!("       {fault}");
        }
        if faults.is_empty() {
            passed += 1;
        } else {
            failed += 1;
        }
    }
    (passed, failed)
}

async fn send(
    server: &InProcess,
    request: &TestRequest,
    fill: &dyn Fn(&str) -> Result<String, String>,
) -> Result<Answered, String> {
    let mut headers = Vec::new();
    for (name, value) in &request.headers {
        headers.push((name.clone(), fill(value)?));
    }
    let (target, body) = (fill(&request.target)?, fill(&request.body)?);
    server
        .send(&request.method, &target, &headers, body.into_bytes())
        .await
}

/// A request that names no status has to succeed, so that none can pass whatever it answers.
fn unsaid_failure(request: &TestRequest, answer: &Answered) -> Option<String> {
    let says = |expectation: &Expectation| matches!(expectation, Expectation::Status(_));
    let is_said = request.expectations.iter().any(says);
    let status = answer.status;
    (!is_said && !(200..300).contains(&status))
        .then(|| format!("expected success, got {status}: {}", answer.body))
}

/// What is otherwise than expected.
fn difference(
    expectation: &Expectation,
    answer: &Answered,
    fill: &dyn Fn(&str) -> Result<String, String>,
) -> Option<String> {
    match expectation {
        Expectation::Status(wanted) if *wanted == answer.status => None,
        Expectation::Status(wanted) => {
            let status = answer.status;
            Some(format!(
                "expected status {wanted}, got {status}: {}",
                answer.body
            ))
        }
        Expectation::Header(name, wanted) => {
            let found = answer.header(name).unwrap_or_default();
            match fill(wanted) {
                Ok(wanted) if found.contains(&wanted) => None,
                Ok(wanted) => Some(format!("expected {name}: {wanted}, got {found:?}")),
                Err(fault) => Some(fault),
            }
        }
        Expectation::Contains(wanted) => match fill(wanted) {
            Ok(wanted) if answer.body.contains(&wanted) => None,
            Ok(wanted) => Some(format!(
                "expected {wanted} in the body, got {}",
                answer.body
            )),
            Err(fault) => Some(fault),
        },
        Expectation::Json(path, wanted) => {
            let body: Value = serde_json::from_str(&answer.body).unwrap_or(Value::Null);
            let found = path
                .iter()
                .try_fold(&body, |value, step| step_into(value, step));
            match found {
                Some(found) if found == wanted => None,
                found => {
                    let found = found.map_or(String::from("nothing"), Value::to_string);
                    Some(format!(
                        "expected body.{} {wanted}, got {found}",
                        path.join(".")
                    ))
                }
            }
        }
    }
}

fn step_into<'v>(value: &'v Value, step: &str) -> Option<&'v Value> {
    match step.parse::<usize>() {
        Ok(place) if value.is_array() => value.get(place),
        _ => value.get(step),
    }
}

/// The text with its `{{…}}` put in.
fn filled(
    text: &str,
    variables: &[(String, String)],
    answers: &HashMap<String, Answered>,
) -> Result<String, String> {
    let mut whole = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, behind) = after
            .split_once("}}")
            .ok_or_else(|| format!("{{{{ is not closed in {text}"))?;
        whole.push_str(before);
        whole.push_str(&value_of(name.trim(), variables, answers)?);
        rest = behind;
    }
    whole.push_str(rest);
    Ok(whole)
}

fn value_of(
    name: &str,
    variables: &[(String, String)],
    answers: &HashMap<String, Answered>,
) -> Result<String, String> {
    if let Some((_, value)) = variables.iter().find(|(known, _)| known == name) {
        return Ok(value.clone());
    }
    let unknown = || format!("{{{{{name}}}}} is neither a variable nor an answer");
    let (request, rest) = name.split_once(".response.").ok_or_else(unknown)?;
    let answer = answers.get(request).ok_or_else(unknown)?;
    if let Some(header) = rest.strip_prefix("headers.") {
        return answer.header(header).map(str::to_owned).ok_or_else(unknown);
    }
    let path = rest.strip_prefix("body").ok_or_else(unknown)?;
    let body: Value = serde_json::from_str(&answer.body).unwrap_or(Value::Null);
    let mut steps = path.split('.').filter(|step| !matches!(*step, "" | "$"));
    let found = steps.try_fold(&body, |value, step| step_into(value, step));
    match found {
        None => Err(unknown()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(other) => Ok(other.to_string()),
    }
}
