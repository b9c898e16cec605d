//! As much of an HTTP client as the benchmark's preparations need.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// A status and a body.
pub(crate) struct Answer {
    /// The status code.
    pub(crate) status: u16,
    /// The body as text.
    pub(crate) body: String,
}

/// Sends one request on a connection of its own.
pub(crate) fn send(port: u16, head: &str, body: &str) -> Result<Answer> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let length = body.len();
    write!(
        stream,
        "{head} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\nContent-Length: {length}\r\n"
    )?;
    if !body.is_empty() {
        let json = body.starts_with('{');
        let kind = if json {
            "application/json"
        } else {
            "application/x-www-form-urlencoded"
        };
        write!(stream, "Content-Type: {kind}\r\n")?;
    }
    write!(stream, "\r\n{body}")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let (head, body) = text
        .split_once("\r\n\r\n")
        .context("an answer has a head and a body")?;
    let status = head
        .split(' ')
        .nth(1)
        .context("a status line has a code")?
        .parse()?;
    Ok(Answer {
        status,
        body: body.to_owned(),
    })
}
