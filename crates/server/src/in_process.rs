//! The service without a network, for a user's own tests.

use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt as _;

use crate::App;
use crate::router::Service;

/// A service that is called instead of connected to.
pub struct InProcess(Service);

/// An answer, read whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The status code.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body; bytes that are no UTF-8 are replaced.
    pub body: String,
}

impl InProcess {
    /// The service over an application.
    #[must_use]
    pub fn new(app: App) -> Self {
        Self(Service::new(app))
    }

    /// Answers one request; `target` is a path with its query. The error says what is no HTTP.
    pub async fn send(
        &self,
        method: &str,
        target: &str,
        headers: &[(String, String)],
        body: Vec<u8>,
    ) -> Result<Answered, String> {
        let mut request = Request::builder().method(method).uri(target);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request
            .body(Body::from(body))
            .map_err(|error| format!("{method} {target}: {error}"))?;
        let response = self.0.answer(request).await;
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| error.to_string())?;
        let headers = head.headers.iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        });
        Ok(Answered {
            status: head.status.as_u16(),
            headers: headers.collect(),
            body: String::from_utf8_lossy(&body.to_bytes()).into_owned(),
        })
    }
}

impl Answered {
    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}
