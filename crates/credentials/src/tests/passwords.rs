//! Facts about passwords and their hashes.

use stdx::Rng;

use super::keys::master;
use crate::{
    HashError, HashParams, Password, PasswordError, PasswordHash, Peppers, Verdict, hash, verify,
    verify_unknown,
};

/// The least work that Argon2 takes, so that a test is quick.
const QUICK: HashParams = HashParams {
    memory_kib: 8,
    iterations: 1,
    parallelism: 1,
};
const RIGHT: Verdict = Verdict::Match {
    needs_upgrade: false,
};
const RIGHT_BUT_OLD: Verdict = Verdict::Match {
    needs_upgrade: true,
};

fn password(text: &str) -> Password {
    Password::presented(text.to_owned()).unwrap()
}

fn peppers() -> Peppers {
    master().peppers(1)
}

fn hashed(text: &str) -> PasswordHash {
    hash(&password(text), peppers().current(), QUICK, &Rng::System).unwrap()
}

fn refusal(text: &str) -> Option<PasswordError> {
    Password::new(text.to_owned()).err()
}

#[test]
fn a_new_password_is_neither_short_nor_endless_nor_everybodys() {
    assert_eq!(refusal("short"), Some(PasswordError::TooShort));
    assert_eq!(refusal("pässwör"), Some(PasswordError::TooShort));
    assert_eq!(refusal("password1"), Some(PasswordError::TooCommon));
    assert_eq!(refusal("PassWord1"), Some(PasswordError::TooCommon));
    assert_eq!(refusal("zzzzzzzzzzzz"), Some(PasswordError::TooCommon));
    assert_eq!(refusal("correct\nhorse"), Some(PasswordError::Control));
    assert_eq!(refusal(&"x1".repeat(513)), Some(PasswordError::TooLong));
    assert_eq!(refusal(&"x1".repeat(512)), None);
    assert_eq!(refusal("correct horse battery staple"), None);
    assert_eq!(refusal("пароль-длинный"), None);
}

#[test]
fn a_password_at_login_is_only_bounded_in_size() {
    assert!(Password::presented(String::new()).is_ok());
    assert!(Password::presented("password1".to_owned()).is_ok());
    let endless = Password::presented("x".repeat(5000));
    assert_eq!(endless.err(), Some(PasswordError::TooLong));
}

#[test]
fn a_password_is_not_printed() {
    assert_eq!(format!("{:?}", password("marker-7f3a")), "Password(***)");
    assert!(!format!("{:?}", hashed("marker-7f3a")).contains('$'));
}

#[test]
fn the_right_password_matches_and_another_does_not() {
    let stored = hashed("correct horse");
    let check = |text: &str| verify(&password(text), &stored, &peppers(), QUICK);
    assert_eq!(check("correct horse"), Ok(RIGHT));
    assert_eq!(check("Correct horse"), Ok(Verdict::Mismatch));
    assert_eq!(check("correct horse "), Ok(Verdict::Mismatch));
    assert_eq!(check(""), Ok(Verdict::Mismatch));
}

#[test]
fn the_default_is_owasps_and_stands_in_the_hash() {
    let made = hash(
        &password("correct horse"),
        peppers().current(),
        HashParams::default(),
        &Rng::seeded(1),
    )
    .unwrap();
    let text = made.to_phc();
    assert!(text.starts_with("$argon2id$v=19$m=19456,t=2,p=1,keyid=AAAAAQ$"));
    assert!(text.len() <= 160);
    let read = PasswordHash::from_stored(&text).unwrap();
    assert_eq!(read, made);
    let verdict = verify(
        &password("correct horse"),
        &read,
        &peppers(),
        HashParams::DEFAULT,
    );
    assert_eq!(verdict, Ok(RIGHT));
}

#[test]
fn the_same_password_twice_gives_different_hashes() {
    assert_ne!(
        hashed("correct horse").to_phc(),
        hashed("correct horse").to_phc()
    );
}

#[test]
fn nothing_is_cut_off() {
    let stem = "x".repeat(72);
    let stored = hashed(&format!("{stem}-first"));
    let other = password(&format!("{stem}-other"));
    assert_eq!(
        verify(&other, &stored, &peppers(), QUICK),
        Ok(Verdict::Mismatch)
    );
}

#[test]
fn one_password_typed_on_two_systems_is_the_same() {
    let stored = hashed("caf\u{e9} cr\u{e8}me");
    let typed_elsewhere = password("cafe\u{301}\u{a0}cre\u{300}me");
    assert_eq!(
        verify(&typed_elsewhere, &stored, &peppers(), QUICK),
        Ok(RIGHT)
    );
}

#[test]
fn an_old_pepper_still_matches_and_asks_for_a_new_hash() {
    let stored = hashed("correct horse");
    let rotated = master().peppers(2);
    let typed = password("correct horse");
    assert_eq!(verify(&typed, &stored, &rotated, QUICK), Ok(RIGHT_BUT_OLD));
    let renewed = hash(&typed, rotated.current(), QUICK, &Rng::System).unwrap();
    assert_eq!(renewed.pepper_version(), Some(2));
    assert_eq!(verify(&typed, &renewed, &rotated, QUICK), Ok(RIGHT));
    let without_the_old = Peppers::new(master().pepper(2), Vec::new());
    assert_eq!(
        verify(&typed, &stored, &without_the_old, QUICK),
        Err(HashError::UnknownPepper(1))
    );
}

#[test]
fn a_hash_is_worthless_without_the_pepper() {
    let stored = hashed("correct horse");
    let other_master =
        crate::MasterKey::parse("3e1f0a5c9b7d8246aa0c51e7f3b9d60284c7e5a1f09b3d6872ce14b5a9f06d37")
            .unwrap();
    let foreign = Peppers::new(other_master.pepper(1), Vec::new());
    let typed = password("correct horse");
    assert_eq!(
        verify(&typed, &stored, &foreign, QUICK),
        Ok(Verdict::Mismatch)
    );
}

#[test]
fn stronger_settings_ask_for_a_new_hash() {
    let stronger = HashParams {
        iterations: 2,
        ..QUICK
    };
    let verdict = verify(
        &password("correct horse"),
        &hashed("correct horse"),
        &peppers(),
        stronger,
    );
    assert_eq!(verdict, Ok(RIGHT_BUT_OLD));
}

#[test]
fn nobody_never_matches() {
    for text in ["", "correct horse", "nobody has this!"] {
        let verdict = verify_unknown(&password(text), &peppers(), QUICK);
        assert_eq!(verdict, Ok(Verdict::Mismatch));
    }
}

#[test]
fn a_stored_text_that_is_no_hash_of_ours_is_refused() {
    let good = hashed("correct horse").to_phc();
    let wrong = [
        String::new(),
        "correct horse".to_owned(),
        "$2b$12$KIXQ0pF2e3Z1yS5u7w9A0eX1rj8Gz3mDq1f5c7b9d1f3h5j7l9n1p".to_owned(),
        good.replace("argon2id", "argon2i"),
        good.replace("v=19", "v=16"),
        good.replace("m=8", "m=08"),
        good.replace("m=8", "m=4294967295"),
        good.replace("t=1", "t=100000"),
        good.replace("p=1", "p=+1"),
        good.replace("keyid=", "data="),
        good.replace("keyid=AAAAAQ", "keyid=AAAAAQ,x=1"),
        good.replace("keyid=AAAAAQ", "keyid=AQ"),
        format!("{good}$"),
        format!("{good}="),
        good[..good.len() - 2].to_owned(),
    ];
    for text in wrong {
        let read = PasswordHash::from_stored(&text);
        assert_eq!(read, Err(HashError::Stored), "{text:?}");
    }
}

#[test]
fn settings_that_argon2_cannot_do_are_an_error() {
    let none = HashParams {
        memory_kib: 0,
        ..QUICK
    };
    let made = hash(
        &password("correct horse"),
        peppers().current(),
        none,
        &Rng::System,
    );
    assert_eq!(made, Err(HashError::Params));
}
