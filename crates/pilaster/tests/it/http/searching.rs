//! Searches find the same rows with an index of words and without one, on every engine; and where
//! the engine has such an index, its plan shows it.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use testkit::{Answer, Project, Running, ThrowAwayDatabase};

use super::{App, PILASTER, on_every_engine};

on_every_engine!(
    texts: an_index_changes_no_answer, rows_are_found_as_they_change, plans_show_the_index,
    copies_are_found,
);

const SCHEMA: &str = "
create table bare (id uuid primary key, title text not null, body text);
create table indexed (id uuid primary key, title text not null, body text);
create index indexed_text on indexed using gin (to_tsvector('simple', title || ' ' || coalesce(body, '')));
create table numbered (id bigint primary key, title varchar(500) not null, body text);
create index numbered_title on numbered using gin (to_tsvector('english', title));
create index numbered_body on numbered using gin (to_tsvector('simple', body));
grant select, insert, update, delete on bare, indexed, numbered to anon;
create policy all_bare on bare for all using (true) with check (true);
create policy all_indexed on indexed for all using (true) with check (true);
create policy all_numbered on numbered for all using (true) with check (true);
";

const TABLES: [&str; 3] = ["bare", "indexed", "numbered"];

fn texts() -> Project {
    let project = Project::empty();
    project.write("schema/texts.sql", SCHEMA);
    project.with("PILASTER_API_PLANS", "on")
}

/// Short words, words that servers leave out of an index, accents, other scripts, signs between
/// words, signs that mean something to an index, and nothing.
const TEXTS: [&str; 44] = [
    "The quick brown fox",
    "the QUICK, brown; fox!",
    "quickbrown fox",
    "a b c",
    "I am at it",
    "is as it was",
    "to be or not to be",
    "co-op and co operate",
    "cooperate",
    "well-known e-mail",
    "foo_bar and foo.bar",
    "foo/bar/baz.html",
    "user@example.org",
    "https://example.org/path?query=word",
    "version 3.14 and -5 and 1e5",
    "0x1F 1,000 2026-11-21",
    "it's O'Neil's rock 'n' roll",
    "say \"hello world\" twice",
    "back\\slash and 100% sure*",
    "NEAR AND OR NOT",
    "+plus -minus ~tilde <less> (round) {curly} [square] ^hat c0 : title",
    "École CLÉO cléo",
    "Straße STRASSE",
    "ΣΊΣΥΦΟΣ σίσυφος",
    "ISTANBUL ıstanbul",
    "Москва москва МОСКВА",
    "日本語 東京 都",
    "東京都に住む",
    "한국어 서울",
    "ไทย ภาษา",
    "हिन्दी भाषा",
    "עברית العربية",
    "cafe\u{301} resume\u{301}s",
    "na\u{ef}ve na\u{69}\u{308}ve",
    "emoji 😀 between😀words",
    "zero\u{200b}width joiner\u{200d}here soft\u{ad}hyphen",
    "full\u{3000}width ＡＢＣ",
    "tab\tnew\nline\r\nend",
    "kelvin \u{212a}elvin ſharp",
    "ǅungla ǆungla Ǆungla",
    "ⅷ Ⅷ ② ½",
    "Ｗｏｒｄ 𝐛𝐨𝐥𝐝 𐐀𐐨",
    "ᲐᲑᲒ აბგ Ꭰꭰ",
    "",
];

/// A word longer than an index takes, with one letter more and less.
fn long(letters: usize) -> String {
    "long".chars().cycle().take(letters).collect()
}

fn all_texts() -> Vec<String> {
    let mut all: Vec<String> = TEXTS.iter().map(ToString::to_string).collect();
    for letters in [63, 64, 65, 90, 300, 3_000] {
        all.push(format!(
            "a {} word",
            long(letters).chars().take(490).collect::<String>()
        ));
    }
    all
}

const WORDS: [&str; 78] = [
    "the",
    "THE",
    "quick",
    "Quick brown",
    "brown fox",
    "fox brown",
    "fo",
    "o",
    "a",
    "i",
    "am",
    "it",
    "at",
    "was",
    "be",
    "to be",
    "or",
    "not to be",
    "co",
    "op",
    "co-op",
    "cooperate",
    "known",
    "well-known",
    "e",
    "mail",
    "e-mail",
    "foo",
    "bar",
    "foo_bar",
    "foo.bar",
    "foo bar",
    "baz",
    "html",
    "user",
    "example",
    "org",
    "example.org",
    "query",
    "word",
    "3",
    "14",
    "3.14",
    "5",
    "1e5",
    "1F",
    "1f",
    "000",
    "2026",
    "11",
    "it's",
    "s",
    "oneil",
    "O'Neil",
    "n",
    "roll",
    "hello world",
    "\"hello world\"",
    "slash",
    "100",
    "sure",
    "near",
    "and",
    "plus",
    "minus",
    "c0",
    "title",
    "École",
    "ecole",
    "CLÉO",
    "straße",
    "strasse",
    "σίσυφος",
    "ΣΊΣΥΦΟΣ",
    "istanbul",
    "ıstanbul",
    "москва",
    "東京",
];

const MORE_WORDS: [&str; 32] = [
    "東京都",
    "日本語",
    "都",
    "서울",
    "ภาษา",
    "भाषा",
    "हिन्दी",
    "العربية",
    "cafe",
    "cafe\u{301}",
    "caf",
    "resume",
    "naïve",
    "naive",
    "emoji",
    "between",
    "words",
    "😀 between",
    "zero",
    "width",
    "joiner",
    "here",
    "ＡＢＣ",
    "abc",
    "kelvin",
    "ſharp",
    "sharp",
    "ǆungla",
    "ⅷ",
    "𝐛𝐨𝐥𝐝",
    "აბგ",
    "ꭰ",
];

fn id(table: &str, number: usize) -> Value {
    match table {
        "numbered" => json!(number),
        _ => json!(format!("0193a000-0000-7000-8000-{number:012}")),
    }
}

/// The texts as titles, and as bodies two rows on; some rows have no body.
async fn fill(server: &Running) {
    let texts = all_texts();
    for table in TABLES {
        let row = |(place, title): (usize, &String)| {
            let body = texts.get((place + 2) % (texts.len() + 1));
            json!({"id": id(table, place + 1), "title": title, "body": body})
        };
        let rows: Vec<Value> = texts.iter().enumerate().map(row).collect();
        let made = server
            .send("POST", "", &format!("/api/{table}"), &json!(rows))
            .await;
        assert_eq!(made.status, 201, "{}", made.body);
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// The numbers of the rows of one table, or the refusal.
async fn numbers(
    server: &Running,
    table: &str,
    filters: &str,
) -> Result<Vec<usize>, (u16, String)> {
    let answer = server
        .get(&format!(
            "/api/{table}?select=id&order=id&limit=1000&{filters}"
        ))
        .await;
    let found = answer.json();
    if answer.status != 200 {
        return Err((answer.status, found["code"].to_string()));
    }
    let number = |row: &Value| match &row["id"] {
        Value::String(id) => id[24..].parse().expect("a number"),
        other => usize::try_from(other.as_u64().expect("a number")).expect("small"),
    };
    Ok(found.as_array().expect("rows").iter().map(number).collect())
}

/// The rows of all three tables, which have to be the same.
async fn same(server: &Running, filters: &str) -> Result<Vec<usize>, (u16, String)> {
    let bare = numbers(server, "bare", filters).await;
    for table in ["indexed", "numbered"] {
        assert_eq!(
            numbers(server, table, filters).await,
            bare,
            "{table}: {filters}"
        );
    }
    bare
}

/// Whole words, letter by letter alike.
fn words(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric());
    let words = words.filter(|word| !word.is_empty());
    words
        .map(|word| word.chars().map(sql::lower).collect())
        .collect()
}

fn with_phrase(text: &str, wanted: &[String]) -> bool {
    words(text)
        .windows(wanted.len())
        .any(|window| window == wanted)
}

async fn an_index_changes_no_answer(app: App) {
    fill(&app.server).await;
    let texts = all_texts();
    let long: Vec<String> = [63, 64, 65, 66, 90].into_iter().map(long).collect();
    let wanted = WORDS.iter().chain(&MORE_WORDS).copied();
    let mut others = Vec::new();
    for wanted in wanted.chain(long.iter().map(String::as_str)) {
        let (value, own) = (encoded(wanted), words(wanted));
        let having = |has: &dyn Fn(&str) -> bool| -> Result<Vec<usize>, (u16, String)> {
            let places = (0..texts.len()).filter(|place| has(&texts[*place]));
            Ok(places.map(|place| place + 1).collect())
        };
        let plain = same(&app.server, &format!("title=plfts.{value}")).await;
        let all = |text: &str| own.iter().all(|word| words(text).contains(word));
        if plain != having(&all) {
            others.push(format!("plfts {wanted}: {plain:?}"));
        }
        let phrase = same(&app.server, &format!("title=phfts.{value}")).await;
        if phrase != having(&|text| with_phrase(text, &own)) {
            others.push(format!("phfts {wanted}: {phrase:?}"));
        }
        for filters in [
            format!("body=plfts.{value}"),
            format!("body=phfts.{value}"),
            format!("title=wfts.{value}"),
            format!("title=wfts.-{value}"),
            format!("body=not.plfts.{value}"),
            format!(
                "or=(title.phfts.%22{}%22,body.is.null)",
                encoded(&own.join(" "))
            ),
        ] {
            // A web search for `or` alone has no words.
            let found = same(&app.server, &filters).await;
            let is_wordless = wanted == "or" && filters.contains("wfts.or");
            assert_eq!(found.is_ok(), !is_wordless, "{filters}: {found:?}");
        }
    }
    assert!(others.is_empty(), "{others:#?}");
    searches_of_several_words(&app).await;
}

async fn searches_of_several_words(app: &App) {
    for filters in [
        "title=wfts.quick%20-brown",
        "title=wfts.quick%20or%20cooperate%20-fox",
        "title=wfts.quick%20or%20-fox",
        "title=wfts.%22brown%20fox%22%20or%20a",
        "body=wfts.%22hello%20world%22%20or%20foo",
        "or=(title.plfts.fox,body.plfts.fox)",
        "not.or=(title.plfts.fox,body.plfts.fox)",
        "not.and=(title.plfts.the,body.plfts.and)",
        "and=(title.plfts.and,not.or(body.plfts.word,body.plfts.cooperate))",
        "title=plfts.fox&body=not.plfts.a",
        "title=plfts.%22%29%20OR%20c1:fox",
    ] {
        let found = same(&app.server, filters).await;
        assert!(found.is_ok(), "{filters}: {found:?}");
    }
    let refused = same(&app.server, "title=plfts.%21%3F").await;
    assert_eq!(refused, Err((422, String::from("\"22000\""))));
}

/// What is written is found, and found no more, also in the transaction that writes it.
async fn rows_are_found_as_they_change(app: App) {
    fill(&app.server).await;
    for table in TABLES {
        let path = |filters: &str| format!("/api/{table}?{filters}");
        let parts = json!([
            {"method": "POST", "path": format!("/{table}"), "body":
                {"id": id(table, 900), "title": "a penguin", "body": "swims"}},
            {"method": "GET", "path": format!("/{table}?select=title&title=plfts.penguin")},
            {"method": "PATCH", "path": format!("/{table}?title=plfts.penguin"), "body":
                {"title": "an albatross"}},
            {"method": "GET", "path": format!("/{table}?select=title&title=plfts.albatross")},
            {"method": "GET", "path": format!("/{table}?select=title&title=plfts.penguin")},
        ]);
        let done = app.server.send("POST", "", "/api/$batch", &parts).await;
        assert_eq!(done.status, 200, "{}", done.body);
        let done = done.json();
        assert_eq!(done[1]["body"], json!([{"title": "a penguin"}]), "{table}");
        assert_eq!(
            done[3]["body"],
            json!([{"title": "an albatross"}]),
            "{table}"
        );
        assert_eq!(done[4]["body"], json!([]), "{table}");
        let row = json!({"id": id(table, 901)});
        let changed = app
            .server
            .send("PATCH", "", &path("title=plfts.albatross"), &row)
            .await;
        assert_eq!(changed.status, 204, "{}", changed.body);
        assert_eq!(
            numbers(&app.server, table, "body=plfts.swims").await,
            Ok(vec![901])
        );
        let upsert = app
            .server
            .request("POST", &path(""))
            .header("Prefer", "resolution=merge-duplicates");
        let row = json!([{"id": id(table, 901), "title": "auk", "body": null}]);
        let upserted = Answer::read(upsert.json(&row)).await;
        assert!(upserted.status < 300, "{}", upserted.body);
        assert_eq!(
            numbers(&app.server, table, "body=plfts.swims").await,
            Ok(vec![])
        );
        let gone = app
            .server
            .send("DELETE", "", &path("title=phfts.auk"), &Value::Null)
            .await;
        assert_eq!(gone.status, 204, "{}", gone.body);
        assert_eq!(
            numbers(&app.server, table, "title=plfts.auk").await,
            Ok(vec![])
        );
    }
    assert!(
        same(&app.server, "title=plfts.the")
            .await
            .expect("found")
            .len()
            > 1
    );
    app.project.succeed(PILASTER, &["migrate", "check"]);
}

async fn plans_show_the_index(app: App) {
    for table in ["indexed", "numbered"] {
        for part in 0..6 {
            let row = |number: usize| {
                let number = part * 500 + number;
                let title = format!("number {number} has a word{number} of its own");
                json!({"id": id(table, number + 1), "title": title, "body": title})
            };
            let rows: Vec<Value> = (0..500).map(row).collect();
            let made = app
                .server
                .send("POST", "", &format!("/api/{table}"), &json!(rows))
                .await;
            assert_eq!(made.status, 201, "{}", made.body);
        }
    }
    if app.database.url().starts_with("postgres") {
        // As its own housekeeping does after a while.
        let db = app.database.connect().await;
        for text in [
            "select gin_clean_pending_list('indexed_text')",
            "select gin_clean_pending_list('numbered_title')",
            "select gin_clean_pending_list('numbered_body')",
            "analyze indexed",
            "analyze numbered",
        ] {
            let mut sql = sql::Sql::new(db.dialect());
            sql.native(text);
            let done = db.write(vec![sql::Step::new(sql)]).await;
            done.unwrap_or_else(|error| panic!("{text}: {error}"));
        }
    }
    for (path, index) in [
        ("indexed?title=plfts.word1234", "indexed_text"),
        ("indexed?body=phfts.1234%20has", "indexed_text"),
        (
            "indexed?or=(title.plfts.word7,body.plfts.word9)",
            "indexed_text",
        ),
        ("numbered?title=wfts.word17%20or%20word18", "numbered_title"),
        ("numbered?select=id&body=plfts.word1234", "numbered_body"),
    ] {
        let plan = app.server.request("GET", &format!("/api/{path}"));
        let plan = Answer::read(plan.header("Accept", "application/vnd.pgrst.plan")).await;
        assert_eq!(plan.status, 200, "{}", plan.body);
        let url = app.database.url();
        let is_used = match url.split_once(':').map(|(engine, _)| engine) {
            Some("sqlite") => plan.body.contains("VIRTUAL TABLE INDEX"),
            Some("postgres") => plan.body.contains(index),
            // These make none.
            _ => !plan.body.contains(index),
        };
        assert!(is_used, "{path}: {}", plan.body);
    }
    if app.database.url().starts_with("postgres") {
        // What is asked in PostgreSQL's own words is found by what was declared.
        let path = "/api/numbered?title=plfts(english).word1234";
        let plan = app.server.request("GET", path);
        let plan = Answer::read(plan.header("Accept", "application/vnd.pgrst.plan")).await;
        assert!(plan.body.contains("numbered_title"), "{}", plan.body);
    }
}

/// A dump, a load and a move take the rows, and the index of the other side finds them.
async fn copies_are_found(app: App) {
    fill(&app.server).await;
    let expected = same(&app.server, "title=plfts.fox").await;
    let App {
        server,
        project,
        database,
    } = app;
    drop(server);
    project.succeed(PILASTER, &["db", "dump", "all.jsonl"]);
    let dumped = project.read("all.jsonl");
    assert!(!dumped.contains("_text"), "{dumped}");
    for engine in ["sqlite", "postgres", "mariadb", "mysql"] {
        let Some(other) = ThrowAwayDatabase::create(engine).await else {
            continue;
        };
        let moved = project
            .succeed(PILASTER, &["db", "move", "--to", other.url()])
            .out;
        assert!(
            moved.contains("the same on both sides"),
            "{engine}: {moved}"
        );
        let copy = texts().with("DATABASE_URL", other.url());
        for file in project.read_dir("migrations") {
            copy.write(
                &format!("migrations/{file}"),
                &project.read(&format!("migrations/{file}")),
            );
        }
        copy.succeed(PILASTER, &["migrate", "check"]);
        let server = Running::serve(PILASTER, &copy).await;
        assert_eq!(same(&server, "title=plfts.fox").await, expected, "{engine}");
    }
    let Some(other) = ThrowAwayDatabase::create("sqlite").await else {
        return;
    };
    let project = project.with("DATABASE_URL", other.url());
    project.succeed(PILASTER, &["migrate", "up"]);
    project.succeed(PILASTER, &["db", "load", "all.jsonl"]);
    project.succeed(PILASTER, &["migrate", "check"]);
    let server = Running::serve(PILASTER, &project).await;
    assert_eq!(same(&server, "title=plfts.fox").await, expected);
    drop(server);
    let adopted = Project::empty().with("DATABASE_URL", other.url());
    adopted.succeed(PILASTER, &["db", "pull"]);
    let pulled = adopted.read("schema/pulled.sql");
    let declared = "create index \"indexed_text\" on \"indexed\" using gin \
        (to_tsvector('simple', \"title\" || ' ' || \"body\"));";
    assert!(pulled.contains(declared), "{pulled}");
    assert!(
        !pulled.contains("fts5") && !pulled.contains("trigger"),
        "{pulled}"
    );
    drop(database);
}
