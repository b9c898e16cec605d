//! The texts that other systems store.

use std::num::NonZeroU32;
use std::str::FromStr as _;

use argon2::{Algorithm, Version};
use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, STANDARD, STANDARD_NO_PAD};

use super::{Argon2Setting, Digest, Made, Scheme, ScryptSetting};
use crate::HashError;
use crate::phc::number;

/// The column's length.
const MOST_BYTES: usize = 512;

/// What a text says, whatever it costs.
pub(super) fn scheme(text: &str) -> Result<Scheme, HashError> {
    if text.len() > MOST_BYTES || !text.is_ascii() {
        return Err(HashError::Stored);
    }
    any(text).ok_or(HashError::Stored)
}

fn any(text: &str) -> Option<Scheme> {
    if let Some(rest) = text.strip_prefix("bcrypt_sha256$") {
        return bcrypt(rest, true);
    }
    if let Some(rest) = text.strip_prefix("bcrypt$") {
        return bcrypt(rest, false);
    }
    if text.starts_with("$2") {
        return bcrypt(text, false);
    }
    // Django writes the algorithm's name before the PHC string, which begins with a dollar.
    if let Some(rest) = text.strip_prefix("argon2$").or(text.strip_prefix('$'))
        && rest.starts_with("argon2")
    {
        return argon2(rest);
    }
    let (head, rest) = match text.strip_prefix('$') {
        Some(phc) => phc.split_once('$')?,
        None => text.split_once('$')?,
    };
    let fields: Vec<&str> = rest.split('$').collect();
    match (text.starts_with('$'), head, fields.as_slice()) {
        (true, "scrypt", [settings, salt, output]) => scrypt_phc(settings, salt, output),
        (true, _, [settings, salt, output]) => pbkdf2_phc(head, settings, salt, output),
        (false, "scrypt", [n, salt, r, p, output]) => scrypt(
            [n, r, p],
            salt.as_bytes().to_vec(),
            decode(&STANDARD, output)?,
        ),
        (false, "pbkdf2_sha256" | "pbkdf2_sha1", [iterations, salt, output]) => pbkdf2(
            digest(head.strip_prefix("pbkdf2_")?)?,
            number(iterations, "")?,
            salt.as_bytes().to_vec(),
            decode(&STANDARD, output)?,
        ),
        (false, _, [salt, output]) => werkzeug(head, salt.as_bytes().to_vec(), hex(output)?),
        _ => None,
    }
}

/// `$2b$12$` and 53 characters. `$2x$` marks hashes of an implementation that was wrong, and `$2$`
/// those of one that nobody has.
fn bcrypt(text: &str, digested: bool) -> Option<Scheme> {
    let kinds = ["$2a$", "$2b$", "$2y$"];
    let rest = kinds.iter().find_map(|kind| text.strip_prefix(kind))?;
    let cost = rest.as_bytes().first_chunk::<2>()?;
    let parts = bcrypt::HashParts::from_str(text).ok()?;
    // The library's number may have a sign.
    cost.iter().all(u8::is_ascii_digit).then(|| Scheme::Bcrypt {
        text: text.to_owned(),
        cost: parts.get_cost(),
        digested,
    })
}

/// `argon2id$v=19$m=65536,t=3,p=4$SALT$OUTPUT`; without `v=` it is version 16.
fn argon2(text: &str) -> Option<Scheme> {
    let fields: Vec<&str> = text.split('$').collect();
    let (kind, version, settings, salt, output) = match fields.as_slice() {
        [kind, version, settings, salt, output] => {
            (*kind, number(version, "v=")?, *settings, *salt, *output)
        }
        [kind, settings, salt, output] => (*kind, 16, *settings, *salt, *output),
        _ => return None,
    };
    let algorithm = match kind {
        "argon2id" => Algorithm::Argon2id,
        "argon2i" => Algorithm::Argon2i,
        "argon2d" => Algorithm::Argon2d,
        _ => return None,
    };
    let version = match version {
        16 => Version::V0x10,
        19 => Version::V0x13,
        _ => return None,
    };
    // A key or associated data would be asked for as a fourth setting; nobody has it here.
    let [memory_kib, iterations, parallelism] = three(settings, ["m=", "t=", "p="])?;
    let setting = Argon2Setting {
        algorithm,
        version,
        memory_kib,
        iterations,
        parallelism,
    };
    let made = made(
        decode(&STANDARD_NO_PAD, salt)?,
        decode(&STANDARD_NO_PAD, output)?,
    )?;
    // What the library cannot do is no hash of anybody's.
    setting.hasher(made.output.len()).ok()?;
    Some(Scheme::Argon2 { setting, made })
}

/// `ln=16,r=8,p=1`, as passlib and the PHC write it.
fn scrypt_phc(settings: &str, salt: &str, output: &str) -> Option<Scheme> {
    let [log_n, r, p] = three(settings, ["ln=", "r=", "p="])?;
    scrypt_of(
        log_n,
        [r, p],
        decode(&STANDARD_NO_PAD, salt)?,
        decode(&STANDARD_NO_PAD, output)?,
    )
}

/// `16384`, `8`, `5`, as Django and Werkzeug write them.
fn scrypt(numbers: [&str; 3], salt: Vec<u8>, output: Vec<u8>) -> Option<Scheme> {
    let [n, r, p] = numbers.map(|text| number(text, ""));
    let n = n?;
    n.is_power_of_two()
        .then(|| scrypt_of(n.ilog2(), [r?, p?], salt, output))?
}

fn scrypt_of(log_n: u32, [r, p]: [u32; 2], salt: Vec<u8>, output: Vec<u8>) -> Option<Scheme> {
    let log_n = u8::try_from(log_n).ok().filter(|log_n| *log_n >= 1)?;
    // More than this is no setting of anybody's, and the library's own sums would overflow.
    if r == 0 || p == 0 || r > 65_536 || p > 65_536 {
        return None;
    }
    Some(Scheme::Scrypt {
        setting: ScryptSetting { log_n, r, p },
        made: made(salt, output)?,
    })
}

/// `$pbkdf2-sha256$i=600000,l=32$…` of the PHC, or `$pbkdf2-sha256$29000$…` of passlib, whose
/// base 64 has a dot for the plus; `$pbkdf2$` alone is SHA-1 there.
fn pbkdf2_phc(head: &str, settings: &str, salt: &str, output: &str) -> Option<Scheme> {
    let digest = match head {
        "pbkdf2" => Digest::Sha1,
        _ => digest(head.strip_prefix("pbkdf2-")?)?,
    };
    let decode = |text: &str| decode(&STANDARD_NO_PAD, &text.replace('.', "+"));
    let (salt, output) = (decode(salt)?, decode(output)?);
    let iterations = match settings.split_once(",l=") {
        Some((iterations, length)) if number(length, "")? as usize == output.len() => {
            number(iterations, "i=")?
        }
        Some(_) => return None,
        None => number(settings, "i=").or_else(|| number(settings, ""))?,
    };
    pbkdf2(digest, iterations, salt, output)
}

/// `scrypt:32768:8:1` or `pbkdf2:sha256:600000`.
fn werkzeug(method: &str, salt: Vec<u8>, output: Vec<u8>) -> Option<Scheme> {
    let parts: Vec<&str> = method.split(':').collect();
    match parts.as_slice() {
        ["scrypt", n, r, p] => scrypt([n, r, p], salt, output),
        ["pbkdf2", name, iterations] => {
            pbkdf2(digest(name)?, number(iterations, "")?, salt, output)
        }
        _ => None,
    }
}

fn pbkdf2(digest: Digest, iterations: u32, salt: Vec<u8>, output: Vec<u8>) -> Option<Scheme> {
    Some(Scheme::Pbkdf2 {
        digest,
        iterations: NonZeroU32::new(iterations)?,
        made: made(salt, output)?,
    })
}

fn digest(name: &str) -> Option<Digest> {
    match name {
        "sha1" => Some(Digest::Sha1),
        "sha256" => Some(Digest::Sha256),
        "sha512" => Some(Digest::Sha512),
        _ => None,
    }
}

/// Fewer than 16 bytes of output match by chance, or were cut off.
fn made(salt: Vec<u8>, output: Vec<u8>) -> Option<Made> {
    let fits = salt.len() <= 128 && (16..=64).contains(&output.len());
    fits.then_some(Made { salt, output })
}

fn three(settings: &str, names: [&str; 3]) -> Option<[u32; 3]> {
    let mut settings = settings.split(',');
    let mut next = |name| number(settings.next()?, name);
    let three = [next(names[0])?, next(names[1])?, next(names[2])?];
    settings.next().is_none().then_some(three)
}

fn decode(engine: &GeneralPurpose, text: &str) -> Option<Vec<u8>> {
    engine.decode(text).ok()
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    let pair = |[high, low]: &[u8; 2]| Some(digit(*high)? << 4 | digit(*low)?);
    rest.is_empty().then(|| pairs.iter().map(pair).collect())?
}
