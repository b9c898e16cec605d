//! Steps: what is asked for, and how the answer travels.

use super::{AuthorizeErrorCode, Draft, Given, Problem};
use crate::response::{ResponseMode, ResponseType};

/// The response type is one of the profile's, and the client may ask for it.
pub(crate) fn check(given: &Given<'_>, draft: &mut Draft) -> Result<(), Problem> {
    let unsupported = |text| Problem::new(AuthorizeErrorCode::UnsupportedResponseType, text);
    let text = draft
        .parameters
        .get("response_type")
        .ok_or(Problem::invalid("response_type is missing"))?;
    let response_type = ResponseType::parse(text)
        .filter(|one| {
            given
                .inputs
                .issuer
                .profile
                .rules()
                .response_types
                .contains(one)
        })
        .ok_or(unsupported(
            "the issuer does not support this response_type",
        ))?;
    if !given.client.response_types.contains(&response_type) {
        return Err(Problem::new(
            AuthorizeErrorCode::UnauthorizedClient,
            "the client may not use this response_type",
        ));
    }
    draft.response_type = Some(response_type);
    Ok(())
}

/// The mode is one of the profile's, and tokens travel in no query.
pub(crate) fn check_mode(given: &Given<'_>, draft: &mut Draft) -> Result<(), Problem> {
    let Some(response_type) = draft.response_type else {
        return Err(Problem::invalid("response_type is missing"));
    };
    let signs = given.client.signing.authorization.is_some();
    let mode = match draft.parameters.get("response_mode") {
        // A client that has registered an algorithm for its answers wants them signed.
        None if signs => response_type.default_mode().signed(),
        None => response_type.default_mode(),
        Some(name) => ResponseMode::parse(name, response_type)
            .ok_or(Problem::invalid("there is no such response_mode"))?,
    };
    if !given
        .inputs
        .issuer
        .profile
        .rules()
        .response_modes
        .contains(&mode)
    {
        return Err(Problem::invalid(
            "the issuer does not support this response_mode",
        ));
    }
    if !mode.carries(response_type) {
        return Err(Problem::invalid("tokens are not sent in a query"));
    }
    draft.response_mode = Some(mode);
    Ok(())
}
