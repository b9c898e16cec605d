//! Step: proof key for code exchange (RFC 7636).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Draft, Given, Problem};
use crate::profile::Pkce;

/// `S256` and nothing else (RFC 9700 §2.1.1): `plain` protects nobody who can see the request, and
/// it is what a missing method means (RFC 7636 §4.3).
pub(crate) fn check(given: &Given<'_>, draft: &mut Draft) -> Result<(), Problem> {
    if draft.response_type.is_some_and(|one| !one.has_code()) {
        return Ok(());
    }
    let needed = match given.inputs.issuer.profile.rules().pkce {
        Pkce::Everyone => true,
        Pkce::PublicClients => given.client.is_public(),
    };
    let method = draft.parameters.get("code_challenge_method");
    let Some(challenge) = draft.parameters.get("code_challenge") else {
        return match (needed, method) {
            (true, _) => Err(Problem::invalid("code_challenge is missing")),
            (false, Some(_)) => Err(Problem::invalid(
                "code_challenge_method stands without code_challenge",
            )),
            (false, None) => Ok(()),
        };
    };
    if method != Some("S256") {
        return Err(Problem::invalid("code_challenge_method has to be S256"));
    }
    // 43 characters of base64url are 32 bytes, in one way of writing them.
    let bytes = URL_SAFE_NO_PAD.decode(challenge);
    if challenge.len() != 43 || !bytes.is_ok_and(|bytes| bytes.len() == 32) {
        return Err(Problem::invalid(
            "code_challenge has to be the base64url of a SHA-256 hash: 43 characters",
        ));
    }
    draft.code_challenge = Some(challenge.to_owned());
    Ok(())
}
