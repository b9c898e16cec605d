//! Databases that others designed, adopted by `pilaster db pull`.

use sql::{Db, Sql, Step};
use testkit::{Project, ThrowAwayDatabase};

use crate::http::PILASTER;

const ENGINES: [&str; 4] = ["sqlite", "postgres", "mariadb", "mysql"];

/// The tables of the Chinook sample database, with the types that its scripts have for each
/// engine in the place of `INT`, `TEXT(n)` and `MOMENT`.
const CHINOOK: &str = "
create table artist (artist_id INT not null, name TEXT(120),
  constraint artist_pkey primary key (artist_id));
create table album (album_id INT not null, title TEXT(160) not null, artist_id INT not null,
  constraint album_pkey primary key (album_id),
  constraint album_artist_id_fkey foreign key (artist_id) references artist (artist_id)
    on delete no action on update no action);
create table employee (employee_id INT not null, last_name TEXT(20) not null,
  first_name TEXT(20) not null, title TEXT(30), reports_to INT, birth_date MOMENT,
  hire_date MOMENT, address TEXT(70), city TEXT(40), state TEXT(40), country TEXT(40),
  postal_code TEXT(10), phone TEXT(24), fax TEXT(24), email TEXT(60),
  constraint employee_pkey primary key (employee_id),
  constraint employee_reports_to_fkey foreign key (reports_to) references employee (employee_id));
create table customer (customer_id INT not null, first_name TEXT(40) not null,
  last_name TEXT(20) not null, company TEXT(80), address TEXT(70), city TEXT(40), state TEXT(40),
  country TEXT(40), postal_code TEXT(10), phone TEXT(24), fax TEXT(24), email TEXT(60) not null,
  support_rep_id INT, constraint customer_pkey primary key (customer_id),
  constraint customer_support_rep_id_fkey foreign key (support_rep_id)
    references employee (employee_id));
create table genre (genre_id INT not null, name TEXT(120),
  constraint genre_pkey primary key (genre_id));
create table media_type (media_type_id INT not null, name TEXT(120),
  constraint media_type_pkey primary key (media_type_id));
create table playlist (playlist_id INT not null, name TEXT(120),
  constraint playlist_pkey primary key (playlist_id));
create table track (track_id INT not null, name TEXT(200) not null, album_id INT,
  media_type_id INT not null, genre_id INT, composer TEXT(220), milliseconds INT not null,
  bytes INT, unit_price numeric(10,2) not null, constraint track_pkey primary key (track_id),
  constraint track_album_id_fkey foreign key (album_id) references album (album_id),
  constraint track_genre_id_fkey foreign key (genre_id) references genre (genre_id),
  constraint track_media_type_id_fkey foreign key (media_type_id)
    references media_type (media_type_id));
create table playlist_track (playlist_id INT not null, track_id INT not null,
  constraint playlist_track_pkey primary key (playlist_id, track_id),
  constraint playlist_track_playlist_id_fkey foreign key (playlist_id)
    references playlist (playlist_id),
  constraint playlist_track_track_id_fkey foreign key (track_id) references track (track_id));
create table invoice (invoice_id INT not null, customer_id INT not null, invoice_date MOMENT not null,
  billing_address TEXT(70), billing_city TEXT(40), billing_state TEXT(40),
  billing_country TEXT(40), billing_postal_code TEXT(10), total numeric(10,2) not null,
  constraint invoice_pkey primary key (invoice_id),
  constraint invoice_customer_id_fkey foreign key (customer_id) references customer (customer_id));
create table invoice_line (invoice_line_id INT not null, invoice_id INT not null,
  track_id INT not null, unit_price numeric(10,2) not null, quantity INT not null,
  constraint invoice_line_pkey primary key (invoice_line_id),
  constraint invoice_line_invoice_id_fkey foreign key (invoice_id) references invoice (invoice_id),
  constraint invoice_line_track_id_fkey foreign key (track_id) references track (track_id));
create index album_artist_id_idx on album (artist_id);
create index customer_support_rep_id_idx on customer (support_rep_id);
create index invoice_customer_id_idx on invoice (customer_id);
create index track_album_id_idx on track (album_id);
insert into artist values (1, 'AC/DC');
insert into album values (1, 'For Those About To Rock', 1);
insert into media_type values (1, 'MPEG audio file');
insert into track values (1, 'Put The Finger On You', 1, 1, null, null, 205662, 6713451, 0.99);
insert into employee (employee_id, last_name, first_name, reports_to, hire_date)
  values (1, 'Adams', 'Andrew', null, '2002-08-14 00:00:00');
insert into customer (customer_id, first_name, last_name, email, support_rep_id)
  values (1, 'Luís', 'Gonçalves', 'luisg@embraer.com.br', 1);
insert into invoice (invoice_id, customer_id, invoice_date, total)
  values (1, 1, '2009-01-01 00:00:00', 1.98);
";

fn spelled(engine: &str) -> String {
    let (number, text, moment) = match engine {
        "sqlite" => ("INTEGER", "NVARCHAR(", "DATETIME"),
        "postgres" => ("INT", "VARCHAR(", "TIMESTAMP"),
        _ => ("INT", "NVARCHAR(", "DATETIME"),
    };
    CHINOOK
        .replace("INT ", &format!("{number} "))
        .replace("INT,", &format!("{number},"))
        .replace("TEXT(", text)
        .replace("MOMENT", moment)
}

#[tokio::test(flavor = "multi_thread")]
async fn chinook_is_adopted_as_it_is() {
    for engine in ENGINES {
        let Some(database) = ThrowAwayDatabase::create(engine).await else {
            continue;
        };
        let db = database.connect().await;
        let script = spelled(engine);
        for statement in script.split(";\n").filter(|text| !text.trim().is_empty()) {
            let mut sql = Sql::new(db.dialect());
            sql.native(statement);
            let done = db.write(vec![Step::new(sql)]).await;
            assert!(done.is_ok(), "{engine}: {done:?}: {statement}");
        }
        db.close().await.expect("it closes");
        let project = Project::empty().with("DATABASE_URL", database.url());
        let pulled = project.succeed(PILASTER, &["db", "pull"]).out;
        let schema = project.read("schema/pulled.sql");
        assert_eq!(
            schema.matches("create table").count(),
            11,
            "{engine}: {schema}"
        );
        assert_eq!(
            schema.matches("foreign key").count(),
            11,
            "{engine}: {schema}"
        );
        assert_eq!(
            schema.matches("create index").count(),
            4,
            "{engine}: {schema}"
        );
        assert!(!pulled.contains("note:"), "{engine}: {pulled}");
        let up = project.run(PILASTER, &["migrate", "up"]);
        assert_eq!(up.code, 0, "{engine}: {}", up.text());
        let same = project.run(PILASTER, &["migrate", "check"]);
        assert_eq!(same.code, 0, "{engine}: {}", same.text());
        // Its rows are there, in the portable types' spelling.
        project.succeed(PILASTER, &["db", "dump", "all.jsonl"]);
        let rows = project.read("all.jsonl");
        for row in [
            r#"[1,"AC/DC"]"#,
            r#"205662,6713451,"0.99"]"#,
            r#""2009-01-01T00:00:00.000000Z""#,
            "Gonçalves",
        ] {
            assert!(rows.contains(row), "{engine}: no {row} in\n{rows}");
        }
    }
}

const PAGILA: &str = include_str!("adoption/pagila.sql");
const SAKILA: &str = include_str!("adoption/sakila.sql");
const SAKILA_SQLITE: &str = include_str!("adoption/sakila_sqlite.sql");
const NORTHWIND: &str = include_str!("adoption/northwind.sql");

/// The statements of a script; a semicolon within a body does not end its line at column 0.
async fn run_script(db: &Db, script: &str) {
    let mut statement = String::new();
    let mut is_body = false;
    for line in script.lines().filter(|line| !line.starts_with("--")) {
        statement.push_str(line);
        statement.push('\n');
        let lower = line.to_lowercase();
        let opens = lower.trim() == "begin" || lower.ends_with(" begin");
        is_body |= opens || lower.ends_with("as $$") || lower.ends_with("as $_$");
        let closes = ["end;", "end $$;", "end $_$;", "$_$;", "$$;"].contains(&lower.trim_end());
        if (is_body && closes && !line.starts_with(' ')) || (!is_body && line.ends_with(';')) {
            let text = std::mem::take(&mut statement);
            let mut sql = Sql::new(db.dialect());
            sql.native(text.trim().trim_end_matches(';'));
            if is_body && db.dialect() != sql::Dialect::Postgres {
                sql = Sql::new(db.dialect());
                sql.native(text.trim());
            }
            is_body = false;
            let done = db.write(vec![Step::new(sql)]).await;
            assert!(done.is_ok(), "{done:?}: {text}");
        }
    }
    assert!(statement.trim().is_empty(), "{statement}");
}

/// Makes somebody's database, pulls it, migrates it, compares it; then the same files make a second
/// one that is identical.
async fn adopt(engine: &str, script: &str) -> Option<(Project, ThrowAwayDatabase)> {
    let database = ThrowAwayDatabase::create(engine).await?;
    let db = database.connect().await;
    run_script(&db, script).await;
    db.close().await.expect("it closes");
    let project = Project::empty().with("DATABASE_URL", database.url());
    project.succeed(PILASTER, &["db", "pull"]);
    project.succeed(PILASTER, &["migrate", "up"]);
    project.succeed(PILASTER, &["migrate", "check"]);
    let again = project.succeed(PILASTER, &["migrate", "new", "again"]).out;
    assert!(again.contains("no changes"), "{engine}: {again}");
    project.succeed(PILASTER, &["check", "--offline"]);
    let fresh = ThrowAwayDatabase::create(engine).await?;
    let project = project.with("DATABASE_URL", fresh.url());
    project.succeed(PILASTER, &["migrate", "up"]);
    project.succeed(PILASTER, &["migrate", "check"]);
    Some((project.with("DATABASE_URL", database.url()), database))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_film_shop_is_adopted_with_its_views_triggers_and_routines() {
    for (engine, script) in [
        ("sqlite", SAKILA_SQLITE),
        ("postgres", PAGILA),
        ("mariadb", SAKILA),
        ("mysql", SAKILA),
    ] {
        let Some((project, _database)) = adopt(engine, script).await else {
            continue;
        };
        let schema = project.read("schema/pulled.sql");
        for text in [
            "create table \"film_actor\"",
            "on update cascade",
            "film_list",
        ] {
            assert!(schema.contains(text), "{engine}: no {text} in\n{schema}");
        }
        project.succeed(PILASTER, &["db", "dump", "all.jsonl"]);
        let rows = project.read("all.jsonl");
        for row in ["ACADEMY DINOSAUR", "PENELOPE", "An Epic Drama"] {
            assert!(rows.contains(row), "{engine}: no {row} in\n{rows}");
        }
    }
}

/// Tables with comments as each engine takes them; of one column the API knows no type.
fn commented(engine: &str) -> &'static str {
    match engine {
        "postgres" => {
            "create table films (id integer primary key, title varchar(40), place point);
comment on table films is 'What is ''shown'' \\ lent.';
comment on column films.title is E'Two\nlines.';
comment on column films.place is 'Where it was made.';
create view titles as select id, title from films;
comment on view titles is 'The titles alone.';
comment on column titles.title is 'As on the cover.';
create view late as select f.id, row_number() over (order by f.title) as place from films f;
comment on view late is 'Only the engine can say it.';
create materialized view kept as select id from films;
comment on materialized view kept is 'Kept.';
"
        }
        _ => {
            "create table films (id int primary key comment 'Its number.',
  title nvarchar(40) comment 'Two
lines.', kind enum('a','b') not null comment 'a or b',
  place point comment 'Where it was made.') comment = 'What is ''shown'' \\ lent.';
"
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn comments_are_adopted() {
    for engine in ["postgres", "mariadb", "mysql"] {
        let Some((project, _database)) = adopt(engine, commented(engine)).await else {
            continue;
        };
        let schema = project.read("schema/pulled.sql");
        for text in [
            r#"comment on table "films" is 'What is ''shown'' \ lent.';"#,
            r#"comment on column "films"."title" is E'Two\nlines.';"#,
            "Where it was made.",
        ] {
            assert!(schema.contains(text), "{engine}: no {text} in\n{schema}");
        }
    }
}

fn northwind(engine: &str) -> String {
    let types: [(&str, &str); 9] = match engine {
        "sqlite" => [
            ("KEY", "INTEGER primary key autoincrement"),
            ("INT", "INTEGER"),
            ("SHORT", "INTEGER"),
            ("TEXT(", "TEXT("),
            ("LONG", "TEXT"),
            ("MONEY", "NUMERIC"),
            ("FLAG", "TEXT"),
            ("BYTES", "BLOB"),
            ("MOMENT", "DATETIME"),
        ],
        "postgres" => [
            ("KEY", "serial primary key"),
            ("INT", "integer"),
            ("SHORT", "smallint"),
            ("TEXT(", "varchar("),
            ("LONG", "text"),
            ("MONEY", "numeric(10,4)"),
            ("FLAG", "boolean"),
            ("BYTES", "bytea"),
            ("MOMENT", "timestamp"),
        ],
        _ => [
            ("KEY", "int not null auto_increment primary key"),
            ("INT", "int"),
            ("SHORT", "smallint"),
            ("TEXT(", "varchar("),
            ("LONG", "mediumtext"),
            ("MONEY", "decimal(10,4)"),
            ("FLAG", "bit(1)"),
            ("BYTES", "longblob"),
            ("MOMENT", "datetime"),
        ],
    };
    let mut script = NORTHWIND.to_owned();
    for (word, ty) in types {
        for end in [" ", ",", ")"] {
            let word = word.trim_end_matches('(');
            let (from, to) = match ty.ends_with('(') {
                true => (format!(" {word}("), format!(" {ty}")),
                false => (format!(" {word}{end}"), format!(" {ty}{end}")),
            };
            script = script.replace(&from, &to);
        }
    }
    match engine {
        "mariadb" | "mysql" => script
            .replace('"', "`")
            .replace("default '0'", "default b'0'"),
        _ => script,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn northwind_is_adopted_with_names_of_several_words() {
    for engine in ENGINES {
        let Some((project, _database)) = adopt(engine, &northwind(engine)).await else {
            continue;
        };
        let schema = project.read("schema/pulled.sql");
        assert_eq!(
            schema.matches("create table").count(),
            13,
            "{engine}: {schema}"
        );
        assert_eq!(
            schema.matches("foreign key").count(),
            13,
            "{engine}: {schema}"
        );
        assert!(
            schema.contains("create view \"Current Product List\""),
            "{engine}: {schema}"
        );
        project.succeed(PILASTER, &["db", "dump", "all.jsonl"]);
        let rows = project.read("all.jsonl");
        for row in [
            "Alfreds Futterkiste",
            "1992-05-01T00:00:00",
            "Vins et alcools",
        ] {
            assert!(rows.contains(row), "{engine}: no {row} in\n{rows}");
        }
    }
}
