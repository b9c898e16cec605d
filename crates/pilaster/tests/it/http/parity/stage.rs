//! The films project on every engine, with the same rows and the same requests.

use std::fmt::Write as _;
use std::sync::Arc;

use testkit::Answer;

use super::super::App;
use super::super::grammar::empty_films;
use super::{ENGINES, rows};
use crate::access::Dice;

/// A request.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) method: &'static str,
    pub(super) url: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Option<String>,
}

/// What of an answer has to be equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) status: u16,
    pub(super) text: String,
}

/// One server for each engine that was asked for.
pub(super) struct Stage {
    pub(super) apps: Vec<(&'static str, Arc<App>)>,
}

impl Stage {
    /// Filled with rows that follow from the dice.
    pub(super) async fn build(dice: &Dice) -> Self {
        let mut apps = Vec::new();
        for engine in ENGINES {
            if let Some(app) = App::of(engine, empty_films()).await {
                apps.push((engine, Arc::new(app)));
            }
        }
        assert!(!apps.is_empty(), "no engine was asked for");
        let stage = Self { apps };
        for (table, body) in rows::bodies(dice) {
            let fill = Ask {
                method: "POST",
                url: format!("/api/{table}"),
                headers: vec![
                    ("Prefer", String::from("return=representation")),
                    ("Content-Type", String::from("application/json")),
                ],
                body: Some(body.to_string()),
            };
            let (answers, wrong) = stage.ask(&fill).await;
            assert_eq!(answers[0].status, 201, "{table}: {}", answers[0].text);
            assert_eq!(wrong, None, "{table}");
        }
        stage
    }

    /// Sends a request to all; what is wrong with the answers, if they are not the same.
    pub(super) async fn ask(&self, ask: &Ask) -> (Vec<Seen>, Option<String>) {
        let answers = self.apps.iter().map(|(_, app)| answer(app, ask));
        let answers = futures_util::future::join_all(answers).await;
        let wrong = self.wrong(ask, &answers);
        (answers, wrong)
    }

    /// What is wrong with the answers to a request: one failed, or they are not the same.
    pub(super) fn wrong(&self, ask: &Ask, answers: &[Seen]) -> Option<String> {
        let first = &answers[0];
        let fails = answers.iter().any(|seen| seen.status >= 500);
        if !fails && answers.iter().all(|seen| seen == first) {
            return None;
        }
        let differences = answers.iter().map(|seen| common(&first.text, &seen.text));
        let at = differences.min().unwrap_or(0);
        let mut text = format!("{ask:?}");
        for ((engine, _), seen) in self.apps.iter().zip(answers) {
            let head: String = seen.text.lines().next().unwrap_or_default().to_owned();
            let part: String = seen
                .text
                .chars()
                .skip(at.saturating_sub(150))
                .take(400)
                .collect();
            write!(text, "\n{engine}: {head} … {part}").expect("a text");
        }
        Some(text)
    }
}

/// How many characters two texts have in common.
fn common(text: &str, other: &str) -> usize {
    let pairs = text.chars().zip(other.chars());
    pairs.take_while(|(left, right)| left == right).count()
}

/// The answer of one server.
pub(super) async fn answer(app: &App, ask: &Ask) -> Seen {
    let mut request = app.server.request(ask.method, &ask.url);
    for (name, value) in &ask.headers {
        request = request.header(*name, value);
    }
    if let Some(body) = &ask.body {
        request = request.body(body.clone());
    }
    seen(&Answer::read(request).await)
}

fn seen(answer: &Answer) -> Seen {
    let status = answer.status;
    let mut text = status.to_string();
    let headers = [
        "content-type",
        "content-range",
        "preference-applied",
        "location",
    ];
    for name in headers {
        write!(text, " {name}={}", answer.header(name)).expect("a text");
    }
    text.push('\n');
    if status < 400 {
        text.push_str(&answer.body);
    } else {
        // The number of a request is no news.
        let mut error = answer.json();
        let members = error.as_object_mut().expect("an error is an object");
        members
            .remove("request_id")
            .expect("an error has its request's number");
        if status == 409 {
            // Of several keys that are violated each engine names another one, and SQLite says of
            // no foreign key which one it was.
            error = "a key".into();
        }
        text.push_str(&error.to_string());
    }
    Seen { status, text }
}
