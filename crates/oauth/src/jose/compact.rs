//! The compact form of RFC 7515 §7.1: written, and read in the one way that every kind of token
//! here is read.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::{Algorithm, Members, SigningKey, VerifyingKey, VerifyingKeys};
use crate::TokenError;

/// What a kind of token looks like from outside.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules<'a> {
    /// The values of `typ` that it may have, lower case, without `application/`.
    pub(crate) types: &'a [&'a str],
    /// What it may be signed with.
    pub(crate) algorithms: &'a [Algorithm],
    /// The longest text, bytes; checked before a byte is decoded.
    pub(crate) max_bytes: usize,
    /// Who made it.
    pub(crate) author: Author,
}

/// Who made a token, and with it how much its header may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Author {
    /// We: the header has `alg`, `typ` and `kid` and nothing else.
    Ourselves,
    /// Somebody else, whose keys we know: `typ` and `kid` may be missing, and members that we do
    /// not know are passed over as RFC 7515 §4 asks, apart from the dangerous ones.
    Known,
    /// Somebody else, who brings the key along in `jwk` (RFC 9449 §4.2).
    BringsKey,
}

/// A token that looks right, before its signature was checked.
pub(crate) struct Compact<'t> {
    message: &'t str,
    payload: &'t str,
    signature: Vec<u8>,
    /// The algorithm that the header names; one of the rules'.
    pub(crate) algorithm: Algorithm,
    /// The key that it names.
    pub(crate) kid: Option<String>,
    /// The key that it brings along, where the rules allow that.
    pub(crate) jwk: Option<Map<String, Value>>,
}

impl<'t> Compact<'t> {
    /// Reads size, shape and header, in this order, so that a forger's bytes meet as little code
    /// as can be.
    pub(crate) fn read(text: &'t str, rules: &Rules<'_>) -> Result<Self, TokenError> {
        if text.len() > rules.max_bytes {
            return Err(TokenError::Malformed("too long"));
        }
        // RFC 7515 §3.1: three segments; a JWE has five, a JSON serialisation none.
        let three = TokenError::Malformed("not three segments");
        let (message, signature) = text.rsplit_once('.').ok_or(three.clone())?;
        let (header, payload) = message.split_once('.').ok_or(three.clone())?;
        if payload.contains('.') {
            return Err(three);
        }
        let header = members(header)?;
        check_names(&header, rules.author)?;
        check_type(&header, rules)?;
        // RFC 8725 §3.1, ASVS 5.0 9.1.2: the algorithm is ours to say, the token's word only has
        // to agree.
        let algorithm = string(&header, "alg")?
            .and_then(Algorithm::from_name)
            .filter(|algorithm| rules.algorithms.contains(algorithm))
            .ok_or(TokenError::Algorithm)?;
        let kid = string(&header, "kid")?.map(str::to_owned);
        if rules.author == Author::Ourselves && kid.is_none() {
            return Err(TokenError::UnknownKey);
        }
        let jwk = match header.get("jwk") {
            None => None,
            Some(Value::Object(jwk)) => Some(jwk.clone()),
            Some(_) => return Err(TokenError::Header("its key is no object")),
        };
        Ok(Self {
            message,
            payload,
            signature: segment(signature)?,
            algorithm,
            kid,
            jwk,
        })
    }

    /// The claims, if `key` signed them.
    pub(crate) fn claims(&self, key: &VerifyingKey) -> Result<Map<String, Value>, TokenError> {
        if key.algorithm() != self.algorithm {
            return Err(TokenError::Algorithm);
        }
        if !key.verify(self.message.as_bytes(), &self.signature) {
            return Err(TokenError::Signature);
        }
        members(self.payload)
    }
}

/// The claims of a token that looks right and that one of `keys` signed.
pub(crate) fn verified(
    text: &str,
    rules: &Rules<'_>,
    keys: &VerifyingKeys,
) -> Result<Map<String, Value>, TokenError> {
    let compact = Compact::read(text, rules)?;
    // ASVS 5.0 9.1.3: keys come from our own list and from nowhere else.
    let key = keys.find(compact.kid.as_deref(), compact.algorithm)?;
    compact.claims(key)
}

/// Whom a token says it is about, believed by nobody: to find out whose keys it has to be checked
/// with.
pub(crate) fn unverified_subject(text: &str) -> Option<String> {
    if text.len() > 16 * 1024 {
        return None;
    }
    let payload = text.split('.').nth(1)?;
    match members(payload).ok()?.get("sub") {
        Some(Value::String(subject)) if subject.len() <= 255 => Some(subject.clone()),
        Some(_) | None => None,
    }
}

/// Signs `claims` as a token of type `typ`.
pub(crate) fn sign(
    typ: &str,
    claims: Map<String, Value>,
    key: &SigningKey,
) -> Result<String, TokenError> {
    // A kid is base64url and needs no escape, an algorithm and a type are words of ours.
    let header = format!(
        r#"{{"alg":"{}","typ":"{typ}","kid":"{}"}}"#,
        key.algorithm().name(),
        key.kid()
    );
    let mut token = URL_SAFE_NO_PAD.encode(header);
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(Value::Object(claims).to_string(), &mut token);
    let signature = key
        .sign(token.as_bytes())
        .map_err(|_| TokenError::Signing)?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    Ok(token)
}

/// Refuses keys that the forger brings along (RFC 8725 §3.10), critical extensions (RFC 7515
/// §4.1.11), unencoded payloads (RFC 7797), compression and encryption, whoever wrote them.
fn check_names(header: &Map<String, Value>, author: Author) -> Result<(), TokenError> {
    for name in header.keys() {
        match name.as_str() {
            "alg" | "typ" | "kid" => {}
            "jwk" if author == Author::BringsKey => {}
            "jku" | "jwk" | "x5u" | "x5c" => {
                return Err(TokenError::Header("it brings its own key"));
            }
            "crit" | "b64" => return Err(TokenError::Header("it has a critical extension")),
            "zip" | "enc" => return Err(TokenError::Header("it is compressed or encrypted")),
            _ if author == Author::Ourselves => {
                return Err(TokenError::Header("it has a member that we never write"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// RFC 8725 §3.11: a token of one kind is none of another. Where others sign, `typ` is often not
/// written; then the claims tell.
fn check_type(header: &Map<String, Value>, rules: &Rules<'_>) -> Result<(), TokenError> {
    let kind = match header.get("typ") {
        None if rules.author == Author::Known => return Ok(()),
        Some(Value::String(kind)) => kind.to_ascii_lowercase(),
        Some(_) | None => return Err(TokenError::Type),
    };
    let short = kind.strip_prefix("application/").unwrap_or(&kind);
    match rules.types.contains(&short) {
        true => Ok(()),
        false => Err(TokenError::Type),
    }
}

fn string<'h>(header: &'h Map<String, Value>, name: &str) -> Result<Option<&'h str>, TokenError> {
    match header.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text)),
        Some(_) => Err(TokenError::Header("a member is no text")),
    }
}

fn members(text: &str) -> Result<Map<String, Value>, TokenError> {
    let bytes = segment(text)?;
    serde_json::from_slice::<Members>(&bytes)
        .map(|members| members.0)
        .map_err(|_| TokenError::Malformed("not an object whose names all differ"))
}

/// RFC 7515 §2: base64url without padding, and without stray bits in the last character, so that
/// no two texts are the same token.
fn segment(text: &str) -> Result<Vec<u8>, TokenError> {
    URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| TokenError::Malformed("not base64url"))
}
