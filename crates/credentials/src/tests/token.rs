//! Facts about single-use secrets and bearers.

use std::collections::HashSet;

use stdx::Rng;
use uuid::Uuid;

use super::keys::master;
use crate::token::{ApiKey, LinkToken, MailCode, Purpose, SessionId, TokenError};

#[test]
fn a_thousand_of_each_kind_differ() {
    let mut all = HashSet::new();
    for _ in 0..1000 {
        all.insert(LinkToken::generate(&Rng::System).to_text().expose().clone());
        all.insert(SessionId::generate(&Rng::System).to_text().expose().clone());
        all.insert(ApiKey::generate(&Rng::System).to_text().expose().clone());
    }
    assert_eq!(all.len(), 3000);
}

#[test]
fn a_link_token_is_found_again_for_its_purpose_alone() {
    let token = LinkToken::generate(&Rng::System);
    let text = token.to_text();
    assert_eq!(text.expose().len(), 43);
    let again = LinkToken::parse(text.expose()).unwrap();
    let hashes: HashSet<String> = Purpose::ALL
        .map(|purpose| {
            assert_eq!(token.hash(purpose), again.hash(purpose));
            token.hash(purpose).as_str().to_owned()
        })
        .into();
    assert_eq!(hashes.len(), Purpose::ALL.len());
    for purpose in Purpose::ALL {
        assert_eq!(Purpose::from_name(purpose.name()), Some(purpose));
    }
    assert_eq!(Purpose::from_name("reset_password"), None);
    // The same bytes as a session's id are another hash again, and none is the plain one.
    let session = SessionId::parse(text.expose()).unwrap();
    assert!(!hashes.contains(session.hash().as_str()));
    assert!(!hashes.contains(&crate::sha256_hex(text.expose().as_bytes())));
}

#[test]
fn every_prefix_and_every_flipped_bit_of_a_token_is_another_one_or_none() {
    let text = SessionId::generate(&Rng::System).to_text();
    let text = text.expose();
    let stored = SessionId::parse(text).unwrap().hash();
    for length in 0..text.len() {
        assert_eq!(
            SessionId::parse(&text[..length]).err(),
            Some(TokenError::Form)
        );
        assert_eq!(
            LinkToken::parse(&text[..length]).err(),
            Some(TokenError::Form)
        );
    }
    for place in 0..text.len() {
        for bit in 0..7 {
            let mut bytes = text.as_bytes().to_vec();
            bytes[place] ^= 1 << bit;
            let changed = String::from_utf8(bytes).unwrap();
            let hash = SessionId::parse(&changed).map(|id| id.hash());
            assert_ne!(hash, Ok(stored.clone()), "{place} {bit}");
        }
    }
    for wrong in [format!("{text}="), format!(" {text}"), format!("{text}A")] {
        assert_eq!(SessionId::parse(&wrong).err(), Some(TokenError::Form));
    }
}

#[test]
fn a_mistyped_api_key_is_known_without_a_lookup() {
    let key = ApiKey::generate(&Rng::System);
    let text = key.to_text();
    let text = text.expose();
    assert!(text.starts_with("pk_") && text.len() == 41);
    assert!(text.starts_with(&key.start()) && key.start().len() == 8);
    assert_eq!(ApiKey::parse(text).unwrap().hash(), key.hash());
    for place in 3..text.len() {
        for other in "0123456789abcdefghijklmnopqrstuvwxyzABC".chars() {
            let mut changed: Vec<char> = text.chars().collect();
            if changed[place] == other {
                continue;
            }
            changed[place] = other;
            let changed: String = changed.into_iter().collect();
            assert_eq!(
                ApiKey::parse(&changed).err(),
                Some(TokenError::Checksum),
                "{changed}"
            );
        }
    }
    for length in 3..text.len() {
        assert_eq!(
            ApiKey::parse(&text[..length]).err(),
            Some(TokenError::Checksum)
        );
    }
    for place in 3..text.len() - 1 {
        let mut swapped = text.as_bytes().to_vec();
        swapped.swap(place, place + 1);
        let swapped = String::from_utf8(swapped).unwrap();
        assert!(swapped == *text || ApiKey::parse(&swapped).is_err());
    }
    for wrong in [
        "",
        "pk",
        "eyJhbGciOiJFZERTQSJ9.e30.x",
        "pk_é",
        "pk_ ",
        &text.to_uppercase(),
    ] {
        assert_eq!(
            ApiKey::parse(wrong).err(),
            Some(TokenError::Form),
            "{wrong}"
        );
    }
    let longer = format!("{text}0");
    assert_eq!(ApiKey::parse(&longer).err(), Some(TokenError::Checksum));
}

#[test]
fn a_mail_code_is_good_for_one_purpose_and_record() {
    let key = master().code_key();
    let (record, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let code = |text: &str| MailCode::parse(text).unwrap();
    let stored = code("012345").hash(Purpose::ConfirmAddress, record, &key);
    assert_eq!(stored.to_text().len(), 64);
    for typed in ["012345", "012 345", "012-345", " 012345 "] {
        assert_eq!(
            code(typed).hash(Purpose::ConfirmAddress, record, &key),
            stored
        );
    }
    for wrong in [
        code("012346").hash(Purpose::ConfirmAddress, record, &key),
        code("012345").hash(Purpose::ResetPassword, record, &key),
        code("012345").hash(Purpose::ConfirmAddress, other, &key),
    ] {
        assert_ne!(wrong, stored);
    }
    for text in [
        "",
        "12345",
        "1234567",
        "12345a",
        "٠١٢٣٤٥",
        &"1".repeat(1000),
    ] {
        assert_eq!(
            MailCode::parse(text).err(),
            Some(TokenError::Form),
            "{text}"
        );
    }
}

#[test]
fn mail_codes_are_even_and_keep_their_zeros() {
    let rng = Rng::seeded(5);
    let mut firsts = [0; 10];
    for _ in 0..10_000 {
        let text = MailCode::generate(&rng).to_text();
        assert_eq!(text.expose().len(), 6);
        firsts[usize::from(text.expose().as_bytes()[0] - b'0')] += 1;
    }
    assert!(
        firsts.iter().all(|count| (850..1150).contains(count)),
        "{firsts:?}"
    );
}

#[test]
fn a_csrf_token_is_good_for_its_session_alone() {
    let key = master().csrf_key();
    let (session, other) = (
        SessionId::generate(&Rng::System),
        SessionId::generate(&Rng::System),
    );
    let token = key.token(&session, &Rng::System);
    assert_eq!(token.expose().len(), 64);
    assert!(key.accepts(&session, token.expose()));
    assert!(!key.accepts(&other, token.expose()));
    assert_ne!(key.token(&session, &Rng::System).expose(), token.expose());
    let foreign = crate::MasterKey::generate(&Rng::System);
    let foreign = crate::MasterKey::parse(foreign.expose())
        .unwrap()
        .csrf_key();
    assert!(!foreign.accepts(&session, token.expose()));
    for place in 0..64 {
        for bit in 0..7 {
            let mut bytes = token.expose().clone().into_bytes();
            bytes[place] ^= 1 << bit;
            let changed = String::from_utf8(bytes).unwrap();
            assert!(!key.accepts(&session, &changed), "{place} {bit}");
        }
        assert!(!key.accepts(&session, &token.expose()[..place]));
    }
    assert!(!key.accepts(&session, session.to_text().expose()));
    assert!(!key.accepts(&session, &format!("{}A", token.expose())));
}

#[test]
fn nothing_secret_is_printed() {
    let rng = Rng::seeded(3);
    assert_eq!(
        format!(
            "{:?} {:?} {:?} {:?} {:?} {:?}",
            LinkToken::generate(&rng),
            SessionId::generate(&rng),
            ApiKey::generate(&rng),
            MailCode::generate(&rng),
            master().csrf_key(),
            master().code_key(),
        ),
        "LinkToken(***) SessionId(***) ApiKey(***) MailCode(***) CsrfKey(***) CodeKey(***)"
    );
}
