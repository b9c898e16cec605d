//! What an issuer and a resource server say about themselves (RFC 8414, OpenID Connect Discovery,
//! RFC 9728).

use serde_json::{Map, Value, json};

use crate::client::{AuthMethod, Grant};
use crate::profile::{Binding, Profile, Requests};
use crate::response::{ResponseMode, ResponseType};
use crate::{Algorithm, claims_by_scope};

/// An issuer, as far as its metadata are concerned.
#[derive(Clone, Copy, Debug)]
pub struct IssuerMetadata<'a> {
    /// Its identifier: an address without query and fragment, and without a slash at its end.
    pub issuer: &'a str,
    /// How strict it is.
    pub profile: Profile,
    /// Its scopes; `openid` is among them.
    pub scopes: &'a [String],
    /// The authentication contexts that it can reach.
    pub acr_values: &'a [String],
    /// What it has keys for.
    pub signs_with: &'a [Algorithm],
    /// The languages of its pages (BCP 47).
    pub ui_locales: &'a [String],
    /// Which of the profile's grants are served.
    pub grants: &'a [Grant],
    /// What is switched on.
    pub features: &'a [Feature],
}

/// What can be switched on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// Clients register themselves (RFC 7591).
    Registration,
    /// Clients have certificates, and tokens can be bound to them (RFC 8705).
    ClientCertificates,
    /// Tokens can be bound to keys (RFC 9449).
    Proofs,
    /// Request objects are fetched from where clients have registered them (RFC 9101).
    FetchedRequests,
    /// Clients are told of a logout by the server (Back-Channel Logout).
    BackChannelLogout,
    /// Clients are told of a logout in the browser (Front-Channel Logout).
    FrontChannelLogout,
    /// Clients can watch the session in the browser (Session Management).
    SessionManagement,
}

fn names<T: Copy>(list: &[T], name: impl Fn(T) -> &'static str) -> Vec<&'static str> {
    list.iter().copied().map(name).collect()
}

impl IssuerMetadata<'_> {
    fn has(&self, feature: Feature) -> bool {
        self.features.contains(&feature)
    }

    /// The document, the same at both well-known paths: OpenID Connect Discovery §3 and RFC 8414 §2
    /// are one registry of names.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut document = Map::new();
        for part in [
            self.endpoints(),
            self.choices(),
            self.signing(),
            self.openid(),
        ] {
            if let Value::Object(members) = part {
                document.extend(members);
            }
        }
        Value::Object(document)
    }

    /// Where everything is.
    fn endpoints(&self) -> Value {
        let at = |path: &str| format!("{}/oauth2/{path}", self.issuer);
        let mut endpoints = json!({
            "issuer": self.issuer,
            "authorization_endpoint": at("authorize"),
            "token_endpoint": at("token"),
            "userinfo_endpoint": at("userinfo"),
            "jwks_uri": at("jwks"),
            "pushed_authorization_request_endpoint": at("par"),
            "introspection_endpoint": at("introspect"),
            "revocation_endpoint": at("revoke"),
            "end_session_endpoint": at("logout"),
        });
        if self.has(Feature::SessionManagement) {
            endpoints["check_session_iframe"] = at("session").into();
        }
        if self.has(Feature::Registration) {
            endpoints["registration_endpoint"] = at("register").into();
        }
        if self.grants.contains(&Grant::DeviceCode) {
            endpoints["device_authorization_endpoint"] = at("device_authorization").into();
        }
        endpoints
    }

    /// What can be asked for, and by whom.
    fn choices(&self) -> Value {
        let rules = self.profile.rules();
        let certificates = |method: &AuthMethod| {
            self.has(Feature::ClientCertificates)
                || !matches!(
                    method,
                    AuthMethod::TlsClientAuth | AuthMethod::SelfSignedTls
                )
        };
        let methods = rules.auth_methods.iter().copied().filter(certificates);
        let methods: Vec<AuthMethod> = methods.collect();
        let proving = methods
            .iter()
            .copied()
            .filter(|one| *one != AuthMethod::None);
        let proving: Vec<AuthMethod> = proving.collect();
        let served = |grant: &Grant| self.grants.contains(grant);
        let grants: Vec<Grant> = rules.grants.iter().copied().filter(served).collect();
        json!({
            "scopes_supported": self.scopes,
            "response_types_supported": names(rules.response_types, ResponseType::name),
            "response_modes_supported": names(rules.response_modes, ResponseMode::name),
            "grant_types_supported": names(&grants, Grant::name),
            "token_endpoint_auth_methods_supported": names(&methods, AuthMethod::name),
            "introspection_endpoint_auth_methods_supported": names(&proving, AuthMethod::name),
            "revocation_endpoint_auth_methods_supported": names(&methods, AuthMethod::name),
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
            "require_pushed_authorization_requests": rules.requests == Requests::Pushed,
            "tls_client_certificate_bound_access_tokens": self.has(Feature::ClientCertificates),
        })
    }

    /// What is signed with what.
    fn signing(&self) -> Value {
        let algorithms = names(self.profile.rules().algorithms, Algorithm::name);
        let own: Vec<&str> = names(self.signs_with, Algorithm::name)
            .into_iter()
            .filter(|name| algorithms.contains(name))
            .collect();
        let mut signing = json!({
            "id_token_signing_alg_values_supported": own,
            "userinfo_signing_alg_values_supported": own,
            "introspection_signing_alg_values_supported": own,
            "authorization_signing_alg_values_supported": own,
            "request_object_signing_alg_values_supported": algorithms,
            "token_endpoint_auth_signing_alg_values_supported": algorithms,
            "introspection_endpoint_auth_signing_alg_values_supported": algorithms,
            "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
        });
        if self.has(Feature::Proofs) {
            signing["dpop_signing_alg_values_supported"] = algorithms.into();
        }
        signing
    }

    /// What OpenID Connect adds.
    fn openid(&self) -> Value {
        json!({
            "subject_types_supported": ["public", "pairwise"],
            "claims_supported": claims(),
            "claims_parameter_supported": true,
            "request_parameter_supported": true,
            "request_uri_parameter_supported": self.has(Feature::FetchedRequests)
                && self.profile.rules().requests != Requests::Pushed,
            "require_request_uri_registration": true,
            "acr_values_supported": self.acr_values,
            "ui_locales_supported": self.ui_locales,
            "prompt_values_supported": ["none", "login", "consent", "select_account", "create"],
            "backchannel_logout_supported": self.has(Feature::BackChannelLogout),
            "backchannel_logout_session_supported": self.has(Feature::BackChannelLogout),
            "frontchannel_logout_supported": self.has(Feature::FrontChannelLogout),
            "frontchannel_logout_session_supported": self.has(Feature::FrontChannelLogout),
        })
    }
}

/// What can be said about a person and about a login.
fn claims() -> Vec<&'static str> {
    let about_login = [
        "sub",
        "iss",
        "aud",
        "exp",
        "iat",
        "auth_time",
        "nonce",
        "acr",
        "amr",
        "sid",
    ];
    about_login.into_iter().chain(claims_by_scope()).collect()
}

/// What a resource server says about itself (RFC 9728 §2): who makes tokens for it, and which.
#[must_use]
pub fn resource_metadata(
    resource: &str,
    issuers: &[String],
    scopes: &[String],
    name: &str,
    profile: Profile,
) -> Value {
    let rules = profile.rules();
    json!({
        "resource": resource,
        "authorization_servers": issuers,
        "scopes_supported": scopes,
        "bearer_methods_supported": ["header"],
        "resource_name": name,
        "dpop_signing_alg_values_supported": names(rules.algorithms, Algorithm::name),
        "dpop_bound_access_tokens_required": rules.binding == Binding::Required,
    })
}
