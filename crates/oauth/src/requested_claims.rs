//! Which claims about a person an answer holds: by scope, and by the `claims` parameter.

use serde_json::{Map, Value};

use crate::jose::Members;

/// OpenID Connect Core §5.4: scope, and the claims that it asks for.
const BY_SCOPE: &[(&str, &[&str])] = &[
    (
        "profile",
        &[
            "name",
            "family_name",
            "given_name",
            "middle_name",
            "nickname",
            "preferred_username",
            "profile",
            "picture",
            "website",
            "gender",
            "birthdate",
            "zoneinfo",
            "locale",
            "updated_at",
        ],
    ),
    ("email", &["email", "email_verified"]),
    ("address", &["address"]),
    ("phone", &["phone_number", "phone_number_verified"]),
];

/// The largest `claims` parameter, bytes.
const MAX_BYTES: usize = 4 * 1024;

/// The most claims that one request can name.
const MAX_CLAIMS: usize = 64;

/// A `claims` parameter (OpenID Connect Core §5.5).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimsRequest {
    /// What userinfo is asked for.
    pub userinfo: Vec<RequestedClaim>,
    /// What the ID token is asked for.
    pub id_token: Vec<RequestedClaim>,
}

/// One claim that was asked for by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestedClaim {
    /// Its name.
    pub name: String,
    /// Whether the client cannot do without. The answer is the same (§5.5.1), apart from `acr`
    /// and `sub`, which [`ClaimsRequest`] gives separately.
    pub essential: bool,
    /// The values that would do; empty where any does.
    pub values: Vec<Value>,
}

impl ClaimsRequest {
    /// Reads the parameter. Unknown members are passed over, as §5.5 asks; the error is for the
    /// client's developer.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() > MAX_BYTES {
            return Err("claims is longer than 4096 bytes");
        }
        let mut members = serde_json::from_str::<Members>(text)
            .map_err(|_| "claims is not a JSON object whose names all differ")?
            .0;
        let request = Self {
            userinfo: section(members.remove("userinfo"))?,
            id_token: section(members.remove("id_token"))?,
        };
        match request.userinfo.len() + request.id_token.len() > MAX_CLAIMS {
            true => Err("claims names more than 64 claims"),
            false => Ok(request),
        }
    }

    /// The user that has to be the one who logs in, where the client named one (§5.5.1).
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.named("sub")?.values.first()?.as_str()
    }

    /// The authentication contexts without which the request fails (§5.5.1.1): an essential `acr`
    /// with values.
    #[must_use]
    pub fn essential_acr(&self) -> Vec<&str> {
        match self.named("acr").filter(|claim| claim.essential) {
            None => Vec::new(),
            Some(claim) => claim.values.iter().filter_map(Value::as_str).collect(),
        }
    }

    /// The authentication contexts that would be liked, in order.
    #[must_use]
    pub fn voluntary_acr(&self) -> Vec<&str> {
        match self.named("acr").filter(|claim| !claim.essential) {
            None => Vec::new(),
            Some(claim) => claim.values.iter().filter_map(Value::as_str).collect(),
        }
    }

    /// Whether the ID token has to say when the user proved who they are.
    #[must_use]
    pub fn wants_auth_time(&self) -> bool {
        self.named("auth_time").is_some()
    }

    fn named(&self, name: &str) -> Option<&RequestedClaim> {
        self.id_token.iter().find(|claim| claim.name == name)
    }
}

fn section(value: Option<Value>) -> Result<Vec<RequestedClaim>, &'static str> {
    match value {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Object(members)) => members.into_iter().map(claim).collect(),
        Some(_) => Err("claims.userinfo and claims.id_token are objects"),
    }
}

fn claim((name, value): (String, Value)) -> Result<RequestedClaim, &'static str> {
    let mut members = match value {
        Value::Null => Map::new(),
        Value::Object(members) => members,
        _ => return Err("a requested claim is null or an object"),
    };
    let essential = match members.remove("essential") {
        None => false,
        Some(Value::Bool(essential)) => essential,
        Some(_) => return Err("essential is true or false"),
    };
    let values = match (members.remove("value"), members.remove("values")) {
        (None, None) => Vec::new(),
        (Some(value), None) => vec![value],
        (None, Some(Value::Array(values))) => values,
        (None, Some(_)) => return Err("values is a list"),
        (Some(_), Some(_)) => return Err("value and values exclude each other"),
    };
    Ok(RequestedClaim {
        name,
        essential,
        values,
    })
}

/// Of all that is known about a person (`known`: claim names and values), what these scopes and
/// these requested claims ask for, in the order of `known`. A claim without a value is left out
/// (§5.3.2), and so is `sub`, which the caller adds.
#[must_use]
pub fn select_claims(
    known: &Map<String, Value>,
    scopes: &[&str],
    requested: &[RequestedClaim],
) -> Map<String, Value> {
    let by_scope = |name: &str| {
        BY_SCOPE
            .iter()
            .any(|(scope, claims)| scopes.contains(scope) && claims.contains(&name))
    };
    let by_name = |name: &str| requested.iter().any(|claim| claim.name == name);
    let mut selected = Map::new();
    for (name, value) in known {
        let asked = by_scope(name) || by_name(name);
        if asked && name != "sub" && !value.is_null() {
            selected.insert(name.clone(), value.clone());
        }
    }
    selected
}

/// The claims that can be asked for, for `claims_supported` in metadata.
pub fn claims_by_scope() -> impl Iterator<Item = &'static str> {
    BY_SCOPE
        .iter()
        .flat_map(|(_, claims)| claims.iter().copied())
}
