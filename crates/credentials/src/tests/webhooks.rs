//! Facts about the secrets of webhooks.

use stdx::Rng;

use crate::{WebhookSecretError, WebhookSecrets};

/// The worked example of the Standard Webhooks specification's reference libraries.
#[test]
fn the_published_example_is_signed_alike() {
    let secrets = WebhookSecrets::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let body = br#"{"test": 2432232314}"#;
    let signature = secrets.signature("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
    assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

#[test]
fn two_secrets_sign_beside_each_other() {
    let (new, old) = (
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX",
    );
    let sign = |text: &str| {
        WebhookSecrets::parse(text)
            .unwrap()
            .signature("a", 1, b"{}")
    };
    assert_eq!(
        sign(&format!("{new} {old}")),
        format!("{} {}", sign(new), sign(old))
    );
}

#[test]
fn what_is_no_secret_is_refused_and_never_shown() {
    for (text, error) in [
        ("", WebhookSecretError::Empty),
        (
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            WebhookSecretError::Encoding,
        ),
        ("whsec_***", WebhookSecretError::Encoding),
        ("whsec_AAEC", WebhookSecretError::Length),
    ] {
        assert_eq!(WebhookSecrets::parse(text).unwrap_err(), error, "{text}");
    }
    let generated = WebhookSecrets::generate(&Rng::System);
    let parsed = WebhookSecrets::parse(generated.expose()).unwrap();
    assert_eq!(format!("{parsed:?}"), "WebhookSecrets([***])");
}
