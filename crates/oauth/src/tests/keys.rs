//! Facts about keys.

use stdx::Rng;

use crate::{Jwks, SigningKey, VerifyingKey, VerifyingKeys};

/// The public key of RFC 8037 appendix A.2.
const RFC_8037_X: [u8; 32] = [
    0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
    0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
];

#[test]
fn the_thumbprint_is_that_of_rfc_8037_appendix_a_3() {
    let key = VerifyingKey::from_bytes(RFC_8037_X).unwrap();
    assert_eq!(key.kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

#[test]
fn the_published_set_holds_the_public_half_alone() {
    let key = VerifyingKey::from_bytes(RFC_8037_X).unwrap();
    let json = Jwks::new(&VerifyingKeys::new(vec![key])).to_json();
    assert_eq!(
        json,
        concat!(
            r#"{"keys":[{"kty":"OKP","crv":"Ed25519","#,
            r#""x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","#,
            r#""kid":"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k","use":"sig","alg":"EdDSA"}]}"#
        )
    );
}

#[test]
fn a_private_key_survives_being_stored() {
    let key = SigningKey::generate(&Rng::System);
    let read = SigningKey::from_pkcs8(key.to_pkcs8().expose()).unwrap();
    assert_eq!(read.kid(), key.kid());
    let signature = read.sign(b"message");
    assert!(key.verifying_key().verify(b"message", &signature));
    assert!(!key.verifying_key().verify(b"massage", &signature));
    assert!(SigningKey::from_pkcs8(b"no key").is_err());
}

#[test]
fn two_keys_have_two_names_and_none_is_printed() {
    let (one, two) = (
        SigningKey::generate(&Rng::System),
        SigningKey::generate(&Rng::System),
    );
    assert_ne!(one.kid(), two.kid());
    assert_eq!(format!("{one:?}"), format!("SigningKey({})", one.kid()));
}
