//! Requests that are sent twice and done once (`Idempotency-Key`).

use axum::http::{HeaderMap, HeaderName, StatusCode};
use credentials::sha256_hex;
use rest::{Caller, ContentType, Request, Success, SuccessKind};
use sql::{DbError, Tx};
use store::kept_answers::{self, KeptAnswer};

use super::perform::Failed;
use crate::app::State;
use crate::error::Refusal;
use crate::status::of_success;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The longest key.
const LONGEST: usize = 255;

/// What tells a request that is sent again from another one.
#[derive(Clone, Debug)]
pub(super) struct Repeat {
    /// Of the caller and the key.
    id: String,
    /// Of the request.
    fingerprint: String,
}

impl Repeat {
    /// The key of a write; reads need none.
    pub(super) fn of(
        headers: &HeaderMap,
        caller: &Caller,
        request: &Request<'_>,
    ) -> Result<Option<Self>, Refusal> {
        let Some(value) = headers.get(IDEMPOTENCY_KEY) else {
            return Ok(None);
        };
        let key = value.to_str().ok().filter(|key| {
            let plain = key.bytes().all(|byte| (b' '..=b'~').contains(&byte));
            plain && !key.is_empty() && key.len() <= LONGEST
        });
        let Some(key) = key else {
            let message = format!("the Idempotency-Key has 1 to {LONGEST} plain characters");
            return Err(Refusal::new(StatusCode::BAD_REQUEST, "PGRST100", message));
        };
        let who = caller
            .user
            .map_or(String::from("anon"), |user| user.to_string());
        let path = request.path.join("/");
        let (method, query) = (request.method.name(), request.query);
        let mut whole = format!("{method} /{path}?{query} {:?}\n", request.prefer).into_bytes();
        whole.extend_from_slice(request.body);
        Ok(Some(Self {
            id: sha256_hex(format!("{who} {key}").as_bytes()),
            fingerprint: sha256_hex(&whole),
        }))
    }

    /// The answer that the request got before, if it was sent before.
    pub(super) async fn answer(
        &self,
        state: &State,
        tx: &mut Tx,
    ) -> Result<Option<Success>, Failed> {
        let query = kept_answers::find_query(&state.store, &self.id);
        let rows = tx.rows(&query).await.map_err(Failed::of_engine)?;
        let Some(row) = rows.into_iter().next() else {
            return Ok(None);
        };
        let kept = kept_answers::of_row(row)
            .map_err(|error| Failed::Refused(Refusal::internal("a kept answer", &error)))?;
        match kept.fingerprint == self.fingerprint {
            true => Ok(Some(given(kept))),
            false => {
                let message = "this Idempotency-Key came with another request";
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                let refusal = Refusal::new(status, "PGRST409", message);
                Err(Failed::Refused(
                    refusal.hint("make a new key for each request"),
                ))
            }
        }
    }

    /// Keeps the answer, in the transaction that it tells of. Somebody who did so meanwhile has
    /// answered the same request.
    pub(super) async fn keep(
        &self,
        state: &State,
        tx: &mut Tx,
        success: &Success,
    ) -> Result<(), Failed> {
        let kept = KeptAnswer {
            fingerprint: self.fingerprint.clone(),
            status: of_success(success.kind).as_u16(),
            content_type: success.content_type.name().map(str::to_owned),
            location: success.location.clone(),
            content_range: success.content_range.clone(),
            body: String::from_utf8_lossy(&success.body).into_owned(),
        };
        let steps = kept_answers::keep_steps(&state.store, &self.id, &kept);
        for (place, step) in steps.iter().enumerate() {
            match tx.step(place, step).await {
                Ok(_) => {}
                Err(DbError::Unique { .. }) => return Err(Failed::of_engine(DbError::Conflict)),
                Err(error) => return Err(Failed::of_engine(error)),
            }
        }
        Ok(())
    }
}

fn given(kept: KeptAnswer) -> Success {
    let content_type = kept.content_type.as_deref().and_then(ContentType::of_name);
    Success {
        kind: SuccessKind::Declared(kept.status),
        content_type: content_type.unwrap_or(ContentType::None),
        location: kept.location,
        content_range: kept.content_range,
        is_repeated: true,
        ..Success::rows(kept.body.into_bytes())
    }
}
