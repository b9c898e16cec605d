//! Second factors.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use serde_json::{Value, json};
use testkit::{Answer, Project};

use super::{Browser, WORD, log_in, sign_up};
use crate::http::{App, PILASTER, on_every_engine};

on_every_engine!(guarded: a_role_asks_for_two_factors);
on_every_engine!(
    an_app_is_enrolled_used_once_a_step_and_removed,
    every_door_asks_for_the_second_factor,
    codes_are_guessed_slowly,
);

/// The code of an authenticator app, `steps` of thirty seconds from now (RFC 6238).
#[expect(
    clippy::disallowed_methods,
    reason = "the server under test has the real clock"
)]
pub(crate) fn code(secret: &str, steps: i64) -> String {
    let mut bits = 0_u64;
    let mut key = Vec::new();
    for (place, letter) in secret.bytes().enumerate() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            digit => digit - b'2' + 26,
        };
        bits = bits << 5 | u64::from(value);
        if place % 8 == 7 {
            key.extend(&bits.to_be_bytes()[3..]);
            bits = 0;
        }
    }
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970");
    let step = i64::try_from(now.as_secs()).expect("in range") / 30 + steps;
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let at = usize::from(tag[19] & 0xf);
    let four: [u8; 4] = tag[at..at + 4].try_into().expect("four bytes");
    format!(
        "{:06}",
        (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000
    )
}

/// Enrols an app; gives its secret and the recovery codes.
async fn enrol(browser: &Browser<'_>) -> (String, Vec<Value>) {
    let begun = browser.send("POST", "/auth/totp", &json!({})).await;
    assert_eq!(begun.status, 201, "{}", begun.body);
    let secret = begun.json()["secret"]
        .as_str()
        .expect("a secret")
        .to_owned();
    let confirm = async || {
        let body = json!({"code": code(&secret, -1)});
        browser.send("POST", "/auth/totp/confirm", &body).await
    };
    let mut confirmed = confirm().await;
    if confirmed.status == 401 {
        // The next step began in between, and the code was two steps old.
        confirmed = confirm().await;
    }
    assert_eq!(confirmed.status, 200, "{}", confirmed.body);
    let codes = confirmed.json()["recovery_codes"].as_array().cloned();
    (secret, codes.expect("recovery codes"))
}

// req: MF-1
async fn an_app_is_enrolled_used_once_a_step_and_removed(app: App) {
    sign_up(&app.server, "ada").await;
    let browser = Browser::of(&app.server, &log_in(&app.server, "ada", WORD).await);
    let begun = browser.send("POST", "/auth/totp", &json!({})).await.json();
    assert!(
        begun["qr_svg"]
            .as_str()
            .expect("an image")
            .starts_with("<svg")
    );
    assert!(
        begun["uri"]
            .as_str()
            .expect("an address")
            .starts_with("otpauth://totp/")
    );
    // Not confirmed, it is no factor.
    let done = log_in(&app.server, "ada", WORD).await;
    assert_eq!(done.json()["next"], "done", "{}", done.body);
    let (secret, codes) = enrol(&browser).await;
    assert_eq!(codes.len(), 10, "{codes:?}");
    let owed = log_in(&app.server, "ada", WORD).await;
    assert_eq!(owed.json()["next"], "second_factor", "{}", owed.body);
    assert!(owed.header("set-cookie").is_empty());
    assert_eq!(owed.json()["factors"], json!(["totp", "recovery_code"]));
    let show = async |owed: &Answer, member: &str, value: &str| {
        let body = json!({"login_id": owed.json()["login_id"], member: value});
        app.server
            .send("POST", "", "/auth/session/factor", &body)
            .await
    };
    let now = code(&secret, 0);
    let mut inside = Browser::of(&app.server, &show(&owed, "code", &now).await);
    let shown = inside.get("/auth/session").await.json();
    assert_eq!(shown["amr"], json!(["pwd", "otp", "mfa"]));
    assert_eq!(shown["acr"], "mfa");
    // The same code again, and the flow again.
    assert_eq!(show(&owed, "code", &now).await.status, 400);
    let owed = log_in(&app.server, "ada", WORD).await;
    let replayed = show(&owed, "code", &now).await;
    assert_eq!(replayed.status, 401, "{}", replayed.body);
    // A recovery code, once.
    let paper = codes[0].as_str().expect("a code");
    assert_eq!(show(&owed, "recovery_code", paper).await.status, 200);
    let owed = log_in(&app.server, "ada", WORD).await;
    assert_eq!(show(&owed, "recovery_code", paper).await.status, 401);
    let left = inside.get("/auth/recovery-codes").await;
    assert_eq!(left.json()["left"], 9, "{}", left.body);
    // A session of before proved one factor: it may not change the others.
    let refused = browser.send("DELETE", "/auth/totp", &json!({})).await;
    assert_eq!(refused.status, 403, "{}", refused.body);
    assert_eq!(refused.json()["code"], "reauthentication_required");
    let renewed = inside
        .send("POST", "/auth/recovery-codes", &json!({}))
        .await;
    assert_eq!(renewed.status, 201, "{}", renewed.body);
    let body = json!({"recovery_code": renewed.json()["recovery_codes"][3]});
    let stepped = inside.send("POST", "/auth/session/step-up", &body).await;
    inside.follow(&stepped);
    let removed = inside.send("DELETE", "/auth/totp", &json!({})).await;
    assert_eq!(removed.status, 200, "{}", removed.body);
    let done = log_in(&app.server, "ada", WORD).await;
    assert_eq!(done.json()["next"], "done", "{}", done.body);
    nothing_is_readable(&app, &[paper, &secret]).await;
}

/// What is stored of factors tells none of them; what was done with them is written down.
async fn nothing_is_readable(app: &App, secrets: &[&str]) {
    let rows = app.database.dump().await;
    for secret in secrets {
        assert!(!rows.iter().any(|row| row.contains(secret)), "{secret}");
    }
    for act in ["totp_enabled", "recovery_codes_renewed", "totp_disabled"] {
        let line = format!("auth_audit.act: {act}");
        assert!(rows.contains(&line), "{act}");
    }
}

// req: MF-3
async fn every_door_asks_for_the_second_factor(app: App) {
    // A hash, so that all doors are open to one password.
    app.server.sign_up("ada").await;
    sign_up(&app.server, "eve").await;
    let ada = Browser::sign_in(&app.server, "ada").await;
    let (secret, codes) = enrol(&ada).await;
    let eve = Browser::of(&app.server, &log_in(&app.server, "eve", WORD).await);
    enrol(&eve).await;
    let owed = log_in(&app.server, "eve", WORD).await;
    assert_eq!(owed.json()["next"], "second_factor", "{}", owed.body);
    assert!(owed.header("set-cookie").is_empty());
    let body = json!({"identifier": "ada", "password": WORD});
    let owed = app.server.send("POST", "", "/auth/session", &body).await;
    assert_eq!(owed.json()["next"], "second_factor", "{}", owed.body);
    assert!(owed.header("set-cookie").is_empty());
    let owed = app.server.token("ada", WORD).await;
    assert_eq!(owed.status, 403, "{}", owed.body);
    assert_eq!(owed.json()["code"], "mfa_required", "{}", owed.body);
    assert!(!owed.body.contains("access_token"), "{}", owed.body);
    let id = owed.json()["errors"][0]["login_id"]
        .as_str()
        .expect("a flow")
        .to_owned();
    let form = [("login_id", id.as_str()), ("code", &code(&secret, 0))];
    let request = app.server.request("POST", "/token").form(&form);
    let done = Answer::read(request).await;
    assert_eq!(done.status, 200, "{}", done.body);
    let token = done.json()["access_token"]
        .as_str()
        .expect("a token")
        .to_owned();
    let me = app.server.get_as(&token, "/auth/me").await;
    assert_eq!(me.status, 200, "{}", me.body);
    // A flow that is over, and a code of somebody else's flow.
    let request = app.server.request("POST", "/token").form(&form);
    assert_eq!(Answer::read(request).await.status, 400);
    let owed = log_in(&app.server, "eve", WORD).await;
    let body = json!({"login_id": owed.json()["login_id"], "recovery_code": codes[0]});
    let refused = app
        .server
        .send("POST", "", "/auth/session/factor", &body)
        .await;
    assert_eq!(refused.status, 401, "{}", refused.body);
}

// req: MF-4
async fn codes_are_guessed_slowly(app: App) {
    sign_up(&app.server, "ada").await;
    let browser = Browser::of(&app.server, &log_in(&app.server, "ada", WORD).await);
    let (secret, _) = enrol(&browser).await;
    let mut statuses = Vec::new();
    for _ in 0..6 {
        // A fresh flow each time does not help.
        let owed = log_in(&app.server, "ada", WORD).await;
        let body = json!({"login_id": owed.json()["login_id"], "code": "000000"});
        let refused = app
            .server
            .send("POST", "", "/auth/session/factor", &body)
            .await;
        statuses.push(refused.status);
    }
    assert_eq!(statuses, [401, 401, 401, 401, 401, 429]);
    let rows = app.database.dump().await;
    let digits: Vec<String> = secret.bytes().map(|byte| format!("{byte:02X}")).collect();
    let hexadecimal = digits.concat();
    assert!(rows.iter().any(|row| row.starts_with("auth_totp.sealed")));
    assert!(
        !rows
            .iter()
            .any(|row| row.contains(&secret) || row.contains(&hexadecimal))
    );
}

/// A table and a file for a role that asks for two factors.
fn guarded() -> Project {
    let project = Project::empty();
    project.write(
        "schema/vault.sql",
        "create role keeper;
         alter role keeper set auth.acr = mfa;
         create table vault (id integer primary key, body text not null);
         create table notes (id integer primary key);
         grant select on vault to keeper;
         grant select on notes to authenticated;
         create policy everybody on vault using (true);
         create policy everybody on notes using (true);",
    );
    project.write(
        "seed/vault.sql",
        "insert into vault (id, body) values (1, 'gold');",
    );
    project.write(
        "api/gold.get.sql",
        "-- @access keeper\n-- @returns many\nselect body from vault\n",
    );
    project
}

// req: MF-2
async fn a_role_asks_for_two_factors(app: App) {
    app.server.sign_up("ada").await;
    app.server.sign_up("eve").await;
    app.project
        .succeed(PILASTER, &["user", "grant", "ada", "keeper"]);
    let single = app.server.token("ada", WORD).await.json();
    let single = single["access_token"].as_str().expect("a token").to_owned();
    let mut browser = Browser::sign_in(&app.server, "ada").await;
    for path in ["/api/vault", "/api/gold"] {
        let refused = app.server.get_as(&single, path).await;
        assert_eq!(refused.status, 403, "{path}: {}", refused.body);
        assert_eq!(
            refused.json()["code"],
            "step_up_required",
            "{}",
            refused.body
        );
        let challenge = refused.header("www-authenticate");
        assert!(
            challenge.contains("insufficient_user_authentication"),
            "{challenge}"
        );
        assert!(challenge.contains("acr_values=\"mfa\""), "{challenge}");
        assert_eq!(browser.get(path).await.status, 403, "{path}");
    }
    // Who has not got the role is not told to step up.
    let eve = Browser::sign_in(&app.server, "eve").await;
    let refused = eve.get("/api/vault").await;
    assert_eq!(
        (refused.status, refused.json()["code"].as_str()),
        (404, Some("PGRST205"))
    );
    assert_eq!(app.server.get_as(&single, "/api/notes").await.status, 200);
    assert_eq!(app.server.get_as(&single, "/api/nothing").await.status, 404);
    assert_eq!(app.server.get_as(&single, "/api/notes/7").await.status, 404);
    let (secret, _) = enrol(&browser).await;
    let body = json!({"code": code(&secret, 0)});
    let stepped = browser.send("POST", "/auth/session/step-up", &body).await;
    browser.follow(&stepped);
    for path in ["/api/vault?select=body", "/api/gold"] {
        let read = browser.get(path).await;
        assert_eq!(
            (read.status, read.body.as_str()),
            (200, r#"[{"body":"gold"}]"#),
            "{path}"
        );
    }
    assert_eq!(app.server.get_as(&single, "/api/vault").await.status, 403);
}
