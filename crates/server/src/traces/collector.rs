//! How traces reach their collector: one request of HTTP each, on the server's own runtime.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use axum::http::{HeaderValue, Request, Response, Uri, header};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::rt::TokioIo;
use opentelemetry_http::{HttpClient, HttpError};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use super::settings::Collector;

/// The most of an answer that is read.
const MOST_ANSWER: usize = 65_536;

/// Sends what the batches' own thread gives it.
#[derive(Clone)]
pub(super) struct Client(Arc<Inner>);

struct Inner {
    tls: TlsConnector,
    timeout: Duration,
    runtime: Handle,
    /// Whether the last one failed: who is away is told of once.
    is_away: AtomicBool,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

impl Client {
    /// Must be made within the runtime that it is to use.
    pub(super) fn new(collector: &Collector) -> Self {
        let roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider supports TLS 1.2 and 1.3")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self(Arc::new(Inner {
            tls: TlsConnector::from(Arc::new(config)),
            timeout: collector.timeout,
            runtime: Handle::current(),
            is_away: AtomicBool::new(false),
        }))
    }
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let inner = Arc::clone(&self.0);
        let sent = self.0.runtime.spawn(async move {
            let timeout = inner.timeout;
            let sent = tokio::time::timeout(timeout, inner.send(request)).await;
            let sent = sent.unwrap_or_else(|_| Err(HttpError::from("it took too long")));
            inner.tell(&sent);
            sent
        });
        sent.await?
    }
}

impl Inner {
    /// Tells of a collector that takes nothing, and of one that is back, once each.
    fn tell(&self, sent: &Result<Response<Bytes>, HttpError>) {
        let error = match sent {
            Ok(response) if response.status().is_success() => None,
            Ok(response) => Some(format!("it answered {}", response.status().as_u16())),
            Err(error) => Some(error.to_string()),
        };
        let was_away = self.is_away.swap(error.is_some(), Ordering::Relaxed);
        match error {
            Some(error) if !was_away => {
                tracing::warn!(
                    error,
                    "the collector takes no traces; those until it does are lost"
                );
            }
            None if was_away => tracing::info!("the collector takes traces again"),
            _ => {}
        }
    }

    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let uri = request.uri().clone();
        let host = uri.host().ok_or("no host")?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let is_plain = uri.scheme_str() == Some("http");
        let port = uri.port_u16().unwrap_or(if is_plain { 80 } else { 443 });
        let stream = TcpStream::connect((host, port)).await?;
        let request = of_origin(request, &uri)?;
        if is_plain {
            return exchange(stream, request).await;
        }
        let name = ServerName::try_from(host.to_owned())?;
        exchange(self.tls.connect(name, stream).await?, request).await
    }
}

/// The request as it stands on a connection to its host (RFC 9112 §3.2.1).
fn of_origin(request: Request<Bytes>, uri: &Uri) -> Result<Request<Full<Bytes>>, HttpError> {
    let (mut head, body) = request.into_parts();
    let authority = uri.authority().ok_or("no host")?.as_str();
    head.headers
        .insert(header::HOST, HeaderValue::from_str(authority)?);
    head.headers
        .insert(header::CONNECTION, HeaderValue::from_static("close"));
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    head.uri = target.parse()?;
    Ok(Request::from_parts(head, Full::new(body)))
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> Result<Response<Bytes>, HttpError> {
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake?;
    // Ends with this function, whatever becomes of it.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let response = sender.send_request(request).await?;
    let (head, body) = response.into_parts();
    let body = Limited::new(body, MOST_ANSWER).collect().await?.to_bytes();
    Ok(Response::from_parts(head, body))
}
