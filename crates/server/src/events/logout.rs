//! Delivering logouts to clients of OAuth: the outbox's row becomes a token, and the token a form.

use axum::http::{Request, header};
use bytes::Bytes;
use http_body_util::Full;
use sql::DbError;
use store::deliveries::{self, Delivery};

use super::deliver::Failed;
use super::send::Sender;
use super::webhook::WebhookUrl;
use crate::app::State;
use crate::oauth2::back_channel::{self, Notice};

/// One attempt, and the end of the row where it works (Back-Channel Logout §2.5).
pub(super) async fn to_client(
    state: &State,
    sender: &Sender,
    delivery: &Delivery,
) -> Result<(), Failed> {
    let now = state.store.clock.now();
    let notice = back_channel::notice(state, &delivery.message, delivery.id, now).await;
    // Its cause stands in the log.
    let notice = notice.map_err(|refusal| Failed::again(refusal.message))?;
    if let Some(notice) = notice {
        send(sender, &notice).await?;
    }
    let done = deliveries::done_step(&state.store, delivery);
    match state.store.db.write(vec![done]).await {
        Ok(_) | Err(DbError::Unexpected { .. }) => Ok(()),
        // It is told again, with the same `jti`.
        Err(error) => Err(Failed::again(error.without_values())),
    }
}

async fn send(sender: &Sender, notice: &Notice) -> Result<(), Failed> {
    let url: WebhookUrl = notice
        .uri
        .to_string()
        .parse()
        .map_err(|error: super::WebhookUrlError| Failed::for_good(error.to_string()))?;
    // Letters, digits, `-`, `_` and `.`: what a JWT is made of needs no escape in a form.
    let body = Bytes::from(format!("logout_token={}", notice.token));
    let request = Request::post(url.target.as_str())
        .header(header::HOST, url.authority.as_str())
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::USER_AGENT, super::send::AGENT)
        .header(header::CONNECTION, "close")
        .body(Full::new(body))
        .map_err(|error| Failed::for_good(error.to_string()))?;
    sender.post(&url, request).await.map_err(Failed::from)
}
