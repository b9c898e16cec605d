//! Registration and sign-in.

use serde_json::json;

use super::{App, on_every_engine};

on_every_engine!(
    a_new_account_signs_in,
    one_of_fifty_equal_registrations_wins,
    a_wrong_name_and_a_wrong_password_answer_alike,
    the_registrant_cannot_choose_a_role,
    addresses_are_normalised_at_every_entrance,
    two_accounts_cannot_share_a_handle,
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
}

async fn two_accounts_cannot_share_a_handle(app: App) {
    app.server.sign_up("ada").await;
    let account = json!({"email": "other@example.org", "password": "a long pass phrase",
                         "username": "ADA"});
    let refused = app.server.send("POST", "", "/register", &account).await;
    assert_eq!(refused.status, 409, "{}", refused.body);
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
