//! One attempt at a webhook: resolve, judge the address, connect to exactly that one, sign, send.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, Request, Response, StatusCode, header};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use super::egress::refusal;
use super::webhook::{Webhook, WebhookUrl, Webhooks};
use crate::traces;

/// The most of an answer that is looked at.
const MOST_ANSWER: usize = 65_536;

/// How long the rest of an answer is waited for; its status has said everything.
const REST_OF_ANSWER: Duration = Duration::from_secs(1);

/// What we are called.
pub(super) const AGENT: &str = concat!("pilaster/", env!("CARGO_PKG_VERSION"));

/// The longest pause that a receiver may ask for.
const LONGEST_PAUSE: Duration = Duration::from_hours(24);

/// Why an attempt failed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Undelivered {
    /// It may work later, and not before the pause is over that the receiver asked for.
    Again(String, Option<Duration>),
    /// The receiver wants no more.
    Never(String),
}

/// What is sent.
pub(super) struct Message<'m> {
    /// The same at every attempt.
    pub(super) id: &'m str,
    /// Seconds since 1970, now.
    pub(super) timestamp: i64,
    /// JSON.
    pub(super) body: &'m str,
}

/// What is the same for all webhooks.
pub(super) struct Sender {
    tls: TlsConnector,
    webhooks: Webhooks,
}

fn again(error: impl std::fmt::Display) -> Undelivered {
    Undelivered::Again(error.to_string(), None)
}

impl Sender {
    pub(super) fn new(webhooks: &Webhooks) -> Self {
        let mut roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        let own = CertificateDer::pem_slice_iter(&webhooks.authorities);
        roots.add_parsable_certificates(own.flatten());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider supports TLS 1.2 and 1.3")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self {
            tls: TlsConnector::from(Arc::new(config)),
            webhooks: webhooks.clone(),
        }
    }

    /// Sends once; no redirect is followed, no proxy asked.
    pub(super) async fn send(
        &self,
        webhook: &Webhook,
        message: &Message<'_>,
    ) -> Result<(), Undelivered> {
        let request = request(webhook, message).map_err(again)?;
        self.post(&webhook.url, request).await
    }

    /// Sends a request that is made already, in the same way.
    pub(super) async fn post(
        &self,
        url: &WebhookUrl,
        request: Request<Full<Bytes>>,
    ) -> Result<(), Undelivered> {
        let attempt = self.attempt(url, request);
        match tokio::time::timeout(self.webhooks.timeout, attempt).await {
            Ok(result) => result,
            Err(_) => Err(again("it took too long")),
        }
    }

    async fn attempt(
        &self,
        url: &WebhookUrl,
        request: Request<Full<Bytes>>,
    ) -> Result<(), Undelivered> {
        let stream = self.connect(url).await?;
        if url.plain {
            return exchange(stream, request).await;
        }
        let name = ServerName::try_from(url.host.clone())
            .map_err(|_| again("the host is no name that a certificate can have"))?;
        let stream = self.tls.connect(name, stream).await;
        let stream = stream.map_err(|error| again(format!("TLS: {error}")))?;
        exchange(stream, request).await
    }

    /// Connects to the first address of the host that may be reached and answers.
    async fn connect(&self, url: &WebhookUrl) -> Result<TcpStream, Undelivered> {
        let found = tokio::net::lookup_host((url.host.as_str(), url.port)).await;
        let found = found.map_err(|error| again(format!("the host is not found: {error}")))?;
        let mut last = again("the host has no address");
        for address in found {
            match self.connect_to(url, address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn connect_to(
        &self,
        url: &WebhookUrl,
        address: SocketAddr,
    ) -> Result<TcpStream, Undelivered> {
        let (ip, allowed) = (address.ip(), &self.webhooks.allow_private);
        if let Some(why) = refusal(ip, url.plain, allowed) {
            return Err(again(format!(
                "{ip} is refused: {why}; webhooks.allow_private names networks of your own"
            )));
        }
        let stream = TcpStream::connect(address).await;
        stream.map_err(|error| again(format!("{address}: {error}")))
    }
}

/// The headers of Standard Webhooks, over the bytes that are sent.
fn request(
    webhook: &Webhook,
    message: &Message<'_>,
) -> Result<Request<Full<Bytes>>, axum::http::Error> {
    let body = Bytes::from(message.body.to_owned());
    let mut traced = HeaderMap::new();
    traces::inject(&mut traced);
    let signature = webhook
        .secrets
        .signature(message.id, message.timestamp, &body);
    let mut request = Request::post(webhook.url.target.as_str());
    if let Some(headers) = request.headers_mut() {
        headers.extend(traced);
    }
    request
        .header(header::HOST, webhook.url.authority.as_str())
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, AGENT)
        .header(header::CONNECTION, "close")
        .header("webhook-id", message.id)
        .header("webhook-timestamp", message.timestamp)
        .header("webhook-signature", signature)
        .body(Full::new(body))
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> Result<(), Undelivered> {
    let mut builder = hyper::client::conn::http1::Builder::new();
    builder.max_buf_size(MOST_ANSWER);
    let (mut sender, connection) = builder
        .handshake(TokioIo::new(stream))
        .await
        .map_err(again)?;
    // Ends with this function, whatever becomes of it.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let response = sender.send_request(request).await;
    let response = response.map_err(|error| again(format!("no answer: {error}")))?;
    let judged = judge(&response);
    let rest = Limited::new(response.into_body(), MOST_ANSWER).collect();
    // Read out of politeness alone: what it says is not used, and it may be cut off.
    let _ = tokio::time::timeout(REST_OF_ANSWER, rest).await;
    judged
}

fn judge(response: &Response<Incoming>) -> Result<(), Undelivered> {
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    let said = format!("it answered {}", status.as_u16());
    if status == StatusCode::GONE {
        return Err(Undelivered::Never(said));
    }
    if status.is_redirection() {
        return Err(again(format!("{said}; redirects are not followed")));
    }
    let pause = response
        .headers()
        .get(header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .map(|seconds| Duration::from_secs(seconds).min(LONGEST_PAUSE));
    Err(Undelivered::Again(said, pause))
}
