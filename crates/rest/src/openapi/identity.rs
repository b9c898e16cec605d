//! Sessions, passwords that are never shown, second factors.

use serde_json::{Value, json};

use super::responses::Responses;
use super::{Object, parameters};

/// What every answer about an account must not be: kept by a cache.
const UNKEPT: [(&str, &str); 1] = [("Cache-Control", "CacheControl")];

/// An operation as the list below has it.
struct Operation {
    method: &'static str,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    /// Whether anybody may ask; the others need a session's cookie.
    is_open: bool,
    /// Members of the body; those with a star have to be there.
    body: &'static [&'static str],
    /// The status of a success.
    status: u16,
}

const fn open(
    method: &'static str,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    body: &'static [&'static str],
    status: u16,
) -> Operation {
    Operation {
        method,
        path,
        id,
        summary,
        is_open: true,
        body,
        status,
    }
}

const fn own(
    method: &'static str,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    body: &'static [&'static str],
    status: u16,
) -> Operation {
    Operation {
        is_open: false,
        ..open(method, path, id, summary, body, status)
    }
}

const FACTOR: &[&str] = &[
    "login_id*",
    "code",
    "recovery_code",
    "passkey_id",
    "credential",
    "result",
];
const STEP_UP: &[&str] = &[
    "password",
    "login_id",
    "login_finish",
    "code",
    "recovery_code",
    "passkey_id",
    "credential",
];
const NEW_ACCOUNT: &[&str] = &[
    "registration_id*",
    "registration_record*",
    "username",
    "first_name",
    "last_name",
    "display_name",
];
const NEW_PASSWORD: &[&str] = &["registration_id", "registration_record", "password"];
const BY_LINK: &[&str] = &["token", "email", "code", "registration_request*"];
const LOGIN_FINISH: &[&str] = &["login_id*", "login_finish*", "identifier", "result"];
const NEW_PASSKEY: &[&str] = &["registration_id*", "credential*", "name"];

#[rustfmt::skip]
const OPERATIONS: [Operation; 37] = [
    own("get", "/auth/session", "session", "Your session, and the token of its forms", &[], 200),
    open("post", "/auth/session", "sign_in", "Begin a session with a password", &["identifier*", "password*"], 200),
    own("delete", "/auth/session", "sign_out", "End your session", &[], 200),
    open("post", "/auth/session/factor", "second_factor", "Show the second factor that is owed", FACTOR, 200),
    own("post", "/auth/session/step-up", "step_up", "Prove more, or the same again", STEP_UP, 200),
    own("get", "/auth/sessions", "sessions", "All your sessions", &[], 200),
    own("delete", "/auth/sessions", "sign_out_elsewhere", "End all other sessions and tokens", &[], 200),
    own("delete", "/auth/sessions/{id}", "revoke_session", "End one of your sessions", &[], 200),
    open("post", "/auth/opaque/register/start", "opaque_register_start", "Begin to make an account whose password is never shown", &["email*", "registration_request*"], 200),
    open("post", "/auth/opaque/register/finish", "opaque_register_finish", "Make the account", NEW_ACCOUNT, 201),
    open("post", "/auth/opaque/login/start", "opaque_login_start", "Begin to prove a password without showing it", &["identifier*", "login_request*"], 200),
    open("post", "/auth/opaque/login/finish", "opaque_login_finish", "Prove it, and begin a session", LOGIN_FINISH, 200),
    open("post", "/auth/reset/start", "reset_start", "Begin to replace a lost password by one that is never shown", BY_LINK, 200),
    open("post", "/auth/invitations/start", "invitation_start", "Begin to accept an invitation with a password that is never shown", BY_LINK, 200),
    own("post", "/auth/password/start", "password_start", "Begin to set a password that is never shown", &["registration_request*"], 200),
    own("put", "/auth/password", "password", "Set a new password; all other sessions end", NEW_PASSWORD, 200),
    own("get", "/auth/totp", "totp", "Whether there is an authenticator app", &[], 200),
    own("post", "/auth/totp", "totp_begin", "A secret for an authenticator app", &[], 201),
    own("post", "/auth/totp/confirm", "totp_confirm", "Show the app's first code", &["code*"], 200),
    own("delete", "/auth/totp", "totp_remove", "Forget the authenticator app", &[], 200),
    own("get", "/auth/recovery-codes", "recovery_codes", "How many recovery codes are left", &[], 200),
    own("post", "/auth/recovery-codes", "recovery_codes_renew", "New recovery codes, shown once", &[], 201),
    own("get", "/auth/passkeys", "passkeys", "Your passkeys", &[], 200),
    own("post", "/auth/passkeys/start", "passkey_start", "Options for navigator.credentials.create()", &[], 200),
    own("post", "/auth/passkeys", "passkey_add", "Add the passkey that the browser made", NEW_PASSKEY, 201),
    own("delete", "/auth/passkeys/{id}", "passkey_remove", "Remove a passkey", &[], 200),
    open("post", "/auth/passkeys/login/start", "passkey_login_start", "Options for navigator.credentials.get()", &["login_id", "step_up"], 200),
    open("post", "/auth/passkeys/login/finish", "passkey_login_finish", "Sign in with a passkey alone", &["passkey_id*", "credential*", "result"], 200),
    own("get", "/auth/api-keys", "api_keys", "Your API keys", &[], 200),
    own("post", "/auth/api-keys", "create_api_key", "A new API key, shown this once", &["name*", "scopes", "expires_at", "rate"], 201),
    own("delete", "/auth/api-keys/{id}", "revoke_api_key", "Revoke an API key", &[], 200),
    own("get", "/auth/apps", "apps", "The apps that may act for you", &[], 200),
    own("delete", "/auth/apps/{client_id}", "disconnect_app", "Let an app act for you no more", &[], 200),
    own("get", "/oauth2/consent/{flow}", "consent", "What an app asks you for", &[], 200),
    own("post", "/oauth2/device", "device", "What the device asks for whose code that is", &["user_code*"], 200),
    own("post", "/oauth2/device/decision", "decide_device", "Say yes or no to it", &["user_code*", "decision*"], 200),
    own("post", "/oauth2/consent/{flow}", "decide_consent", "Say yes or no to it", &["decision*"], 200),
];

pub(super) fn paths(paths: &mut Object) {
    for operation in &OPERATIONS {
        let described = operation.describe();
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method] = described;
    }
}

impl Operation {
    fn describe(&self) -> Value {
        let mut described = Value::Object(parameters::operation(self.id, "sign-in", self.summary));
        described["security"] = match self.is_open {
            true => json!([]),
            false => json!([{"session": []}]),
        };
        let last = self.path.rsplit('/').next().unwrap_or_default();
        if let Some(name) = last
            .strip_prefix('{')
            .and_then(|last| last.strip_suffix('}'))
        {
            described["parameters"] = json!([
                {"name": name, "in": "path", "required": true, "schema": {"type": "string"}}
            ]);
        }
        if !self.body.is_empty() {
            let content = json!({"application/json": {"schema": self.body_schema()}});
            described["requestBody"] = json!({"required": true, "content": content});
        }
        let content = json!({"application/json": {"schema": self.answer_schema()}});
        described["responses"] = Responses::new()
            .success(self.status, self.summary, &UNKEPT, Some(content))
            .refusals(&[400, 401, 403, 404, 409, 413, 422, 429, 500, 503, 504, 507])
            .into_value();
        described
    }

    fn body_schema(&self) -> Value {
        let mut properties = Object::new();
        let mut required = Vec::new();
        for member in self.body {
            let name = member.trim_end_matches('*');
            if name != *member {
                required.push(name);
            }
            let schema = match name {
                "credential" => {
                    json!({"type": "object", "description": "toJSON() of the browser's answer"})
                }
                "decision" => json!({"type": "string", "enum": ["allow", "deny"]}),
                "scopes" => json!({"type": "array", "items": {"type": "string"}, "minItems": 1}),
                "expires_at" => json!({"type": "string", "format": "date-time"}),
                "step_up" => json!({"type": "boolean"}),
                "result" => json!({"type": "string", "enum": ["session", "token"]}),
                "email" => json!({"type": "string", "format": "email", "maxLength": 254}),
                "password" => json!({"type": "string", "format": "password", "maxLength": 1024}),
                "identifier" => {
                    json!({"type": "string", "description": "An e-mail address or a user name"})
                }
                _ => json!({"type": "string"}),
            };
            properties.insert(name.to_owned(), schema);
        }
        json!({"type": "object", "required": required, "properties": properties,
               "additionalProperties": false})
    }

    fn answer_schema(&self) -> Value {
        let object = json!({"type": "object"});
        match (self.method, self.path) {
            ("get", "/auth/sessions" | "/auth/passkeys" | "/auth/apps" | "/auth/api-keys") => {
                json!({"type": "array", "items": object})
            }
            _ => object,
        }
    }
}
