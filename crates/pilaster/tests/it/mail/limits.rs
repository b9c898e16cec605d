//! How many mails are sent.

use serde_json::json;
use testkit::Project;

use super::{Dev, bare, on_every_engine};

fn plain() -> Project {
    super::project("")
}

on_every_engine!(plain: the_sixth_mail_is_suppressed_and_nobody_can_tell);

// req: ML-7
async fn the_sixth_mail_is_suppressed_and_nobody_can_tell(dev: Dev) {
    dev.sign_up("ada").await;
    dev.sign_up("bob").await;
    let ask = |email: &'static str| dev.post("/auth/reset", json!({"email": email}));
    // At once, so that a count that is asked for first would be wrong.
    let answers = futures_util::future::join_all((0..12).map(|_| ask("ada@example.org"))).await;
    let first = bare(&answers[0]);
    assert_eq!(first.0, 202);
    assert!(answers.iter().all(|answer| bare(answer) == first));
    dev.mail("ada@example.org", 5).await;
    // Another mailbox is as free as before; whoever mails it next is behind the five.
    assert_eq!(bare(&ask("bob@example.org").await), first);
    dev.mail("bob@example.org", 1).await;
    assert_eq!(dev.mails("ada@example.org").await.len(), 5);
    // Ten minutes later.
    let earlier = match dev.database.connect().await.dialect() {
        sql::Dialect::Sqlite => "'2001-01-01T00:00:00.000000Z'",
        _ => "'2001-01-01 00:00:00'",
    };
    dev.change(&format!("update auth_tickets set created_at = {earlier}"))
        .await;
    assert_eq!(bare(&ask("ada@example.org").await), first);
    dev.mail("ada@example.org", 6).await;
}

// req: ML-7
#[tokio::test(flavor = "multi_thread")]
async fn one_client_has_so_many_mails_sent_and_no_more() {
    let project =
        super::project("[mail]\nper_address = 3\n[server]\ntrusted_proxies = [\"127.0.0.1\"]\n");
    let Some(dev) = Dev::start("sqlite", project).await else {
        return;
    };
    for name in ["ada", "bob", "cyd", "dee", "eve"] {
        dev.sign_up(name).await;
    }
    for name in ["ada", "bob", "cyd", "dee"] {
        let body = json!({"email": format!("{name}@example.org")});
        let request = dev.server.request("POST", "/auth/reset").json(&body);
        // What stands before the last address was written by the client.
        let forwarded = format!("198.51.100.{}, 203.0.113.7", name.len());
        let answer = testkit::Answer::read(request.header("x-forwarded-for", forwarded)).await;
        assert_eq!(answer.status, 202, "{}", answer.body);
    }
    let request = dev.server.request("POST", "/auth/reset");
    let request = request.json(&json!({"email": "eve@example.org"}));
    let answer = testkit::Answer::read(request.header("x-forwarded-for", "203.0.113.8")).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    dev.mail("eve@example.org", 1).await;
    assert!(dev.mails("dee@example.org").await.is_empty());
    assert_eq!(dev.mails("cyd@example.org").await.len(), 1);
}
