//! Who somebody is, through the public door: sessions, passwords that are never shown, throttles,
//! second factors.

mod api_keys;
pub(crate) mod factors;
mod interop;
mod moments;
mod opaque;
mod own;
mod sessions;
mod throttle;

use serde_json::{Value, json};
use server::Password;
use server::opaque_client::{
    ClientLogin, ClientRegistration, KeyStretching, LoginResponse, RegistrationResponse,
};
use stdx::Rng;
use testkit::{Answer, Running};

/// What everybody of these tests has as a password.
const WORD: &str = "a long pass phrase";

/// A browser with its one cookie and the token that its pages know.
struct Browser<'s> {
    server: &'s Running,
    cookie: String,
    csrf: String,
}

impl<'s> Browser<'s> {
    /// Takes a session out of the answer to a sign-in.
    fn of(server: &'s Running, answer: &Answer) -> Self {
        assert_eq!(answer.status, 200, "{}", answer.body);
        let line = answer.header("set-cookie");
        let (cookie, _) = line.split_once(';').expect("a cookie has attributes");
        let csrf = answer.json()["csrf_token"].as_str().map(str::to_owned);
        Self {
            server,
            cookie: cookie.to_owned(),
            csrf: csrf.expect("a session has a token"),
        }
    }

    /// Signs in with name and password.
    async fn sign_in(server: &'s Running, name: &str) -> Self {
        let body = json!({"identifier": name, "password": WORD});
        let answer = server.send("POST", "", "/auth/session", &body).await;
        Self::of(server, &answer)
    }

    /// With cookie and token, as a page of ours asks.
    async fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        let request = self.server.request(method, path).json(body);
        let request = request.header("cookie", &self.cookie);
        Answer::read(request.header("x-csrf-token", &self.csrf)).await
    }

    /// With the cookie alone.
    async fn get(&self, path: &str) -> Answer {
        Answer::read(
            self.server
                .request("GET", path)
                .header("cookie", &self.cookie),
        )
        .await
    }

    /// Goes on with the session that an answer gave.
    fn follow(&mut self, answer: &Answer) {
        *self = Self::of(self.server, answer);
    }
}

/// Begins an OPAQUE login: what the client keeps, and the server's answer.
async fn begin(server: &Running, name: &str, word: &str) -> (ClientLogin, Answer) {
    let password = Password::presented(word.to_owned()).expect("short enough");
    let (client, request) = ClientLogin::start(password, &Rng::System).expect("a login begins");
    let body = json!({"identifier": name, "login_request": request.to_base64url()});
    let answer = server
        .send("POST", "", "/auth/opaque/login/start", &body)
        .await;
    (client, answer)
}

/// The client's second message, or why it has none.
fn finish(client: ClientLogin, answer: &Answer) -> Result<String, String> {
    assert_eq!(answer.status, 200, "{}", answer.body);
    let started = answer.json();
    let response = started["login_response"].as_str().expect("an answer");
    let response = LoginResponse::from_base64url(response).expect("a message");
    let finished = client.finish(response, stretching(&started), &Rng::System);
    finished
        .map(|(message, _)| message.to_base64url())
        .map_err(|error| error.to_string())
}

fn stretching(started: &Value) -> KeyStretching {
    serde_json::from_value(started["key_stretching"].clone()).expect("settings")
}

/// Logs in by OPAQUE.
async fn log_in(server: &Running, name: &str, word: &str) -> Answer {
    let (client, started) = begin(server, name, word).await;
    let id = &started.json()["login_id"];
    // A client with a wrong password has nothing to send; a hostile one sends something.
    let message = finish(client, &started).unwrap_or_else(|_| "A".repeat(86));
    let body = json!({"login_id": id, "login_finish": message});
    server
        .send("POST", "", "/auth/opaque/login/finish", &body)
        .await
}

/// The two halves of setting a password, `send` being the first request and what becomes of it the
/// body of the second.
async fn register_with<F: Future<Output = Answer>>(
    word: &str,
    send: impl FnOnce(String) -> F,
) -> Value {
    let password = Password::new(word.to_owned()).expect("a password");
    let (client, request) = ClientRegistration::start(password, &Rng::System).expect("it begins");
    let started = send(request.to_base64url()).await;
    assert_eq!(started.status, 200, "{}", started.body);
    let started = started.json();
    let response = started["registration_response"]
        .as_str()
        .expect("an answer");
    let response = RegistrationResponse::from_base64url(response).expect("a message");
    let record = client.finish(response, stretching(&started), &Rng::System);
    let record = record.expect("a record").to_base64url();
    json!({"registration_id": started["registration_id"], "registration_record": record})
}

/// Makes an account whose password the server never sees.
async fn sign_up(server: &Running, name: &str) -> Answer {
    let mut body = register_with(WORD, async |request| {
        let email = format!("{name}@example.org");
        let body = json!({"email": email, "registration_request": request});
        server
            .send("POST", "", "/auth/opaque/register/start", &body)
            .await
    })
    .await;
    body["username"] = json!(name);
    body["display_name"] = json!(name);
    server
        .send("POST", "", "/auth/opaque/register/finish", &body)
        .await
}
