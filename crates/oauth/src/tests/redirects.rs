//! Redirect URIs: a corpus of hostile ones, none of which passes.

use super::fixtures::{REDIRECT, client};
use crate::Client;
use crate::client::Application;
use crate::client::redirect::{check_redirect_uri, is_post_logout, is_registered};

fn web() -> Client {
    client()
}

fn native(registered: &[&str]) -> Client {
    Client {
        application: Application::Native,
        redirect_uris: registered.iter().map(ToString::to_string).collect(),
        ..client()
    }
}

/// Variations of `https://app.example.org/callback`.
const HOSTILE: &[&str] = &[
    "",
    " ",
    "/",
    "callback",
    "/callback",
    "//app.example.org/callback",
    "\\\\app.example.org\\callback",
    "app.example.org/callback",
    "https:/app.example.org/callback",
    "https:app.example.org/callback",
    "https:///app.example.org/callback",
    "https:////app.example.org/callback",
    "https:\\\\app.example.org\\callback",
    "https://app.example.org\\callback",
    "http://app.example.org/callback",
    "HTTPS://app.example.org/callback",
    "Https://app.example.org/callback",
    "httpss://app.example.org/callback",
    "ftp://app.example.org/callback",
    "ws://app.example.org/callback",
    "javascript:alert(1)",
    "javascript://app.example.org/callback",
    "javascript://app.example.org/%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "file:///etc/passwd",
    "blob:https://app.example.org/callback",
    "about:blank",
    "view-source:https://app.example.org/callback",
    "https://app.example.org",
    "https://app.example.org/",
    "https://app.example.org/callback/",
    "https://app.example.org//callback",
    "https://app.example.org/./callback",
    "https://app.example.org/x/../callback",
    "https://app.example.org/callback/..",
    "https://app.example.org/callback/../evil",
    "https://app.example.org/callback/%2e%2e/evil",
    "https://app.example.org/callback/%2E%2E/evil",
    "https://app.example.org/callback/.%2e/evil",
    "https://app.example.org/callback/..;/evil",
    "https://app.example.org/callback/..%2fevil",
    "https://app.example.org/callback/..%5cevil",
    "https://app.example.org/callback/..\\evil",
    "https://app.example.org/callback%2f",
    "https://app.example.org/callback%00",
    "https://app.example.org/callback%0a",
    "https://app.example.org/callback%0d%0aLocation:%20https://evil.example",
    "https://app.example.org/callback%20",
    "https://app.example.org/callback%23",
    "https://app.example.org/callback%3f",
    "https://app.example.org/%63allback",
    "https://app.example.org/%2563allback",
    "https://app.example.org/Callback",
    "https://app.example.org/CALLBACK",
    "https://app.example.org/callback2",
    "https://app.example.org/callbac",
    "https://app.example.org/callback.evil",
    "https://app.example.org/callback;x",
    "https://app.example.org/callback;jsessionid=1",
    "https://app.example.org/callback&x=1",
    "https://app.example.org/callback?",
    "https://app.example.org/callback?x=1",
    "https://app.example.org/callback?redirect=https://evil.example",
    "https://app.example.org/callback#",
    "https://app.example.org/callback#x",
    "https://app.example.org/callback#@evil.example",
    "https://app.example.org/callback?#x",
    " https://app.example.org/callback",
    "https://app.example.org/callback ",
    "\thttps://app.example.org/callback",
    "https://app.example.org/callback\t",
    "https://app.example.org/callback\n",
    "https://app.example.org/callback\r\n",
    "https://app.example.org/call\nback",
    "https://app.example.org/call\tback",
    "https://app.example.org/callback\0",
    "https://app.example.org/callback\u{200b}",
    "https://app.example.org/callback\u{feff}",
    "\u{feff}https://app.example.org/callback",
    "https://app.example.org/c\u{430}llback",
    "https://\u{430}pp.example.org/callback",
    "https://app.example\u{3002}org/callback",
    "https://app.example\u{ff0e}org/callback",
    "https://app.example.org\u{2044}callback",
    "https://APP.example.org/callback",
    "https://App.Example.Org/callback",
    "https://app.example.org./callback",
    "https://.app.example.org/callback",
    "https://app..example.org/callback",
    "https://www.app.example.org/callback",
    "https://evil.app.example.org/callback",
    "https://example.org/callback",
    "https://app.example.com/callback",
    "https://app.example.org.evil.example/callback",
    "https://app.example.orgevil.example/callback",
    "https://evilapp.example.org/callback",
    "https://app-example.org/callback",
    "https://app.example.org-evil.example/callback",
    "https://appXexampleXorg/callback",
    "https://*.example.org/callback",
    "https://app.example.org/*",
    "https://evil.example/callback",
    "https://evil.example/https://app.example.org/callback",
    "https://evil.example?https://app.example.org/callback",
    "https://evil.example#https://app.example.org/callback",
    "https://evil.example\\@app.example.org/callback",
    "https://evil.example%2f@app.example.org/callback",
    "https://evil.example%00.app.example.org/callback",
    "https://evil.example%09.app.example.org/callback",
    "https://evil.example;app.example.org/callback",
    "https://evil.example,app.example.org/callback",
    "https://evil.example app.example.org/callback",
    "https://app.example.org@evil.example/callback",
    "https://app.example.org:x@evil.example/callback",
    "https://app.example.org:443@evil.example/callback",
    "https://app.example.org%40evil.example/callback",
    "https://user@app.example.org/callback",
    "https://user:password@app.example.org/callback",
    "https://@app.example.org/callback",
    "https://:@app.example.org/callback",
    "https://app.example.org:443/callback",
    "https://app.example.org:0443/callback",
    "https://app.example.org:/callback",
    "https://app.example.org:80/callback",
    "https://app.example.org:8443/callback",
    "https://app.example.org:65536/callback",
    "https://app.example.org:x/callback",
    "https://app.example.org:-1/callback",
    "https://[app.example.org]/callback",
    "https://127.0.0.1/callback",
    "http://localhost/callback",
    "http://127.0.0.1:1234/callback",
    "http://[::1]/callback",
    "https://app%2eexample.org/callback",
    "https://%61pp.example.org/callback",
    "https://app.example.org/callback\"",
    "https://app.example.org/callback'",
    "https://app.example.org/callback<script>",
    "https://app.example.org/callback`",
    "https://app.example.org/callback{x}",
    "https://app.example.org/callback|x",
    "https://app.example.org/callback,https://evil.example",
    "https://app.example.org/callback https://evil.example",
    "[\"https://app.example.org/callback\"]",
    "https%3A%2F%2Fapp.example.org%2Fcallback",
    "null",
    "urn:ietf:wg:oauth:2.0:oob",
    "urn:ietf:wg:oauth:2.0:oob:auto",
];

/// Variations of loopback addresses, for a native client that has registered
/// `http://127.0.0.1/cb`, `http://[::1]:1/cb?x=1` and `org.example.app:/cb`.
const HOSTILE_NATIVE: &[&str] = &[
    "http://localhost:1234/cb",
    "http://localhost.evil.example:1234/cb",
    "http://127.0.0.1.evil.example/cb",
    "http://127.0.0.1:1234@evil.example/cb",
    "http://127.0.0.1:1234/",
    "http://127.0.0.1:1234/cb/",
    "http://127.0.0.1:1234/cb/../x",
    "http://127.0.0.1:1234/cb?x=1",
    "http://127.0.0.1:1234/cb#x",
    "http://127.0.0.1:01234/cb",
    "http://127.0.0.1:99999/cb",
    "http://127.0.0.1:0/cb",
    "http://127.0.0.1:/cb",
    "http://127.0.0.1:1234:5/cb",
    "http://127.0.0.1:1234\\@evil.example/cb",
    "https://127.0.0.1:1234/cb",
    "http://127.0.0.2:1234/cb",
    "http://127.1:1234/cb",
    "http://2130706433:1234/cb",
    "http://0x7f000001:1234/cb",
    "http://0x7f.1:1234/cb",
    "http://0177.0.0.1:1234/cb",
    "http://127.000.000.001:1234/cb",
    "http://0.0.0.0:1234/cb",
    "http://[::]:1234/cb?x=1",
    "http://[::1]:1234/cb",
    "http://[::1%25eth0]:1234/cb?x=1",
    "http://[0:0:0:0:0:0:0:1]:1234/cb?x=1",
    "http://[::ffff:127.0.0.1]:1234/cb?x=1",
    "http://[::1]evil.example:1234/cb?x=1",
    "http://[::1]:1234/cb?x=2",
    "org.example.app:/cb2",
    "org.example.app:/cb?x",
    "org.example.app://cb",
    "org.example.app2:/cb",
    "ORG.example.app:/cb",
];

#[test]
fn no_hostile_address_passes() {
    let corpus: Vec<String> = HOSTILE
        .iter()
        .map(ToString::to_string)
        .chain([
            format!("{REDIRECT}/{}", "a".repeat(3000)),
            REDIRECT.repeat(2),
            REDIRECT.to_uppercase(),
        ])
        .collect();
    assert!(corpus.len() >= 120, "{}", corpus.len());
    let client = web();
    assert!(is_registered(&client, REDIRECT));
    let passed: Vec<&String> = corpus
        .iter()
        .filter(|uri| is_registered(&client, uri))
        .collect();
    assert_eq!(passed, Vec::<&String>::new());
    let passed: Vec<&String> = corpus
        .iter()
        .filter(|uri| is_post_logout(&client, uri))
        .collect();
    assert_eq!(passed, Vec::<&String>::new());
    let as_native = Client {
        application: Application::Native,
        ..web()
    };
    let passed: Vec<&String> = corpus
        .iter()
        .filter(|uri| is_registered(&as_native, uri))
        .collect();
    assert_eq!(passed, Vec::<&String>::new());
}

#[test]
fn the_port_of_a_loopback_address_is_free_for_native_clients_and_nothing_else_is() {
    let registered = [
        "http://127.0.0.1/cb",
        "http://[::1]:1/cb?x=1",
        "org.example.app:/cb",
    ];
    let client = native(&registered);
    for good in [
        "http://127.0.0.1/cb",
        "http://127.0.0.1:49152/cb",
        "http://[::1]/cb?x=1",
        "http://[::1]:65535/cb?x=1",
        "org.example.app:/cb",
    ] {
        assert!(is_registered(&client, good), "{good}");
    }
    for hostile in HOSTILE_NATIVE {
        assert!(!is_registered(&client, hostile), "{hostile}");
    }
    let web = Client {
        application: Application::Web,
        ..client
    };
    assert!(!is_registered(&web, "http://127.0.0.1:49152/cb"));
    assert!(!is_registered(
        &native(&["https://127.0.0.1/cb"]),
        "https://127.0.0.1:1/cb"
    ));
    assert!(!is_registered(
        &native(&["http://app.example/cb"]),
        "http://app.example:1/cb"
    ));
}

#[test]
fn what_can_be_registered_is_what_can_be_read_in_one_way() {
    use Application::{Native, Web};
    let good = [
        (REDIRECT, Web),
        ("https://app.example.org/callback?tenant=1", Web),
        ("https://xn--bcher-kva.example/", Web),
        ("https://app.example.org:8443/a/b.c~d/e%20f", Web),
        ("http://localhost:3000/callback", Web),
        ("http://127.0.0.1:3000/callback", Web),
        ("http://127.0.0.1/callback", Native),
        ("http://[::1]/callback", Native),
        ("org.example.app:/callback", Native),
        ("org.example.app://callback", Native),
        ("https://app.example.org/callback", Native),
    ];
    for (uri, application) in good {
        assert_eq!(check_redirect_uri(uri, application), Ok(()), "{uri}");
    }
    let bad = [
        ("org.example.app:/callback", Web),
        ("http://app.example.org/callback", Web),
        ("http://app.example.org/callback", Native),
        ("myapp:/callback", Native),
        ("javascript:alert(1)", Native),
        ("data:text/html,x", Native),
        ("https://app.example.org/callback#x", Web),
        ("https://user@app.example.org/callback", Web),
        ("https://*.example.org/callback", Web),
        ("https://app.example.org/*", Web),
        ("https:///callback", Web),
        ("https:/callback", Web),
        ("https://app.example.org/../x", Web),
        ("https://app.example.org//x", Web),
        ("https://app.example.org/%0d%0a", Web),
        ("https://app.example.org/%", Web),
        ("https://app.example.org/%zz", Web),
        ("https://app.example.org/ü", Web),
        ("https://bücher.example/", Web),
        ("https://App.example.org/", Web),
        ("https://app_1.example.org/", Web),
        ("https://-app.example.org/", Web),
        ("https://app.example.org:0/", Web),
        ("https://1.2.3/", Web),
        ("https://256.1.1.1/", Web),
        ("https://[::1/", Web),
        ("callback", Web),
        ("", Web),
    ];
    for (uri, application) in bad {
        assert!(check_redirect_uri(uri, application).is_err(), "{uri}");
    }
    for hostile in HOSTILE
        .iter()
        .filter(|uri| check_redirect_uri(uri, Web).is_ok())
    {
        // What is a good address is still not this client's.
        assert!(hostile.starts_with("http"), "{hostile}");
    }
}
