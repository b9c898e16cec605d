//! How much each role may ask for: `ALTER ROLE … SET` in the schema, the same on every engine.

use serde_json::{Value, json};
use testkit::{Answer, Project};

use super::{App, PILASTER, on_every_engine};

on_every_engine!(
    films: rows_of_a_page, parts_and_depth_of_a_query, related_rows, bytes_of_an_answer,
    rows_of_an_insert, counts, aggregates_and_plans, roles_together, limits_need_no_migration,
    tests_and_explanations_know_the_limits,
);

const BUDGETS: &str = "
create role editor;
grant select, insert, update, delete on directors, films, actors, roles_played to authenticated;

alter role anon set api.max_rows = 3;
alter role anon set api.max_nodes = 4;
alter role anon set api.max_depth = 2;
alter role anon set api.max_related_rows = 2;
alter role anon set api.max_response_bytes = 120;
alter role anon set api.max_insert_rows = 1;
alter role anon set api.max_count = 2;

alter role authenticated set api.default_rows = 4;
alter role authenticated set api.max_rows = 5;
alter role authenticated set api.max_nodes = 6;
alter role authenticated set api.max_depth = 3;
alter role authenticated set api.max_related_rows = 5;
alter role authenticated set api.max_response_bytes = 600;
alter role authenticated set api.max_insert_rows = 2;
alter role authenticated set api.aggregates = on;
alter role authenticated set api.plans = on;

alter role editor set api.default_rows = 2;
alter role editor set api.max_rows = 6;
alter role editor set api.aggregates = off;
";

fn films() -> Project {
    let project = Project::empty();
    project.write("schema/films.sql", include_str!("../films/films.sql"));
    project.write("schema/budgets.sql", BUDGETS);
    project.write("seed/films.sql", include_str!("../films/seed.sql"));
    project.write(
        "api/titles.get.sql",
        "-- @access anon, authenticated\n-- @returns many\nselect id, title from films order by id\n",
    );
    project
}

/// Whether a request is refused with the status, by the limit of that value.
fn refused(answer: &Answer, status: u16, value: &str, limit: &str) {
    assert_eq!(answer.status, status, "{limit}: {}", answer.body);
    let error = answer.json();
    let text = |member: &str| error[member].as_str().unwrap_or_default().to_owned();
    assert!(text("message").contains(value), "{}", answer.body);
    assert!(text("hint").contains(limit), "{}", answer.body);
}

fn ids(answer: &Answer) -> Vec<i64> {
    assert_eq!(answer.status, 200, "{}", answer.body);
    let rows: Value = answer.json();
    let rows = rows.as_array().expect("rows").iter();
    rows.filter_map(|row| row["id"].as_i64()).collect()
}

async fn rows_of_a_page(app: App) {
    let ada = app.server.sign_up("ada").await;
    let films = "/api/films?select=id&order=id";
    // The default of everybody is 100, but never more than the most.
    assert_eq!(ids(&app.server.get(films).await), [1, 2, 3]);
    assert_eq!(ids(&app.server.get_as(&ada, films).await), [1, 2, 3, 4]);
    let page = |rows: u8| format!("{films}&limit={rows}");
    assert_eq!(ids(&app.server.get(&page(3)).await), [1, 2, 3]);
    refused(
        &app.server.get(&page(4)).await,
        422,
        "more than 3 rows",
        "max_rows",
    );
    let five = app.server.get_as(&ada, &page(5)).await;
    assert_eq!(ids(&five), [1, 2, 3, 4, 5]);
    let six = app.server.get_as(&ada, &page(6)).await;
    refused(&six, 422, "more than 5 rows", "max_rows");
    // Pages go on behind the limit.
    let next = app.server.get(&format!("{}&offset=3", page(3))).await;
    assert_eq!(ids(&next), [4, 5, 6]);
    // A stream's rows and an SQL file's as well.
    let stream = app.server.request("GET", &page(4));
    let stream = Answer::read(stream.header("Accept", "text/event-stream")).await;
    refused(&stream, 422, "more than 3 rows", "max_rows");
    let titles = app.server.get("/api/titles?limit=4").await;
    refused(&titles, 422, "more than 3 rows", "max_rows");
    let titles = app
        .server
        .get_as(&ada, "/api/titles?select=id&limit=5")
        .await;
    assert_eq!(ids(&titles), [1, 2, 3, 4, 5]);
}

async fn parts_and_depth_of_a_query(app: App) {
    let ada = app.server.sign_up("ada").await;
    let parts = [
        "id", "year", "rating", "budget", "score", "released", "starts",
    ];
    let select = |count: usize| format!("/api/films?select={}&limit=1", parts[..count].join(","));
    assert_eq!(app.server.get(&select(4)).await.status, 200);
    let five = app.server.get(&select(5)).await;
    refused(&five, 400, "more than 4 parts", "max_nodes");
    assert_eq!(app.server.get_as(&ada, &select(6)).await.status, 200);
    let seven = app.server.get_as(&ada, &select(7)).await;
    refused(&seven, 400, "more than 6 parts", "max_nodes");

    let two = "/api/films?select=id&or=(id.eq.1,and(year.gt.1900))";
    let three = "/api/films?select=id&or=(and(or(id.eq.1)))";
    let four = "/api/films?select=id&or=(and(or(and(id.eq.1))))";
    assert_eq!(app.server.get(two).await.status, 200);
    let deeper = app.server.get(three).await;
    refused(&deeper, 400, "deeper than 2", "max_depth");
    assert_eq!(ids(&app.server.get_as(&ada, three).await), [1]);
    let deeper = app.server.get_as(&ada, four).await;
    refused(&deeper, 400, "deeper than 3", "max_depth");
}

async fn related_rows(app: App) {
    let ada = app.server.sign_up("ada").await;
    let films = |rows: u8| {
        format!("/api/films?select=id,roles_played(actor_id)&order=id&limit={rows}&offset=1")
    };
    // Seven Samurai has two, and Citizen Kane one more.
    assert_eq!(ids(&app.server.get(&films(1)).await), [2]);
    let two = app.server.get(&films(2)).await;
    refused(&two, 422, "more than 2 related rows", "max_related_rows");
    assert_eq!(
        ids(&app.server.get_as(&ada, &films(3)).await),
        [2, 3, 4],
        "five"
    );
    let four = app.server.get_as(&ada, &films(4)).await;
    refused(&four, 422, "more than 5 related rows", "max_related_rows");
}

async fn bytes_of_an_answer(app: App) {
    let ada = app.server.sign_up("ada").await;
    let (one, three) = (
        "/api/films?id=eq.2&select=summary",
        "/api/films?select=summary&limit=3",
    );
    assert_eq!(app.server.get(one).await.status, 200);
    let refusal = app.server.get(three).await;
    refused(&refusal, 422, "more than 120 bytes", "max_response_bytes");
    assert_eq!(app.server.get_as(&ada, three).await.status, 200);
    let all = app.server.get_as(&ada, "/api/films?limit=5").await;
    refused(&all, 422, "more than 600 bytes", "max_response_bytes");
}

async fn rows_of_an_insert(app: App) {
    let ada = app.server.sign_up("ada").await;
    let actors = |from: i64, count: i64| {
        let actor = |id: i64| json!({"id": id, "name": format!("actor {id}")});
        Value::Array((from..from + count).map(actor).collect())
    };
    let post =
        async |token: &str, body: Value| app.server.send("POST", token, "/api/actors", &body).await;
    let two = post("", actors(10, 2)).await;
    refused(&two, 413, "more than 1 rows", "max_insert_rows");
    assert_eq!(post("", actors(10, 1)).await.status, 201);
    let three = post(&ada, actors(11, 3)).await;
    refused(&three, 413, "more than 2 rows", "max_insert_rows");
    assert_eq!(post(&ada, actors(11, 2)).await.status, 201);
    let new = app
        .server
        .get_as(&ada, "/api/actors?id=gte.10&select=id&order=id");
    assert_eq!(ids(&new.await), [10, 11, 12]);
}

async fn counts(app: App) {
    let ada = app.server.sign_up("ada").await;
    let range = async |token: &str| {
        let mut request = app.server.request("GET", "/api/films?select=id&limit=1");
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        let answer = Answer::read(request.header("Prefer", "count=planned")).await;
        answer.header("content-range").to_owned()
    };
    // Counted no further than max_count.
    assert_eq!(range("").await, "0-0/2");
    assert_eq!(range(&ada).await, "0-0/6");
}

async fn aggregates_and_plans(app: App) {
    let ada = app.server.sign_up("ada").await;
    let count = "/api/films?select=count()";
    refused(
        &app.server.get(count).await,
        400,
        "aggregates",
        "api.aggregates",
    );
    let counted = app.server.get_as(&ada, count).await;
    assert_eq!(counted.json(), json!([{"count": 6}]));

    let plan = |token: Option<&str>| {
        let request = app.server.request("GET", "/api/films?id=eq.1&select=id");
        let request = request.header("Accept", "application/vnd.pgrst.plan");
        Answer::read(match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        })
    };
    refused(&plan(None).await, 406, "plans", "api.plans");
    let shown = plan(Some(&ada)).await;
    assert_eq!(shown.status, 200, "{}", shown.body);
}

/// Of two roles that say something the more generous one holds, whichever it is.
async fn roles_together(app: App) {
    app.server.sign_up("ada").await;
    app.project
        .succeed(PILASTER, &["user", "grant", "ada", "editor"]);
    let token = app
        .server
        .token("ada@example.org", "a long pass phrase")
        .await;
    let token = token.json()["access_token"]
        .as_str()
        .expect("a token")
        .to_owned();
    let films = "/api/films?select=id&order=id";
    let get = async |path: &str| app.server.get_as(&token, path).await;
    assert_eq!(ids(&get(&format!("{films}&limit=6")).await).len(), 6);
    let seven = get(&format!("{films}&limit=7")).await;
    refused(&seven, 422, "more than 6 rows", "max_rows");
    assert_eq!(ids(&get(films).await), [1, 2, 3, 4], "authenticated's four");
    let counted = get("/api/films?select=count()").await;
    assert_eq!(counted.json(), json!([{"count": 6}]), "authenticated's on");
}

/// Like grants they are in force with the files, and no part of the database.
async fn limits_need_no_migration(app: App) {
    let check = app.project.succeed(PILASTER, &["migrate", "check"]);
    assert_eq!(check.code, 0, "{}", check.text());
    let migrations = app.project.read_dir("migrations");
    let more = format!("{BUDGETS}\nalter role service set api.max_rows = 9;\n");
    app.project.write("schema/budgets.sql", &more);
    app.project.succeed(PILASTER, &["migrate", "check"]);
    assert_eq!(app.project.read_dir("migrations"), migrations);

    let cases = [
        (
            "alter role anon\n  set api.max_row = 3;\n",
            "schema/more.sql:2:7: api.max_row is not a setting of a role",
            "did you mean api.max_rows?",
        ),
        (
            "alter role anon set api.plans = 3;\n",
            "schema/more.sql:1:33: api.plans is on or off, not 3",
            "api.plans = on",
        ),
        (
            "alter role service set api.max_nodes = few;\n",
            "schema/more.sql:1:40: api.max_nodes is a whole number",
            "api.max_nodes = 500",
        ),
        (
            "alter role editr set api.max_nodes = 5;\n",
            "schema/more.sql:1:1: there is no role editr",
            "did you mean editor?",
        ),
        (
            "alter role anon set api.max_rows = 4;\n",
            "schema/more.sql:1:1: api.max_rows of anon is set twice",
            "",
        ),
    ];
    for (text, cause, advice) in cases {
        app.project.write("schema/more.sql", text);
        let failed = app.project.run(PILASTER, &["check"]);
        assert_ne!(failed.code, 0, "{text}: {}", failed.text());
        assert!(failed.err.contains(cause), "{text}: {}", failed.text());
        assert!(failed.err.contains(advice), "{text}: {}", failed.text());
    }
}

/// What tries and explains the project's requests knows the limits too: those of the project, and
/// of the role.
async fn tests_and_explanations_know_the_limits(app: App) {
    let requests = "### one part too many\n# @expect 400\n# @expect body.hint \"ask in several requests; the limit is max_nodes\"\n\
        GET /api/films?select=id,title,year,rating,budget\n\n\
        ### the page of this project\n# @expect 422\n# @expect body.message \"limit=6 is more than 5 rows\"\n\
        GET /api/directors?limit=6\n";
    let project = films();
    project.write(
        "pilaster.toml",
        "[api]\nmax_rows = 5\naggregates = \"on\"\n",
    );
    let budgets = BUDGETS.replace("alter role anon set api.max_rows = 3;", "");
    project.write("schema/budgets.sql", &budgets);
    project.write("tests/limits.http", requests);
    project.write(
        "tests/limits.rules",
        "anon GET /api/films?select=count() => allowed\n\
         anon GET /api/films?limit=6 => refused PGRST103\n",
    );
    let project = project.with("DATABASE_URL", app.database.url());
    project.succeed(PILASTER, &["migrate", "new", "init"]);
    project.succeed(PILASTER, &["test"]);
    let explain = |url: &str| {
        let words = ["rules", "explain", "--offline", "--as", "anon", "GET", url];
        project.run(PILASTER, &words)
    };
    let allowed = explain("/api/films?select=count()");
    assert_eq!(allowed.code, 0, "{}", allowed.text());
    let page = explain("/api/films?limit=6");
    assert!(page.text().contains("more than 5 rows"), "{}", page.text());
}
