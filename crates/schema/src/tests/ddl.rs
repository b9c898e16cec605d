//! The DDL of the example and of every type, as each engine gets it; `INSTA_UPDATE=always` writes
//! new ones.

use sql::Dialect;

use super::{cruddur, show, source};
use crate::{Catalog, CatalogKind, diff, render_operations};

fn statements(wanted: &Catalog, dialect: Dialect) -> String {
    let difference = diff(&Catalog::default(), wanted);
    let difference = difference.unwrap_or_else(|errors| panic!("{}", show(&errors)));
    let steps = difference.operations.into_iter();
    let steps: Vec<_> = steps.map(|step| (step, wanted.clone())).collect();
    let rendered = render_operations(&steps, dialect);
    let texts: Vec<String> = rendered
        .iter()
        .map(|one| one.sql.text().to_owned())
        .collect();
    texts.join(";\n")
}

const DIALECTS: [Dialect; 4] = [
    Dialect::Sqlite,
    Dialect::Postgres,
    Dialect::MySql,
    Dialect::MariaDb,
];

#[test]
fn the_example_in_four_dialects() {
    for dialect in DIALECTS {
        insta::assert_snapshot!(
            format!("cruddur_{dialect}"),
            statements(&cruddur(), dialect)
        );
    }
}

#[test]
fn every_type_in_four_dialects() {
    let wanted = Catalog::from_sources(&[source(super::migrations::TYPES)], CatalogKind::User)
        .unwrap_or_else(|errors| panic!("{}", show(&errors)));
    for dialect in DIALECTS {
        insta::assert_snapshot!(format!("types_{dialect}"), statements(&wanted, dialect));
    }
}
