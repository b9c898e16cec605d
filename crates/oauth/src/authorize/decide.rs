//! What a checked request still needs, given who sits at the browser.

use super::{AuthorizationRequest, AuthorizeErrorCode, ErrorRedirect, Prompt};
use crate::client::{Client, Party};

/// Who is logged in at the browser, seen from one client and one request. Times are whole seconds
/// since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The user, as this client knows them.
    pub subject: String,
    /// When they proved it.
    pub auth_time: i64,
    /// How well.
    pub acr: String,
    /// The scopes that they have agreed to for this client, and when.
    pub consent: Option<(Vec<String>, i64)>,
    /// When they chose this account.
    pub chosen_at: Option<i64>,
}

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// The answer.
    Ready,
    /// The login page; with `again`, for somebody who is logged in.
    Login {
        /// Whether to prove again what was proved before.
        again: bool,
    },
    /// The page on which an account is made.
    Create,
    /// The list of accounts.
    SelectAccount,
    /// A stronger proof: one of these contexts.
    StepUp(Vec<String>),
    /// The consent page.
    Consent,
    /// The end: an error for the client.
    Refuse(AuthorizeErrorCode, &'static str),
}

/// Decides what comes next. `started_at` is when this request came in: what happened after it
/// counts as an answer to `prompt`, so that nobody is asked for ever.
#[must_use]
pub fn decide(
    request: &AuthorizationRequest,
    client: &Client,
    session: Option<&Session>,
    started_at: i64,
    now: i64,
) -> Next {
    let next = wanted(request, client, session, started_at, now);
    match request.prompt.contains(&Prompt::None) {
        true => silently(next),
        false => next,
    }
}

fn wanted(
    request: &AuthorizationRequest,
    client: &Client,
    session: Option<&Session>,
    started_at: i64,
    now: i64,
) -> Next {
    let asks = |prompt| request.prompt.contains(&prompt);
    let Some(session) = session else {
        return match asks(Prompt::Create) {
            true => Next::Create,
            false => Next::Login { again: false },
        };
    };
    let fresh = session.auth_time >= started_at;
    if asks(Prompt::Create) && !fresh {
        return Next::Create;
    }
    if asks(Prompt::SelectAccount) && session.chosen_at.is_none_or(|at| at < started_at) && !fresh {
        return Next::SelectAccount;
    }
    let another = request
        .hint
        .subject
        .as_ref()
        .is_some_and(|subject| *subject != session.subject);
    let age = now.saturating_sub(session.auth_time).max(0).cast_unsigned();
    let too_old = request
        .max_age
        .is_some_and(|max_age| age > max_age || max_age == 0);
    if another && fresh {
        return Next::Refuse(
            AuthorizeErrorCode::LoginRequired,
            "somebody else has logged in than the client means",
        );
    }
    if another || (!fresh && (asks(Prompt::Login) || too_old)) {
        return Next::Login { again: true };
    }
    let reached = request.acr_values.contains(&session.acr);
    if request.acr_essential && !reached && fresh {
        return Next::Refuse(
            AuthorizeErrorCode::UnmetAuthenticationRequirements,
            "the user cannot prove as much as the client demands",
        );
    }
    if request.acr_essential && !reached {
        return Next::StepUp(request.acr_values.clone());
    }
    match needs_consent(request, client, session, started_at) {
        true => Next::Consent,
        false => Next::Ready,
    }
}

/// Clients of the house need none, unless they ask for it. A native client of others without a
/// secret can be imitated by any program; its users are asked each time (RFC 8252 §8.6).
fn needs_consent(
    request: &AuthorizationRequest,
    client: &Client,
    session: &Session,
    started_at: i64,
) -> bool {
    let agreed_now = session
        .consent
        .as_ref()
        .is_some_and(|(_, at)| *at >= started_at);
    if request.prompt.contains(&Prompt::Consent) && !agreed_now {
        return true;
    }
    if client.party == Party::First {
        return false;
    }
    let Some((scopes, _)) = &session.consent else {
        return true;
    };
    let all = request.scopes.iter().all(|scope| scopes.contains(scope));
    let imitable = client.is_public() && !request.redirect_uri.starts_with("https://");
    !all || (imitable && !agreed_now)
}

/// `prompt=none`: nobody is asked, so what would be asked becomes its error (OpenID Connect Core
/// §3.1.2.6).
fn silently(next: Next) -> Next {
    let refuse = |code| Next::Refuse(code, "prompt=none, and the user would have to be asked");
    match next {
        Next::Ready | Next::Refuse(..) => next,
        Next::Login { .. } | Next::Create => refuse(AuthorizeErrorCode::LoginRequired),
        Next::SelectAccount => refuse(AuthorizeErrorCode::AccountSelectionRequired),
        Next::StepUp(_) => refuse(AuthorizeErrorCode::UnmetAuthenticationRequirements),
        Next::Consent => refuse(AuthorizeErrorCode::ConsentRequired),
    }
}

impl AuthorizationRequest {
    /// The refusal of this request: by the user, or by [`decide`].
    #[must_use]
    pub fn refused(
        &self,
        code: AuthorizeErrorCode,
        description: &'static str,
        issuer: &str,
    ) -> ErrorRedirect {
        ErrorRedirect {
            redirect_uri: self.redirect_uri.clone(),
            response_mode: self.response_mode,
            code,
            description,
            state: self.state.clone(),
            iss: issuer.to_owned(),
        }
    }
}
