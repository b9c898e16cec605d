//! What somebody may do with the own account besides signing in.

use serde_json::json;

use super::{Browser, sign_up};
use crate::http::{App, on_every_engine};

on_every_engine!(
    names_are_changed_and_taken_away,
    all_that_is_kept_is_told_to_its_owner,
);

async fn names_are_changed_and_taken_away(app: App) {
    sign_up(&app.server, "ada").await;
    sign_up(&app.server, "eve").await;
    let answer = super::log_in(&app.server, "ada", super::WORD).await;
    let ada = Browser::of(&app.server, &answer);
    let body = json!({"first_name": "Ada", "last_name": "Lovelace", "display_name": "A. L."});
    let changed = ada.send("PATCH", "/auth/me", &body).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    let body = json!({"last_name": null, "username": "countess"});
    ada.send("PATCH", "/auth/me", &body).await;
    let me = ada.get("/auth/me").await.json();
    assert_eq!(me["first_name"], "Ada");
    assert_eq!(me["last_name"], json!(null));
    assert_eq!(me["display_name"], "A. L.");
    assert_eq!(me["username"], "countess");
    let taken = ada
        .send("PATCH", "/auth/me", &json!({"username": "EVE"}))
        .await;
    assert_eq!(taken.status, 409, "{}", taken.body);
    let foreign = json!({"email": "eve@example.org", "roles": ["admin"]});
    let refused = ada.send("PATCH", "/auth/me", &foreign).await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    let nobody = app.server.send("PATCH", "", "/auth/me", &json!({})).await;
    assert_eq!(nobody.status, 401, "{}", nobody.body);
}

async fn all_that_is_kept_is_told_to_its_owner(app: App) {
    sign_up(&app.server, "ada").await;
    let answer = super::log_in(&app.server, "ada", super::WORD).await;
    let ada = Browser::of(&app.server, &answer);
    let told = ada.get("/auth/export").await;
    assert_eq!(told.status, 200, "{}", told.body);
    assert!(told.header("content-disposition").starts_with("attachment"));
    assert_eq!(told.header("cache-control"), "no-store");
    let told = told.json();
    assert_eq!(told["account"]["email"], "ada@example.org");
    assert_eq!(told["sessions"][0]["amr"], json!(["pwd"]));
    assert_eq!(told["acts"][0]["act"], "user_registered", "{told}");
    assert_eq!(app.server.get("/auth/export").await.status, 401);
}
