//! Facts about the master key and those made from it.

use std::collections::HashSet;

use stdx::Rng;

use crate::{MasterKey, MasterKeyError, OpenError};

pub(super) fn master() -> MasterKey {
    MasterKey::parse("9f2c4e8a1b7d3f6058e1c9a4b2d7f03e6a8c5b1d9e4f7023c6a1b8d5e3f09274").unwrap()
}

#[test]
fn a_generated_key_is_taken_in_every_encoding() {
    let hex = "9f2c4e8a1b7d3f6058e1c9a4b2d7f03e6a8c5b1d9e4f7023c6a1b8d5e3f09274";
    let same = [
        hex.to_owned(),
        hex.to_uppercase(),
        format!(" {hex}\n"),
        "nyxOiht9P2BY4cmkstfwPmqMWx2eT3AjxqG41ePwknQ".to_owned(),
        "nyxOiht9P2BY4cmkstfwPmqMWx2eT3AjxqG41ePwknQ=".to_owned(),
    ];
    let sealed = master()
        .key_encryption_key()
        .seal("name", b"text", &Rng::System);
    for text in same {
        let key = MasterKey::parse(&text).unwrap().key_encryption_key();
        assert!(key.open("name", &sealed).is_ok(), "{text:?}");
    }
}

#[test]
fn a_thousand_generated_keys_all_differ_and_have_256_bits() {
    let keys: HashSet<String> = (0..1000)
        .map(|_| MasterKey::generate(&Rng::System).expose().clone())
        .collect();
    assert_eq!(keys.len(), 1000);
    assert!(
        keys.iter()
            .all(|key| key.len() == 43 && MasterKey::parse(key).is_ok())
    );
}

#[test]
fn placeholders_short_and_known_keys_are_refused_with_the_reason() {
    let repeated = "ab".repeat(32);
    let counted = (0..32u8).fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    let block = "9f2c4e8a1b7d3f60".repeat(4);
    let cases = [
        ("", MasterKeyError::Empty),
        ("  ", MasterKeyError::Empty),
        ("yourjwtsecretkey", MasterKeyError::Placeholder),
        ("changeme", MasterKeyError::Placeholder),
        ("CHANGE_ME", MasterKeyError::Placeholder),
        ("test", MasterKeyError::Placeholder),
        (
            "your-super-secret-jwt-token-with-at-least-32-characters-long",
            MasterKeyError::Placeholder,
        ),
        (
            "django-insecure-4x!k2mQ9z7Lw1pV8rT5yB3nC6dF0gHjK",
            MasterKeyError::Placeholder,
        ),
        (
            "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
            MasterKeyError::Published,
        ),
        (
            "not base64 at all, is it? no: it is a sentence",
            MasterKeyError::Encoding,
        ),
        ("hunter2", MasterKeyError::TooShort),
        ("9f2c4e8a1b7d3f6058e1c9a4b2d7f03e", MasterKeyError::TooShort),
        ("nyxOiht9P2BY4cmkstfwPg", MasterKeyError::TooShort),
        (&*repeated, MasterKeyError::NotRandom),
        (&*counted, MasterKeyError::NotRandom),
        (&*block, MasterKeyError::NotRandom),
        (
            "alleswatwijweghebbenmoetenblijvenzitteninhuisnu",
            MasterKeyError::NotRandom,
        ),
    ];
    for (text, why) in cases {
        let error = MasterKey::parse(text).unwrap_err();
        assert_eq!(error, why, "{text:?}");
        let shown = format!("{error} {error:?}");
        assert!(text.trim().len() < 8 || !shown.contains(text.trim()));
    }
}

#[test]
fn nothing_secret_is_printed() {
    let master = master();
    let shown = format!(
        "{master:?} {:?} {:?}",
        master.pepper(3),
        master.key_encryption_key()
    );
    assert_eq!(
        shown,
        "MasterKey(***) Pepper(version 3) KeyEncryptionKey(***)"
    );
}

#[test]
fn keys_of_two_purposes_and_versions_have_nothing_in_common() {
    let master = master();
    let mixed = |version| master.pepper(version).mix(b"same").expose().clone();
    let all: HashSet<Vec<u8>> = [mixed(1), mixed(2), mixed(12)].into();
    assert_eq!(all.len(), 3);
    assert_eq!(mixed(1), mixed(1));
}

#[test]
fn a_seal_opens_under_its_key_and_name_and_in_one_piece_only() {
    let key = master().key_encryption_key();
    let sealed = key.seal("kid-1", b"private", &Rng::System);
    assert_eq!(key.open("kid-1", &sealed).unwrap().expose(), b"private");
    assert_eq!(key.open("kid-2", &sealed).err(), Some(OpenError));
    for bit in 0..sealed.len() * 8 {
        let mut changed = sealed.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(key.open("kid-1", &changed).is_err(), "bit {bit}");
    }
    for length in 0..sealed.len() {
        assert!(key.open("kid-1", &sealed[..length]).is_err());
    }
    let other = MasterKey::generate(&Rng::System);
    let other = MasterKey::parse(other.expose())
        .unwrap()
        .key_encryption_key();
    assert!(other.open("kid-1", &sealed).is_err());
}
