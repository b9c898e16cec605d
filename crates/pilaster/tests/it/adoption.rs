//! Databases that others designed, adopted by `pilaster db pull`.

use sql::{Sql, Step};
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

// req: DM-15
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
