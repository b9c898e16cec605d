//! Listening, answering, stopping in good order.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;

use crate::App;
use crate::events::Deliveries;
use crate::mail::Mailer;
use crate::purge::Purge;
use crate::router::Service;

/// The longest that a client may take to send its headers.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest that requests under way may take after the stop was asked for.
const DRAIN: Duration = Duration::from_secs(10);

/// Answers connections and delivers what is in the outbox until `stop` is done, then finishes what
/// is under way.
pub async fn serve(app: App, listener: TcpListener, stop: impl Future<Output = ()>) {
    let state = Arc::clone(&app.0);
    // All of them write.
    let workers = (!app.is_read_only()).then(|| {
        let mailer = Mailer::start(&app);
        (Deliveries::start(&app), Purge::start(&app), mailer)
    });
    let service = Service::new(app);
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // Answers are short: copied behind their head they leave in one plain write.
        .writev(false)
        .header_read_timeout(HEADER_TIMEOUT);
    let graceful = GracefulShutdown::new();
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file handles, as a rule: waiting lets others close.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        // Small answers leave at once; a socket that refuses the option still works.
        let _ = stream.set_nodelay(true);
        let service = service.for_peer(peer.ip());
        let answer = service_fn(move |request: Request<Incoming>| {
            let service = service.clone();
            async move { Ok::<_, Infallible>(service.answer(request.map(Body::new)).await) }
        });
        let connection = builder.serve_connection(TokioIo::new(stream), answer);
        let connection = graceful.watch(connection.into_owned());
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error, "a connection ended");
            }
        });
    }
    drop(listener);
    state.watchers.close();
    let finish = async {
        match workers {
            Some((deliveries, purge, mailer)) => {
                let mailer = async {
                    if let Some(mailer) = mailer {
                        mailer.stop().await;
                    }
                };
                tokio::join!(graceful.shutdown(), deliveries.stop(), purge.stop(), mailer);
            }
            None => graceful.shutdown().await,
        }
    };
    tokio::select! {
        () = finish => {}
        () = tokio::time::sleep(DRAIN) => tracing::warn!("requests were cut off at the deadline"),
    }
}
