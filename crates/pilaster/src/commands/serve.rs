//! `serve`

use std::net::SocketAddr;

use schema::Loss;
use server::{App, AppError};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::log;
use crate::config::{Configuration, is_automatic, master_key, port, settings};
use crate::failure::{Failure, Outcome};
use crate::native::{Native, name_foreign};
use crate::project::{
    Files, connect_to_migrate, connect_to_serve, migrate, prepare, require_current,
};

/// `prints_spans` shows every span on standard output.
pub(super) async fn run(configuration: &Configuration, prints_spans: bool) -> Outcome {
    let traces = log::start(configuration, prints_spans)?;
    let listener = listen(configuration).await?;
    let files = Files::read(&configuration.folder)?;
    // What is wrong with key or files is told before a database is asked.
    let master = master_key(configuration)?;
    let port = port_of(&listener)?;
    let mut settings = settings(configuration, port, false)?;
    let db = connect_to_serve(configuration).await?;
    let native = Native::of(configuration)?;
    // Of a file that cannot be written there is nobody else who could.
    if is_automatic(configuration)? && !db.is_read_only_file() {
        let migrator = connect_to_migrate(configuration).await?;
        migrate(&migrator, &files, None, Loss::Refused, Some(&native)).await?;
    }
    require_current(&db, &files).await?;
    // Rules are no migration: they are in force as they stand in schema/ when a server starts.
    let rules = native.plan(&db, &files).await;
    if !rules.is_ok_and(|plan| plan.statements.is_empty()) {
        let migrator = connect_to_migrate(configuration).await?;
        name_foreign(&native.put(&migrator, &files).await?);
    }
    settings.native = native.settings(&db).await?;
    let compiled = files.compile(db.dialect(), settings.api.clone())?;
    let compiled = compiled.served_with(&settings);
    prepare(&db, &compiled).await?;
    let url = settings.public_url.clone();
    let warning = settings.without_mail();
    let app = App::new(db.clone(), &master, settings, compiled.api, compiled.hooks)
        .await
        .map_err(|error| start_failure(&error))?;
    if app.is_read_only() {
        let database = db.description();
        tracing::warn!(
            database,
            "read-only: the database takes no change from this login, so writes are refused, and there are no hooks, webhooks or purges"
        );
    }
    if let Some(warning) = warning {
        tracing::warn!("{warning}");
    }
    let overridden = configuration.overridden().join(", ");
    tracing::info!(url, database = db.description(), config = %configuration.file.display(), overridden, "serving");
    server::serve(app, listener, stop_signal()?).await;
    if let Some(traces) = traces {
        traces.stop().await;
    }
    db.close()
        .await
        .map_err(|error| Failure::database(&db.description(), &error))
}

pub(super) fn start_failure(error: &AppError) -> Failure {
    Failure::config(error.to_string())
}

pub(super) fn port_of(listener: &TcpListener) -> Outcome<u16> {
    let address = listener
        .local_addr()
        .map_err(|error| Failure::failed(error.to_string()))?;
    Ok(address.port())
}

/// Binds the configured address.
pub(super) async fn listen(configuration: &Configuration) -> Outcome<TcpListener> {
    let host = configuration.text("server.host");
    let port = port(configuration)?;
    let address: SocketAddr = format!("{host}:{port}")
        .parse()
        .or_else(|_| format!("[{host}]:{port}").parse())
        .map_err(|_| configuration.ill_typed("server.host", "an address, as 127.0.0.1 or ::1"))?;
    TcpListener::bind(address).await.map_err(|error| {
        Failure::failed(format!("{address} cannot be listened on: {error}"))
            .fix("stop what listens there, or set PORT")
    })
}

/// Done when the process is asked to stop.
pub(super) fn stop_signal() -> Outcome<impl Future<Output = ()>> {
    let failed = |error: std::io::Error| Failure::failed(error.to_string());
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
