//! The three routes over whichever engine.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use uuid::Uuid;

use crate::model::NewActivity;
use crate::{mysql, postgres, sqlite};

/// The three ways to run the same three statements.
pub(crate) enum Engine {
    Sqlite(sqlite::Engine),
    Postgres(postgres::Engine),
    MySql(mysql::Engine),
}

struct App {
    engine: Engine,
    /// Verified tokens, as a cache in front of a signature check would hold them.
    tokens: HashMap<String, Uuid>,
}

/// Serves until killed. Every user of the load may post with the token `user-<uuid>` of the
/// first one.
pub(crate) async fn run(url: &str, port: u16) -> Result<()> {
    let engine = if url.starts_with("sqlite:") {
        Engine::Sqlite(sqlite::Engine::open(url)?)
    } else if url.starts_with("postgres") {
        Engine::Postgres(postgres::Engine::open(url).await?)
    } else {
        Engine::MySql(mysql::Engine::open(url)?)
    };
    let user = crate::load::user_id(0);
    let tokens = HashMap::from([(String::from("benchmark"), user)]);
    let app = Router::new()
        .route("/users/{uuid}", get(user_by_key))
        .route("/feed", get(feed))
        .route("/activities", post(insert))
        .with_state(Arc::new(App { engine, tokens }));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening on {}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

fn json(status: StatusCode, body: Vec<u8>) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn failed(error: &anyhow::Error) -> Response {
    (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response()
}

async fn user_by_key(State(app): State<Arc<App>>, Path(uuid): Path<Uuid>) -> Response {
    let found = match &app.engine {
        Engine::Sqlite(engine) => engine.user(uuid),
        Engine::Postgres(engine) => engine.connection().user(uuid).await,
        Engine::MySql(engine) => engine.user(uuid).await,
    };
    match found.and_then(|user| Ok(user.map(|user| serde_json::to_vec(&user)).transpose()?)) {
        Ok(Some(body)) => json(StatusCode::OK, body),
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => failed(&error),
    }
}

async fn feed(State(app): State<Arc<App>>) -> Response {
    let rows = match &app.engine {
        Engine::Sqlite(engine) => engine.feed(),
        Engine::Postgres(engine) => engine.connection().feed().await,
        Engine::MySql(engine) => engine.feed().await,
    };
    match rows.and_then(|rows| Ok(serde_json::to_vec(&rows)?)) {
        Ok(body) => json(StatusCode::OK, body),
        Err(error) => failed(&error),
    }
}

async fn insert(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Response {
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    let Some(user) = token.and_then(|token| app.tokens.get(token)).copied() else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let Ok(activity) = serde_json::from_slice::<NewActivity>(&body) else {
        return StatusCode::UNPROCESSABLE_ENTITY.into_response();
    };
    let done = match &app.engine {
        Engine::Sqlite(engine) => engine.insert(user, activity.message).await,
        Engine::Postgres(engine) => engine.connection().insert(user, &activity.message).await,
        Engine::MySql(engine) => engine.insert(user, &activity.message).await,
    };
    match done {
        Ok(()) => StatusCode::CREATED.into_response(),
        Err(error) => failed(&error),
    }
}
