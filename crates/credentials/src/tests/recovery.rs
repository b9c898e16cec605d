//! Facts about recovery codes.

use std::collections::HashSet;

use stdx::Rng;
use uuid::Uuid;

use super::keys::master;
use crate::recovery::{RecoveryCode, RecoveryCodeError};

const ADA: Uuid = Uuid::from_u128(0xada);

#[test]
fn ten_codes_differ_and_have_no_characters_that_look_alike() {
    let texts: HashSet<String> = (0..100)
        .flat_map(|_| RecoveryCode::generate(&Rng::System))
        .map(|code| code.to_text().expose().clone())
        .collect();
    assert_eq!(texts.len(), 1000);
    for text in &texts {
        let parts: Vec<&str> = text.split('-').collect();
        assert_eq!(parts.len(), 4, "{text}");
        assert!(parts.iter().all(|part| part.len() == 4), "{text}");
        assert!(
            !text.contains(['i', 'l', 'o', 'u', 'I', 'L', 'O', 'U']),
            "{text}"
        );
    }
    // All 32 characters come up, each about 500 times in 16,000.
    let mut counts = std::collections::HashMap::new();
    for character in texts
        .iter()
        .flat_map(|text| text.chars())
        .filter(|c| *c != '-')
    {
        *counts.entry(character).or_insert(0) += 1;
    }
    assert_eq!(counts.len(), 32);
    assert!(
        counts.values().all(|count| (350..650).contains(count)),
        "{counts:?}"
    );
}

#[test]
fn a_code_is_known_again_however_it_is_typed() {
    let key = master().code_key();
    let hash = |text: &str| RecoveryCode::parse(text).unwrap().hash(ADA, &key);
    let stored = hash("7x30-q9vd-m2h1-c4tz");
    for typed in [
        "7X30-Q9VD-M2H1-C4TZ",
        "7x30q9vdm2h1c4tz",
        " 7x30 q9vd m2h1 c4tz ",
        "7x3o-q9vd-m2hl-c4tz",
        "7X3O–Q9VD–M2HI–C4TZ",
    ] {
        assert_eq!(hash(typed), stored, "{typed}");
    }
    assert_ne!(hash("7x30-q9vd-m2h1-c4ty"), stored);
    let made = &RecoveryCode::generate(&Rng::System)[0];
    let again = RecoveryCode::parse(made.to_text().expose()).unwrap();
    assert_eq!(again.hash(ADA, &key), made.hash(ADA, &key));
}

#[test]
fn what_is_no_code_is_refused() {
    let long = "7x30-".repeat(1_000_000);
    for typed in [
        "",
        "123456",
        "7x30-q9vd-m2h1-c4t",
        "7x30-q9vd-m2h1-c4tzz",
        "7x30-q9vd-m2h1-c4tu",
        "7x30-q9vd-m2h1-c4té",
        &long,
    ] {
        assert_eq!(RecoveryCode::parse(typed).err(), Some(RecoveryCodeError));
    }
}

#[test]
fn what_is_stored_tells_nothing_without_the_key_and_belongs_to_one_user() {
    let code = RecoveryCode::parse("7x30-q9vd-m2h1-c4tz").unwrap();
    let stored = code.hash(ADA, &master().code_key());
    assert_eq!(stored.to_text().len(), 64);
    assert_ne!(stored, code.hash(Uuid::from_u128(7), &master().code_key()));
    let other = crate::MasterKey::generate(&Rng::System);
    let other = crate::MasterKey::parse(other.expose()).unwrap();
    assert_ne!(stored, code.hash(ADA, &other.code_key()));
    assert_ne!(stored.to_text(), crate::sha256_hex(b"7x30q9vdm2h1c4tz"));
    assert_eq!(format!("{code:?}"), "RecoveryCode(***)");
}
