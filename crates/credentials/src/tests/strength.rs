//! Facts about how new passwords are judged.

use crate::Password;
use crate::strength::{PasswordPolicy, Score, WeakPassword};

/// The person who chooses.
const ADA: &[&str] = &[
    "ada.lovelace@example.org",
    "Countess",
    "Ada Lovelace",
    "Cruddur",
];

fn judge(policy: PasswordPolicy, text: &str) -> Result<Score, WeakPassword> {
    policy.judge(&Password::presented(text.to_owned()).unwrap(), ADA)
}

fn score(text: &str) -> Score {
    let any = PasswordPolicy::new(8, Score::Guessed).unwrap();
    judge(any, text).unwrap()
}

#[test]
fn what_is_guessed_is_refused_with_reason_and_advice() {
    for text in [
        "password1",
        "P@ssw0rd",
        "qwertyuiop",
        "aaaaaaaaaaaa",
        "abcdefgh1234",
        "19841984",
        "football2024",
        "abcabcabcabc",
    ] {
        let Err(WeakPassword::Guessable {
            score,
            wanted,
            advice,
            ..
        }) = judge(PasswordPolicy::DEFAULT, text)
        else {
            panic!("{text} is taken");
        };
        assert!(score < wanted && wanted == Score::Good, "{text}");
        assert!(!advice.is_empty(), "{text}");
    }
    let refusal = judge(PasswordPolicy::DEFAULT, "password1").unwrap_err();
    assert_eq!(refusal.to_string(), "this password is guessed too easily");
    let WeakPassword::Guessable { reason, advice, .. } = refusal else {
        panic!("it is long enough");
    };
    assert_eq!(reason.unwrap().key, "common");
    assert_eq!(advice[0].key, "another_word");
}

#[test]
fn long_and_random_ones_are_taken_and_their_score_is_told() {
    for text in [
        "correct horse battery staple",
        "kX9#vq2!LmZ8",
        "regen auf dem dach klingt leise",
        "пароль-длинный-очень",
        "\u{1f98a}\u{1f33b}\u{1f9c2}\u{1f6b2}\u{1f4ce}\u{1f40c}\u{1f9ca}\u{1f3bb}\u{1f9f5}\u{1f381}",
    ] {
        let score = judge(PasswordPolicy::DEFAULT, text);
        assert!(score.is_ok_and(|score| score >= Score::Good), "{text}");
    }
}

#[test]
fn words_of_ones_own_count_for_little() {
    // To who does not know the words, the same texts are stronger.
    for text in [
        "lovelacecountess",
        "ada.lovelace@example.org",
        "cruddurcountess",
    ] {
        let stranger = Password::presented(text.to_owned()).unwrap();
        let any = PasswordPolicy::new(8, Score::Guessed).unwrap();
        let elsewhere = any.judge(&stranger, &[]).unwrap();
        assert!(score(text) < elsewhere, "{text}");
        assert!(judge(PasswordPolicy::DEFAULT, text).is_err(), "{text}");
    }
}

#[test]
fn a_policy_has_bounds_and_is_obeyed() {
    let long = PasswordPolicy::new(20, Score::Guessed).unwrap();
    let short = judge(long, "kX9#vq2!LmZ8").unwrap_err();
    assert_eq!(short, WeakPassword::TooShort(20));
    assert_eq!(short.to_string(), "a password has at least 20 characters");
    assert!(judge(long, "aaaaaaaaaaaaaaaaaaaa").is_ok());
    // Characters count, not bytes.
    assert_eq!(
        judge(PasswordPolicy::DEFAULT, "éééé").unwrap_err(),
        WeakPassword::TooShort(8)
    );
    assert!(PasswordPolicy::new(7, Score::Good).is_err());
    assert!(PasswordPolicy::new(65, Score::Good).is_err());
    for number in 0..=4 {
        assert_eq!(Score::from_number(number).unwrap().number(), number);
    }
    assert_eq!(Score::from_number(5), None);
}

#[test]
fn the_longest_passwords_and_the_most_words_are_judged() {
    let longest = "x1\u{e4}".repeat(256);
    assert!(score(&longest) >= Score::Guessed);
    let word = "lovelace ".repeat(1000);
    let many: Vec<&str> = std::iter::repeat_n(word.as_str(), 1000).collect();
    let password = Password::presented("correct horse battery staple".to_owned()).unwrap();
    assert!(PasswordPolicy::DEFAULT.judge(&password, &many).is_ok());
}
