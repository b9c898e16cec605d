//! `/oauth2/userinfo` (OpenID Connect Core §5.3): what the client of an access token may know of its
//! user.

use axum::extract::State as Shared;
use axum::http::{HeaderValue, StatusCode, header};
use oauth::sign_userinfo;
use serde_json::Value;
use store::grants;
use uuid::Uuid;

use super::issue::{self, GRANT, Granted};
use super::{clients, person};
use crate::App;
use crate::auth::bearer_caller;
use crate::client::Asked;
use crate::error::{Answer, Refusal};
use crate::identity::{json_answer, of_store};

/// `GET` and `POST /oauth2/userinfo`
pub(crate) async fn userinfo(Shared(app): Shared<App>, asked: Asked) -> Answer {
    let state = &app.0;
    let (method, headers) = (&asked.method, &asked.headers);
    let caller = bearer_caller(state, method, "/oauth2/userinfo", headers).await?;
    let caller = caller.ok_or_else(|| {
        let mut refusal = Refusal::unauthorized("", "an access token is needed");
        refusal.oauth = Some("invalid_token");
        refusal
    })?;
    if !caller.scopes.iter().any(|scope| scope == "openid") {
        return Err(Refusal::insufficient_scope("openid"));
    }
    let dead = || Refusal::unauthorized("invalid_token", "the token is not good, or no longer");
    let id = caller.claims.get(GRANT).and_then(Value::as_str);
    let id = id.and_then(|id| Uuid::try_parse(id).ok());
    let found = grants::find(&state.store, id.ok_or_else(dead)?).await;
    let grant = found.map_err(|error| of_store(&error))?.ok_or_else(dead)?;
    let granted = Granted::read(&grant.content)?;
    let user = issue::user_of(state, &grant).await?.ok_or_else(dead)?;
    let registered = clients::find(state, &grant.family.client_id).await?;
    let registered = registered.ok_or_else(dead)?;
    let requested = granted.userinfo_claims();
    let mut claims = person::claims(state, &user, &caller.scopes, &requested).await?;
    let subject = registered.subject(state, user.id);
    claims.insert(String::from("sub"), subject.into());
    let client = &registered.client;
    let Some(algorithm) = client.signing.userinfo else {
        return Ok(json_answer(StatusCode::OK, &Value::Object(claims)));
    };
    let keys = state.signing_keys(algorithm).await?;
    let key = issue::signing(&keys, algorithm)?;
    let signed = sign_userinfo(&claims, &state.settings.public_url, &client.id, key);
    let signed = signed.map_err(|error| Refusal::internal("userinfo", &error))?;
    let mut answer = json_answer(StatusCode::OK, &Value::Null);
    *answer.body_mut() = signed.into();
    answer.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/jwt"),
    );
    Ok(answer)
}
