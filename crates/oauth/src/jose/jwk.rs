//! Reading the keys of others: of clients, and of issuers whose tokens are taken.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::verifying::Public;
use super::{Algorithm, Members, VerifyingKey, VerifyingKeys};
use crate::KeyError;

/// The largest set that is read, bytes; checked before anything is parsed.
const MAX_BYTES: usize = 64 * 1024;

/// The most keys in a set.
const MAX_KEYS: usize = 32;

/// Members that make a key private or symmetric (RFC 7518 §6, RFC 8037 §2).
const PRIVATE: &[&str] = &["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

#[derive(Deserialize)]
struct Set {
    keys: Vec<Members>,
}

/// Reads a JWK set (RFC 7517 §5).
///
/// Keys that are for encryption or of a kind, curve or algorithm that we do not have are passed
/// over, as RFC 7517 §5 asks. Everything else that is wrong refuses the whole set: a private or a
/// symmetric key (its owner has published a secret), a malformed one, two of one name.
pub fn read_jwks(text: &[u8]) -> Result<VerifyingKeys, KeyError> {
    if text.len() > MAX_BYTES {
        return Err(KeyError::Refused("the set is longer than 64 KiB"));
    }
    let set: Set = serde_json::from_slice(text)
        .map_err(|_| KeyError::Refused("the set is no object with a list of keys"))?;
    if set.keys.len() > MAX_KEYS {
        return Err(KeyError::Refused("the set has more than 32 keys"));
    }
    let mut keys: Vec<VerifyingKey> = Vec::new();
    for members in set.keys {
        let read = match read_members(&members.0) {
            Ok(read) => read,
            Err(KeyError::Unsupported(_)) => continue,
            Err(error) => return Err(error),
        };
        let twice = |key: &VerifyingKey| {
            keys.iter()
                .any(|other| other.kid() == key.kid() && other.algorithm() == key.algorithm())
        };
        if read.iter().any(twice) {
            return Err(KeyError::Refused("two keys have one name"));
        }
        keys.extend(read);
    }
    Ok(VerifyingKeys::new(keys))
}

/// Reads one public key for one algorithm: that of a `DPoP` proof, RFC 9449 §4.2.
pub fn read_jwk(
    members: &Map<String, Value>,
    algorithm: Algorithm,
) -> Result<VerifyingKey, KeyError> {
    read_members(members)?
        .into_iter()
        .find(|key| key.algorithm() == algorithm)
        .ok_or(KeyError::Refused(
            "its algorithm is not for its kind of key",
        ))
}

/// One key for each algorithm that it is good for: an RSA key that names none is good for two.
fn read_members(members: &Map<String, Value>) -> Result<Vec<VerifyingKey>, KeyError> {
    let kty = text(members, "kty")?.ok_or(KeyError::Refused("it has no kty"))?;
    if kty == "oct" {
        return Err(KeyError::Refused("it is symmetric"));
    }
    if PRIVATE.iter().any(|name| members.contains_key(*name)) {
        return Err(KeyError::Refused("it is private"));
    }
    check_use(members)?;
    let kid = text(members, "kid")?.map(str::to_owned);
    if kid.as_ref().is_some_and(|kid| kid.len() > 255) {
        return Err(KeyError::Refused("its name is longer than 255 bytes"));
    }
    let (public, fitting): (Public, &[Algorithm]) = match kty {
        "OKP" => {
            curve(members, "Ed25519")?;
            (
                Public::Ed25519(bytes_32(members, "x")?),
                &[Algorithm::EdDsa],
            )
        }
        "EC" => {
            curve(members, "P-256")?;
            let mut point = [4; 65];
            point[1..33].copy_from_slice(&bytes_32(members, "x")?);
            point[33..].copy_from_slice(&bytes_32(members, "y")?);
            (Public::P256(point), &[Algorithm::Es256])
        }
        "RSA" => {
            let (n, e) = (bytes(members, "n")?, bytes(members, "e")?);
            (Public::Rsa { n, e }, &[Algorithm::Ps256, Algorithm::Rs256])
        }
        _ => return Err(KeyError::Unsupported("its kind is unknown")),
    };
    let named = match text(members, "alg")? {
        None => None,
        Some(name) => Some(
            Algorithm::from_name(name)
                .ok_or(KeyError::Unsupported("its algorithm is none of ours"))?,
        ),
    };
    if named.is_some_and(|named| !fitting.contains(&named)) {
        return Err(KeyError::Refused(
            "its algorithm is not for its kind of key",
        ));
    }
    fitting
        .iter()
        .filter(|fitting| named.is_none_or(|named| named == **fitting))
        .map(|algorithm| VerifyingKey::new(*algorithm, public.clone(), kid.clone()))
        .collect()
}

/// That it is for signatures, where it says what it is for (RFC 7517 §4.2, §4.3).
fn check_use(members: &Map<String, Value>) -> Result<(), KeyError> {
    let other = KeyError::Unsupported("it is not for verifying");
    if text(members, "use")?.is_some_and(|usage| usage != "sig") {
        return Err(other);
    }
    match members.get("key_ops") {
        None => Ok(()),
        Some(Value::Array(list)) if list.iter().any(|operation| operation == "verify") => Ok(()),
        Some(Value::Array(_)) => Err(other),
        Some(_) => Err(KeyError::Refused("its key_ops is no list")),
    }
}

fn curve(members: &Map<String, Value>, ours: &str) -> Result<(), KeyError> {
    match text(members, "crv")? {
        Some(curve) if curve == ours => Ok(()),
        Some(_) => Err(KeyError::Unsupported("its curve is none of ours")),
        None => Err(KeyError::Refused("it has no curve")),
    }
}

fn text<'m>(members: &'m Map<String, Value>, name: &str) -> Result<Option<&'m str>, KeyError> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text)),
        Some(_) => Err(KeyError::Refused("a member is no text")),
    }
}

fn bytes(members: &Map<String, Value>, name: &str) -> Result<Vec<u8>, KeyError> {
    let text = text(members, name)?.ok_or(KeyError::Refused("a number is missing"))?;
    URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| KeyError::Refused("a number is not base64url"))
}

/// RFC 7518 §6.2.1.2, RFC 8037 §2: as long as the curve says, leading zeros included.
fn bytes_32(members: &Map<String, Value>, name: &str) -> Result<[u8; 32], KeyError> {
    bytes(members, name)?
        .try_into()
        .map_err(|_| KeyError::Refused("a coordinate has not 32 bytes"))
}
