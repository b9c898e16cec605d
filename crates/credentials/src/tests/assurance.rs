//! Facts about how sure one can be.

use crate::assurance::{Assurance, Demand, Evidence, Method, Proven};

const SYNCED: Method = Method::Passkey { synced: true };
const BOUND: Method = Method::Passkey { synced: false };

fn proven(methods: &[Method]) -> Evidence {
    let proofs = methods.iter().map(|method| Proven {
        method: *method,
        at: 1000,
    });
    Evidence::new(proofs.collect())
}

#[test]
fn claims_follow_from_what_was_proven() {
    use Method::{Password, RecoveryCode, SecurityKey, Totp, Upstream};
    let table: &[(&[Method], &str, &[&str])] = &[
        (&[], "0", &[]),
        (&[Password], "single", &["pwd"]),
        (&[Totp], "single", &["otp"]),
        (&[RecoveryCode], "single", &["otp"]),
        (&[SecurityKey], "single", &["hwk", "user"]),
        (&[Upstream], "single", &[]),
        (&[Password, Totp], "mfa", &["pwd", "otp", "mfa"]),
        (&[Totp, Password], "mfa", &["otp", "pwd", "mfa"]),
        (&[Password, RecoveryCode], "mfa", &["pwd", "otp", "mfa"]),
        (&[Upstream, Totp], "mfa", &["otp", "mfa"]),
        // A passkey that asked for a finger is two factors by itself.
        (&[SYNCED], "phr", &["swk", "user", "mfa"]),
        (&[BOUND], "phr", &["hwk", "user", "mfa"]),
        (
            &[Password, SecurityKey],
            "phr",
            &["pwd", "hwk", "user", "mfa"],
        ),
        (&[Password, BOUND], "phr", &["pwd", "hwk", "user", "mfa"]),
        // Two things that one has are one factor; so are two that one knows.
        (&[Totp, RecoveryCode], "single", &["otp"]),
        (&[Totp, SecurityKey], "single", &["otp", "hwk", "user"]),
        (&[Password, Upstream], "single", &["pwd"]),
    ];
    for (methods, acr, amr) in table {
        let evidence = proven(methods);
        assert_eq!(evidence.assurance().acr(), *acr, "{methods:?}");
        assert_eq!(evidence.amr(), *amr, "{methods:?}");
    }
}

#[test]
fn a_level_satisfies_itself_and_those_below_it() {
    for (at, level) in Assurance::ALL.into_iter().enumerate() {
        assert_eq!(Assurance::from_acr(level.acr()), Some(level));
        for (wanted_at, wanted) in Assurance::ALL.into_iter().enumerate() {
            assert_eq!(level.satisfies(wanted), at >= wanted_at);
        }
    }
    for unknown in ["", "1", "MFA", "mfa ", "urn:example:gold"] {
        assert_eq!(Assurance::from_acr(unknown), None, "{unknown}");
    }
}

#[test]
fn a_fresh_proof_may_be_demanded() {
    let mut evidence = proven(&[Method::Password, Method::Totp]);
    let demand = |assurance, max_age| Demand { assurance, max_age };
    assert!(evidence.meets(demand(Assurance::Multi, None), 1_000_000));
    assert!(evidence.meets(demand(Assurance::Multi, Some(300)), 1300));
    assert!(!evidence.meets(demand(Assurance::Multi, Some(300)), 1301));
    assert!(!evidence.meets(demand(Assurance::Single, Some(300)), 1301));
    // A second factor of yesterday does not help the password of now.
    evidence.add(Proven {
        method: Method::Password,
        at: 90_000,
    });
    assert_eq!(evidence.proven().len(), 2);
    assert_eq!(evidence.auth_time(), Some(90_000));
    assert!(evidence.meets(demand(Assurance::Single, Some(300)), 90_001));
    assert!(!evidence.meets(demand(Assurance::Multi, Some(300)), 90_001));
    assert!(evidence.meets(demand(Assurance::Multi, None), 90_001));
}

#[test]
fn what_is_owed_is_what_one_has_and_what_would_do() {
    let has = [Method::Password, Method::Totp, Method::RecoveryCode, BOUND];
    let multi = Demand {
        assurance: Assurance::Multi,
        max_age: None,
    };
    let resistant = Demand {
        assurance: Assurance::PhishingResistant,
        ..multi
    };
    let password = proven(&[Method::Password]);
    assert_eq!(
        password.owed(multi, &has, 1000),
        [Method::Totp, Method::RecoveryCode, BOUND]
    );
    assert_eq!(password.owed(resistant, &has, 1000), [BOUND]);
    assert_eq!(proven(&[]).owed(multi, &has, 1000), [BOUND]);
    assert_eq!(proven(&[BOUND]).owed(multi, &has, 1000), []);
    // Nothing that this person has is enough: a factor has to be set up first.
    let without = password.owed(resistant, &has[..3], 1000);
    assert!(without.is_empty() && !password.meets(resistant, 1000));
}

#[test]
fn methods_are_read_by_the_names_they_are_stored_under() {
    for method in Method::ALL {
        assert_eq!(Method::from_name(method.name()), Some(method));
    }
    for unknown in ["", "Password", "sms", "passkey "] {
        assert_eq!(Method::from_name(unknown), None, "{unknown}");
    }
}
