//! `db check`: who answers, as whom, how fast, how safely.

use std::time::{Duration, Instant};

use serde_json::json;
use sql::Db;

use crate::config::{Configuration, database_options, database_url};
use crate::failure::{Failure, Outcome};

pub(super) async fn run(configuration: &Configuration, json: bool) -> Outcome {
    let url = database_url(configuration)?;
    let mut options = database_options(configuration, &url)?;
    options.connect_deadline = options.connect_deadline.min(Duration::from_secs(5));
    options.create_if_missing = false;
    let failed = |error: sql::DbError| Failure::database(&url.to_string(), &error);
    let db = Db::connect(&url, &options).await.map_err(failed)?;
    let version = db.version().await.map_err(failed)?;
    let whoami = db.whoami().await.map_err(failed)?;
    // The first one also connects.
    db.ping().await.map_err(failed)?;
    let began = Instant::now();
    db.ping().await.map_err(failed)?;
    let latency = began.elapsed();
    let milliseconds = latency.as_secs_f64() * 1_000.0;
    let tls = whoami.tls.as_deref().unwrap_or("none");
    if json {
        println!(
            "{}",
            json!({"url": url.to_string(), "engine": db.dialect().name(), "version": version,
                   "role": whoami.role, "tls": whoami.tls, "latency_ms": milliseconds})
        );
        return Ok(());
    }
    println!("url      {url}");
    println!("engine   {} {version}", db.dialect().name());
    println!("role     {}", whoami.role);
    println!("tls      {tls}");
    println!("latency  {milliseconds:.2} ms");
    Ok(())
}
