//! Facts about e-mail addresses and user names.

use crate::{EmailAddress, EmailAddressError, Username, UsernameError};

#[test]
fn an_address_has_one_form_whatever_was_typed() {
    for typed in ["A@X.nl", "a@x.NL ", "\ta@x.nl\n", "a@x.nl"] {
        assert_eq!(EmailAddress::parse(typed).unwrap().to_string(), "a@x.nl");
    }
    let composed = EmailAddress::parse("jos\u{e9}@example.org").unwrap();
    let decomposed = EmailAddress::parse("JOSE\u{301}@Example.ORG").unwrap();
    assert_eq!(composed, decomposed);
    assert!(EmailAddress::parse("root@localhost").is_ok());
    assert!(EmailAddress::parse("o'brien+news@sub.example.co.uk").is_ok());
    assert!(EmailAddress::parse("用户@例子.广告").is_ok());
}

#[test]
fn reading_the_normal_form_again_changes_nothing() {
    for typed in ["A@X.nl", "İstanbul@X.tr", "ΣΑΣ@example.gr", "ﬁ@example.org"] {
        let once = EmailAddress::parse(typed).unwrap();
        assert_eq!(EmailAddress::parse(once.as_str()).unwrap(), once);
    }
}

#[test]
fn what_is_no_address_is_refused() {
    let long = format!("{}@{}.org", "a".repeat(64), "b".repeat(190));
    let cases = [
        ("", EmailAddressError::Empty),
        (" \n", EmailAddressError::Empty),
        (&*long, EmailAddressError::TooLong),
        ("a b@x.nl", EmailAddressError::Character),
        ("a\r\nBcc: b@x.nl", EmailAddressError::Character),
        ("a\0@x.nl", EmailAddressError::Character),
        ("a\u{202e}@x.nl", EmailAddressError::Character),
        ("a\u{200b}@x.nl", EmailAddressError::Character),
        ("nobody", EmailAddressError::Shape),
        ("a@b@x.nl", EmailAddressError::Shape),
        ("@x.nl", EmailAddressError::Shape),
        ("a@", EmailAddressError::Shape),
        ("<a@x.nl>", EmailAddressError::Shape),
        ("a,b@x.nl", EmailAddressError::Shape),
        ("a@nl", EmailAddressError::Domain),
        ("a@x..nl", EmailAddressError::Domain),
        ("a@.nl", EmailAddressError::Domain),
        ("a@x.nl.", EmailAddressError::Domain),
        ("a@-x.nl", EmailAddressError::Domain),
        ("a@x_y.nl", EmailAddressError::Domain),
        ("a@[127.0.0.1]", EmailAddressError::Domain),
    ];
    for (text, why) in cases {
        assert_eq!(EmailAddress::parse(text), Err(why), "{text:?}");
    }
}

#[test]
fn a_user_name_is_shown_as_written_and_compared_in_lower_case() {
    let name = Username::parse(" 😀 Ünïcödé ").unwrap();
    assert_eq!(name.as_str(), "😀 Ünïcödé");
    assert_eq!(name.username_key(), "😀 ünïcödé");
    assert_eq!(
        Username::parse("ANDREW").unwrap().username_key(),
        Username::parse("andrew").unwrap().username_key()
    );
    assert!(Username::parse("👩\u{200d}💻").is_ok());
}

#[test]
fn the_key_of_the_longest_name_fits_its_column() {
    // U+0130 becomes two characters in lower case, the most that any does.
    for character in ["İ", "ẞ", "a", "\u{1f80}"] {
        let name = Username::parse(&character.repeat(40)).unwrap();
        assert!(name.username_key().chars().count() <= 80);
    }
}

#[test]
fn names_that_deceive_are_refused() {
    let cases = [
        ("  ", UsernameError::Empty),
        ("a\u{202e}b", UsernameError::Character),
        ("\u{200b}a", UsernameError::Character),
        ("a\u{200d}", UsernameError::Character),
        ("\u{200c}a", UsernameError::Character),
        ("a\u{feff}b", UsernameError::Character),
        ("a\nb", UsernameError::Character),
        ("a\u{2028}b", UsernameError::Character),
        ("a@b", UsernameError::At),
    ];
    for (text, why) in cases {
        assert_eq!(Username::parse(text), Err(why), "{text:?}");
    }
    assert_eq!(
        Username::parse(&"a".repeat(41)),
        Err(UsernameError::TooLong)
    );
    assert!(Username::parse(&"é".repeat(40)).is_ok());
}
