//! Steps: where the parameters stand: in the request, in a request object (RFC 9101), or pushed
//! before (RFC 9126).

use serde_json::{Map, Value};

use super::{AuthorizeErrorCode, Door, Draft, Given, Problem, Source};
use crate::TokenError;
use crate::jose::{Author, Rules, verified};
use crate::members::{Life, Taking};
use crate::parameters::Parameters;
use crate::profile::{Profile, Requests};

/// What the parameters refer to, for the caller to fetch or look up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestSource<'p> {
    /// Nothing.
    Plain,
    /// A request object that stands in `request`.
    Value(&'p str),
    /// A pushed request of this `request_uri`.
    Pushed(&'p str),
    /// A request object at this `request_uri`; to be fetched only if the client has registered
    /// exactly it.
    Reference(&'p str),
}

/// A pushed request, as it was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushedRequest {
    /// Who pushed it.
    pub client_id: String,
    /// What it holds, taken out of its request object if there was one.
    pub parameters: Parameters,
    /// Whether it came as a signed request object.
    pub signed: bool,
    /// Until when it is good, seconds since 1970.
    pub expires_at: i64,
}

/// What every `request_uri` of ours begins with (RFC 9126 §2.2).
pub const PUSHED_PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

/// The longest request object, bytes.
const MAX_BYTES: usize = 16 * 1024;

/// How far two clocks may be apart, seconds. FAPI's tests take 8 and refuse 60.
const LEEWAY: i64 = 10;

/// Finds what the parameters refer to. Both ways at once are none (RFC 9101 §5).
pub fn request_source(parameters: &Parameters) -> Result<RequestSource<'_>, &'static str> {
    match (parameters.get("request"), parameters.get("request_uri")) {
        (None, None) => Ok(RequestSource::Plain),
        (Some(object), None) => Ok(RequestSource::Value(object)),
        (None, Some(uri)) if uri.starts_with(PUSHED_PREFIX) => Ok(RequestSource::Pushed(uri)),
        (None, Some(uri)) => Ok(RequestSource::Reference(uri)),
        (Some(_), Some(_)) => Err("request and request_uri exclude each other"),
    }
}

/// Puts the parameters that count into the draft.
pub(crate) fn check(given: &Given<'_>, draft: &mut Draft) -> Result<(), Problem> {
    let inputs = given.inputs;
    let uri_problem = |text| Problem::new(AuthorizeErrorCode::InvalidRequestUri, text);
    let referred = request_source(inputs.parameters).map_err(Problem::invalid)?;
    if inputs.door == Door::Push && inputs.parameters.get("request_uri").is_some() {
        return Err(Problem::invalid("a pushed request has no request_uri"));
    }
    let must_be_pushed =
        inputs.issuer.profile.rules().requests == Requests::Pushed || given.client.demands.pushed;
    let is_pushed = inputs.door == Door::Push || matches!(inputs.source, Source::Pushed(_));
    match (referred, inputs.source) {
        (RequestSource::Pushed(_), Source::Pushed(pushed)) => {
            if pushed.client_id != given.client.id || pushed.expires_at <= inputs.now.as_second() {
                return Err(uri_problem(
                    "there is no pushed request of this request_uri",
                ));
            }
            draft.parameters = pushed.parameters.clone();
        }
        (RequestSource::Pushed(_), _) => {
            return Err(uri_problem(
                "there is no pushed request of this request_uri",
            ));
        }
        _ if must_be_pushed && !is_pushed => {
            return Err(Problem::invalid("the request has to be pushed first"));
        }
        (RequestSource::Plain, _) => draft.parameters = inputs.parameters.clone(),
        (RequestSource::Reference(uri), _)
            if !given.client.request_uris.iter().any(|own| own == uri) =>
        {
            return Err(uri_problem(
                "the client has not registered this request_uri",
            ));
        }
        (RequestSource::Value(_) | RequestSource::Reference(_), Source::Object(object)) => {
            draft.parameters = from_object(given, object)?;
        }
        (RequestSource::Value(_) | RequestSource::Reference(_), _) => {
            return Err(uri_problem("the request object could not be fetched"));
        }
    }
    Ok(())
}

/// A client that signs its requests has no unsigned ones (RFC 9101 §10.5).
pub(crate) fn check_signed(given: &Given<'_>, _: &mut Draft) -> Result<(), Problem> {
    let signed = match given.inputs.source {
        Source::Object(_) => true,
        Source::Pushed(pushed) => pushed.signed,
        Source::Plain | Source::Unfetched | Source::NotPushed => false,
    };
    match given.client.demands.signed_request && !signed {
        true => Err(Problem::invalid("the request has to be signed")),
        false => Ok(()),
    }
}

fn from_object(given: &Given<'_>, object: &str) -> Result<Parameters, Problem> {
    let bad = |text| Problem::new(AuthorizeErrorCode::InvalidRequestObject, text);
    let profile = given.inputs.issuer.profile;
    let registered = given.client.signing.request_object;
    let rules = Rules {
        types: &["oauth-authz-req+jwt", "jwt"],
        algorithms: match &registered {
            Some(one) => std::slice::from_ref(one),
            None => profile.rules().algorithms,
        },
        max_bytes: MAX_BYTES,
        author: Author::Known,
    };
    let claims = verified(object, &rules, &given.client.keys)
        .map_err(|_| bad("the request object is not signed by a key of the client"))?;
    let members = check_object(given, claims)
        .map_err(|_| bad("the request object is not from the client, not for us, or not now"))?;
    let inside = Parameters::from_members(members).map_err(bad)?;
    if ["request", "request_uri"]
        .iter()
        .any(|name| inside.get(name).is_some())
    {
        return Err(bad("a request object refers to another one"));
    }
    let outside = given.inputs.parameters;
    for name in ["client_id", "response_type"] {
        let differs = match (inside.get(name), outside.get(name)) {
            (Some(one), Some(other)) => one != other,
            (_, _) => false,
        };
        if differs {
            return Err(bad(
                "the request object contradicts the parameters beside it",
            ));
        }
    }
    match profile.rules().requests {
        // RFC 9101 §6.3: nothing beside the object counts.
        Requests::Any | Requests::Pushed => Ok(inside),
        Requests::Merged => Ok(inside.over(without_object(outside))),
    }
}

/// What the object says about itself; gives the rest.
fn check_object(
    given: &Given<'_>,
    claims: Map<String, Value>,
) -> Result<Map<String, Value>, TokenError> {
    let strict = given.inputs.issuer.profile == Profile::Fapi2;
    let client = given.client.id.as_str();
    let mut claims = Taking::new(claims);
    let iss = claims.text("iss")?;
    if iss.as_deref().map_or(strict, |iss| iss != client) {
        return Err(TokenError::Issuer);
    }
    let audiences = match claims.has("aud") {
        true => Some(claims.audiences()?),
        false => None,
    };
    let for_us = |audiences: &[String]| audiences.iter().any(|one| one == given.inputs.issuer.id);
    if !audiences.as_deref().map_or(!strict, for_us) {
        return Err(TokenError::Audience);
    }
    // RFC 9101 §10.8: an assertion of the client is no request object.
    if claims.text("sub")?.is_some() {
        return Err(TokenError::Claim("sub"));
    }
    let (exp, nbf) = (claims.date("exp")?, claims.date("nbf")?);
    let iat = claims.date("iat")?;
    claims.text("jti")?;
    let longest = given.inputs.issuer.profile.rules().assertion_life;
    if strict {
        // Message Signing §5.3.1.
        let (Some(exp), Some(nbf)) = (exp, nbf) else {
            return Err(TokenError::Claim("exp"));
        };
        let old = nbf < given.inputs.now.as_second().saturating_sub(longest);
        if exp.saturating_sub(nbf) > longest || old {
            return Err(TokenError::Claim("nbf"));
        }
    }
    let life = Life {
        from: nbf.or(iat).unwrap_or(i64::MIN),
        until: exp.unwrap_or(i64::MAX),
    };
    life.check(given.inputs.now.as_second(), LEEWAY)?;
    Ok(claims.rest())
}

fn without_object(parameters: &Parameters) -> Parameters {
    parameters.without(&["request", "request_uri"])
}
