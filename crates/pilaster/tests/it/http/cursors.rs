//! Pages behind a row; the same on every engine.

use serde_json::{Value, json};

use super::grammar::films;
use super::{App, on_every_engine};

on_every_engine!(films: cursors_meet_every_row_once, cursors_stay_where_they_are, wrong_cursors_are_refused);

/// The address of the next page out of the `Link` header.
fn next(link: &str) -> Option<String> {
    let link = link.strip_prefix('<')?.strip_suffix(">; rel=\"next\"")?;
    Some(link.to_owned())
}

/// The ids of all pages from an address on; `between` happens behind each page.
async fn walk(app: &App, first: &str, mut between: impl AsyncFnMut(usize)) -> Vec<i64> {
    let mut ids = Vec::new();
    let mut path = Some(first.to_owned());
    let mut pages = 0;
    while let Some(at) = path {
        let page = app.server.get(&at).await;
        assert_eq!(page.status, 200, "{at}: {}", page.body);
        let rows = page.json();
        ids.extend(
            rows.as_array()
                .expect("rows")
                .iter()
                .filter_map(|row| row["id"].as_i64()),
        );
        path = next(page.header("link"));
        between(pages).await;
        pages += 1;
        assert!(pages < 100, "{first}: the pages have no end");
    }
    ids
}

async fn fill(app: &App) {
    let films: Vec<Value> = (100..160)
        .map(|id| {
            json!({"id": id, "title": format!("t{}", id % 7), "director_id": 1 + id % 4, "year": 1900 + id % 5,
                   "language": if id % 3 == 0 { Value::Null } else { json!(format!("l{}", id % 4)) },
                   "rating": if id % 4 == 0 { Value::Null } else { json!(format!("{}.5", id % 9)) },
                   "shown_at": if id % 5 == 0 { Value::Null } else { json!(format!("2000-01-{:02}T00:00:00Z", 1 + id % 20)) },
                   "info": {"n": id % 6}})
        })
        .collect();
    let made = app
        .server
        .send("POST", "anon", "/api/films", &json!(films))
        .await;
    assert_eq!(made.status, 201, "{}", made.body);
}

async fn cursors_meet_every_row_once(app: App) {
    fill(&app).await;
    for order in [
        "",
        "id.desc",
        "year.desc,title",
        "language",
        "language.desc",
        "language.nullsfirst,rating.desc.nullslast",
        "rating.desc,shown_at.nullsfirst,id.desc",
        "info->>n,shown_at",
        "directors(last_name).desc,title",
    ] {
        let base = format!(
            "/api/films?select=id,title,directors!director_id(last_name),nominations(id)&order={order}"
        );
        let whole = app.server.get(&format!("{base}&limit=200")).await.json();
        let expected: Vec<i64> = whole
            .as_array()
            .expect("rows")
            .iter()
            .filter_map(|row| row["id"].as_i64())
            .collect();
        assert_eq!(expected.len(), 66);
        let walked = walk(&app, &format!("{base}&limit=7&cursor="), async |_| {}).await;
        assert_eq!(walked, expected, "{order}");
    }
    let filtered = "/api/films?select=id&order=year&year=gt.1901&limit=5&cursor=";
    let walked = walk(&app, filtered, async |_| {}).await;
    let whole = app
        .server
        .get("/api/films?select=id&order=year&year=gt.1901")
        .await
        .json();
    assert_eq!(walked.len(), whole.as_array().map_or(0, Vec::len));
    let counted = app
        .server
        .request("GET", "/api/films?select=id&limit=5&cursor=")
        .header("Prefer", "count=exact");
    let counted = testkit::Answer::read(counted).await;
    assert_eq!(counted.header("content-range"), "0-4/66");
}

async fn cursors_stay_where_they_are(app: App) {
    fill(&app).await;
    let before = walk(
        &app,
        "/api/films?select=id&order=id&limit=10&cursor=",
        async |_| {},
    )
    .await;
    // Rows that come and go behind the reader neither repeat nor skip others.
    let walked = walk(
        &app,
        "/api/films?select=id&order=id&limit=10&cursor=",
        async |page| {
            if page < 3 {
                let gone = app
                    .server
                    .send(
                        "DELETE",
                        "anon",
                        &format!("/api/films/{}", 100 + page),
                        &Value::Null,
                    )
                    .await;
                assert_eq!(gone.status, 204, "{}", gone.body);
            }
        },
    )
    .await;
    assert_eq!(walked, before);
    let exact = app
        .server
        .get("/api/films?select=id&order=id&limit=63&cursor=")
        .await;
    assert!(next(exact.header("link")).is_some());
    let last = app
        .server
        .get(&next(exact.header("link")).expect("a page"))
        .await;
    assert_eq!(
        (last.body.as_str(), next(last.header("link"))),
        ("[]", None)
    );
}

async fn wrong_cursors_are_refused(app: App) {
    for (query, code) in [
        ("cursor=nonsense!", "PGRST100"),
        ("cursor=WzEsMl0&order=id", "PGRST100"),
        ("cursor=WyJ4Il0&order=id", "PGRST100"),
        ("cursor=&select=language,count()", "PGRST100"),
        ("cursor=&offset=3", "PGRST100"),
        ("cursor=&order=info", "42883"),
    ] {
        let refused = app.server.get(&format!("/api/films?{query}")).await;
        let found = refused.json()["code"].as_str().map(str::to_owned);
        assert_eq!(
            (refused.status, found.as_deref()),
            (400, Some(code)),
            "{query}: {}",
            refused.body
        );
    }
}
