//! `/admin/api/audit`: who did what to whom.

use axum::extract::{Query, State as Shared};
use axum::http::HeaderMap;
use credentials::EmailAddress;
use jiff::Timestamp;
use serde_json::{Value, json};
use store::audit::{self, Act, Filter, Line};
use store::users::{self, LoginName};
use uuid::Uuid;

use super::query::{Parameters, cut, wrong};
use super::{ROOT, moment};
use crate::App;
use crate::app::State;
use crate::error::{Answer, Refusal};
use crate::identity::act::administrator;
use crate::identity::of_store;

/// `GET /admin/api/audit`: the newest acts first, page by page.
pub(crate) async fn list(
    Shared(app): Shared<App>,
    headers: HeaderMap,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Answer {
    let state = &app.0;
    administrator(state, &headers).await?;
    let mut asked = Parameters::new(pairs);
    let mut filter = Filter {
        before: asked.cursor()?,
        ..Filter::default()
    };
    let limit = asked.limit()?;
    let (act, user, since) = (asked.text("act"), asked.text("user"), asked.text("since"));
    asked.finish()?;
    if let Some(name) = act {
        let unknown = || {
            let near = stdx::nearest(&name, Act::ALL.map(Act::name));
            let hint = near.map_or_else(
                || format!("acts are {}", Act::ALL.map(Act::name).join(", ")),
                |near| format!("did you mean {near}?"),
            );
            wrong(&format!("there is no act {name}")).hint(hint)
        };
        filter.act = Some(Act::of_name(&name).ok_or_else(unknown)?);
    }
    if let Some(text) = since {
        filter.since = Some(since_when(state, &text)?);
    }
    if let Some(user) = user {
        whose(state, &user, &mut filter).await?;
    }
    let lines = audit::list(&state.store, &filter, limit + 1).await;
    let mut lines = lines.map_err(|error| of_store(&error))?;
    // The cursor goes by the ids.
    lines.sort_by_key(|line| std::cmp::Reverse(line.id));
    let next = cut(&mut lines, limit, |line| line.id);
    let path = format!("{}{ROOT}/audit", state.settings.base_path);
    Ok(asked.answer(&path, lines.iter().map(shown).collect(), next))
}

/// A moment, or so long ago.
fn since_when(state: &State, text: &str) -> Result<Timestamp, Refusal> {
    if let Ok(at) = text.parse() {
        return Ok(at);
    }
    let wrong = || wrong("since is a moment, as 2026-11-21T10:00:00Z, or a time, as 30d");
    let time = stdx::parse_duration(text).map_err(|_| wrong())?;
    state.clock.now().checked_sub(time).map_err(|_| wrong())
}

/// Acts by an account or to it; an address is looked for even where no account has it any more.
async fn whose(state: &State, text: &str, filter: &mut Filter) -> Result<(), Refusal> {
    if let Ok(id) = Uuid::try_parse(text) {
        filter.user = Some(id);
        return Ok(());
    }
    let found = match LoginName::parse(text) {
        Some(LoginName::Email(email)) => users::by_email(&state.store, &email).await,
        Some(LoginName::Username(name)) => users::by_username(&state.store, &name).await,
        None => Ok(None),
    };
    let found = found.map_err(|error| of_store(&error))?;
    filter.user = found.map(|user| user.id);
    filter.name = EmailAddress::parse(text)
        .ok()
        .map(|email| email.to_string());
    match (filter.user, &filter.name) {
        (None, None) => Err(wrong(
            "user is an address, a user name or an id of an account",
        )),
        _ => Ok(()),
    }
}

fn shown(line: &Line) -> Value {
    let details = line.details.as_deref().map(serde_json::from_str::<Value>);
    json!({
        "id": line.id.to_string(), "at": moment(Some(line.at)), "act": line.act,
        "actor_id": line.actor_id.map(|id| id.to_string()), "actor": line.actor,
        "target_id": line.target_id.map(|id| id.to_string()), "target": line.target,
        "address": line.address, "request_id": line.request_id,
        "details": details.and_then(Result::ok),
    })
}
