//! The authorization request: a list of named steps over its parameters, and what comes after.

mod answer;
mod decide;
mod error;
mod limits;
mod pkce;
mod redirect_uri;
mod request_object;
mod response_type;
mod scope;
mod wishes;

use jiff::Timestamp;

use crate::VerifyingKeys;
use crate::client::Client;
use crate::parameters::Parameters;
use crate::profile::Profile;
use crate::requested_claims::ClaimsRequest;
use crate::response::{ResponseMode, ResponseType};

pub use answer::{Delivery, deliver};
pub use decide::{Next, Session, decide};
pub(crate) use error::Problem;
pub use error::{AuthorizationError, AuthorizeErrorCode, ErrorRedirect};
pub use request_object::{PUSHED_PREFIX, PushedRequest, RequestSource, request_source};
pub use scope::{resources_of, scopes_of};
pub use wishes::{Hint, Prompt};

/// What the issuer is, as far as requests are concerned.
#[derive(Clone, Copy, Debug)]
pub struct Issuer<'a> {
    /// Its identifier, byte by byte.
    pub id: &'a str,
    /// How strict it is.
    pub profile: Profile,
    /// The scopes that it knows.
    pub scopes: &'a [String],
    /// The authentication contexts that it can reach.
    pub acr_values: &'a [String],
    /// Its own keys, for hints.
    pub keys: &'a VerifyingKeys,
}

/// What an authorization request is checked with.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// Who is asked.
    pub issuer: Issuer<'a>,
    /// The client of `client_id`, if there is one.
    pub client: Option<&'a Client>,
    /// What came with the request.
    pub parameters: &'a Parameters,
    /// What the parameters refer to, fetched or looked up by the caller.
    pub source: &'a Source,
    /// Where the request came in.
    pub door: Door,
    /// What time it is.
    pub now: Timestamp,
}

/// Where a request came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// At the authorization endpoint, with a browser.
    Authorize,
    /// At the pushed-request endpoint, from the client itself, which has proved who it is.
    Push,
}

/// What [`request_source`] referred to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Nothing: all parameters are there.
    Plain,
    /// A request object (RFC 9101), from the parameter `request` or fetched from `request_uri`.
    Object(String),
    /// A request object that could not be fetched.
    Unfetched,
    /// A pushed request (RFC 9126).
    Pushed(PushedRequest),
    /// No such pushed request, or not any more.
    NotPushed,
}

/// A checked authorization request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationRequest {
    /// Who asks.
    pub client_id: String,
    /// Where the answer goes.
    pub redirect_uri: String,
    /// Whether the request named it; then the token request has to name it too (RFC 6749 §4.1.3).
    pub named_redirect_uri: bool,
    /// What is asked for.
    pub response_type: ResponseType,
    /// How the answer travels.
    pub response_mode: ResponseMode,
    /// The hash that the verifier must have, `S256`: 43 characters.
    pub code_challenge: Option<String>,
    /// The scopes that it may have, in its order.
    pub scopes: Vec<String>,
    /// The resource servers that its tokens may be for, at least one where the client has any.
    pub resources: Vec<String>,
    /// Handed back with the answer.
    pub state: Option<String>,
    /// Handed back in the ID token.
    pub nonce: Option<String>,
    /// The thumbprint of the key that the code is bound to (RFC 9449 §10).
    pub dpop_jkt: Option<String>,
    /// What to ask the user for.
    pub prompt: Vec<Prompt>,
    /// How long ago the user may have proved who they are, seconds.
    pub max_age: Option<u64>,
    /// The authentication contexts that would be liked, in order.
    pub acr_values: Vec<String>,
    /// Whether one of them has to be reached.
    pub acr_essential: bool,
    /// Whom the client means.
    pub hint: Hint,
    /// The languages that the user reads, in order (BCP 47).
    pub ui_locales: Vec<String>,
    /// The claims that are asked for by name.
    pub claims: ClaimsRequest,
}

/// What the steps have found so far.
#[derive(Default)]
pub(crate) struct Draft {
    pub(crate) parameters: Parameters,
    pub(crate) redirect_uri: Option<String>,
    pub(crate) response_type: Option<ResponseType>,
    pub(crate) response_mode: Option<ResponseMode>,
    pub(crate) code_challenge: Option<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) resources: Vec<String>,
    pub(crate) state: Option<String>,
    pub(crate) nonce: Option<String>,
    pub(crate) dpop_jkt: Option<String>,
    pub(crate) wishes: wishes::Wishes,
    pub(crate) claims: ClaimsRequest,
}

/// What a step is given besides the draft: the inputs, and the client, who is known by then.
pub(crate) struct Given<'a> {
    pub(crate) inputs: &'a Inputs<'a>,
    pub(crate) client: &'a Client,
}

type Step = fn(&Given<'_>, &mut Draft) -> Result<(), Problem>;

/// What is checked, in this order. Up to `redirect_uri` a problem is shown on our own page and
/// nobody is redirected (RFC 9700 §4.11); after it, it is the client's to hear. The request object
/// comes first, because everything else may stand in it; `state` comes before what can fail, so
/// that it is in the answer.
pub(crate) const STEPS: &[(&str, Step)] = &[
    ("request object", request_object::check),
    ("redirect_uri", redirect_uri::check),
    ("state", limits::check_state),
    ("parameters once", limits::check_once),
    ("request signed", request_object::check_signed),
    ("response_type", response_type::check),
    ("response_mode", response_type::check_mode),
    ("code_challenge", pkce::check),
    ("scope", scope::check),
    ("resource", scope::check_resources),
    ("nonce", limits::check_nonce),
    ("dpop_jkt", limits::check_dpop_jkt),
    ("prompt", wishes::check_prompt),
    ("max_age", wishes::check_max_age),
    ("claims", wishes::check_claims),
    ("acr_values", wishes::check_acr),
    ("hints", wishes::check_hints),
];

/// Checks an authorization request, step by step.
pub fn check_authorization_request(
    inputs: &Inputs<'_>,
) -> Result<AuthorizationRequest, AuthorizationError> {
    let client = redirect_uri::check_client(inputs).map_err(Problem::on_page)?;
    let given = Given { inputs, client };
    let mut draft = Draft::default();
    for (_, step) in STEPS {
        if let Err(problem) = step(&given, &mut draft) {
            return Err(problem.told(&given, &draft));
        }
    }
    draft.finish(client).map_err(Problem::on_page)
}

impl Draft {
    fn finish(self, client: &Client) -> Result<AuthorizationRequest, Problem> {
        let missing = || Problem::invalid("the request is incomplete");
        Ok(AuthorizationRequest {
            client_id: client.id.clone(),
            redirect_uri: self.redirect_uri.ok_or_else(missing)?,
            named_redirect_uri: self.parameters.get("redirect_uri").is_some(),
            response_type: self.response_type.ok_or_else(missing)?,
            response_mode: self.response_mode.ok_or_else(missing)?,
            code_challenge: self.code_challenge,
            scopes: self.scopes,
            resources: self.resources,
            state: self.state,
            nonce: self.nonce,
            dpop_jkt: self.dpop_jkt,
            prompt: self.wishes.prompt,
            max_age: self.wishes.max_age,
            acr_values: self.wishes.acr_values,
            acr_essential: self.wishes.acr_essential,
            hint: self.wishes.hint,
            ui_locales: self.wishes.ui_locales,
            claims: self.claims,
        })
    }
}
