//! What can happen to an account: a closed set, and what is told about each.

use jiff::Timestamp;
use lang::Type;
use serde_json::{Map, Value as Json};
use sql::Value;
use uuid::Uuid;

use crate::{value_as_json, value_from_json};

/// Something that can happen to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// An account was made.
    UserRegistered,
    /// Its address was proved.
    UserConfirmed,
    /// It is being deleted; its row is gone when the transaction ends.
    UserDeleted,
    /// Somebody signed in.
    Login,
    /// The password was replaced.
    PasswordChanged,
    /// The address was replaced.
    EmailChanged,
    /// A role was given or taken away.
    RolesChanged,
    /// An access token is about to be made.
    BeforeToken,
}

/// A parameter of a hook: name, type, whether it can be null.
pub(super) type Parameter = (&'static str, Type, bool);

/// What every event tells about the account, in the order of [`Occurrence::values`].
const PERSON: [Parameter; 6] = [
    ("user_id", Type::Uuid, false),
    ("email", Type::Text, false),
    ("username", Type::Text, true),
    ("first_name", Type::Text, true),
    ("last_name", Type::Text, true),
    ("display_name", Type::Text, false),
];

/// What a hook file is given behind the event's own values.
pub(super) const DELIVERY: [Parameter; 3] = [
    ("occurred_at", Type::Timestamp, false),
    ("event_id", Type::Uuid, false),
    ("delivery_id", Type::Uuid, false),
];

impl Event {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::UserRegistered,
        Self::UserConfirmed,
        Self::UserDeleted,
        Self::Login,
        Self::PasswordChanged,
        Self::EmailChanged,
        Self::RolesChanged,
        Self::BeforeToken,
    ];

    /// Its name: of its file, in a webhook's `events`, as a message's `type`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::UserRegistered => "user_registered",
            Self::UserConfirmed => "user_confirmed",
            Self::UserDeleted => "user_deleted",
            Self::Login => "login",
            Self::PasswordChanged => "password_changed",
            Self::EmailChanged => "email_changed",
            Self::RolesChanged => "roles_changed",
            Self::BeforeToken => "before_token",
        }
    }

    /// The event of that name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.name() == name)
    }

    /// The file that runs on it.
    #[must_use]
    pub fn path(self) -> String {
        format!("hooks/{}.sql", self.name())
    }

    /// Whether it is told after it has happened; `before_token` is asked instead.
    #[must_use]
    pub fn is_told(self) -> bool {
        self != Self::BeforeToken
    }

    /// Whether it can be caught up on for accounts that are there already.
    #[must_use]
    pub fn has_backfill(self) -> bool {
        matches!(self, Self::UserRegistered | Self::UserConfirmed)
    }

    /// Its own values, behind those about the account.
    fn more(self) -> Vec<Parameter> {
        match self {
            Self::UserRegistered => vec![("fields", Type::Json, true)],
            Self::UserConfirmed | Self::UserDeleted | Self::PasswordChanged => Vec::new(),
            Self::Login => vec![("method", Type::Text, false)],
            Self::EmailChanged => vec![("old_email", Type::Text, false)],
            Self::RolesChanged => vec![
                ("role", Type::Text, false),
                ("granted", Type::Boolean, false),
                ("expires_at", Type::Timestamp, true),
            ],
            Self::BeforeToken => vec![("client_id", Type::Text, false)],
        }
    }

    /// Everything that it tells, in the order of [`Occurrence::values`].
    pub(super) fn values(self) -> Vec<Parameter> {
        PERSON.into_iter().chain(self.more()).collect()
    }
}

/// The account that something happened to, as it is afterwards.
#[derive(Clone, Debug)]
pub struct Person {
    /// Its id.
    pub user_id: Uuid,
    /// Its address, normalised.
    pub email: String,
    /// Its user name.
    pub username: Option<String>,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// The name to show; the user name or the address where none was given.
    pub display_name: String,
}

impl Person {
    /// The name to show out of what there is.
    #[must_use]
    pub fn shown_as(display_name: Option<&str>, username: Option<&str>, email: &str) -> String {
        display_name.or(username).unwrap_or(email).to_owned()
    }
}

/// What happened, with what each event tells besides the account.
#[derive(Clone, Debug)]
pub enum Happened {
    /// An account was made.
    UserRegistered {
        /// What its invitation says besides: a JSON object.
        fields: Option<String>,
    },
    /// Its address was proved.
    UserConfirmed,
    /// It is being deleted.
    UserDeleted,
    /// Somebody signed in.
    Login {
        /// With what: `password`.
        method: &'static str,
    },
    /// The password was replaced.
    PasswordChanged,
    /// The address was replaced.
    EmailChanged {
        /// The one before.
        old_email: String,
    },
    /// A role was given or taken away.
    RolesChanged {
        /// Its name.
        role: String,
        /// Given, or taken away.
        granted: bool,
        /// Until when, where it was given for a time.
        expires_at: Option<Timestamp>,
    },
    /// An access token is about to be made.
    BeforeToken {
        /// For which client.
        client_id: String,
    },
}

impl Happened {
    fn event(&self) -> Event {
        match self {
            Self::UserRegistered { .. } => Event::UserRegistered,
            Self::UserConfirmed => Event::UserConfirmed,
            Self::UserDeleted => Event::UserDeleted,
            Self::Login { .. } => Event::Login,
            Self::PasswordChanged => Event::PasswordChanged,
            Self::EmailChanged { .. } => Event::EmailChanged,
            Self::RolesChanged { .. } => Event::RolesChanged,
            Self::BeforeToken { .. } => Event::BeforeToken,
        }
    }

    fn values(self) -> Vec<Value> {
        match self {
            Self::UserRegistered { fields } => vec![fields.map_or(Value::Null, Value::Json)],
            Self::UserConfirmed | Self::UserDeleted | Self::PasswordChanged => Vec::new(),
            Self::Login { method } => vec![Value::from(method)],
            Self::EmailChanged { old_email } => vec![Value::from(old_email)],
            Self::RolesChanged {
                role,
                granted,
                expires_at,
            } => vec![Value::from(role), Value::from(granted), expires_at.into()],
            Self::BeforeToken { client_id } => vec![Value::from(client_id)],
        }
    }
}

/// One thing that happened, at one moment, to one account.
#[derive(Clone, Debug, PartialEq)]
pub struct Occurrence {
    /// What.
    pub event: Event,
    /// The same for everybody who is told.
    pub id: Uuid,
    /// When.
    pub at: Timestamp,
    pub(super) values: Vec<Value>,
}

/// A stored message that cannot be read back. Never shows its values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stored event cannot be read: {0}")]
pub struct MessageError(&'static str);

impl Occurrence {
    /// Something that happened to `person`.
    #[must_use]
    pub fn new(id: Uuid, at: Timestamp, person: &Person, happened: Happened) -> Self {
        let event = happened.event();
        let mut values = vec![
            Value::Uuid(person.user_id),
            Value::from(person.email.as_str()),
            person.username.clone().into(),
            person.first_name.clone().into(),
            person.last_name.clone().into(),
            Value::from(person.display_name.as_str()),
        ];
        values.extend(happened.values());
        Self {
            event,
            id,
            at,
            values,
        }
    }

    /// The account.
    #[must_use]
    pub fn user(&self) -> Option<Uuid> {
        match self.values.first() {
            Some(Value::Uuid(id)) => Some(*id),
            _ => None,
        }
    }

    /// The message about it, JSON: `{"type", "timestamp", "data"}`, the body of a webhook
    /// (Standard Webhooks, "Payload structure") and what the outbox keeps.
    #[must_use]
    pub fn message(&self) -> String {
        let at = value_as_json(&Value::Timestamp(self.at), sql::Kind::Timestamp);
        let mut text = format!(
            r#"{{"type":"{}","timestamp":{at},"data":{{"event_id":"{}""#,
            self.event.name(),
            self.id
        );
        for ((name, ty, _), value) in self.event.values().iter().zip(&self.values) {
            text.push_str(",\"");
            text.push_str(name);
            text.push_str("\":");
            text.push_str(&value_as_json(value, ty.kind()));
        }
        text.push_str("}}");
        text
    }

    /// Reads what [`Self::message`] wrote, also that of an earlier release: what it did not tell
    /// yet is null.
    pub fn of_message(text: &str) -> Result<Self, MessageError> {
        let wrong = MessageError;
        let message: Map<String, Json> =
            serde_json::from_str(text).map_err(|_| wrong("it is no JSON object"))?;
        let event = message.get("type").and_then(Json::as_str);
        let event = event
            .and_then(Event::of_name)
            .ok_or(wrong("its type is unknown"))?;
        let at = message.get("timestamp").unwrap_or(&Json::Null);
        let Ok(Value::Timestamp(at)) = value_from_json(at, &Type::Timestamp) else {
            return Err(wrong("it has no timestamp"));
        };
        let data = message.get("data").and_then(Json::as_object);
        let data = data.ok_or(wrong("it has no data"))?;
        let id = data.get("event_id").and_then(Json::as_str);
        let id = id
            .and_then(|id| Uuid::try_parse(id).ok())
            .ok_or(wrong("it has no event_id"))?;
        let read = |(name, ty, nullable): &Parameter| {
            let value = value_from_json(data.get(*name).unwrap_or(&Json::Null), ty)
                .map_err(|_| wrong("a value is of another type"))?;
            match value {
                Value::Null if !nullable => Err(wrong("a value is missing")),
                value => Ok(value),
            }
        };
        let values: Result<Vec<Value>, MessageError> = event.values().iter().map(read).collect();
        Ok(Self {
            event,
            id,
            at,
            values: values?,
        })
    }
}

#[cfg(test)]
mod tests {
    //! Messages there and back.

    use super::{Event, Happened, Occurrence, Person};

    fn person() -> Person {
        Person {
            user_id: uuid::Uuid::from_u128(7),
            email: String::from("a@x.nl"),
            username: None,
            first_name: Some(String::from("x'); drop table users;--\u{2028}\"\\")),
            last_name: Some(String::from("😀")),
            display_name: String::from("null"),
        }
    }

    #[test]
    fn a_message_says_what_happened_and_nothing_is_lost() {
        let at = jiff::Timestamp::from_microsecond(1_795_000_000_123_456).unwrap();
        let happened = [
            Happened::UserRegistered {
                fields: Some(String::from("{\"club\": \"Chess\"}")),
            },
            Happened::UserConfirmed,
            Happened::UserDeleted,
            Happened::Login { method: "password" },
            Happened::PasswordChanged,
            Happened::EmailChanged {
                old_email: String::from("b@x.nl"),
            },
            Happened::RolesChanged {
                role: String::from("editor"),
                granted: true,
                expires_at: Some(at),
            },
            Happened::BeforeToken {
                client_id: String::from("first-party"),
            },
        ];
        assert_eq!(happened.len(), Event::ALL.len());
        for happened in happened {
            let told = Occurrence::new(uuid::Uuid::from_u128(9), at, &person(), happened);
            assert_eq!(Event::of_name(told.event.name()), Some(told.event));
            assert_eq!(Occurrence::of_message(&told.message()), Ok(told));
        }
    }

    #[test]
    fn a_broken_message_is_refused_without_its_values() {
        for text in [
            "",
            "[]",
            "{}",
            r#"{"type":"nothing"}"#,
            r#"{"type":"login","timestamp":"2026-11-21T00:00:00Z","data":{"email":"a@x.nl"}}"#,
        ] {
            let error = Occurrence::of_message(text).unwrap_err().to_string();
            assert!(!error.contains("a@x.nl"), "{error}");
        }
    }
}
