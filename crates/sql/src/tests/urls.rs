//! Addresses as people write them.

use std::path::Path;

use crate::DatabaseUrl;

fn parse(text: &str) -> Result<String, String> {
    DatabaseUrl::parse(text, Path::new("/app"))
        .map(|url| url.to_string())
        .map_err(|e| e.to_string())
}

#[test]
fn the_spellings_of_other_tools_are_understood() {
    for (text, shown) in [
        ("sqlite:data/a.db", "sqlite:/app/data/a.db"),
        ("sqlite:///data/a.db", "sqlite:/app/data/a.db"),
        ("sqlite:////var/a.db", "sqlite:/var/a.db"),
        ("postgres://u:p@h/d", "postgres://u:***@h:5432/d"),
        ("postgresql+psycopg://u:p@h:99/d", "postgres://u:***@h:99/d"),
        ("mysql+pymysql://u:p@h/d", "mysql://u:***@h:3306/d"),
        ("mariadb://u:p@[::1]:3307/d", "mysql://u:***@::1:3307/d"),
        ("postgres://u:p!@:/#%@h/d", "postgres://u:***@h:5432/d"),
        (
            "postgres://u:p%40x@/d?host=/run/pg",
            "postgres://u:***@/run/pg:5432/d",
        ),
    ] {
        assert_eq!(parse(text).as_deref(), Ok(shown), "{text}");
    }
}

#[test]
fn a_wrong_address_is_explained_without_its_password() {
    for text in [
        "",
        "x",
        "http://marker@h/d",
        "sqlite:",
        "sqlite::memory:",
        "postgres:marker",
        "mysql://u:marker@h:port/d",
    ] {
        let message = parse(text).expect_err(text);
        assert!(!message.contains("marker"), "{message}");
    }
}
