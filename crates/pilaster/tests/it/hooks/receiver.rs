//! A receiver of webhooks: a small HTTP server that keeps what it is sent and judges signatures
//! with the Standard Webhooks project's own library.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The certificate of the authority that has signed the receiver's.
pub(crate) const AUTHORITY: &str = include_str!("tls/ca.pem");
const CERTIFICATE: &str = include_str!("tls/leaf.pem");
const KEY: &str = include_str!("tls/leaf.key");

/// What it does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Conduct {
    /// Answers with this line and these headers.
    Answer(&'static str),
    /// Keeps it and says nothing.
    Silence,
    /// Says yes and goes on for ever.
    Flood,
}

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Serves until it is dropped with its runtime.
#[derive(Clone)]
pub(crate) struct Receiver {
    pub(crate) port: u16,
    conduct: Arc<Mutex<Conduct>>,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }

    /// That the secret's owner has sent exactly this, and now.
    pub(crate) fn verify(&self, secret: &str) {
        let webhook = standardwebhooks::Webhook::new(secret).expect("a secret");
        let verified = webhook.verify(&self.body, &self.headers);
        verified.unwrap_or_else(|error| panic!("{error}: {self:?}"));
        let mut forged = self.body.clone();
        forged.push(b' ');
        assert!(webhook.verify(&forged, &self.headers).is_err());
    }
}

impl Receiver {
    pub(crate) async fn start(conduct: Conduct) -> Self {
        Self::listen(conduct, None).await
    }

    /// The same with a certificate for `localhost` of [`AUTHORITY`].
    pub(crate) async fn start_tls(conduct: Conduct) -> Self {
        let chain = CertificateDer::pem_slice_iter(CERTIFICATE.as_bytes());
        let chain = chain.collect::<Result<Vec<_>, _>>().expect("certificates");
        let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).expect("a key");
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .expect("they belong together");
        Self::listen(conduct, Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    async fn listen(conduct: Conduct, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let receiver = Self {
            port: listener.local_addr().expect("an address").port(),
            conduct: Arc::new(Mutex::new(conduct)),
            received: Arc::default(),
        };
        let serving = receiver.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (serving, tls) = (serving.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serving.answer(stream).await,
                        Some(tls) => {
                            // A client that does not trust us hangs up.
                            if let Ok(stream) = tls.accept(stream).await {
                                serving.answer(stream).await;
                            }
                        }
                    }
                });
            }
        });
        receiver
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/in?from=pilaster", self.port)
    }

    pub(crate) fn behave(&self, conduct: Conduct) {
        *self.conduct.lock().expect("no panic") = conduct;
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().expect("no panic").clone()
    }

    async fn answer(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) {
        let Some(received) = read(&mut stream).await else {
            return;
        };
        let conduct = self.conduct.lock().expect("no panic").clone();
        self.received.lock().expect("no panic").push(received);
        match conduct {
            Conduct::Silence => tokio::time::sleep(Duration::from_mins(5)).await,
            Conduct::Answer(head) => {
                let text = format!("HTTP/1.1 {head}\r\ncontent-length: 2\r\n\r\nok");
                // A client that is gone needs no answer.
                let _ = stream.write_all(text.as_bytes()).await;
            }
            Conduct::Flood => {
                let head = b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n";
                let mut going = stream.write_all(head).await.is_ok();
                while going {
                    going = stream.write_all(&[b'x'; 8192]).await.is_ok();
                }
            }
        }
    }
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<Received> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
    let mut lines = head.split("\r\n");
    let path = lines
        .next()?
        .strip_prefix("POST ")?
        .strip_suffix(" HTTP/1.1")?;
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(": ")?;
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        headers.append(name, HeaderValue::from_str(value).ok()?);
    }
    let length: usize = headers.get("content-length")?.to_str().ok()?.parse().ok()?;
    let mut body = bytes[end + 4..].to_vec();
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some(Received {
        path: path.to_owned(),
        headers,
        body,
    })
}
