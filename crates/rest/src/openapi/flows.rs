//! What needs a mail or an administrator: confirming, resetting, moving, deleting, inviting.

use serde_json::{Value, json};

use super::Object;
use super::account::{UNKEPT, account, as_json, operation, own_account};
use super::responses::Responses;

pub(super) fn paths(paths: &mut Object) {
    let mut put = |path: &str, method: &str, operation: Value| {
        let slot = paths.entry(path.to_owned()).or_insert_with(|| json!({}));
        slot[method] = operation;
    };
    let person = || as_json(&account(&[]));
    for flow in open() {
        put(flow.path, "post", flow.describe(true));
    }
    for flow in own() {
        put(flow.path, flow.method, flow.describe(false));
    }
    let made = |id, summary, body: Value| {
        let mut post = with_body(id, summary, true, &body);
        post["responses"] = Responses::new()
            .success(201, "Made", &UNKEPT, Some(person()))
            .refusals(&[400, 403, 404, 409, 413, 422, 500, 503, 504, 507])
            .into_value();
        post
    };
    let accept = json!({"type": "object", "required": ["token"],
        "additionalProperties": false,
        "properties": {"token": token(), "password": password(),
            "registration_id": message(), "registration_record": message(), "username": name(),
            "first_name": name(), "last_name": name(), "display_name": name()}});
    let summary = "Make the account that one was invited to";
    put(
        "/auth/invitations/accept",
        "post",
        made("acceptInvitation", summary, accept),
    );
    for (path, method, operation) in of_administrators() {
        put(path, method, operation);
    }
}

/// What whoever has the role `admin` does with invitations.
fn of_administrators() -> [(&'static str, &'static str, Value); 4] {
    const ALL: &str = "/admin/api/invitations";
    const ONE: &str = "/admin/api/invitations/{id}";
    const APPROVE: &str = "/admin/api/invitations/{id}/approve";
    let given = || {
        json!({"roles": {"type": ["array", "null"], "items": {"type": "string"}},
               "external_id": name(), "language": {"type": ["string", "null"]},
               "fields": {"type": ["object", "null"]}})
    };
    let mut invited = given();
    for (member, schema) in [
        ("email", email()),
        ("first_name", name()),
        ("last_name", name()),
    ] {
        invited[member] = schema;
    }
    let answered = |mut operation: Value, status, said: &str, answer: &Value| {
        operation["responses"] = Responses::new()
            .success(status, said, &UNKEPT, Some(as_json(answer)))
            .refusals(&[400, 401, 403, 404, 409, 413, 422, 500, 503, 504, 507])
            .into_value();
        operation
    };
    let of_one = |mut operation: Value| {
        operation["parameters"] = json!([{"name": "id", "in": "path", "required": true,
            "schema": {"type": "string", "format": "uuid"}}]);
        operation
    };
    let mut list = operation(
        "invitations",
        "account",
        "Invitations and applications",
        false,
    );
    list["parameters"] = json!([{"name": "stage", "in": "query", "schema": {"type": "string",
        "enum": ["any", "unconfirmed", "waiting", "approved"], "default": "any"}}]);
    let many = json!({"type": "array", "items": invitation()});
    let invite = with_body(
        "invite",
        "Invite somebody",
        false,
        &object(&["email"], &invited),
    );
    let withdraw = of_one(operation(
        "withdrawInvitation",
        "account",
        "Refuse or withdraw",
        false,
    ));
    let gone = json!({"type": "object", "required": ["deleted"],
                      "properties": {"deleted": {"type": "string", "format": "uuid"}}});
    let summary = "Approve of an application, or send the link again";
    let mut approve = of_one(with_body(
        "approveInvitation",
        summary,
        false,
        &object(&[], &given()),
    ));
    approve["requestBody"]["required"] = json!(false);
    [
        (ALL, "get", answered(list, 200, "The latest 500", &many)),
        (ALL, "post", answered(invite, 201, "Invited", &invitation())),
        (ONE, "delete", answered(withdraw, 200, "Gone", &gone)),
        (
            APPROVE,
            "post",
            answered(approve, 200, "Approved", &invitation()),
        ),
    ]
}

fn invitation() -> Value {
    let text = || json!({"type": ["string", "null"]});
    json!({"type": "object",
    "required": ["id", "email", "stage", "roles", "fields", "created_at"],
    "properties": {
        "id": {"type": "string", "format": "uuid"}, "email": email(),
        "first_name": text(), "last_name": text(), "external_id": text(),
        "stage": {"type": "string", "enum": ["unconfirmed", "waiting", "approved"]},
        "roles": {"type": "array", "items": {"type": "string"}},
        "fields": {"type": "object"},
        "confirmed_at": text(), "approved_at": text(), "created_at": {"type": "string"},
    }})
}

/// One path of the kind that takes a small object and gives another.
struct Flow {
    path: &'static str,
    method: &'static str,
    id: &'static str,
    summary: &'static str,
    body: Value,
    status: u16,
    answer: Value,
}

impl Flow {
    fn describe(&self, is_for_all: bool) -> Value {
        let mut operation = with_body(self.id, self.summary, is_for_all, &self.body);
        let refusals: &[u16] = match is_for_all {
            true => &[400, 403, 409, 413, 422, 500, 503, 504, 507],
            false => &[400, 401, 403, 409, 413, 422, 500, 503, 504, 507],
        };
        let mut responses = Responses::new().success(
            self.status,
            self.summary,
            &UNKEPT,
            Some(as_json(&self.answer)),
        );
        if self.path == "/auth/confirm" {
            let person = as_json(&account(&[]));
            responses = responses.success(201, "The account is made", &UNKEPT, Some(person));
        }
        operation["responses"] = responses.refusals(refusals).into_value();
        operation
    }
}

fn token() -> Value {
    json!({"type": "string", "description": "The token of a link"})
}

fn message() -> Value {
    json!({"type": "string", "description": "Of POST …/start, in place of the password"})
}

fn password() -> Value {
    json!({"type": "string", "minLength": 8, "maxLength": 1024, "format": "password"})
}

fn email() -> Value {
    json!({"type": "string", "format": "email", "maxLength": 254})
}

fn name() -> Value {
    json!({"type": ["string", "null"], "maxLength": 200})
}

fn next(values: &[&str]) -> Value {
    json!({"type": "object", "required": ["next"],
           "properties": {"next": {"type": "string", "enum": values}}})
}

fn object(required: &[&str], properties: &Value) -> Value {
    json!({"type": "object", "required": required, "additionalProperties": false,
           "properties": properties})
}

fn with_body(id: &str, summary: &str, is_for_all: bool, body: &Value) -> Value {
    let mut operation = operation(id, "account", summary, is_for_all);
    operation["requestBody"] = json!({"required": true, "content": as_json(body)});
    operation
}

/// What anybody may ask for.
fn open() -> Vec<Flow> {
    let by_mail = |path, id, summary, waits: &[&str]| Flow {
        path,
        method: "post",
        id,
        summary,
        body: object(&["email"], &json!({"email": email()})),
        status: 202,
        answer: next(waits),
    };
    let code = json!({"type": "string", "description": "The code beside the link, with email"});
    vec![
        by_mail(
            "/auth/confirm/resend",
            "resendConfirmation",
            "Send another link that proves an address",
            &["confirm_email"],
        ),
        by_mail(
            "/auth/reset",
            "requestReset",
            "Mail a link to a new password, where there is an account",
            &["check_mail"],
        ),
        Flow {
            path: "/auth/confirm",
            method: "post",
            id: "confirm",
            summary: "Prove an address, by a token, or by an address and a code",
            body: object(
                &[],
                &json!({"token": token(), "email": email(), "code": code, "username": name()}),
            ),
            status: 200,
            answer: next(&["approval", "login"]),
        },
        Flow {
            path: "/auth/reset/finish",
            method: "post",
            id: "finishReset",
            summary: "Set a new password, by a token, or by an address and a code",
            body: object(
                &[],
                &json!({"token": token(), "email": email(), "code": code, "password": password(),
                        "registration_id": message(), "registration_record": message()}),
            ),
            status: 200,
            answer: next(&["login"]),
        },
        Flow {
            path: "/auth/invitations",
            method: "post",
            id: "apply",
            summary: "Ask for an account, where administrators approve of them",
            body: object(
                &["email"],
                &json!({"email": email(), "first_name": name(), "last_name": name(),
                        "fields": {"type": ["object", "null"]}}),
            ),
            status: 202,
            answer: next(&["confirm_email"]),
        },
    ]
}

/// What the owner of an account may ask for.
fn own() -> Vec<Flow> {
    let proof = || json!({"type": "string", "format": "password"});
    let text = || json!({"type": "string"});
    vec![
        Flow {
            path: "/auth/email",
            method: "post",
            id: "changeEmail",
            summary: "Mail a link to the address that the account is to move to",
            body: object(&["email"], &json!({"email": email(), "password": proof()})),
            status: 202,
            answer: next(&["confirm_email"]),
        },
        Flow {
            path: "/auth/email/confirm",
            method: "post",
            id: "confirmEmail",
            summary: "Move the account to its new address",
            body: object(&["token"], &json!({"token": token()})),
            status: 200,
            answer: json!({"type": "object", "required": ["email", "old_email"],
                           "properties": {"email": text(), "old_email": text()}}),
        },
        Flow {
            path: "/auth/deletion",
            method: "post",
            id: "requestDeletion",
            summary: "A token that deletes the account",
            body: object(&[], &json!({"password": proof()})),
            status: 200,
            answer: json!({"type": "object", "required": ["token", "expires_at"],
                           "properties": {"token": text(), "expires_at": text()}}),
        },
        Flow {
            path: "/auth/me",
            method: "patch",
            id: "changeMe",
            summary: "Change your names",
            body: object(
                &[],
                &json!({"username": name(), "first_name": name(), "last_name": name(),
                        "display_name": name()}),
            ),
            status: 200,
            answer: own_account(),
        },
        Flow {
            path: "/auth/me",
            method: "delete",
            id: "deleteMe",
            summary: "Delete the account",
            body: object(&["token"], &json!({"token": token()})),
            status: 200,
            answer: json!({"type": "object", "required": ["deleted"],
                           "properties": {"deleted": text()}}),
        },
    ]
}
