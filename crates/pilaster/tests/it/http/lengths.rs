//! How long an address may be.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{App, on_every_engine};

on_every_engine!(an_address_has_a_longest_length);

/// Bytes of path and query.
const LONGEST: usize = 65_534;

/// What a request for this target is answered, as it stands on the wire.
async fn raw(app: &App, target: &str) -> String {
    let address = app.server.base().trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let request = format!("GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    let sent = stream.write_all(request.as_bytes()).await;
    sent.expect("it is read");
    let mut answer = Vec::new();
    // A server that has answered may hang up before everything was read.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

async fn an_address_has_a_longest_length(app: App) {
    let start = "/api/users?select=handle&handle=neq.";
    let target = |length: usize| format!("{start}{}", "x".repeat(length - start.len()));
    let fits = raw(&app, &target(LONGEST)).await;
    assert!(fits.starts_with("HTTP/1.1 200 "), "{fits}");
    assert!(fits.contains("\"handle\":\"bayko\""), "{fits}");
    for length in [LONGEST + 1, 2 * LONGEST] {
        let refused = raw(&app, &target(length)).await;
        assert!(refused.starts_with("HTTP/1.1 414 "), "{length}: {refused}");
    }
    assert_eq!(app.server.get("/api/users").await.status, 200);
}
