//! What is asked for at the token endpoint.

use stdx::Secret;

use super::exchange::TokenType;
use super::{TokenErrorCode, TokenRequestError};
use crate::client::Grant;
use crate::parameters::Parameters;
use crate::profile::Profile;

/// A token request, apart from who sends it.
#[derive(Clone, Debug)]
pub struct TokenRequest {
    /// What it gives in return.
    pub grant: GrantRequest,
    /// The scopes that it asks for, as they stand there.
    pub scope: Option<String>,
    /// The resource servers that it asks for.
    pub resources: Vec<String>,
}

/// What a client gives for a token.
#[derive(Clone, Debug)]
pub enum GrantRequest {
    /// RFC 6749 §4.1.3, RFC 7636 §4.5.
    AuthorizationCode {
        /// The code.
        code: Secret<String>,
        /// Where it was sent to.
        redirect_uri: Option<String>,
        /// What the challenge is the hash of: 43 to 128 characters.
        code_verifier: Option<Secret<String>>,
    },
    /// RFC 6749 §6.
    RefreshToken {
        /// The token.
        refresh_token: Secret<String>,
    },
    /// RFC 6749 §4.4.
    ClientCredentials,
    /// RFC 8628 §3.4.
    DeviceCode {
        /// The code.
        device_code: Secret<String>,
    },
    /// RFC 8693 §2.1.
    TokenExchange {
        /// Whose rights.
        subject_token: Secret<String>,
        /// What that is.
        subject_token_type: TokenType,
        /// Who acts, if somebody else does.
        actor: Option<(Secret<String>, TokenType)>,
        /// What is wanted.
        requested_token_type: TokenType,
        /// For which services, by name.
        audiences: Vec<String>,
    },
    /// RFC 7523 §2.1.
    JwtBearer {
        /// The assertion.
        assertion: Secret<String>,
    },
}

impl GrantRequest {
    /// Which grant it is.
    #[must_use]
    pub fn grant(&self) -> Grant {
        match self {
            Self::AuthorizationCode { .. } => Grant::AuthorizationCode,
            Self::RefreshToken { .. } => Grant::RefreshToken,
            Self::ClientCredentials => Grant::ClientCredentials,
            Self::DeviceCode { .. } => Grant::DeviceCode,
            Self::TokenExchange { .. } => Grant::TokenExchange,
            Self::JwtBearer { .. } => Grant::JwtBearer,
        }
    }
}

/// The longest token, code or assertion that is taken, bytes.
const MAX_BYTES: usize = 16 * 1024;

/// Reads the parameters of a token request; their form (a form or JSON) was read before.
pub fn parse_token_request(
    parameters: &Parameters,
    profile: Profile,
) -> Result<TokenRequest, TokenRequestError> {
    // RFC 6749 §3.2.
    if parameters.has_twice() {
        return Err(TokenRequestError::invalid("a parameter stands twice"));
    }
    let name = parameters
        .get("grant_type")
        .ok_or(TokenRequestError::invalid("grant_type is missing"))?;
    let unknown = TokenRequestError::new(
        TokenErrorCode::UnsupportedGrantType,
        "the issuer does not support this grant_type",
    );
    let grant = Grant::from_name(name)
        .filter(|grant| profile.rules().grants.contains(grant))
        .ok_or(unknown)?;
    let grant = match grant {
        Grant::AuthorizationCode => GrantRequest::AuthorizationCode {
            code: secret(parameters, "code", "code is missing")?,
            redirect_uri: parameters.get("redirect_uri").map(str::to_owned),
            code_verifier: verifier(parameters)?,
        },
        Grant::RefreshToken => GrantRequest::RefreshToken {
            refresh_token: secret(parameters, "refresh_token", "refresh_token is missing")?,
        },
        Grant::ClientCredentials => GrantRequest::ClientCredentials,
        Grant::DeviceCode => GrantRequest::DeviceCode {
            device_code: secret(parameters, "device_code", "device_code is missing")?,
        },
        Grant::TokenExchange => exchange(parameters)?,
        Grant::JwtBearer => GrantRequest::JwtBearer {
            assertion: secret(parameters, "assertion", "assertion is missing")?,
        },
        Grant::Implicit => return Err(unknown),
    };
    Ok(TokenRequest {
        grant,
        scope: parameters.get("scope").map(str::to_owned),
        resources: parameters.all("resource").map(str::to_owned).collect(),
    })
}

fn exchange(parameters: &Parameters) -> Result<GrantRequest, TokenRequestError> {
    let kind = |name: &str, missing: &'static str| {
        let text = parameters
            .get(name)
            .ok_or(TokenRequestError::invalid(missing))?;
        TokenType::from_name(text).ok_or(TokenRequestError::invalid("a token type is unknown"))
    };
    let actor = match parameters.get("actor_token") {
        Some(_) => Some((
            secret(parameters, "actor_token", "actor_token is missing")?,
            kind("actor_token_type", "actor_token_type is missing")?,
        )),
        // RFC 8693 §2.1: it must not stand alone.
        None if parameters.get("actor_token_type").is_some() => {
            return Err(TokenRequestError::invalid(
                "actor_token_type stands without actor_token",
            ));
        }
        None => None,
    };
    let requested_token_type = match parameters.get("requested_token_type") {
        None => TokenType::AccessToken,
        Some(text) => TokenType::from_name(text)
            .ok_or(TokenRequestError::invalid("a token type is unknown"))?,
    };
    Ok(GrantRequest::TokenExchange {
        subject_token: secret(parameters, "subject_token", "subject_token is missing")?,
        subject_token_type: kind("subject_token_type", "subject_token_type is missing")?,
        actor,
        requested_token_type,
        audiences: parameters.all("audience").map(str::to_owned).collect(),
    })
}

fn secret(
    parameters: &Parameters,
    name: &str,
    missing: &'static str,
) -> Result<Secret<String>, TokenRequestError> {
    match parameters.get(name) {
        None => Err(TokenRequestError::invalid(missing)),
        Some(text) if text.len() > MAX_BYTES => Err(TokenRequestError::invalid(
            "a parameter is longer than 16 KiB",
        )),
        Some(text) => Ok(Secret::new(text.to_owned())),
    }
}

/// RFC 7636 §4.1: 43 to 128 unreserved characters.
fn verifier(parameters: &Parameters) -> Result<Option<Secret<String>>, TokenRequestError> {
    let Some(text) = parameters.get("code_verifier") else {
        return Ok(None);
    };
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    match (43..=128).contains(&text.len()) && text.bytes().all(fits) {
        true => Ok(Some(Secret::new(text.to_owned()))),
        false => Err(TokenRequestError::invalid(
            "code_verifier has to be 43 to 128 letters, digits, -, ., _ and ~",
        )),
    }
}
