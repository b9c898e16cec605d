//! Registration and sign-in.

use serde_json::json;

use super::{App, on_every_engine};

on_every_engine!(
    a_new_account_signs_in,
    one_of_fifty_equal_registrations_wins,
    a_wrong_name_and_a_wrong_password_answer_alike,
    the_registrant_cannot_choose_a_role,
    addresses_are_normalised_at_every_entrance,
    two_accounts_cannot_share_an_address_or_a_handle,
    hashes_follow_the_settings,
    the_password_is_found_nowhere,
);

/// The part of a token between the dots, decoded.
fn claims(token: &str) -> serde_json::Value {
    use base64::Engine as _;
    let middle = token.split('.').nth(1).expect("a token has three parts");
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(middle)
        .expect("base64url");
    serde_json::from_slice(&bytes).expect("claims are JSON")
}

// req: ID-2, ID-9, ID-11
async fn a_new_account_signs_in(app: App) {
    let account = json!({"email": "ada@example.org", "password": "a long pass phrase",
                         "username": "ada", "first_name": "Ada", "last_name": "Lovelace"});
    let created = app.server.send("POST", "", "/register", &account).await;
    assert_eq!(created.status, 201, "{}", created.body);
    for secret in ["pass", "hash", "secret"] {
        assert!(
            !created.body.to_lowercase().contains(secret),
            "{}",
            created.body
        );
    }
    let signed_in = app
        .server
        .token("ada@example.org", "a long pass phrase")
        .await;
    assert_eq!(signed_in.status, 200, "{}", signed_in.body);
    assert_eq!(signed_in.header("cache-control"), "no-store");
    let answer = signed_in.json();
    assert_eq!(answer["token_type"], "bearer");
    assert_eq!(answer["expires_in"], 900);
    let token = answer["access_token"].as_str().expect("a token");
    let claims = claims(token);
    let life = claims["exp"].as_i64().expect("exp") - claims["iat"].as_i64().expect("iat");
    assert_eq!(life, 900);
    let me = app.server.get_as(token, "/auth/me").await;
    assert_eq!(me.status, 200, "{}", me.body);
    assert_eq!(me.json()["email"], "ada@example.org");
    for listing in [me, app.server.get("/api/users").await] {
        assert_eq!(listing.status, 200, "{}", listing.body);
        for secret in ["pass", "hash", "secret"] {
            assert!(
                !listing.body.to_lowercase().contains(secret),
                "{}",
                listing.body
            );
        }
    }
    let App {
        project,
        database: _database,
        ..
    } = app;
    let closed = project.with("PILASTER_AUTH_REGISTRATION", "closed");
    let server = testkit::Running::serve(super::PILASTER, &closed).await;
    let refused = server.send("POST", "", "/register", &account).await;
    assert_eq!(refused.status, 403, "{}", refused.body);
}

// req: ID-3
async fn one_of_fifty_equal_registrations_wins(app: App) {
    let account = json!({"email": "race@example.org", "password": "a long pass phrase"});
    let attempts = (0..50).map(|_| app.server.send("POST", "", "/register", &account));
    let statuses: Vec<u16> = futures_util::future::join_all(attempts)
        .await
        .iter()
        .map(|answer| answer.status)
        .collect();
    assert_eq!(
        statuses.iter().filter(|status| **status == 201).count(),
        1,
        "{statuses:?}"
    );
    assert_eq!(
        statuses.iter().filter(|status| **status == 409).count(),
        49,
        "{statuses:?}"
    );
    // The hook gave the one account its one profile.
    let profiles = app
        .server
        .get("/api/users?select=uuid&handle=not.in.(andrewbrown,bayko)")
        .await;
    assert_eq!(
        profiles.json().as_array().map(Vec::len),
        Some(1),
        "{}",
        profiles.body
    );
}

async fn a_wrong_name_and_a_wrong_password_answer_alike(app: App) {
    app.server.sign_up("ada").await;
    let mut bodies = Vec::new();
    for (name, word) in [
        ("ada@example.org", "wrong pass phrase"),
        ("nobody@example.org", "a long pass phrase"),
    ] {
        let refused = app.server.token(name, word).await;
        assert_eq!(refused.status, 401, "{}", refused.body);
        assert!(
            refused.header("www-authenticate").starts_with("Bearer"),
            "{refused:?}"
        );
        let mut body = refused.json();
        body["request_id"] = json!(null);
        bodies.push(body);
    }
    assert_eq!(bodies[0], bodies[1]);
}

// req: ID-12
async fn the_registrant_cannot_choose_a_role(app: App) {
    for field in [
        "role",
        "roles",
        "scope",
        "active",
        "email_verified_at",
        "id",
    ] {
        let account = json!({"email": "eve@example.org", "password": "a long pass phrase",
                             field: "admin"});
        let refused = app.server.send("POST", "", "/register", &account).await;
        assert_eq!(refused.status, 422, "{}", refused.body);
        assert!(
            refused.body.contains(&format!("/{field}")),
            "{}",
            refused.body
        );
    }
    let token = app.server.sign_up("eve").await;
    assert!(!claims(&token).to_string().contains("admin"));
}

// req: ID-13
async fn addresses_are_normalised_at_every_entrance(app: App) {
    let account = json!({"email": "  A@X.NL ", "password": "a long pass phrase"});
    let created = app.server.send("POST", "", "/register", &account).await;
    assert_eq!(created.status, 201, "{}", created.body);
    assert_eq!(created.json()["email"], "a@x.nl");
    let signed_in = app.server.token("a@x.NL ", "a long pass phrase").await;
    assert_eq!(signed_in.status, 200, "{}", signed_in.body);
    let account = json!({"email": "a@X.nl", "password": "a long pass phrase"});
    let again = app.server.send("POST", "", "/register", &account).await;
    assert_eq!(again.status, 409, "{}", again.body);
    let words = ["user", "update", " A@x.nl", "--email", " New@X.nl "];
    app.project.succeed(super::PILASTER, &words);
    let moved = app.server.token("new@x.nl", "a long pass phrase").await;
    assert_eq!(moved.status, 200, "{}", moved.body);
    let gone = app.server.token("a@x.nl", "a long pass phrase").await;
    assert_eq!(gone.status, 401, "{}", gone.body);
}

// req: ID-1
async fn two_accounts_cannot_share_an_address_or_a_handle(app: App) {
    app.server.sign_up("ada").await;
    let account = json!({"email": "ADA@example.org", "password": "a long pass phrase"});
    let refused = app.server.send("POST", "", "/register", &account).await;
    assert_eq!(refused.status, 409, "{}", refused.body);
    let account = json!({"email": "other@example.org", "password": "a long pass phrase",
                         "username": "ADA"});
    let refused = app.server.send("POST", "", "/register", &account).await;
    assert_eq!(refused.status, 409, "{}", refused.body);
    app.server.sign_up("bo").await;
    let words = ["user", "update", "bo@example.org", "--username", "Ada"];
    let taken = app.project.run(super::PILASTER, &words);
    assert_eq!(taken.code, 1, "{}", taken.text());
    let idle = app.project.run(super::PILASTER, &["user", "update", "bo"]);
    assert_eq!(idle.code, 2, "{}", idle.text());
    let described = app
        .project
        .succeed(super::PILASTER, &["db", "describe", "auth_users"]);
    for column in [
        "id",
        "email",
        "username",
        "first_name",
        "last_name",
        "display_name",
        "active",
        "created_at",
        "updated_at",
    ] {
        let line = described
            .out
            .lines()
            .find(|line| line.trim_start().starts_with(column));
        assert!(line.is_some(), "{column}: {}", described.out);
    }
    let shown = app
        .project
        .succeed(super::PILASTER, &["user", "show", "ada", "--json"]);
    let shown: serde_json::Value = serde_json::from_str(&shown.out).expect("JSON");
    assert_eq!(shown["active"], true);
}

/// The stored hashes.
async fn hashes(app: &App) -> Vec<String> {
    let rows = app.database.dump().await;
    let stored = rows
        .iter()
        .filter_map(|row| row.strip_prefix("auth_passwords.hash: "));
    let text = |stored: &str| {
        if stored.starts_with("$argon2id$") {
            return stored.to_owned();
        }
        // Some engines' dumps are hexadecimal.
        let pairs = stored.as_bytes().chunks(2).map(|pair| {
            let pair = std::str::from_utf8(pair).expect("ASCII");
            u8::from_str_radix(pair, 16).expect("two digits")
        });
        String::from_utf8(pairs.collect()).expect("a hash is text")
    };
    stored.map(text).collect()
}

// req: ID-4
async fn hashes_follow_the_settings(app: App) {
    app.server.sign_up("ada").await;
    app.server.sign_up("eve").await;
    let before = hashes(&app).await;
    assert_eq!(before.len(), 2, "{before:?}");
    assert_ne!(before[0], before[1]);
    assert!(
        before.iter().all(|hash| hash.contains("m=19456,t=2,p=1")),
        "{before:?}"
    );
    let App {
        project, database, ..
    } = app;
    let stronger = project.with("PILASTER_AUTH_PASSWORD_ITERATIONS", "3");
    let server = testkit::Running::serve(super::PILASTER, &stronger).await;
    let app = App {
        server,
        project: stronger,
        database,
    };
    for _ in 0..2 {
        let signed_in = app.server.token("ada", "a long pass phrase").await;
        assert_eq!(signed_in.status, 200, "{}", signed_in.body);
        let wrong = app.server.token("eve", "a wrong pass phrase").await;
        assert_eq!(wrong.status, 401, "{}", wrong.body);
        let mut after = hashes(&app).await;
        after.retain(|hash| !before.contains(hash));
        assert_eq!(after.len(), 1, "{after:?}");
        assert!(after[0].contains("m=19456,t=3,p=1"), "{after:?}");
    }
}

// req: ID-8
#[tokio::test(flavor = "multi_thread")]
async fn unknown_names_and_wrong_passwords_take_the_same_time() {
    let patient = testkit::Project::cruddur()
        .with("PILASTER_AUTH_LOGIN_ATTEMPTS", "1000")
        .with("PILASTER_AUTH_ADDRESS_ATTEMPTS", "1000");
    let Some(app) = App::of("sqlite", patient).await else {
        return;
    };
    app.server.sign_up("ada").await;
    let right = app.server.token("ada", "a long pass phrase").await;
    assert_eq!(right.status, 200, "{}", right.body);
    assert!(right.json()["access_token"].is_string() && right.json()["token_type"].is_string());
    let mut times = [Vec::new(), Vec::new()];
    let mut bodies = std::collections::BTreeSet::new();
    for _ in 0..200 {
        // In turn, so that whatever else the machine does falls on both.
        for (times, name) in times.iter_mut().zip(["ada", "nobody"]) {
            let began = std::time::Instant::now();
            let refused = app.server.token(name, "a wrong pass phrase").await;
            times.push(began.elapsed().as_secs_f64());
            assert_eq!(refused.status, 401);
            let mut body = refused.json();
            body["request_id"] = json!(null);
            bodies.insert(body.to_string());
        }
    }
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    let mean = |times: &mut Vec<f64>| {
        // Without the slowest tenth, which other tests on this machine make.
        times.sort_by(f64::total_cmp);
        times.truncate(180);
        times.iter().sum::<f64>() / 180.0
    };
    let [known, unknown] = &mut times;
    let ratio = mean(known) / mean(unknown);
    assert!((0.9..=1.1).contains(&ratio), "{ratio}");
}

// req: ID-5
async fn the_password_is_found_nowhere(app: App) {
    const MARKER: &str = "Marker-9f1c7e-passphrase";
    let account = json!({"email": "marked@example.org", "password": MARKER});
    let created = app.server.send("POST", "", "/register", &account).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let signed_in = app.server.token("marked@example.org", MARKER).await;
    assert_eq!(signed_in.status, 200);
    let refused = app
        .server
        .token("marked@example.org", &format!("{MARKER}x"))
        .await;
    let malformed = app
        .server
        .send(
            "POST",
            "",
            "/register",
            &json!({"email": 1, "password": MARKER}),
        )
        .await;
    for text in [
        created.body,
        signed_in.body,
        refused.body,
        malformed.body,
        app.server.log(),
    ] {
        assert!(!text.contains(MARKER), "{text}");
    }
    let digits: Vec<String> = MARKER.bytes().map(|byte| format!("{byte:02X}")).collect();
    let hexadecimal = digits.concat();
    let rows = app.database.dump().await;
    assert!(rows.len() > 20, "the dump is empty");
    for row in rows {
        assert!(
            !row.contains(MARKER) && !row.contains(&hexadecimal),
            "{row}"
        );
    }
}
