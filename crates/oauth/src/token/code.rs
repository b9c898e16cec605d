//! Authorization codes: everything a code is bound to, as one table.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use stdx::Secret;

use super::TokenRequestError;

/// A code as it was issued; the code itself is kept as a hash, elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedCode {
    /// Whom it was issued to.
    pub client_id: String,
    /// Where it was sent.
    pub redirect_uri: String,
    /// Whether the request named that address.
    pub named_redirect_uri: bool,
    /// The hash that the verifier must have.
    pub code_challenge: Option<String>,
    /// The key that it is bound to (RFC 9449 §10).
    pub dpop_jkt: Option<String>,
    /// When it ends, seconds since 1970.
    pub expires_at: i64,
}

/// Who brings a code, and with what.
#[derive(Clone, Copy, Debug)]
pub struct Presenter<'a> {
    /// The client that has proved who it is, or says so if it is public.
    pub client_id: &'a str,
    /// The address that it names.
    pub redirect_uri: Option<&'a str>,
    /// The verifier.
    pub code_verifier: Option<&'a Secret<String>>,
    /// The thumbprint of the key of its proof.
    pub dpop_jkt: Option<&'a str>,
    /// What time it is, seconds since 1970.
    pub now: i64,
}

/// Whether a code, found and not used before, is this presenter's. Every line has to hold.
///
/// A wrong one does not use the code up, and whoever presents a code a second time is told the same
/// as somebody with an unknown one; then everything that it issued is revoked (RFC 9700 §2.1.2),
/// which is the store's work.
pub fn redeem_code(code: &IssuedCode, presenter: &Presenter<'_>) -> Result<(), TokenRequestError> {
    let lines = [
        (
            presenter.client_id == code.client_id,
            "the code was issued to another client",
        ),
        (presenter.now < code.expires_at, "the code has expired"),
        (
            same_address(code, presenter.redirect_uri),
            "redirect_uri is not the one of the authorization request",
        ),
        (
            same_proof(code.code_challenge.as_deref(), presenter.code_verifier),
            "code_verifier does not fit the code_challenge",
        ),
        (
            code.dpop_jkt
                .as_deref()
                .is_none_or(|jkt| presenter.dpop_jkt == Some(jkt)),
            "the code is bound to another key",
        ),
    ];
    match lines.into_iter().find(|(holds, _)| !holds) {
        None => Ok(()),
        Some((_, description)) => Err(TokenRequestError::grant(description)),
    }
}

/// RFC 6749 §4.1.3: named there, so named here. OAuth 2.1 leaves it out here, PKCE does its work;
/// what stands here has to be the same in any case.
fn same_address(code: &IssuedCode, presented: Option<&str>) -> bool {
    match presented {
        Some(presented) => presented == code.redirect_uri,
        None => code.code_challenge.is_some() || !code.named_redirect_uri,
    }
}

/// RFC 7636 §4.6; and RFC 9700 §2.1.1: a verifier without a challenge is a downgrade.
fn same_proof(challenge: Option<&str>, verifier: Option<&Secret<String>>) -> bool {
    match (challenge, verifier) {
        (None, None) => true,
        (Some(challenge), Some(verifier)) => {
            let hash = digest::digest(&digest::SHA256, verifier.expose().as_bytes());
            URL_SAFE_NO_PAD.encode(hash) == challenge
        }
        (_, _) => false,
    }
}
