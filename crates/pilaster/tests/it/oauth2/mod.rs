//! The authorization server through the public door: clients that nobody here wrote, and requests
//! that no client should send.

mod assertions;
mod clients;
mod devices;
mod exchanges;
pub(crate) mod flows;
mod forged;
mod logouts;
mod redirects;
mod registrations;
pub(crate) mod replays;

use testkit::Project;

use crate::http::PILASTER;

/// What everybody of these tests has as a password.
const WORD: &str = "a long pass phrase";

/// A secret of a client, as the environment has it.
const SECRET: &str = "a secret of some length, as a machine draws it";

/// A client of the house in a browser.
pub(crate) const SPA: &str = r#"
[clients.spa]
client_name = "Films in the browser"
first_party = true
redirect_uris = ["http://localhost:9/callback"]
post_logout_redirect_uris = ["http://localhost:9/bye"]
scope = "openid profile email offline_access data:read data:write"
"#;

/// Notes behind four clients: one with a secret, one of the house in a browser, one that is somebody
/// else's, and one without a browser.
fn project() -> Project {
    let project = Project::empty();
    project.write(
        "schema/notes.sql",
        "create role reports;
         create table notes (id integer primary key, body text not null);
         grant select, insert on notes to authenticated;
         create policy everybody on notes using (true) with check (true);
         create table people (sub uuid primary key, nickname text not null);",
    );
    project.write(
        "hooks/user_registered.sql",
        "insert into people (sub, nickname) values (:user_id, :username)",
    );
    project.write(
        "hooks/before_token.sql",
        "select nickname || ' for ' || :client_id as nickname from people where sub = :user_id",
    );
    let clients = r#"
[clients.web]
client_name = "Films"
redirect_uris = ["http://localhost:9/callback", "http://localhost:9/other"]
post_logout_redirect_uris = ["http://localhost:9/bye"]
grant_types = ["authorization_code", "refresh_token", "client_credentials"]
scope = "openid profile email offline_access data:read data:write"
role = "reports"

[clients.other]
client_name = "Somebody else's"
redirect_uris = ["http://localhost:9/callback"]
scope = "openid email"

[clients.tv]
client_name = "The television"
grant_types = ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"]
scope = "openid email data:read"
"#;
    let toml = project.read("pilaster.toml");
    project.write("pilaster.toml", &format!("{toml}{clients}{SPA}"));
    project.with("CLIENT_WEB_SECRET", SECRET)
}

/// A client as the shell adds it.
fn added(project: &Project, words: &[&str]) -> serde_json::Value {
    let words = [&["--json", "client", "add"], words].concat();
    let finished = project.succeed(PILASTER, &words);
    serde_json::from_str(&finished.out).expect("JSON")
}
