//! Requests to the authorization endpoint that are refused, and how: on a page, or to the client.

use std::collections::BTreeMap;
use std::sync::Mutex;

use reqwest::RequestBuilder;
use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use testkit::{Answer, Running};

use super::{WORD, added, project};
use crate::http::{App, on_every_engine};

on_every_engine!(
    project: what_is_wrong_is_told_on_a_page_or_to_the_client,
    a_flow_goes_on_in_its_own_browser_alone,
    who_says_no_is_asked_again,
);

/// A challenge: the hash of 43 times `a`.
const CHALLENGE: &str = "ZtNPunH49FD35FWYhT5Tv8I7vRKQJ8uxMaL0_9eHjNA";

/// A browser that keeps cookies and follows nothing by itself.
pub(crate) struct Browser {
    client: reqwest::Client,
    base: String,
    cookies: Mutex<BTreeMap<String, String>>,
}

impl Browser {
    pub(crate) fn new(server: &Running) -> Self {
        let client = reqwest::Client::builder().redirect(Policy::none()).build();
        Self {
            client: client.expect("a client"),
            base: server.base().to_owned(),
            cookies: Mutex::default(),
        }
    }

    fn with_cookies(&self, request: RequestBuilder) -> RequestBuilder {
        let cookies = self.cookies.lock().expect("nobody panicked");
        let pairs: Vec<String> = cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        request.header("cookie", pairs.join("; "))
    }

    fn keep(&self, headers: &HeaderMap) {
        let mut cookies = self.cookies.lock().expect("nobody panicked");
        for line in headers.get_all("set-cookie") {
            let line = line.to_str().expect("text");
            let pair = line.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').expect("a name and a value");
            cookies.insert(name.to_owned(), value.to_owned());
        }
    }

    /// Status, `Location`, and the body.
    pub(crate) async fn get(&self, path: &str) -> (u16, String, String) {
        let url = match path.starts_with("http") {
            true => path.to_owned(),
            false => format!("{}{path}", self.base),
        };
        let request = self.with_cookies(self.client.get(url));
        let response = request.send().await.expect("it answers");
        self.keep(response.headers());
        let status = response.status().as_u16();
        if status == 303 {
            // What stands in the address of an answer is nobody else's.
            for (name, value) in [
                ("cache-control", "no-store"),
                ("referrer-policy", "no-referrer"),
            ] {
                assert_eq!(response.headers()[name], value, "{name}");
            }
        }
        let location = response.headers().get("location");
        let location = location.and_then(|value| value.to_str().ok());
        let location = location.unwrap_or_default().to_owned();
        (status, location, response.text().await.expect("a body"))
    }

    /// Signs in; gives the session's token.
    pub(crate) async fn sign_in(&self, name: &str) -> String {
        let body = serde_json::json!({"identifier": name, "password": WORD});
        let url = format!("{}/auth/session", self.base);
        let answer = Answer::read(self.with_cookies(self.client.post(url)).json(&body)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        self.keep(&answer.headers);
        let token = answer.json()["csrf_token"].as_str().map(str::to_owned);
        token.expect("a token")
    }

    /// Sends JSON as a page of ours does.
    pub(super) async fn post(&self, path: &str, token: &str, body: &serde_json::Value) -> Answer {
        let url = format!("{}{path}", self.base);
        let request = self.with_cookies(self.client.post(url)).json(body);
        Answer::read(request.header("x-csrf-token", token)).await
    }

    /// Takes away what is at a path.
    pub(super) async fn delete(&self, path: &str, token: &str) -> Answer {
        let url = format!("{}{path}", self.base);
        let request = self.with_cookies(self.client.delete(url));
        Answer::read(request.header("x-csrf-token", token)).await
    }

    /// Says yes or no on the consent page.
    pub(crate) async fn decide(&self, flow: &str, token: &str, decision: &str) -> Answer {
        let url = format!("{}/oauth2/consent/{flow}", self.base);
        let body = serde_json::json!({"decision": decision});
        let request = self.with_cookies(self.client.post(url)).json(&body);
        Answer::read(request.header("x-csrf-token", token)).await
    }
}

/// A good request, with some parameters in another way; an empty one is left out.
pub(crate) fn request(changes: &[(&str, &str)]) -> String {
    let mut parameters = vec![
        ("client_id", "spa"),
        ("redirect_uri", "http://localhost:9/callback"),
        ("response_type", "code"),
        ("scope", "openid"),
        ("state", "af0ifjsldkj"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    for (name, value) in changes {
        parameters.retain(|(known, _)| known != name);
        if !value.is_empty() {
            parameters.push((name, value));
        }
    }
    let url = reqwest::Url::parse_with_params("http://localhost/oauth2/authorize", parameters);
    let url = url.expect("an address");
    format!("{}?{}", url.path(), url.query().unwrap_or_default())
}

/// A parameter of an address.
pub(crate) fn parameter(address: &str, name: &str) -> String {
    let url = reqwest::Url::parse("http://localhost").expect("an address");
    let url = url.join(address).expect("an address");
    let mut pairs = url.query_pairs();
    let found = pairs.find(|(known, _)| known == name);
    found
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

/// What is told on a page, because it is not known where else: a parameter in another way.
const PAGES: [(&str, &str); 11] = [
    ("client_id", ""),
    ("client_id", "nobody"),
    ("client_id", "../spa"),
    ("redirect_uri", "https://evil.example/callback"),
    ("redirect_uri", "http://localhost:9/callback/"),
    ("redirect_uri", "http://localhost:9/Callback"),
    ("redirect_uri", "http://localhost:10/callback"),
    ("redirect_uri", "http://localhost:9/callback?x=1"),
    ("redirect_uri", "http://localhost:9/callback#x"),
    ("redirect_uri", "http://user@localhost:9/callback"),
    ("redirect_uri", "http://localhost:9\\callback"),
];

// req: OA-1 OA-2 OA-3 OA-4
async fn what_is_wrong_is_told_on_a_page_or_to_the_client(app: App) {
    let browser = Browser::new(&app.server);
    let (status, location, _) = browser.get(&request(&[])).await;
    assert_eq!(status, 303);
    assert!(
        location.starts_with("/auth/login?next=%2Foauth2%2Fauthorize%2F"),
        "{location}"
    );
    for (name, value) in PAGES {
        let (status, location, body) = browser.get(&request(&[(name, value)])).await;
        assert_eq!((status, location.as_str()), (400, ""), "{name}={value}");
        assert!(!body.contains("evil") && body.contains("<h1>"), "{body}");
    }
    let long = "x".repeat(10_000);
    for (name, value, error) in [
        ("response_type", "", "invalid_request"),
        ("response_type", "token", "unsupported_response_type"),
        (
            "response_type",
            "code id_token",
            "unsupported_response_type",
        ),
        ("code_challenge", "", "invalid_request"),
        ("code_challenge", &CHALLENGE[1..], "invalid_request"),
        (
            "code_challenge",
            "!NPunH49FD35FWYhT5Tv8I7vRKQJ8uxMaL0_9eHjNAA",
            "invalid_request",
        ),
        ("code_challenge_method", "plain", "invalid_request"),
        ("code_challenge_method", "", "invalid_request"),
        ("scope", "\"", "invalid_scope"),
        ("prompt", "none", "login_required"),
        ("prompt", "none login", "invalid_request"),
        ("max_age", "-1", "invalid_request"),
        ("nonce", &long, "invalid_request"),
        ("resource", "https://elsewhere.example", "invalid_target"),
        ("id_token_hint", "x.y.z", "invalid_request"),
    ] {
        let (status, location, body) = browser.get(&request(&[(name, value)])).await;
        assert_eq!(status, 303, "{name}={value}: {body}");
        assert!(
            location.starts_with("http://localhost:9/callback?"),
            "{location}"
        );
        assert_eq!(
            parameter(&location, "error"),
            error,
            "{name}={value}: {location}"
        );
        assert_eq!(parameter(&location, "state"), "af0ifjsldkj", "{location}");
        assert_eq!(parameter(&location, "iss"), app.server.base(), "{location}");
    }
    let (_, location, _) = browser.get(&request(&[("state", &long)])).await;
    assert_eq!(parameter(&location, "error"), "invalid_request");
    assert_eq!(parameter(&location, "state"), "");
    let twice = format!("{}&scope=email", request(&[]));
    let (_, location, _) = browser.get(&twice).await;
    assert_eq!(parameter(&location, "error"), "invalid_request");
}

// req: OA-6
async fn a_flow_goes_on_in_its_own_browser_alone(app: App) {
    app.server.sign_up("ada").await;
    let (one, other) = (Browser::new(&app.server), Browser::new(&app.server));
    let (_, location, _) = one.get(&request(&[])).await;
    let resume = parameter(&location, "next");
    other.sign_in("ada").await;
    let (status, location, _) = other.get(&resume).await;
    assert_eq!((status, location.as_str()), (400, ""));
    one.sign_in("ada").await;
    let (status, location, _) = one.get(&resume).await;
    assert_eq!(status, 303);
    assert!(!parameter(&location, "code").is_empty(), "{location}");
    // It is over.
    let (status, _, _) = one.get(&resume).await;
    assert_eq!(status, 400);
}

// req: OA-33
async fn who_says_no_is_asked_again(app: App) {
    app.server.sign_up("ada").await;
    added(
        &app.project,
        &[
            "club",
            "--public",
            "--redirect",
            "https://club.example/callback",
        ],
    );
    let of_club = [
        ("client_id", "club"),
        ("redirect_uri", "https://club.example/callback"),
        ("scope", "openid email"),
    ];
    let browser = Browser::new(&app.server);
    let token = browser.sign_in("ada").await;
    for decision in ["deny", "deny", "allow"] {
        let (status, location, _) = browser.get(&request(&of_club)).await;
        assert_eq!(status, 303);
        assert!(location.starts_with("/auth/consent?flow="), "{location}");
        let flow = parameter(&location, "flow");
        let (status, _, shown) = browser.get(&format!("/oauth2/consent/{flow}")).await;
        assert_eq!(status, 200, "{shown}");
        let shown: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
        assert_eq!(shown["scopes"], serde_json::json!(["openid", "email"]));
        let refused = browser.decide(&flow, "", decision).await;
        assert_eq!(
            (refused.status, &refused.json()["code"]),
            (403, &"csrf_token".into())
        );
        let said = browser.decide(&flow, &token, decision).await;
        assert_eq!(said.status, 200, "{}", said.body);
        let next = said.json()["next"].as_str().expect("a path").to_owned();
        let (_, location, _) = browser.get(&next).await;
        match decision {
            "deny" => assert_eq!(parameter(&location, "error"), "access_denied"),
            _ => assert!(!parameter(&location, "code").is_empty(), "{location}"),
        }
    }
    // Remembered, for no more than was agreed to.
    let (_, location, _) = browser.get(&request(&of_club)).await;
    assert!(
        location.starts_with("https://club.example/callback?code="),
        "{location}"
    );
    let more = [&of_club[..2], &[("scope", "openid email profile")]].concat();
    let (_, location, _) = browser.get(&request(&more)).await;
    assert!(location.starts_with("/auth/consent?flow="), "{location}");
    // What was agreed to once stays agreed to, also when more was asked for in between.
    let flow = parameter(&location, "flow");
    assert_eq!(browser.decide(&flow, &token, "allow").await.status, 200);
    let (_, location, _) = browser
        .get(&request(&[&of_club[..2], &[("scope", "openid")]].concat()))
        .await;
    assert!(
        location.starts_with("https://club.example/callback?code="),
        "{location}"
    );
    let (_, location, _) = browser.get(&request(&more)).await;
    assert!(
        location.starts_with("https://club.example/callback?code="),
        "{location}"
    );
    // The house's own client asks for none.
    let (_, location, _) = browser.get(&request(&[])).await;
    assert!(
        location.starts_with("http://localhost:9/callback?code="),
        "{location}"
    );
}
