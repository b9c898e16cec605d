//! Steps: what the client wants back is not too long, and no name stands twice.

use super::{Draft, Given, Problem};
use crate::response::ResponseType;

/// The longest `state`, bytes. Some clients put a whole address into it.
const MAX_STATE: usize = 2048;

/// The longest `nonce`, bytes; it is handed back whole.
const MAX_NONCE: usize = 512;

/// `state` is printable ASCII (RFC 6749 §A.5) and not too long.
pub(crate) fn check_state(_: &Given<'_>, draft: &mut Draft) -> Result<(), Problem> {
    if draft.parameters.is_twice("state") {
        return Err(Problem::invalid("state stands twice"));
    }
    let Some(state) = draft.parameters.get("state") else {
        return Ok(());
    };
    if state.len() > MAX_STATE {
        return Err(Problem::invalid("state is longer than 2048 bytes"));
    }
    if !is_printable(state) {
        return Err(Problem::invalid("state is not printable ASCII"));
    }
    draft.state = Some(state.to_owned());
    Ok(())
}

/// RFC 6749 §3.1, also for names that nobody knows.
pub(crate) fn check_once(_: &Given<'_>, draft: &mut Draft) -> Result<(), Problem> {
    match draft.parameters.has_twice() {
        true => Err(Problem::invalid("a parameter stands twice")),
        false => Ok(()),
    }
}

/// `nonce` is there where an ID token comes without a code exchange (OpenID Connect Core §3.2.2.1,
/// §3.3.2.11), and not too long.
pub(crate) fn check_nonce(_: &Given<'_>, draft: &mut Draft) -> Result<(), Problem> {
    let Some(nonce) = draft.parameters.get("nonce") else {
        let needed = draft.response_type.is_some_and(ResponseType::has_id_token);
        return match needed {
            true => Err(Problem::invalid("nonce is missing")),
            false => Ok(()),
        };
    };
    if nonce.len() > MAX_NONCE {
        return Err(Problem::invalid("nonce is longer than 512 bytes"));
    }
    if !is_printable(nonce) {
        return Err(Problem::invalid("nonce is not printable ASCII"));
    }
    draft.nonce = Some(nonce.to_owned());
    Ok(())
}

/// The key that the code is bound to: a thumbprint, 43 characters of base64url (RFC 9449 §10).
pub(crate) fn check_dpop_jkt(_: &Given<'_>, draft: &mut Draft) -> Result<(), Problem> {
    let Some(jkt) = draft.parameters.get("dpop_jkt") else {
        return Ok(());
    };
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if jkt.len() != 43 || !jkt.bytes().all(fits) {
        return Err(Problem::invalid("dpop_jkt is no SHA-256 thumbprint"));
    }
    draft.dpop_jkt = Some(jkt.to_owned());
    Ok(())
}

fn is_printable(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, 0x20..=0x7e))
}
