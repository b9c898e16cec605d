//! What was acknowledged survives.

use futures_util::future::join_all;
use serde_json::json;
use testkit::Running;

use super::{App, PILASTER};

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_acknowledged_inserts_survive_kill_9() {
    let Some(mut app) = App::cruddur("sqlite").await else {
        return;
    };
    let ada = app.server.sign_up("ada").await;
    let mut acknowledged = 0;
    for round in 0..20 {
        let inserts = (0..50).map(|n| {
            let body = json!({"message": format!("message {round} {n}")});
            let (server, ada) = (&app.server, &ada);
            async move {
                server
                    .send("POST", ada, "/api/activities", &body)
                    .await
                    .status
            }
        });
        acknowledged += join_all(inserts)
            .await
            .iter()
            .filter(|status| **status == 201)
            .count();
    }
    app.server.kill();
    assert_eq!(acknowledged, 1_000);
    let server = Running::serve(PILASTER, &app.project).await;
    let request = server.request(
        "GET",
        "/api/activities?select=uuid&message=like.message*&limit=0",
    );
    let counted = testkit::Answer::read(request.header("Prefer", "count=exact")).await;
    assert_eq!(
        counted.header("content-range"),
        "*/1000",
        "{}",
        counted.body
    );
}
