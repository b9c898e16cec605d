//! A running Pilaster: the real binary over a project, spoken to over HTTP.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use crate::{Project, shape};

const PUBLIC_URL: &str = "PILASTER_SERVER_PUBLIC_URL";

/// A server process, killed when dropped.
pub struct Running {
    child: Child,
    base: String,
    client: reqwest::Client,
    log: PathBuf,
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: reqwest::header::HeaderMap,
    /// The body.
    pub body: String,
}

impl Running {
    /// Starts `program serve` in the project and waits until it is ready.
    ///
    /// # Panics
    /// When it is not ready within 20 seconds; its log is shown.
    pub async fn serve(program: &str, project: &Project) -> Self {
        let running = Self::spawn(program, project, &["serve"]);
        running.until_ready().await
    }

    /// The same over another database than the project's.
    ///
    /// # Panics
    /// When it is not ready within 20 seconds; its log is shown.
    pub async fn serve_at(program: &str, project: &Project, url: &str) -> Self {
        let mut command = project.command(program, &["serve"]);
        command.env("DATABASE_URL", url);
        Self::start(command, project).until_ready().await
    }

    /// Starts `program` with these words on a free port, without waiting.
    ///
    /// # Panics
    /// When the program cannot be started.
    #[must_use]
    pub fn spawn(program: &str, project: &Project, words: &[&str]) -> Self {
        Self::start(project.command(program, words), project)
    }

    fn start(mut command: Command, project: &Project) -> Self {
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a port is free")
            .port();
        // A public address may say where the port goes that is chosen here.
        let public = project.variable(PUBLIC_URL);
        if public.contains("{port}") {
            command.env(PUBLIC_URL, public.replace("{port}", &port.to_string()));
        }
        let log = project.path().join(format!("server-{port}.log"));
        let file = fs::File::create(&log).expect("a log can be written");
        let errors = file.try_clone().expect("a file handle can be copied");
        let child = command
            .env("PORT", port.to_string())
            .stdout(Stdio::from(file))
            .stderr(Stdio::from(errors))
            .spawn()
            .expect("the program starts");
        let base = format!("http://127.0.0.1:{port}");
        Self {
            child,
            base,
            client: reqwest::Client::new(),
            log,
        }
    }

    /// Waits until `/readyz` answers 200.
    ///
    /// # Panics
    /// When it does not within 20 seconds.
    pub async fn until_ready(mut self) -> Self {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let ready = self
                .client
                .get(format!("{}/readyz", self.base))
                .send()
                .await;
            if ready.is_ok_and(|answer| answer.status().is_success()) {
                return self;
            }
            let ended = self.child.try_wait().expect("a child can be asked");
            assert!(
                ended.is_none() && Instant::now() < deadline,
                "the server is not ready ({ended:?}):\n{}",
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// `http://127.0.0.1:port`
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// What the server has written so far.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Its memory now, in KiB.
    ///
    /// # Panics
    /// When the process is gone.
    #[must_use]
    pub fn resident_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))
            .expect("a running process has a status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.expect("Linux tells it").trim().trim_end_matches(" kB");
        kib.parse().expect("a number")
    }

    /// Asks the process to stop, and waits until it has; its exit code.
    ///
    /// # Panics
    /// When it cannot be asked.
    pub fn stop(&mut self) -> Option<i32> {
        let asked = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status();
        assert!(asked.is_ok_and(|asked| asked.success()), "it is gone");
        let ended = self.child.wait().expect("a child can be waited for");
        ended.code()
    }

    /// Ends the process at once, as `kill -9` does.
    pub fn kill(&mut self) {
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a child can be waited for");
    }

    /// A request to build upon.
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).expect("a method is a token");
        self.client.request(method, format!("{}{path}", self.base))
    }

    /// `GET path` as nobody.
    pub async fn get(&self, path: &str) -> Answer {
        Answer::read(self.request("GET", path)).await
    }

    /// `GET path` as the bearer of `token`.
    pub async fn get_as(&self, token: &str, path: &str) -> Answer {
        Answer::read(self.request("GET", path).bearer_auth(token)).await
    }

    /// A JSON body sent as the bearer of `token`, or as nobody when it is empty.
    pub async fn send(&self, method: &str, token: &str, path: &str, body: &Value) -> Answer {
        let request = self.request(method, path).json(body);
        let request = if token.is_empty() {
            request
        } else {
            request.bearer_auth(token)
        };
        Answer::read(request).await
    }

    /// Registers somebody and signs them in: an access token.
    ///
    /// # Panics
    /// When either is refused.
    pub async fn sign_up(&self, name: &str) -> String {
        let email = format!("{name}@example.org");
        let account = serde_json::json!({
            "email": email, "password": "a long pass phrase", "username": name, "display_name": name,
        });
        let answer = self.send("POST", "", "/register", &account).await;
        assert_eq!(answer.status, 201, "POST /register: {}", answer.body);
        let answer = self.token(&email, "a long pass phrase").await;
        assert_eq!(answer.status, 200, "POST /token: {}", answer.body);
        let token = &answer.json()["access_token"];
        token.as_str().expect("a token is a text").to_owned()
    }

    /// `POST /token` with a form.
    pub async fn token(&self, username: &str, password: &str) -> Answer {
        let form = [("username", username), ("password", password)];
        Answer::read(self.request("POST", "/token").form(&form)).await
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Answer {
    /// Sends a request and reads its answer.
    ///
    /// # Panics
    /// When there is none, or when it is an error of another shape than `docs/error.schema.json`.
    pub async fn read(request: RequestBuilder) -> Self {
        let (client, request) = request.build_split();
        let request = request.expect("a request can be made");
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let response = client.execute(request).await.expect("the server answers");
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = response.text().await.expect("the body arrives whole");
        let answer = Self {
            status,
            headers,
            body,
        };
        if status >= 400 && method == Method::HEAD {
            assert!(!answer.header("x-request-id").is_empty(), "HEAD {path}");
        } else if status >= 400
            && let Err(fault) = shape::check(&path, &answer)
        {
            panic!("{method} {path} answers {status}: {fault}: {}", answer.body);
        }
        answer
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// A header's text, empty when it is missing.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}
