//! Facts about passwords that the server never sees.

use std::collections::HashSet;

use stdx::Rng;
use uuid::Uuid;

use super::keys::master;
use crate::opaque::{
    ClientLogin, ClientRegistration, KeyStretching, KeyStretchingError, LoginFinish, LoginRequest,
    LoginResponse, LoginState, OpaqueError, OpaqueRecord, Proof, RegistrationRecord,
    RegistrationRequest, RegistrationResponse, RegistrationState, ServerSetup, ServerSetups,
    SessionKey, SetupId,
};
use crate::{MasterKey, Password};

const ADA: Uuid = Uuid::from_u128(0x0199_4a00_0000_7000_8000_0000_0000_0ada);

/// The least work that is allowed, so that a test is quick.
fn quick() -> KeyStretching {
    KeyStretching::argon2id(7168, 5, 1).unwrap()
}

fn password(text: &str) -> Password {
    Password::presented(text.to_owned()).unwrap()
}

fn setup(id: u32) -> ServerSetup {
    ServerSetup::generate(SetupId(id), &Rng::seeded(u64::from(id))).unwrap()
}

fn setups() -> ServerSetups {
    ServerSetups::new(setup(1), Vec::new())
}

/// Registers over the texts that travel, and gives what is stored.
fn registered(setups: &ServerSetups, user: Uuid, text: &str) -> OpaqueRecord {
    let (client, request) = ClientRegistration::start(password(text), &Rng::System).unwrap();
    let request = RegistrationRequest::from_base64url(&request.to_base64url()).unwrap();
    let (response, state) = setups.start_registration(user, request, quick()).unwrap();
    let response = RegistrationResponse::from_base64url(&response.to_base64url()).unwrap();
    let record = client.finish(response, quick(), &Rng::System).unwrap();
    let record = RegistrationRecord::from_base64url(&record.to_base64url()).unwrap();
    let state = RegistrationState::from_bytes(state.to_bytes().expose()).unwrap();
    assert_eq!(state.user(), user);
    OpaqueRecord::from_stored(&state.finish(record).to_stored()).unwrap()
}

/// Logs in over the texts that travel; the client's key stands beside the server's proof.
fn log_in(
    setups: &ServerSetups,
    account: Option<(Uuid, &OpaqueRecord)>,
    text: &str,
    stretching: KeyStretching,
) -> Result<(SessionKey, Proof), OpaqueError> {
    let (client, request) = ClientLogin::start(password(text), &Rng::System)?;
    let request = LoginRequest::from_base64url(&request.to_base64url())?;
    let (response, state) =
        setups.start_login("ada@example.org", account, request, &Rng::System)?;
    let response = LoginResponse::from_base64url(&response.to_base64url())?;
    let (finish, key) = client.finish(response, stretching, &Rng::System)?;
    let finish = LoginFinish::from_base64url(&finish.to_base64url())?;
    let state = LoginState::from_bytes(state.to_bytes().expose())?;
    Ok((key, state.finish(finish)?))
}

#[test]
fn who_registered_logs_in_and_both_sides_come_to_one_key() {
    let setups = setups();
    let record = registered(&setups, ADA, "correct horse");
    let (key, proof) = log_in(&setups, Some((ADA, &record)), "correct horse", quick()).unwrap();
    assert_eq!(proof.user, ADA);
    assert_eq!(proof.session_key, key);
    let (again, _) = log_in(&setups, Some((ADA, &record)), "correct horse", quick()).unwrap();
    assert_ne!(again, key);
}

#[test]
fn a_wrong_password_id_or_stretching_is_refused_alike() {
    let setups = setups();
    let record = registered(&setups, ADA, "correct horse");
    let other = Uuid::from_u128(7);
    let stronger = KeyStretching::argon2id(7168, 6, 1).unwrap();
    for (account, text, stretching) in [
        (Some((ADA, &record)), "Correct horse", quick()),
        (Some((ADA, &record)), "", quick()),
        (Some((other, &record)), "correct horse", quick()),
        (Some((ADA, &record)), "correct horse", stronger),
        (None, "correct horse", quick()),
    ] {
        let outcome = log_in(&setups, account, text, stretching);
        assert_eq!(outcome.err(), Some(OpaqueError::Refused), "{text}");
    }
}

#[test]
fn a_password_typed_on_two_systems_is_the_same() {
    let setups = setups();
    let record = registered(&setups, ADA, "caf\u{e9} cr\u{e8}me");
    let typed = "cafe\u{301}\u{a0}cre\u{300}me";
    assert!(log_in(&setups, Some((ADA, &record)), typed, quick()).is_ok());
}

#[test]
fn nobody_is_answered_like_somebody() {
    let setups = setups();
    let record = registered(&setups, ADA, "correct horse");
    let start = |setups: &ServerSetups, name: &str, account| {
        // One seed gives one blind, so answers can be compared.
        let (_, request) = ClientLogin::start(password("x"), &Rng::seeded(4)).unwrap();
        setups
            .start_login(name, account, request, &Rng::System)
            .unwrap()
    };
    let answer = |name: &str, account| start(&setups, name, account).0.to_base64url();
    // The first 32 of 320 bytes are the oblivious function's answer, the others change each time.
    let stable = |text: &str| text[..42].to_owned();
    let known = || answer("ada", Some((ADA, &record)));
    let unknown = || answer("nobody", None);
    for ask in [&known as &dyn Fn() -> String, &unknown] {
        let (first, second) = (ask(), ask());
        assert_eq!(first.len(), 427);
        assert_eq!(stable(&first), stable(&second));
        assert_ne!(first[43..], second[43..]);
    }
    assert_ne!(stable(&known()), stable(&unknown()));
    assert_ne!(stable(&unknown()), stable(&answer("nobody else", None)));
    // A known user's answer depends on the id, not on the name that was typed.
    assert_eq!(
        stable(&known()),
        stable(&answer("ada@example.org", Some((ADA, &record))))
    );
    // The same after a restart.
    let sealed = setups
        .current()
        .seal(&master().opaque_setup_key(), &Rng::System);
    let opened = ServerSetup::open(SetupId(1), &sealed, &master().opaque_setup_key()).unwrap();
    let restarted = ServerSetups::new(opened, Vec::new());
    let (response, state) = start(&restarted, "nobody", None);
    assert_eq!(stable(&response.to_base64url()), stable(&unknown()));
    // What is kept meanwhile is of one length too.
    let (_, known_state) = start(&setups, "ada", Some((ADA, &record)));
    assert_eq!(state.to_bytes().expose().len(), LoginState::BYTES);
    assert_eq!(known_state.to_bytes().expose().len(), LoginState::BYTES);
    assert_eq!((state.user(), known_state.user()), (None, Some(ADA)));
}

#[test]
fn older_records_log_in_under_their_own_set_up() {
    let old = setups();
    let record = registered(&old, ADA, "correct horse");
    let both = ServerSetups::new(setup(2), vec![setup(1)]);
    assert!(log_in(&both, Some((ADA, &record)), "correct horse", quick()).is_ok());
    assert!(record.is_outdated(both.current().id(), quick()));
    let renewed = registered(&both, ADA, "correct horse");
    assert_eq!(renewed.setup(), SetupId(2));
    assert!(!renewed.is_outdated(both.current().id(), quick()));
    assert!(renewed.is_outdated(both.current().id(), KeyStretching::DEFAULT));
    let without = ServerSetups::new(setup(2), Vec::new());
    let lost = log_in(&without, Some((ADA, &record)), "correct horse", quick());
    assert_eq!(lost.err(), Some(OpaqueError::Stored));
}

#[test]
fn a_set_up_opens_under_its_key_and_number_only() {
    let key = master().opaque_setup_key();
    let sealed = setup(1).seal(&key, &Rng::System);
    assert!(ServerSetup::open(SetupId(1), &sealed, &key).is_ok());
    assert!(ServerSetup::open(SetupId(2), &sealed, &key).is_err());
    let other = MasterKey::parse(MasterKey::generate(&Rng::System).expose()).unwrap();
    assert!(ServerSetup::open(SetupId(1), &sealed, &other.opaque_setup_key()).is_err());
    // A key for another purpose does not open it either.
    let signing = master().key_encryption_key();
    assert!(signing.open("opaque-setup/1", &sealed).is_err());
    for length in [0, 12, sealed.len() - 1] {
        assert!(ServerSetup::open(SetupId(1), &sealed[..length], &key).is_err());
    }
}

#[test]
fn states_of_the_two_flows_are_not_taken_for_each_other() {
    let setups = setups();
    let (_, request) = ClientRegistration::start(password("x"), &Rng::System).unwrap();
    let (_, registration) = setups.start_registration(ADA, request, quick()).unwrap();
    let (_, request) = ClientLogin::start(password("x"), &Rng::System).unwrap();
    let (_, login) = setups
        .start_login("ada", None, request, &Rng::System)
        .unwrap();
    let (registration, login) = (registration.to_bytes(), login.to_bytes());
    assert_eq!(registration.expose().len(), RegistrationState::BYTES);
    for bytes in [registration.expose(), login.expose()] {
        let as_login = LoginState::from_bytes(bytes).is_ok();
        let as_registration = RegistrationState::from_bytes(bytes).is_ok();
        assert!(as_login != as_registration);
        for length in 0..bytes.len() {
            assert!(LoginState::from_bytes(&bytes[..length]).is_err());
            assert!(RegistrationState::from_bytes(&bytes[..length]).is_err());
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        assert!(LoginState::from_bytes(&longer).is_err());
        assert!(RegistrationState::from_bytes(&longer).is_err());
    }
}

// req: OP-3
#[test]
fn a_record_is_read_as_it_was_written_and_in_no_other_way() {
    let record = registered(&setups(), ADA, "correct horse").to_stored();
    assert!(record.starts_with("$opaque$v=1$s=1,m=7168,t=5,p=1$"));
    assert!(record.len() <= 320);
    let read = OpaqueRecord::from_stored(&record).unwrap();
    assert_eq!(read.to_stored(), record);
    assert_eq!(read.stretching(), quick());
    for wrong in [
        String::new(),
        record.replace("v=1", "v=2"),
        record.replace("v=1", "v=01"),
        record.replace("s=1", "s="),
        record.replace("m=7168", "m=7167"),
        record.replace("m=7168", "m=4294967295"),
        record.replace("t=5", "t=1"),
        record.replace("p=1", "p=0"),
        record.replace("p=1", "p=1,x=1"),
        format!("{record}="),
        format!("{record}$"),
        record[..record.len() - 1].to_owned(),
        "$argon2id$v=19$m=19456,t=2,p=1,keyid=AAAAAQ$YWJj$YWJj".to_owned(),
    ] {
        let outcome = OpaqueRecord::from_stored(&wrong).map(|_| ());
        assert_eq!(outcome, Err(OpaqueError::Stored), "{wrong}");
    }
}

#[test]
fn stretching_has_a_floor_and_a_ceiling() {
    let judge = |m, t, p| KeyStretching::argon2id(m, t, p).err();
    for (m, t, p) in [
        (19_456, 2, 1),
        (47_104, 1, 1),
        (7_168, 5, 1),
        (65_536, 3, 4),
    ] {
        assert_eq!(judge(m, t, p), None, "{m} {t} {p}");
    }
    for (m, t, p) in [
        (8, 1, 1),
        (7_167, 16, 1),
        (19_456, 1, 1),
        (19_456, 0, 1),
        (19_456, 2, 0),
    ] {
        assert_eq!(
            judge(m, t, p),
            Some(KeyStretchingError::TooWeak),
            "{m} {t} {p}"
        );
    }
    for (m, t, p) in [
        (262_145, 1, 1),
        (19_456, 17, 1),
        (19_456, 2, 17),
        (u32::MAX, u32::MAX, 1),
    ] {
        assert_eq!(
            judge(m, t, p),
            Some(KeyStretchingError::TooCostly),
            "{m} {t} {p}"
        );
    }
}

#[test]
fn stretching_travels_as_json() {
    let text = r#"{"algorithm":"argon2id","memory_kib":19456,"iterations":2,"parallelism":1}"#;
    assert_eq!(
        serde_json::to_string(&KeyStretching::DEFAULT).unwrap(),
        text
    );
    assert_eq!(
        serde_json::from_str::<KeyStretching>(text).unwrap(),
        KeyStretching::DEFAULT
    );
    for wrong in [
        text.replace("argon2id", "argon2i"),
        text.replace("19456", "8"),
        text.replace("\"parallelism\":1", "\"parallelism\":1,\"salt\":\"x\""),
        text.replace(",\"parallelism\":1", ""),
    ] {
        assert!(
            serde_json::from_str::<KeyStretching>(&wrong).is_err(),
            "{wrong}"
        );
    }
}

#[test]
fn nothing_secret_is_printed() {
    let setups = setups();
    let record = registered(&setups, ADA, "marker-7f3a");
    let (client, request) = ClientLogin::start(password("marker-7f3a"), &Rng::System).unwrap();
    let shown = format!("{setups:?} {client:?} {request:?}");
    let (response, state) = setups
        .start_login("ada", Some((ADA, &record)), request, &Rng::System)
        .unwrap();
    let states = format!("{response:?} {state:?}");
    let (finish, key) = client.finish(response, quick(), &Rng::System).unwrap();
    assert_eq!(
        format!("{shown} {states} {finish:?} {key:?}"),
        "ServerSetups { current: ServerSetup(1, ***), previous: [] } ClientLogin(***) \
         LoginRequest(***) LoginResponse(***) LoginState(***) LoginFinish(***) SessionKey(***)"
    );
    assert!(format!("{record:?}").contains("RegistrationRecord(***)"));
}

/// What reads one kind of message, without its outcome's type.
type Reader = fn(&str) -> Result<(), OpaqueError>;

/// One message of each kind, and what reads it.
fn one_of_each() -> Vec<(String, Reader)> {
    let setups = setups();
    let rng = Rng::seeded(9);
    let (client, request) = ClientRegistration::start(password("x"), &rng).unwrap();
    let mut all: Vec<(String, Reader)> = vec![(request.to_base64url(), |text| {
        RegistrationRequest::from_base64url(text).map(|_| ())
    })];
    let (response, state) = setups.start_registration(ADA, request, quick()).unwrap();
    all.push((response.to_base64url(), |text| {
        RegistrationResponse::from_base64url(text).map(|_| ())
    }));
    let record = client.finish(response, quick(), &rng).unwrap();
    all.push((record.to_base64url(), |text| {
        RegistrationRecord::from_base64url(text).map(|_| ())
    }));
    let record = state.finish(record);
    let (client, request) = ClientLogin::start(password("x"), &rng).unwrap();
    all.push((request.to_base64url(), |text| {
        LoginRequest::from_base64url(text).map(|_| ())
    }));
    let (response, _) = setups
        .start_login("ada", Some((ADA, &record)), request, &rng)
        .unwrap();
    all.push((response.to_base64url(), |text| {
        LoginResponse::from_base64url(text).map(|_| ())
    }));
    let (finish, _) = client.finish(response, quick(), &rng).unwrap();
    all.push((finish.to_base64url(), |text| {
        LoginFinish::from_base64url(text).map(|_| ())
    }));
    all
}

#[test]
fn each_message_has_one_length_and_one_spelling() {
    let lengths: Vec<usize> = one_of_each().iter().map(|(text, _)| text.len()).collect();
    assert_eq!(lengths, [43, 86, 256, 128, 427, 86]);
    for (text, read) in one_of_each() {
        assert_eq!(read(&text), Ok(()));
        let standard = format!("+{}", &text[1..]);
        for wrong in [
            String::new(),
            text[1..].to_owned(),
            format!("{text}A"),
            format!("{text}="),
            format!(" {}", &text[1..]),
            standard,
            "é".repeat(text.len() / 2),
            "A".repeat(1_000_000),
        ] {
            assert_eq!(read(&wrong), Err(OpaqueError::Malformed));
        }
        // Zeros are the group's neutral element, which no honest side sends.
        let zeros = "A".repeat(text.len());
        let is_only_a_mac = text.len() == 86 && text == one_of_each()[5].0;
        assert_eq!(read(&zeros).is_err(), !is_only_a_mac);
    }
}

/// Ten thousand messages, each with a few characters changed, cut off or put in, are taken as
/// messages or refused as malformed, and the server's steps on those that are taken end as well.
#[test]
fn ten_thousand_mutated_messages_are_answered() {
    let rng = Rng::seeded(11);
    let all = one_of_each();
    let setups = setups();
    let record = registered(&setups, ADA, "correct horse");
    let mut outcomes = HashSet::new();
    for round in 0..10_000 {
        let (text, read) = &all[round % all.len()];
        let mutated = mutated(text, &rng);
        let outcome = read(&mutated);
        outcomes.insert(outcome.is_ok());
        assert!(matches!(outcome, Ok(()) | Err(OpaqueError::Malformed)));
        if let Ok(request) = RegistrationRequest::from_base64url(&mutated) {
            assert!(setups.start_registration(ADA, request, quick()).is_ok());
        }
        if let Ok(request) = LoginRequest::from_base64url(&mutated) {
            let account = (round % 2 == 0).then_some((ADA, &record));
            let started = setups.start_login("ada", account, request, &rng);
            let (_, state) = started.unwrap();
            let finish = LoginFinish::from_base64url(&all[5].0).unwrap();
            assert_eq!(state.finish(finish).err(), Some(OpaqueError::Refused));
        }
    }
    assert_eq!(outcomes.len(), 2, "some are taken, some are not");
}

fn mutated(text: &str, rng: &Rng) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut bytes = text.as_bytes().to_vec();
    let [kind, count, letter] = rng.bytes();
    let place = || usize::from(u16::from_le_bytes(rng.bytes())) % bytes.len();
    match kind % 8 {
        0 => bytes.truncate(place()),
        1 => bytes.insert(place(), LETTERS[usize::from(letter % 64)]),
        2 => {
            let at = place();
            bytes[at] = letter & 0x7f;
        }
        _ => {
            for _ in 0..=count % 4 {
                let at = usize::from(u16::from_le_bytes(rng.bytes())) % bytes.len();
                bytes[at] = LETTERS[usize::from(rng.bytes::<1>()[0] % 64)];
            }
        }
    }
    String::from_utf8(bytes).unwrap()
}
