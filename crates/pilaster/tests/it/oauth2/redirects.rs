//! Addresses that look like a client's own and are not: nothing is ever sent to one of them
//! (RFC 9700 §4.1).

use testkit::Answer;

use super::flows::{Browser, request};
use super::{SECRET, project};
use crate::http::{App, on_every_engine};

on_every_engine!(project: no_answer_goes_to_an_address_that_only_looks_right);

const SCHEMES: [&str; 9] = [
    "https",
    "HTTP",
    "Http",
    "ftp",
    "file",
    "javascript",
    "data",
    "app",
    "view-source:http",
];

const HOSTS: [&str; 27] = [
    "evil.example",
    "localhost.evil.example:9",
    "evil.example/localhost:9",
    "evil.example#localhost:9",
    "evil.example?localhost:9",
    "evil.example\\localhost:9",
    "evil.example\\@localhost:9",
    "localhost:9@evil.example",
    "localhost@evil.example:9",
    "evil@localhost:9",
    "evil:word@localhost:9",
    "@localhost:9",
    "127.0.0.1:9",
    "127.1:9",
    "2130706433:9",
    "0x7f000001:9",
    "[::1]:9",
    "[::ffff:127.0.0.1]:9",
    "LOCALHOST:9",
    "Localhost:9",
    "localhost.:9",
    "l\u{043e}calhost:9",
    "local\u{200b}host:9",
    "\u{ff4c}ocalhost:9",
    "localhost%00.evil.example:9",
    "localhost%2eevil.example:9",
    "%6cocalhost:9",
];

const PORTS: [&str; 9] = ["", ":", ":80", ":8", ":90", ":99", ":09", ":9:9", ":+9"];

const PATHS: [&str; 43] = [
    "",
    "/",
    "/callback/",
    "/callback//",
    "//callback",
    "/./callback",
    "/x/../callback",
    "/callback/.",
    "/callback/..",
    "/callback/../callback",
    "/callback/../../evil",
    "/callback/evil",
    "/callbac",
    "/callbackx",
    "/callback.html",
    "/callback.evil.example",
    "/Callback",
    "/CALLBACK",
    "/c\u{430}llback",
    "/callb\u{e4}ck",
    "/%63allback",
    "/callback%2f",
    "/callback%2F..",
    "/callback%2e%2e",
    "/callback%00",
    "/callback%0d%0aLocation:%20https://evil.example",
    "/callback%09",
    "/callback%20",
    "/callback\t",
    "/callback ",
    "/callback\r\nSet-Cookie: evil=1",
    "/callback\\",
    "\\callback",
    "/callback;evil",
    "/callback:9",
    "/callback@evil.example",
    "/callback?",
    "/callback?code=evil",
    "/callback?next=https://evil.example",
    "/callback#",
    "/callback#evil",
    "/callback?#",
    "/callback*",
];

/// Whole addresses that are no variation of anything.
const OTHERS: [&str; 20] = [
    "//localhost:9/callback",
    "//evil.example/callback",
    "///localhost:9/callback",
    "/callback",
    "callback",
    ".",
    "?",
    "#",
    "*",
    "null",
    "about:blank",
    "blob:http://localhost:9/callback",
    "http:localhost:9/callback",
    "http:/localhost:9/callback",
    "http:///localhost:9/callback",
    "http:\\\\localhost:9\\callback",
    " http://localhost:9/callback",
    "\thttp://localhost:9/callback",
    "http://localhost:9/callback http://evil.example",
    "http://localhost:9/callback,http://evil.example",
];

fn addresses() -> Vec<String> {
    let schemes = SCHEMES.map(|scheme| format!("{scheme}://localhost:9/callback"));
    let hosts = HOSTS.map(|host| format!("http://{host}/callback"));
    let others = HOSTS.map(|host| format!("https://{host}/callback"));
    let ports = PORTS.map(|port| format!("http://localhost{port}/callback"));
    let paths = PATHS.map(|path| format!("http://localhost:9{path}"));
    let mut all = OTHERS.map(str::to_owned).to_vec();
    all.extend(schemes);
    all.extend(hosts);
    all.extend(others);
    all.extend(ports);
    all.extend(paths);
    all
}

async fn no_answer_goes_to_an_address_that_only_looks_right(app: App) {
    app.server.sign_up("ada").await;
    let browser = Browser::new(&app.server);
    browser.sign_in("ada").await;
    let all = addresses();
    assert!(all.len() >= 120, "{}", all.len());
    for address in &all {
        // Whoever is signed in and has agreed is sent on at once, or nowhere.
        let (status, location, body) = browser.get(&request(&[("redirect_uri", address)])).await;
        assert_eq!((status, location.as_str()), (400, ""), "{address:?}");
        assert!(!body.contains("evil"), "{address:?}: {body}");
        let silent = [("redirect_uri", address.as_str()), ("prompt", "none")];
        let (status, location, _) = browser.get(&request(&silent)).await;
        assert_eq!((status, location.as_str()), (400, ""), "{address:?}");
        let pushed = [
            ("response_type", "code"),
            ("redirect_uri", address),
            ("scope", "openid"),
            (
                "code_challenge",
                "ZtNPunH49FD35FWYhT5Tv8I7vRKQJ8uxMaL0_9eHjNA",
            ),
            ("code_challenge_method", "S256"),
        ];
        let pushed = app.server.request("POST", "/oauth2/par").form(&pushed);
        let pushed = Answer::read(pushed.basic_auth("web", Some(SECRET))).await;
        assert_eq!(pushed.status, 400, "{address:?}: {}", pushed.body);
        let after = [("client_id", "spa"), ("post_logout_redirect_uri", address)];
        let after = app.server.request("POST", "/oauth2/logout").form(&after);
        // A page tells people, not JSON a program.
        let after = after.send().await.expect("it answers");
        assert_eq!(after.status(), 400, "{address:?}");
        assert!(after.headers().get("location").is_none(), "{address:?}");
    }
    let (status, location, _) = browser.get(&request(&[])).await;
    assert_eq!(status, 303);
    assert!(
        location.starts_with("http://localhost:9/callback?code="),
        "{location}"
    );
}
