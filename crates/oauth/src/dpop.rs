//! Proofs of possession (RFC 9449): a request that shows the key that its token is bound to.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;

use crate::jose::{Author, Compact, Rules, read_jwk};
use crate::members::Taking;
use crate::uri::Uri;
use crate::{Algorithm, TokenError};

/// What a proof must be for.
#[derive(Clone, Copy, Debug)]
pub struct ProofExpectations<'a> {
    /// The method of the request.
    pub method: &'a str,
    /// Its address, as clients see it; query and fragment do not count.
    pub url: &'a str,
    /// The access token that comes with it, at a resource.
    pub access_token: Option<&'a str>,
    /// The nonces that are good now, where the server gives them out: the present one and the one
    /// before. `None` where it does not.
    pub nonces: Option<&'a [String]>,
    /// What it may be signed with.
    pub algorithms: &'a [Algorithm],
}

/// A good proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The thumbprint of its key: what a token is bound to by `cnf.jkt` (§6.1).
    pub jkt: String,
    /// Its own id, to be remembered until `until` and refused a second time.
    pub jti: String,
    /// Seconds since 1970.
    pub until: i64,
}

/// Why a proof is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// More than one header, or none where one has to be.
    #[error("there has to be exactly one DPoP header")]
    NotOne,
    /// The text is no proof.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The key that it brings along cannot be used.
    #[error("the proof's key is refused: {0}")]
    Key(#[from] crate::KeyError),
    /// It is for another method.
    #[error("the proof is for another method")]
    Method,
    /// It is for another address.
    #[error("the proof is for another address")]
    Url,
    /// It is too old or from the future.
    #[error("the proof was not made now")]
    Time,
    /// It is for another access token, or for none.
    #[error("the proof is not for this access token")]
    AccessToken,
    /// It lacks a nonce of ours: the answer is `use_dpop_nonce` and a new one (§8).
    #[error("the proof has no nonce of ours")]
    Nonce,
    /// It is not the key that the token is bound to.
    #[error("the proof is of another key than the token's")]
    OtherKey,
}

/// How far `iat` may be from now, seconds: FAPI's tests take 10, and a minute and more is too much.
const WINDOW: i64 = 30;

/// The longest id that is remembered, bytes.
const MAX_JTI: usize = 255;

/// Checks the proof in the `DPoP` headers of a request (§4.3). The caller refuses a `jti` that it
/// knows already.
pub fn check_proof(
    headers: &[&str],
    expectations: &ProofExpectations<'_>,
    now: Timestamp,
) -> Result<Proof, ProofError> {
    let [header] = headers else {
        return Err(ProofError::NotOne);
    };
    let rules = Rules {
        types: &["dpop+jwt"],
        algorithms: expectations.algorithms,
        max_bytes: 8 * 1024,
        author: Author::BringsKey,
    };
    let compact = Compact::read(header, &rules)?;
    let jwk = compact
        .jwk
        .as_ref()
        .ok_or(TokenError::Header("it has no jwk"))?;
    let key = read_jwk(jwk, compact.algorithm)?;
    let mut claims = Taking::new(compact.claims(&key)?);
    let jti = claims.required_text("jti")?;
    if jti.len() > MAX_JTI {
        return Err(TokenError::Claim("jti").into());
    }
    if claims.required_text("htm")? != expectations.method {
        return Err(ProofError::Method);
    }
    let htu = claims.required_text("htu")?;
    if normalised(&htu).is_none() || normalised(&htu) != normalised(expectations.url) {
        return Err(ProofError::Url);
    }
    let iat = claims.required_date("iat")?;
    let now = now.as_second();
    // The nonce says when it was made, better than the client's clock (§11.1); where we give none,
    // the clock alone does.
    let nonce = claims.text("nonce")?;
    if let Some(nonces) = expectations.nonces
        && !nonce.is_some_and(|nonce| nonces.contains(&nonce))
    {
        return Err(ProofError::Nonce);
    }
    if now.saturating_sub(iat).saturating_abs() > WINDOW {
        return Err(ProofError::Time);
    }
    let ath = claims.text("ath")?;
    if ath != expectations.access_token.map(token_hash) {
        return Err(ProofError::AccessToken);
    }
    Ok(Proof {
        jkt: key.thumbprint().to_owned(),
        jti,
        until: iat.saturating_add(2 * WINDOW),
    })
}

/// `ath` (§4.2): the hash of an access token.
#[must_use]
pub fn token_hash(access_token: &str) -> String {
    let hash = digest::digest(&digest::SHA256, access_token.as_bytes());
    URL_SAFE_NO_PAD.encode(hash)
}

/// An address without query, fragment and the port that its scheme has anyway, in the one way of
/// writing it (RFC 3986 §6.2.2, §6.2.3): scheme and host in lower case, unreserved characters
/// unencoded, encodings in upper case, `/` for an empty path. `None`: no address.
fn normalised(url: &str) -> Option<String> {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let url = &url[..end];
    let (scheme, rest) = url.split_once("://")?;
    let slash = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(slash);
    let lower = format!("{scheme}://{authority}").to_ascii_lowercase();
    let origin = Uri::parse(&lower).ok()?;
    let (default, host) = match origin.scheme {
        "https" => (443, origin.host),
        "http" => (80, origin.host),
        _ => return None,
    };
    if host.is_empty() {
        return None;
    }
    let port = match origin.port {
        Some(port) if port != default => format!(":{port}"),
        Some(_) | None => String::new(),
    };
    let path = match path {
        "" => "/".to_owned(),
        path => normalised_path(path)?,
    };
    Some(format!("{}://{host}{port}{path}", origin.scheme))
}

fn normalised_path(path: &str) -> Option<String> {
    let mut written = String::with_capacity(path.len());
    let mut characters = path.chars();
    while let Some(character) = characters.next() {
        if character != '%' {
            written.push(character);
            continue;
        }
        let (high, low) = (characters.next()?, characters.next()?);
        let byte = u8::try_from(high.to_digit(16)? * 16 + low.to_digit(16)?).ok()?;
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                written.push(char::from(byte));
            }
            _ => {
                written.push('%');
                written.push(high.to_ascii_uppercase());
                written.push(low.to_ascii_uppercase());
            }
        }
    }
    Some(written)
}
