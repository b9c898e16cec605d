//! Facts about password hashes of other systems.
//!
//! Each text below was made by the Python package that is named above it, not by code of ours.

use super::keys::master;
use crate::{HashError, HashParams, Password, PasswordHash, Verdict, hash, verify};
use stdx::Rng;

/// What all of them were made of.
const PASSWORD: &str = "correct horse b\u{e4}ttery";

const MADE_ELSEWHERE: &[&str] = &[
    // bcrypt 5.0.0
    "$2b$05$qxfo/S9ygmJunQvdmzM48.icjwEmi0x3.YAeXXe0I2rKM/QUZ7/7S",
    "$2a$04$5W7hIanOfjEXwG3GkD3vsO6ET2.5HFOy0l3ehVx9r/Qt11jt8/vvi",
    "$2y$04$0KQJ5JIydPSLNs0QDsugi.utvI4jDBqgcURBttR3N5oHgAWmb1Woe",
    // argon2-cffi 25.1.0
    "$argon2i$v=19$m=64,t=2,p=2$AZFZFZwhYks/3ircuXG2+Q$effxKfdAXQPD2RNt09ShS+bRLcVxeejT4cS0LPdttd8",
    "$argon2d$v=19$m=64,t=2,p=2$maHozy5VDXsUMyTAPh7tcA$6qJSSKznItc6UTXFDGFwdBnJLiDy/uJ5hb0tuzn4w9M",
    "$argon2id$v=19$m=64,t=2,p=2$Nblro9XhkJpnlX6//6ktXg$hzfY17GetUOcLNKEr/MLhXRcZzNbHYpliWIGHQz42o8",
    "$argon2i$v=16$m=64,t=2,p=1$c29tZXNhbHQx$RG5Vts5uzq6wIC/K+4TGbMRZqEWuHPXI",
    // passlib 1.7.4
    "$scrypt$ln=4,r=8,p=1$KuWcE+Kcs5bSem/tHWOM0Q$quM300oqBzdavmkevJoFzBzyi2Jy0aqEgH1NWR45Ow0",
    "$pbkdf2-sha256$1000$0lqL8V7LWat1DmGMUWqN0Q$P0/MXoENJccvRwpyN/Jk9RJSOvRelEAy1pARU/iimE4",
    "$pbkdf2-sha512$1000$8p4TgjDmnNN6jzGm9L4X4g$FxuY2BysCXQ1opCAc3hSGGk.weDVgzFdZzkgCrZwNysOvMN1ZnOoYaEqzcBLUt0oC9rMbBLipW95p0CnGasDiw",
    "$pbkdf2$1000$ZUzJ.X.PsfbeG4OwlpLyHg$0TmwAIo4slXPbqOGT7WxIew33Rs",
    // The same as passlib's SHA-256, spelled as the PHC says.
    "$pbkdf2-sha256$i=1000,l=32$0lqL8V7LWat1DmGMUWqN0Q$P0/MXoENJccvRwpyN/Jk9RJSOvRelEAy1pARU/iimE4",
    // Werkzeug 3.1.9
    "scrypt:32768:8:1$E4J8RvjszsNnaMbq$e432ecdb9c93ebab6b4a85b4ccde310493ebd026bd0383212bfc2491d89cca77779a8a71c49af2ea6f9c7e1eb44079d04eb4a4c8393fdc9847290e6cf785f9ab",
    "scrypt:1024:8:1$sfCuV82N4qv4mD3o$3fd2815979615f896ea01ec76d7a42d89b3605deb44f061e466bfac71ed56a9b1da161f8c947b3e1b98f1e08d893350837f5e540e2b7186372653aa38e41b172",
    "pbkdf2:sha256:1000$ZJRuUrYJK8OF4bWS$77a1b42c5ef0af84e5da3e588044286b8f6f39f5a4496e57d102a5f31ca47cbd",
    "pbkdf2:sha512:1000$fGQsvMdyjLkX3DXr$d06f5e7f9c01ac0b99c143f60157852755107a9b7ee18ca2b8fb886f3e2bfda965a340ef07afb85b16b733f9b2e8205d38a8fafbd1a010a1cf1863248ff97a45",
    "pbkdf2:sha1:1000$E75bnphTWrgDieiG$46c2a40c5260533f27be7af1a563b00edb61e1bb",
    // Django 5.2.19
    "pbkdf2_sha256$1000$s6YvMOtg5teZF9guvpGdbW$PEJ+oPaqRYP0RzAYgOkKwuYyWz31P/klgiBLmBDa5gw=",
    "pbkdf2_sha1$1000$afwJdsmeEUzqu6H0jSBIOk$InCFvw9+f5qzz3ea3Qx8r8pNnac=",
    "argon2$argon2id$v=19$m=64,t=2,p=2$eTFvYXl4dVFWeWQzTXA4ZjUwRjQ0eQ$NqQpRw5X4CfWS0D+cHLls3V4aN8OfHooWrt6TfOfals",
    "scrypt$1024$WgscTtFyJbrfvFq60ai434$8$5$BoYOlgnABP0slWWKOH6xbYLiB1yERrfIbr1cbRX8w51ahOSjA00wYvkpQ90eWbOkX80FtdQR62dT2dvWwAxLoA==",
    "bcrypt$$2b$04$ifnpuLhXLNG79hmzKhXPRuJP5lSQVlPp.DdS1nDySUo3UwYempqW6",
];

/// bcrypt 5.0.0, of 72 times `x`.
const BCRYPT_OF_72: &str = "$2b$04$NEXUeXP83u5IclFoxheDluI48D.EMb3R35EzF0HAQDGRwvHT5ovkG";
/// Django 5.2.19, of 72 times `x` and `-tail`.
const BCRYPT_SHA256: &str =
    "bcrypt_sha256$$2b$04$QCY0q26RiidU3nCnk/lyUe85zxK1YAGBfQ/DRhQ6ZWgcQDr9R4jwO";

/// The least work that Argon2 takes, so that a test is quick.
const QUICK: HashParams = HashParams {
    memory_kib: 8,
    iterations: 1,
    parallelism: 1,
};
const OUTDATED: Verdict = Verdict::Match {
    needs_upgrade: true,
};

fn judge(password: &str, stored: &str) -> Result<Verdict, HashError> {
    let password = Password::presented(password.to_owned()).unwrap();
    let stored = PasswordHash::from_stored(stored)?;
    verify(&password, &stored, &master().peppers(1), QUICK)
}

fn read(text: &str) -> Option<HashError> {
    PasswordHash::from_stored(text).err()
}

#[test]
fn what_other_systems_made_is_compared_and_asks_for_a_new_hash() {
    for stored in MADE_ELSEWHERE {
        assert_eq!(judge(PASSWORD, stored), Ok(OUTDATED), "{stored}");
        for wrong in ["", "correct horse battery", "Correct horse b\u{e4}ttery"] {
            assert_eq!(judge(wrong, stored), Ok(Verdict::Mismatch), "{stored}");
        }
        let kept = PasswordHash::from_stored(stored).unwrap();
        assert_eq!(kept.to_phc(), *stored);
        assert_eq!(kept.pepper_version(), None);
        assert_eq!(format!("{kept:?}"), "PasswordHash(***)");
    }
}

#[test]
fn the_new_hash_is_ours() {
    let password = Password::presented(PASSWORD.to_owned()).unwrap();
    let peppers = master().peppers(1);
    assert_eq!(judge(PASSWORD, MADE_ELSEWHERE[0]), Ok(OUTDATED));
    let renewed = hash(&password, peppers.current(), QUICK, &Rng::System).unwrap();
    assert!(renewed.to_phc().starts_with("$argon2id$"));
    assert_eq!(
        judge(PASSWORD, &renewed.to_phc()),
        Ok(Verdict::Match {
            needs_upgrade: false
        })
    );
}

/// As in the system that made the hash, so that nobody is locked out; the hash that takes its
/// place sees the whole password.
#[test]
fn bcrypt_sees_72_bytes_unless_the_password_was_digested_first() {
    let stem = "x".repeat(72);
    assert_eq!(judge(&stem, BCRYPT_OF_72), Ok(OUTDATED));
    assert_eq!(judge(&format!("{stem}-tail"), BCRYPT_OF_72), Ok(OUTDATED));
    assert_eq!(judge(&stem[1..], BCRYPT_OF_72), Ok(Verdict::Mismatch));
    assert_eq!(judge(&format!("{stem}-tail"), BCRYPT_SHA256), Ok(OUTDATED));
    assert_eq!(
        judge(&format!("{stem}-tall"), BCRYPT_SHA256),
        Ok(Verdict::Mismatch)
    );
    assert_eq!(judge(&stem, BCRYPT_SHA256), Ok(Verdict::Mismatch));
}

#[test]
fn a_hostile_import_burns_neither_minutes_nor_gigabytes() {
    let salt_and_output = "$c29tZXNhbHQxMjM0NQ$IhlZUNC7rcsQ2jSwiFHsLGsOu/9qv3VM6ibmPB+ZQpM";
    let bcrypt = |cost: &str| BCRYPT_OF_72.replace("$04$", &format!("${cost}$"));
    let argon2 = |settings: &str| format!("$argon2id$v=19${settings}{salt_and_output}");
    let scrypt = |settings: &str| format!("$scrypt${settings}{salt_and_output}");
    let pbkdf2 = |iterations: &str| format!("$pbkdf2-sha256${iterations}{salt_and_output}");
    for text in [
        bcrypt("16"),
        bcrypt("31"),
        argon2("m=262145,t=1,p=1"),
        argon2("m=1048576,t=4,p=1"),
        argon2("m=65536,t=17,p=1"),
        argon2("m=8,t=4294967295,p=1"),
        argon2("m=4096,t=1,p=255"),
        scrypt("ln=21,r=1,p=1"),
        scrypt("ln=19,r=8,p=1"),
        scrypt("ln=15,r=8,p=17"),
        scrypt("ln=14,r=65,p=1"),
        scrypt("ln=10,r=8,p=65"),
        scrypt("ln=63,r=8,p=1"),
        scrypt("ln=255,r=65536,p=65536"),
        "scrypt:2147483648:8:1$salt$".to_owned() + &"ab".repeat(64),
        pbkdf2("3000001"),
        pbkdf2("1000001").replace("sha256", "sha512"),
        pbkdf2("4294967295"),
        "pbkdf2:sha256:1500001$salt$".to_owned() + &"ab".repeat(64),
    ] {
        assert_eq!(read(&text), Some(HashError::TooCostly), "{text}");
    }
    // What the systems' own defaults are, or were, is borne.
    for text in [
        bcrypt("14"),
        argon2("m=102400,t=2,p=8"),
        argon2("m=65536,t=3,p=4"),
        argon2("m=262144,t=3,p=1"),
        scrypt("ln=17,r=8,p=1"),
        scrypt("ln=14,r=8,p=5"),
        pbkdf2("1200000"),
    ] {
        assert_eq!(read(&text), None, "{text}");
    }
}

#[test]
fn what_is_no_hash_is_refused() {
    let good = |at: usize| MADE_ELSEWHERE[at];
    let endless = "$".repeat(1_000_000);
    let long = format!("pbkdf2:sha256:1000${}${}", "s".repeat(500), "ab".repeat(32));
    for text in [
        "",
        "$",
        "$$$$",
        "$2",
        "$2b$",
        "correct horse",
        "5f4dcc3b5aa765d61d8327deb882cf99",
        "md5$salt$5f4dcc3b5aa765d61d8327deb882cf99",
        "sha256$salt$9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "$1$salt$qJH7.N4xYta3aEG/dfqo/0",
        "$6$rounds=1000$salt$x",
        "{SSHA}abcdef",
        "!",
        &endless,
        &long,
        &good(0).replace("$2b$", "$2x$"),
        &good(0).replace("$2b$05$", "$2b$5$"),
        &good(0).replace("$2b$05$", "$2b$+5$"),
        &good(0).replace("$2b$05$", "$2b$99$"),
        &good(0)[1..],
        &good(0)[..59],
        &format!("{}é", &good(0)[..58]),
        &good(3).replace("argon2i", "argon2x"),
        &good(3).replace("v=19", "v=18"),
        &good(3).replace("p=2", "p=2,keyid=AAAAAQ"),
        &good(3).replace("p=2", "p=0"),
        &good(3).replace("m=64", "m=8"),
        &good(3).replace("m=64", "m=064"),
        &good(3)[..good(3).len() - 24],
        &good(7).replace("ln=4", "ln=0"),
        &good(7).replace("r=8", "r=0"),
        &good(7).replace("p=1", "p=-1"),
        &good(8).replace("$1000$", "$0$"),
        &good(8).replace("$1000$", "$+1000$"),
        &good(8).replace("sha256", "sha3"),
        "$pbkdf2-sha256$i=1000,l=31$c29tZXNhbHQ$IhlZUNC7rcsQ2jSwiFHsLGsOu/9qv3VM6ibmPB+ZQpM",
        "scrypt:1000:8:1$salt$abababababababababababababababababababababababababababababababab",
        "scrypt:1024:8$salt$abababababababababababababababababababababababababababababababab",
        "pbkdf2:sha256:1000$salt$xyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxy",
        "pbkdf2:sha256:1000$salt$abc",
        "pbkdf2:md5:1000$salt$abababababababababababababababababababababababababababababababab",
    ] {
        let outcome = read(text);
        let refused = matches!(outcome, Some(HashError::Stored | HashError::TooCostly));
        assert!(refused, "{text}");
    }
}
