//! Who asks at the endpoints that clients call: one function for all of them.

use std::time::Duration;

use axum::http::{HeaderMap, StatusCode, header};
use credentials::token::ClientSecret;
use oauth::Parameters;
use oauth::dpop::{ProofExpectations, check_proof};
use oauth::token::{
    Authenticated, Presented, TokenErrorCode, TokenRequestError, check_client, read_client,
};
use store::moments::Purpose;

use super::clients::{self, PROFILE, Registered};
use super::error::{invalid_request, refusal};
use crate::app::State;
use crate::error::Refusal;
use crate::identity::of_store;

/// The parameters of a request: a form, as the RFCs have it, or the same as JSON.
pub(super) fn parameters(headers: &HeaderMap, body: &[u8]) -> Result<Parameters, Refusal> {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let text = std::str::from_utf8(body).map_err(|_| invalid_request("the body is not UTF-8"))?;
    let read = match kind {
        "application/x-www-form-urlencoded" => Parameters::from_form(text),
        "application/json" => Parameters::from_json(text),
        _ => Err("the body has to be application/x-www-form-urlencoded"),
    };
    read.map_err(invalid_request)
}

/// The client of a request, which has proved who it is if it can.
pub(super) async fn authenticate(
    state: &State,
    headers: &HeaderMap,
    parameters: &Parameters,
) -> Result<Registered, Refusal> {
    let registered = proved(state, headers, parameters).await?;
    clients::note_use(state, &registered).await?;
    Ok(registered)
}

async fn proved(
    state: &State,
    headers: &HeaderMap,
    parameters: &Parameters,
) -> Result<Registered, Refusal> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let authorization = match (values.next(), values.next()) {
        (None, _) => None,
        (Some(value), None) => Some(value.to_str().unwrap_or_default()),
        (Some(_), Some(_)) => return Err(invalid_request("there are two Authorization headers")),
    };
    let presented = read_client(authorization, parameters).map_err(|error| refusal(&error))?;
    let registered = clients::find(state, &presented.client_id).await?;
    let checked = check_client(
        registered.as_ref().map(|one| &one.client),
        &presented,
        None,
        &state.settings.public_url,
        PROFILE,
        state.clock.now(),
    );
    let authenticated = checked.map_err(|error| refusal(&error))?;
    let registered = registered.ok_or_else(|| unknown(&presented))?;
    match authenticated {
        Authenticated::Yes => Ok(registered),
        Authenticated::CompareSecret(secret) => {
            let secret = ClientSecret::of_text(secret);
            match registered.accepts(&secret, state.clock.now()) {
                true => Ok(registered),
                false => Err(unknown(&presented)),
            }
        }
        Authenticated::RememberJti { jti, until } => {
            let name = format!("{}\0{jti}", registered.client.id);
            match remember(state, Purpose::ClientAssertion, &name, until).await? {
                true => Ok(registered),
                false => Err(unknown(&presented)),
            }
        }
    }
}

/// The same refusal for a client that is not there and for a wrong proof.
fn unknown(presented: &Presented) -> Refusal {
    let tried_header = matches!(presented.proof, oauth::token::ClientProof::Basic(_));
    refusal(&TokenRequestError {
        code: TokenErrorCode::InvalidClient,
        description: "the client is unknown or has not proved who it is",
        tried_header,
    })
}

/// Remembers an id until then; gives whether it was not known yet.
pub(crate) async fn remember(
    state: &State,
    purpose: Purpose,
    name: &str,
    until: i64,
) -> Result<bool, Refusal> {
    let now = state.clock.now().as_second();
    // A second longer than it is good: what is measured in whole seconds may have begun earlier.
    let life = u64::try_from(until.saturating_sub(now)).unwrap_or(0) + 1;
    let counted = state
        .moments
        .count_up(purpose, name, Duration::from_secs(life))
        .await;
    let counted = counted.map_err(|error| of_store(&error))?;
    Ok(counted.number == 1)
}

/// The thumbprint of the key that a request to a path proves to have (RFC 9449); `None` without a
/// proof.
pub(super) async fn proof(
    state: &State,
    headers: &HeaderMap,
    path: &str,
) -> Result<Option<String>, Refusal> {
    if !headers.contains_key("dpop") {
        return Ok(None);
    }
    let proved = proof_of_possession(state, headers, ("POST", path), None).await;
    proved.map(Some).map_err(|mut refusal| {
        // RFC 9449 §5: an error of the token endpoint, and no challenge.
        if refusal.status == StatusCode::UNAUTHORIZED {
            refusal.status = StatusCode::BAD_REQUEST;
            refusal.challenge = None;
        }
        refusal
    })
}

/// The thumbprint of the key of the one proof of a request, which is for that method and path and,
/// at a resource, for that access token; a proof is good once.
pub(crate) async fn proof_of_possession(
    state: &State,
    headers: &HeaderMap,
    (method, path): (&str, &str),
    access_token: Option<&str>,
) -> Result<String, Refusal> {
    let lines: Vec<&str> = headers
        .get_all("dpop")
        .iter()
        .map(|value| value.to_str().unwrap_or_default())
        .collect();
    let url = format!("{}{path}", state.settings.public_url);
    let expectations = ProofExpectations {
        method,
        url: &url,
        access_token,
        nonces: None,
        algorithms: PROFILE.rules().algorithms,
    };
    let refused = |text| {
        let mut refusal = Refusal::unauthorized("invalid_dpop_proof", text);
        refusal.oauth = Some("invalid_dpop_proof");
        refusal
    };
    let proof = check_proof(&lines, &expectations, state.clock.now()).map_err(|error| {
        tracing::debug!(%error, "a proof was refused");
        refused("the proof is not good for this request")
    })?;
    let name = format!("{}\0{}", proof.jkt, proof.jti);
    match remember(state, Purpose::Proof, &name, proof.until).await? {
        true => Ok(proof.jkt),
        false => Err(refused("the proof was used before")),
    }
}
