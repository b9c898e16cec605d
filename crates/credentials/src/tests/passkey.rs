//! Facts about passkeys, with the software authenticator of the crate `passkey` as browser and key.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use passkey::authenticator::{Authenticator, UiHint, UserCheck, UserValidationMethod};
use passkey::client::{Client, DefaultClientData, WebauthnError};
use passkey::crypto::aws_lc_rs::AwsLcRsBackend;
use passkey::types::ctap2::{Aaguid, Ctap2Error};
use passkey::types::webauthn::{CredentialCreationOptions, CredentialRequestOptions};
use serde_json::Value;
use stdx::Rng;
use uuid::Uuid;
use webauthn_rs::prelude::Url;

use crate::assurance::{Assurance, Evidence, Method, Proven};
use crate::passkey::{
    Passkey, PasskeyError, PasskeyLogin, PasskeyOwner, PasskeyRegistration, PasskeySecondFactor,
    RelyingParty, RelyingPartyError,
};

const ADA: Uuid = Uuid::from_u128(0x0199_4a00_0000_7000_8000_0000_0000_0ada);
const BOB: Uuid = Uuid::from_u128(0x0199_4a00_0000_7000_8000_0000_0000_0b0b);
const SITE: &str = "https://login.example.org";

/// A person who touches the key, and is verified by it or not.
struct Person {
    verified: bool,
}

#[async_trait::async_trait]
impl UserValidationMethod for Person {
    type PasskeyItem = passkey::types::Passkey;

    async fn check_user<'a>(
        &self,
        hint: UiHint<'a, Self::PasskeyItem>,
        presence: bool,
        _: bool,
    ) -> Result<UserCheck, Ctap2Error> {
        if let UiHint::InformExcludedCredentialFound(_) = hint {
            return Err(Ctap2Error::CredentialExcluded);
        }
        Ok(UserCheck {
            presence,
            verification: self.verified,
        })
    }

    fn is_presence_enabled(&self) -> bool {
        true
    }

    fn is_verification_enabled(&self) -> Option<bool> {
        Some(true)
    }
}

/// A browser with one key, which holds one passkey.
struct Browser {
    key: Option<passkey::types::Passkey>,
    verified: bool,
    counting: bool,
}

impl Browser {
    fn new() -> Self {
        Self {
            key: None,
            verified: true,
            counting: false,
        }
    }

    fn create(&mut self, page: &str, options: &Value) -> Result<String, WebauthnError> {
        let options: CredentialCreationOptions = serde_json::from_value(options.clone()).unwrap();
        let page = Url::parse(page).unwrap();
        let mut client = Client::new(self.authenticator());
        let made = block_on(client.register(&page, options, DefaultClientData))?;
        self.key.clone_from(client.authenticator().store());
        Ok(as_browsers_write(&made))
    }

    fn get(&mut self, page: &str, options: &Value) -> Result<String, WebauthnError> {
        let options: CredentialRequestOptions = serde_json::from_value(options.clone()).unwrap();
        let page = Url::parse(page).unwrap();
        let mut client = Client::new(self.authenticator());
        let answer = block_on(client.authenticate(&page, options, DefaultClientData))?;
        self.key.clone_from(client.authenticator().store());
        Ok(as_browsers_write(&answer))
    }

    fn authenticator(
        &self,
    ) -> Authenticator<Option<passkey::types::Passkey>, Person, AwsLcRsBackend> {
        let person = Person {
            verified: self.verified,
        };
        let mut authenticator = Authenticator::new(
            Aaguid::new_empty(),
            self.key.clone(),
            person,
            AwsLcRsBackend,
        );
        authenticator.set_make_credentials_with_signature_counter(self.counting);
        authenticator
    }
}

/// As `PublicKeyCredential.toJSON()` does it: bytes, which the library writes as lists of numbers,
/// are base64url.
fn as_browsers_write(answer: &impl serde::Serialize) -> String {
    fn convert(value: &mut Value) {
        match value {
            Value::Object(members) => members.values_mut().for_each(convert),
            Value::Array(items) if items.first().is_some_and(Value::is_number) => {
                let bytes = serde_json::from_value::<Vec<u8>>(value.take()).unwrap();
                *value = URL_SAFE_NO_PAD.encode(bytes).into();
            }
            _ => {}
        }
    }
    let mut value = serde_json::to_value(answer).unwrap();
    convert(&mut value);
    value.to_string()
}

/// Nothing here waits for anything.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

fn site() -> RelyingParty {
    RelyingParty::new("Cruddur", "example.org", &[SITE, "https://example.org"]).unwrap()
}

fn owner(user: Uuid) -> PasskeyOwner<'static> {
    PasskeyOwner {
        user,
        name: "ada@example.org",
        display_name: "Ada",
    }
}

/// Makes a passkey over the texts that travel and are stored.
fn registered(site: &RelyingParty, browser: &mut Browser, user: Uuid) -> Passkey {
    let (options, state) = site.start_registration(owner(user), &[]).unwrap();
    let answer = browser.create(SITE, &options).unwrap();
    let state = PasskeyRegistration::from_text(state.to_text().unwrap().expose()).unwrap();
    assert_eq!(state.user(), user);
    let passkey = site.finish_registration(&state, &answer).unwrap();
    Passkey::from_stored(&passkey.to_stored().unwrap()).unwrap()
}

#[test]
fn a_passkey_is_a_second_factor() {
    let (site, mut browser) = (site(), Browser::new());
    let passkey = registered(&site, &mut browser, ADA);
    let keys = [passkey];
    let (options, state) = site.start_second_factor(ADA, &keys).unwrap();
    assert_eq!(options["publicKey"]["userVerification"], "required");
    assert_eq!(
        options["publicKey"]["allowCredentials"][0]["id"],
        keys[0].id().to_text()
    );
    let answer = browser.get(SITE, &options).unwrap();
    let state = PasskeySecondFactor::from_text(state.to_text().unwrap().expose()).unwrap();
    let proof = site.finish_second_factor(&state, &answer, &keys).unwrap();
    assert_eq!(proof.user, ADA);
    assert_eq!(proof.passkey.id(), keys[0].id());
    assert!(!proof.is_changed);
}

#[test]
fn a_passkey_alone_is_enough_and_says_whose_it_is() {
    let (site, mut browser) = (site(), Browser::new());
    let passkey = registered(&site, &mut browser, ADA);
    let (options, state) = site.start_login().unwrap();
    assert_eq!(
        options["publicKey"]["allowCredentials"],
        serde_json::json!([])
    );
    assert_eq!(options["publicKey"]["userVerification"], "required");
    // The library of the browser tells "none are named" by the member's absence.
    let mut for_browser = options.clone();
    for_browser["publicKey"]
        .as_object_mut()
        .unwrap()
        .remove("allowCredentials");
    let answer = browser.get(SITE, &for_browser).unwrap();
    assert_eq!(site.claimed(&answer).unwrap(), (ADA, passkey.id()));
    let again = || PasskeyLogin::from_text(state.to_text().unwrap().expose()).unwrap();
    let proof = site.finish_login(again(), &answer, ADA, &passkey).unwrap();
    assert_eq!(proof.user, ADA);
    let evidence = Evidence::new(vec![Proven {
        method: proof.passkey.method(),
        at: 1000,
    }]);
    assert_eq!(evidence.assurance(), Assurance::PhishingResistant);
    // Not for another user, and not by another key.
    let wrong = site.finish_login(again(), &answer, BOB, &passkey);
    assert_eq!(wrong.err(), Some(PasskeyError::Refused));
    let other = registered(&site, &mut Browser::new(), ADA);
    let wrong = site.finish_login(again(), &answer, ADA, &other);
    assert_eq!(wrong.err(), Some(PasskeyError::Refused));
}

#[test]
fn options_ask_for_a_passkey_that_is_found_without_a_name_and_verifies_its_user() {
    let (site, mut browser) = (site(), Browser::new());
    let passkey = registered(&site, &mut browser, ADA);
    let keys = [passkey];
    let (options, _) = site.start_registration(owner(ADA), &keys).unwrap();
    let options = &options["publicKey"];
    assert_eq!(options["authenticatorSelection"]["residentKey"], "required");
    assert_eq!(
        options["authenticatorSelection"]["requireResidentKey"],
        true
    );
    assert_eq!(
        options["authenticatorSelection"]["userVerification"],
        "required"
    );
    assert_eq!(options["attestation"], "none");
    assert_eq!(options["rp"]["id"], "example.org");
    assert_eq!(options["rp"]["name"], "Cruddur");
    assert_eq!(options["user"]["displayName"], "Ada");
    assert_eq!(
        options["excludeCredentials"][0]["id"],
        keys[0].id().to_text()
    );
    // So the same key makes no second one.
    let whole = serde_json::json!({ "publicKey": options });
    assert!(browser.create(SITE, &whole).is_err());
}

#[test]
fn several_passkeys_of_one_user_are_told_apart() {
    let site = site();
    let (mut phone, mut laptop) = (Browser::new(), Browser::new());
    let first = registered(&site, &mut phone, ADA);
    let second = registered(&site, &mut laptop, ADA);
    assert_ne!(first.id(), second.id());
    let keys = [first, second];
    for (browser, at) in [(&mut phone, 0), (&mut laptop, 1)] {
        let (options, state) = site.start_second_factor(ADA, &keys).unwrap();
        let answer = browser.get(SITE, &options).unwrap();
        let proof = site.finish_second_factor(&state, &answer, &keys).unwrap();
        assert_eq!(proof.passkey.id(), keys[at].id());
        // One that was deleted meanwhile is none.
        let left = &keys[1 - at..2 - at];
        let gone = site.finish_second_factor(&state, &answer, left);
        assert_eq!(gone.err(), Some(PasskeyError::Refused));
    }
}

#[test]
fn what_was_signed_for_another_challenge_user_or_page_is_refused() {
    let (site, mut browser) = (site(), Browser::new());
    let keys = [registered(&site, &mut browser, ADA)];
    let (options, state) = site.start_second_factor(ADA, &keys).unwrap();
    let answer = browser.get(SITE, &options).unwrap();
    let refused = Some(PasskeyError::Refused);
    let (_, other_state) = site.start_second_factor(ADA, &keys).unwrap();
    let wrong = site.finish_second_factor(&other_state, &answer, &keys);
    assert_eq!(wrong.err(), refused);
    let (_, of_bob) = site.start_second_factor(BOB, &keys).unwrap();
    let wrong = site.finish_second_factor(&of_bob, &answer, &keys);
    assert_eq!(wrong.err(), refused);
    // A browser lets no other site ask for it.
    assert!(browser.get("https://login.example.com", &options).is_err());
    // Another page of the domain may ask, but is not one of ours.
    let elsewhere = browser.get("https://evil.example.org", &options).unwrap();
    let wrong = site.finish_second_factor(&state, &elsewhere, &keys);
    assert_eq!(wrong.err(), refused);
    let second = browser.get("https://example.org", &options).unwrap();
    assert!(site.finish_second_factor(&state, &second, &keys).is_ok());

    let (options, state) = site.start_registration(owner(ADA), &[]).unwrap();
    let mut fresh = Browser::new();
    let made = fresh.create("https://evil.example.org", &options).unwrap();
    assert_eq!(site.finish_registration(&state, &made).err(), refused);
    let made = fresh.create(SITE, &options).unwrap();
    let (_, other) = site.start_registration(owner(ADA), &[]).unwrap();
    assert_eq!(site.finish_registration(&other, &made).err(), refused);
}

#[test]
fn who_was_not_verified_is_refused_whatever_the_page_asked_for() {
    let (site, mut browser) = (site(), Browser::new());
    let keys = [registered(&site, &mut browser, ADA)];
    browser.verified = false;
    let discouraged = |mut options: Value| {
        options["publicKey"]["userVerification"] = "discouraged".into();
        options
    };
    let (options, state) = site.start_second_factor(ADA, &keys).unwrap();
    let answer = browser.get(SITE, &discouraged(options)).unwrap();
    let wrong = site.finish_second_factor(&state, &answer, &keys);
    assert_eq!(wrong.err(), Some(PasskeyError::Refused));
    let (mut options, state) = site.start_login().unwrap();
    options["publicKey"]
        .as_object_mut()
        .unwrap()
        .remove("allowCredentials");
    let answer = browser.get(SITE, &discouraged(options)).unwrap();
    let wrong = site.finish_login(state, &answer, ADA, &keys[0]);
    assert_eq!(wrong.err(), Some(PasskeyError::Refused));
    let (mut options, state) = site.start_registration(owner(ADA), &[]).unwrap();
    options["publicKey"]["authenticatorSelection"]["userVerification"] = "discouraged".into();
    let mut fresh = Browser::new();
    fresh.verified = false;
    let made = fresh.create(SITE, &options).unwrap();
    let wrong = site.finish_registration(&state, &made);
    assert_eq!(wrong.err(), Some(PasskeyError::Refused));
}

#[test]
fn a_counter_that_does_not_rise_shows_a_copy() {
    let (site, mut browser) = (site(), Browser::new());
    browser.counting = true;
    let registered = registered(&site, &mut browser, ADA);
    let keys = [registered];
    let mut copy = Browser {
        key: browser.key.clone(),
        ..Browser::new()
    };
    let log_in = |browser: &mut Browser, keys: &[Passkey]| {
        let (options, state) = site.start_second_factor(ADA, keys).unwrap();
        let answer = browser.get(SITE, &options).unwrap();
        site.finish_second_factor(&state, &answer, keys)
    };
    let first = log_in(&mut browser, &keys).unwrap();
    assert!(first.is_changed && first.passkey.counter() > keys[0].counter());
    let keys = [first.passkey];
    assert_eq!(log_in(&mut copy, &keys).err(), Some(PasskeyError::Cloned));
    let second = log_in(&mut browser, &keys).unwrap();
    assert!(second.passkey.counter() > keys[0].counter());
}

#[test]
fn a_counter_is_judged_by_what_is_stored_at_the_end() {
    let (site, mut browser) = (site(), Browser::new());
    browser.counting = true;
    let keys = [registered(&site, &mut browser, ADA)];
    let (options, state) = site.start_second_factor(ADA, &keys).unwrap();
    let answer = browser.get(SITE, &options).unwrap();
    let proof = site.finish_second_factor(&state, &answer, &keys).unwrap();
    // The state still knows the old counter, the database does not.
    let wrong = site.finish_second_factor(&state, &answer, &[proof.passkey]);
    assert_eq!(wrong.err(), Some(PasskeyError::Cloned));
}

#[test]
fn flags_of_copies_are_kept() {
    let (site, mut browser) = (site(), Browser::new());
    let passkey = registered(&site, &mut browser, ADA);
    // The software key says that it is synced and has a copy.
    assert!(passkey.is_synced() && passkey.is_backed_up());
    assert_eq!(passkey.method(), Method::Passkey { synced: true });
    assert_eq!(passkey.counter(), 0);
    // Had it been stored without a copy, the next use would tell.
    let stored = passkey.to_stored().unwrap();
    let earlier = stored.replace("\"backup_state\":true", "\"backup_state\":false");
    assert_ne!(earlier, stored);
    let keys = [Passkey::from_stored(&earlier).unwrap()];
    assert!(!keys[0].is_backed_up());
    let (options, state) = site.start_second_factor(ADA, &keys).unwrap();
    let answer = browser.get(SITE, &options).unwrap();
    let proof = site.finish_second_factor(&state, &answer, &keys).unwrap();
    assert!(proof.is_changed && proof.passkey.is_backed_up());
}

#[test]
fn every_changed_answer_is_refused() {
    let (site, mut browser) = (site(), Browser::new());
    let keys = [registered(&site, &mut browser, ADA)];
    let (options, state) = site.start_second_factor(ADA, &keys).unwrap();
    let answer = browser.get(SITE, &options).unwrap();
    let whole: Value = serde_json::from_str(&answer).unwrap();
    for member in ["signature", "authenticatorData", "clientDataJSON"] {
        let text = whole["response"][member].as_str().unwrap().to_owned();
        for place in (0..text.len()).step_by(5) {
            let mut letters = text.clone().into_bytes();
            letters[place] = if letters[place] == b'A' { b'B' } else { b'A' };
            let mut changed = whole.clone();
            changed["response"][member] = String::from_utf8(letters).unwrap().into();
            let outcome = site.finish_second_factor(&state, &changed.to_string(), &keys);
            assert!(
                matches!(
                    outcome,
                    Err(PasskeyError::Refused | PasskeyError::Malformed)
                ),
                "{member} {place}"
            );
        }
    }
    for text in [
        "",
        "null",
        "{}",
        "[]",
        &"[".repeat(10_000),
        &" ".repeat(70_000),
    ] {
        let outcome = site.finish_second_factor(&state, text, &keys);
        assert_eq!(outcome.err(), Some(PasskeyError::Malformed));
        assert_eq!(site.claimed(text).err(), Some(PasskeyError::Malformed));
        let (_, registration) = site.start_registration(owner(ADA), &[]).unwrap();
        let outcome = site.finish_registration(&registration, text);
        assert_eq!(outcome.err(), Some(PasskeyError::Malformed));
    }
    // The answer to one kind of question is none to the other.
    let (_, registration) = site.start_registration(owner(ADA), &[]).unwrap();
    assert!(site.finish_registration(&registration, &answer).is_err());
}

/// Attestations are read before anything is known of who sent them.
#[test]
fn two_thousand_mutated_attestations_are_answered() {
    let (site, mut browser, rng) = (site(), Browser::new(), Rng::seeded(13));
    let (options, state) = site.start_registration(owner(ADA), &[]).unwrap();
    let answer: Value = serde_json::from_str(&browser.create(SITE, &options).unwrap()).unwrap();
    let text = answer["response"]["attestationObject"].as_str().unwrap();
    let whole = URL_SAFE_NO_PAD.decode(text).unwrap();
    for round in 0..2_000 {
        let mut bytes = whole.clone();
        let [place, other, value] = [0; 3].map(|_| u32::from_le_bytes(rng.bytes()));
        let place = place as usize % bytes.len();
        match round % 4 {
            0 => bytes.truncate(place),
            1 => bytes.insert(place, value.to_le_bytes()[0]),
            2 => bytes[place] = bytes[place].wrapping_add(1),
            _ => {
                bytes[place] = value.to_le_bytes()[0];
                let other = other as usize % bytes.len();
                bytes[other] = value.to_le_bytes()[1];
            }
        }
        let mut changed = answer.clone();
        changed["response"]["attestationObject"] = URL_SAFE_NO_PAD.encode(bytes).into();
        // Some bytes are free, as the key's model and the passkey's id; the others are not.
        let outcome = site.finish_registration(&state, &changed.to_string());
        assert!(matches!(
            outcome,
            Ok(_) | Err(PasskeyError::Refused | PasskeyError::Malformed)
        ));
    }
}

#[test]
fn states_are_not_taken_for_each_other_and_not_printed() {
    let (site, mut browser) = (site(), Browser::new());
    let keys = [registered(&site, &mut browser, ADA)];
    let (_, registration) = site.start_registration(owner(ADA), &[]).unwrap();
    let (_, second) = site.start_second_factor(ADA, &keys).unwrap();
    let (_, login) = site.start_login().unwrap();
    let texts = [
        registration.to_text().unwrap().expose().clone(),
        second.to_text().unwrap().expose().clone(),
        login.to_text().unwrap().expose().clone(),
    ];
    for (at, text) in texts.iter().enumerate() {
        assert_eq!(PasskeyRegistration::from_text(text).is_ok(), at == 0);
        assert_eq!(PasskeySecondFactor::from_text(text).is_ok(), at == 1);
        assert_eq!(PasskeyLogin::from_text(text).is_ok(), at == 2);
        assert!(Passkey::from_stored(text).is_err());
    }
    assert_eq!(
        format!("{registration:?} {second:?} {login:?}"),
        "PasskeyRegistration(***) PasskeySecondFactor(***) PasskeyLogin(***)"
    );
}

#[test]
fn a_site_is_a_domain_and_safe_pages_below_it() {
    for (id, origins) in [
        ("example.org", &["https://example.org"][..]),
        (
            "example.org",
            &["https://a.example.org:8443", "https://example.org/"],
        ),
        ("localhost", &["http://localhost:8000"]),
    ] {
        assert!(
            RelyingParty::new("Site", id, origins).is_ok(),
            "{id} {origins:?}"
        );
    }
    for origin in [
        "",
        "example.org",
        "http://example.org",
        "https://192.0.2.1",
        "https://example.org/login",
        "https://ada@example.org",
        "ftp://example.org",
        "https://example.org?x",
    ] {
        let error = RelyingParty::new("Site", "example.org", &[origin]).unwrap_err();
        assert_eq!(error, RelyingPartyError::Origin(origin.to_owned()));
    }
    for (id, origin) in [
        ("example.org", "https://example.com"),
        ("example.org", "https://badexample.org"),
        ("login.example.org", "https://example.org"),
        ("", "https://example.org"),
    ] {
        let both = RelyingParty::new("Site", id, &["https://login.example.org", origin]);
        let alone = RelyingParty::new("Site", id, &[origin]);
        assert!(
            matches!(alone, Err(RelyingPartyError::NotBelow { .. })),
            "{origin}"
        );
        assert!(
            matches!(both, Err(RelyingPartyError::NotBelow { .. })),
            "{origin}"
        );
    }
    let none = RelyingParty::new("Site", "example.org", &[]).unwrap_err();
    assert_eq!(none, RelyingPartyError::NoOrigin);
}
