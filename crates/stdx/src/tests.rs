//! Facts about clock, ids, durations, secrets and near misses.

use std::time::Duration;

use jiff::Timestamp;

use super::{Clock, Rng, Secret, nearest, new_id, parse_duration};

#[test]
fn ids_sort_by_the_time_they_were_made() {
    let clock = Clock::manual(Timestamp::UNIX_EPOCH);
    let rng = Rng::seeded(1);
    let first = new_id(&clock, &rng);
    clock.advance(Duration::from_millis(1));
    let second = new_id(&clock, &rng);
    assert!(first < second);
    assert_eq!(first.get_version_num(), 7);
}

#[test]
fn a_seed_gives_the_same_bytes_again() {
    assert_eq!(Rng::seeded(7).bytes::<16>(), Rng::seeded(7).bytes::<16>());
    assert_ne!(Rng::System.bytes::<16>(), Rng::System.bytes::<16>());
}

#[test]
fn durations_need_a_number_and_a_unit() {
    assert_eq!(parse_duration("15m"), Ok(Duration::from_mins(15)));
    assert_eq!(parse_duration(" 250ms "), Ok(Duration::from_millis(250)));
    for wrong in [
        "",
        "15",
        "m",
        "-1s",
        "1.5h",
        "15 minutes",
        "99999999999999999999d",
    ] {
        assert!(parse_duration(wrong).is_err(), "{wrong:?} was accepted");
    }
}

#[test]
fn a_secret_is_not_printed() {
    let secret = Secret::new(String::from("marker"));
    assert_eq!(format!("{secret} {secret:?}"), "*** ***");
    assert_eq!(secret.expose(), "marker");
}

#[test]
fn a_slip_of_the_pen_finds_its_neighbour() {
    assert_eq!(nearest("mesage", ["message", "uuid"]), Some("message"));
    assert_eq!(nearest("zebra", ["message", "uuid"]), None);
}
