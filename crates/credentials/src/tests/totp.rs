//! Facts about one-time passwords from an app.

use stdx::Rng;
use uuid::Uuid;

use super::keys::master;
use crate::totp::{TotpCode, TotpError, TotpSecret, TotpStep};

const ADA: Uuid = Uuid::from_u128(0xada);
const OTHER: Uuid = Uuid::from_u128(7);

/// The key of RFC 6238, appendix B.
fn rfc() -> TotpSecret {
    TotpSecret::from_bytes(*b"12345678901234567890")
}

fn code(text: &str) -> TotpCode {
    TotpCode::parse(text).unwrap()
}

/// The table of RFC 6238, appendix B, has eight digits; a code of six is its last six.
#[test]
fn codes_are_the_rfcs() {
    for (now, eight) in [
        (59, "94287082"),
        (1_111_111_109, "07081804"),
        (1_111_111_111, "14050471"),
        (1_234_567_890, "89005924"),
        (2_000_000_000, "69279037"),
        (20_000_000_000, "65353130"),
    ] {
        let step = rfc().check(&code(&eight[2..]), now, None);
        assert_eq!(step, Some(TotpStep::from_number(now / 30)), "{now}");
    }
}

#[test]
fn the_neighbours_of_a_step_are_taken_and_no_others() {
    // 050471 is the code of step 37,037,037.
    let (typed, step) = (code("050471"), TotpStep::from_number(37_037_037));
    for now in [
        37_037_036 * 30,
        37_037_037 * 30,
        37_037_037 * 30 + 29,
        37_037_038 * 30 + 29,
    ] {
        assert_eq!(rfc().check(&typed, now, None), Some(step), "{now}");
    }
    for now in [37_037_036 * 30 - 1, 37_037_039 * 30, 0, -1] {
        assert_eq!(rfc().check(&typed, now, None), None, "{now}");
    }
    assert_eq!(rfc().check(&code("050472"), 37_037_037 * 30, None), None);
}

#[test]
fn a_code_is_good_once() {
    let now = 37_037_037 * 30;
    let taken = rfc().check(&code("050471"), now, None);
    assert!(taken.is_some());
    assert_eq!(rfc().check(&code("050471"), now, taken), None);
    assert_eq!(rfc().check(&code("050471"), now + 30, taken), None);
    // Nor is one of an earlier step than the one that was taken, which somebody may have seen.
    let later = Some(TotpStep::from_number(37_037_038));
    assert_eq!(rfc().check(&code("050471"), now + 30, later), None);
    let earlier = Some(TotpStep::from_number(37_037_036));
    assert_eq!(rfc().check(&code("050471"), now, earlier), taken);
}

#[test]
fn a_code_is_six_digits_as_apps_show_them() {
    for text in ["050471", "050 471", " 05 04 71 ", "050\u{a0}471"] {
        assert!(
            rfc().check(&code(text), 37_037_037 * 30, None).is_some(),
            "{text}"
        );
    }
    for text in [
        "",
        "05047",
        "0504710",
        "05047a",
        "-50471",
        "+50471",
        "٠٥٠٤٧١",
        "050-471",
    ] {
        assert_eq!(TotpCode::parse(text).err(), Some(TotpError::Code), "{text}");
    }
    let long = format!("050471{}", " ".repeat(1_000_000));
    assert_eq!(TotpCode::parse(&long).err(), Some(TotpError::Code));
}

#[test]
fn the_uri_names_issuer_and_account_and_says_all_parameters() {
    let uri = rfc().uri("Müller & Co: shop", "ada+x@example.org").unwrap();
    assert_eq!(
        uri.expose(),
        "otpauth://totp/M%C3%BCller%20%26%20Co%3A%20shop:ada%2Bx%40example.org\
         ?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=M%C3%BCller%20%26%20Co%3A%20shop\
         &algorithm=SHA1&digits=6&period=30"
    );
    assert_eq!(
        rfc().to_base32().expose(),
        "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    );
}

#[test]
fn the_picture_is_one_svg_element_in_black_and_white() {
    let picture = rfc().qr_svg("Pilaster", "ada@example.org").unwrap();
    let picture = picture.expose();
    assert!(picture.starts_with("<svg") && picture.trim_end().ends_with("</svg>"));
    assert!(!picture.contains("<?xml") && !picture.contains("<script"));
    assert!(picture.contains("#fff") && picture.contains("#000"));
    // Names of any script fit, up to a length; beyond it there is an error and no panic.
    let longest = "é".repeat(100);
    assert!(rfc().qr_svg(&longest, &longest).is_ok());
    let too_long = format!("{longest}!");
    assert_eq!(
        rfc().qr_svg(&too_long, &longest).err(),
        Some(TotpError::Name)
    );
}

#[test]
fn a_sealed_secret_opens_for_its_user_and_under_its_key_only() {
    let key = master().totp_key();
    let secret = TotpSecret::generate(&Rng::System);
    let sealed = secret.seal(ADA, &key, &Rng::System);
    let opened = TotpSecret::open(ADA, &sealed, &key).unwrap();
    assert_eq!(opened.to_base32().expose(), secret.to_base32().expose());
    assert!(TotpSecret::open(OTHER, &sealed, &key).is_err());
    assert!(
        master()
            .key_encryption_key()
            .open(&format!("totp/{ADA}"), &sealed)
            .is_err()
    );
    assert!(TotpSecret::open(ADA, &sealed[1..], &key).is_err());
    // Nothing of the secret can be seen in what is stored.
    let plain = secret.to_base32();
    assert!(!String::from_utf8_lossy(&sealed).contains(plain.expose()));
    assert_eq!(
        format!("{secret:?} {:?} {key:?}", code("050471")),
        "TotpSecret(***) TotpCode(***) TotpKey(KeyEncryptionKey(***))"
    );
}
