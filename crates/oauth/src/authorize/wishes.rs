//! Steps: whom the client wants to see, how well proved, and what it wants to know.

use super::{AuthorizeErrorCode, Draft, Given, Problem};
use crate::id_token::decode_id_token_hint;
use crate::parameters::words;
use crate::requested_claims::ClaimsRequest;

/// What to ask the user for (OpenID Connect Core §3.1.2.1, Prompt Create 1.0).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// Nothing: answer at once or with an error.
    None,
    /// To prove again who they are.
    Login,
    /// Whether they agree, also where they have before.
    Consent,
    /// Which of their accounts they mean.
    SelectAccount,
    /// To make an account.
    Create,
}

/// Whom the client means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hint {
    /// What the user may have typed there: put into the login page, and nothing more.
    pub login: Option<String>,
    /// The user, as this client knows them: nobody else may be answered with.
    pub subject: Option<String>,
}

/// What the steps here have found.
#[derive(Default)]
pub(crate) struct Wishes {
    pub(crate) prompt: Vec<Prompt>,
    pub(crate) max_age: Option<u64>,
    pub(crate) acr_values: Vec<String>,
    pub(crate) acr_essential: bool,
    pub(crate) hint: Hint,
    pub(crate) ui_locales: Vec<String>,
}

/// The longest hint, list of contexts or of languages, bytes.
const MAX_BYTES: usize = 1024;

/// `prompt`: known words, and `none` alone.
pub(crate) fn check_prompt(_: &Given<'_>, draft: &mut Draft) -> Result<(), Problem> {
    let Some(text) = draft.parameters.get("prompt") else {
        return Ok(());
    };
    for word in words(text) {
        let prompt = match word {
            "none" => Prompt::None,
            "login" => Prompt::Login,
            "consent" => Prompt::Consent,
            "select_account" => Prompt::SelectAccount,
            "create" => Prompt::Create,
            _ => return Err(Problem::invalid("prompt has an unknown word")),
        };
        draft.wishes.prompt.push(prompt);
    }
    match draft.wishes.prompt.as_slice() {
        [_, _, ..] if draft.wishes.prompt.contains(&Prompt::None) => {
            Err(Problem::invalid("prompt has none and something else"))
        }
        _ => Ok(()),
    }
}

/// `max_age`: seconds, digits alone.
pub(crate) fn check_max_age(_: &Given<'_>, draft: &mut Draft) -> Result<(), Problem> {
    let Some(text) = draft.parameters.get("max_age") else {
        return Ok(());
    };
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = text.parse().ok().filter(|_| digits && text.len() <= 10);
    draft.wishes.max_age =
        Some(seconds.ok_or(Problem::invalid("max_age is no number of seconds"))?);
    Ok(())
}

/// `claims`.
pub(crate) fn check_claims(_: &Given<'_>, draft: &mut Draft) -> Result<(), Problem> {
    if let Some(text) = draft.parameters.get("claims") {
        draft.claims = ClaimsRequest::parse(text).map_err(Problem::invalid)?;
    }
    Ok(())
}

/// The authentication contexts of `acr_values`, or of the claim `acr`, which counts more where it
/// is essential (OpenID Connect Core §5.5.1.1).
pub(crate) fn check_acr(given: &Given<'_>, draft: &mut Draft) -> Result<(), Problem> {
    let asked = draft.parameters.get("acr_values").unwrap_or("");
    if asked.len() > MAX_BYTES {
        return Err(Problem::invalid("acr_values is longer than 1024 bytes"));
    }
    let mut essential = draft.claims.essential_acr();
    let reachable = |acr: &&str| given.inputs.issuer.acr_values.iter().any(|own| own == acr);
    if !essential.is_empty() {
        essential.retain(|acr| reachable(acr));
        if essential.is_empty() {
            return Err(Problem::new(
                AuthorizeErrorCode::UnmetAuthenticationRequirements,
                "none of the demanded authentication contexts can be reached",
            ));
        }
        draft.wishes.acr_values = essential.into_iter().map(str::to_owned).collect();
        draft.wishes.acr_essential = true;
        return Ok(());
    }
    let mut liked = words(asked);
    liked.extend(draft.claims.voluntary_acr());
    draft.wishes.acr_values = liked
        .into_iter()
        .filter(reachable)
        .map(str::to_owned)
        .collect();
    Ok(())
}

/// `id_token_hint`, `login_hint`, `ui_locales`, and `sub` of the claims parameter.
pub(crate) fn check_hints(given: &Given<'_>, draft: &mut Draft) -> Result<(), Problem> {
    let issuer = &given.inputs.issuer;
    for name in ["login_hint", "ui_locales", "claims_locales", "display"] {
        let length = draft.parameters.get(name).map_or(0, str::len);
        if length > MAX_BYTES {
            return Err(Problem::invalid("a hint is longer than 1024 bytes"));
        }
    }
    draft.wishes.hint.login = draft.parameters.get("login_hint").map(str::to_owned);
    let locales = draft.parameters.get("ui_locales").unwrap_or("");
    draft.wishes.ui_locales = words(locales).into_iter().map(str::to_owned).collect();
    if let Some(token) = draft.parameters.get("id_token_hint") {
        let claims = decode_id_token_hint(token, issuer.keys, issuer.id)
            .map_err(|_| Problem::invalid("id_token_hint is no ID token of this issuer"))?;
        if claims.aud != given.client.id {
            return Err(Problem::invalid("id_token_hint is another client's"));
        }
        draft.wishes.hint.subject = Some(claims.sub);
    }
    let demanded = draft.claims.subject().map(str::to_owned);
    match (&draft.wishes.hint.subject, demanded) {
        (Some(hinted), Some(demanded)) if *hinted != demanded => Err(Problem::invalid(
            "id_token_hint and claims mean different users",
        )),
        (None, Some(demanded)) => {
            draft.wishes.hint.subject = Some(demanded);
            Ok(())
        }
        (_, _) => Ok(()),
    }
}
