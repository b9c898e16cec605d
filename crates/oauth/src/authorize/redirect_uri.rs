//! Steps: the client is one, and the address is one of its own.

use super::{AuthorizeErrorCode, Draft, Given, Inputs, Problem};
use crate::client::redirect::is_registered;
use crate::client::{AuthMethod, Client};

/// The client has to be known, named once, and one that the profile takes.
pub(crate) fn check_client<'a>(inputs: &Inputs<'a>) -> Result<&'a Client, Problem> {
    let refused = |text| Problem::new(AuthorizeErrorCode::UnauthorizedClient, text);
    if inputs.parameters.is_twice("client_id") {
        return Err(Problem::invalid("client_id stands twice"));
    }
    let id = inputs
        .parameters
        .get("client_id")
        .ok_or(Problem::invalid("client_id is missing"))?;
    let client = inputs
        .client
        .filter(|client| client.id == id)
        .ok_or(refused("there is no client of this client_id"))?;
    let method: AuthMethod = client.auth.method();
    match inputs.issuer.profile.rules().auth_methods.contains(&method) {
        true => Ok(client),
        false => Err(refused(
            "the issuer's profile does not take this client's way to prove who it is",
        )),
    }
}

/// The address is one that was registered, byte by byte. It may be left out only where one alone is
/// registered and the request is not OpenID's, which demands it (OpenID Connect Core §3.1.2.1);
/// FAPI 2.0 demands it as well (Security Profile §5.3.2.2).
pub(crate) fn check(given: &Given<'_>, draft: &mut Draft) -> Result<(), Problem> {
    let parameters = &draft.parameters;
    if parameters.is_twice("redirect_uri") {
        return Err(Problem::invalid("redirect_uri stands twice"));
    }
    let Some(presented) = parameters.get("redirect_uri") else {
        let is_openid = parameters
            .get("scope")
            .is_some_and(|scope| scope.split(' ').any(|word| word == "openid"));
        let strict = given.inputs.issuer.profile == crate::Profile::Fapi2;
        return match given.client.redirect_uris.as_slice() {
            [only] if !is_openid && !strict => {
                draft.redirect_uri = Some(only.clone());
                Ok(())
            }
            _ => Err(Problem::invalid("redirect_uri is missing")),
        };
    };
    if !is_registered(given.client, presented) {
        return Err(Problem::invalid(
            "redirect_uri is not exactly one that the client has registered",
        ));
    }
    draft.redirect_uri = Some(presented.to_owned());
    Ok(())
}
