//! The audit log: who did what to whom, written with the act itself. Rows are added and read, never
//! changed.

use jiff::Timestamp;
use sql::{Expect, Kind, Query, Row, Step};
use uuid::Uuid;

use crate::decode::Columns;
use crate::{Store, StoreResult};

/// What can be done to accounts; the names are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// An account was made.
    UserRegistered,
    /// Somebody asked for a link that proves an address, be there an account or not.
    ConfirmationRequested,
    /// Its address was proved.
    UserConfirmed,
    /// Somebody asked for a new password for an address, be there an account or not.
    ResetRequested,
    /// The password was replaced.
    PasswordChanged,
    /// Somebody asked to move his account to another address.
    EmailChangeRequested,
    /// The address was replaced.
    EmailChanged,
    /// Somebody proved anew who he is, to delete his account.
    DeletionRequested,
    /// An account was deleted.
    UserDeleted,
    /// Somebody asked to become a user.
    ApplicationReceived,
    /// The address of an application was proved.
    ApplicationConfirmed,
    /// An administrator invited somebody, or approved of an application.
    InvitationSent,
    /// An administrator took an invitation back, or refused an application.
    InvitationWithdrawn,
    /// A role was given.
    RoleGranted,
    /// A role was taken away.
    RoleRevoked,
    /// The shell asked for a link that makes an administrator.
    AdministratorLinkMade,
    /// An account was changed in another way.
    UserUpdated,
    /// An account was switched off.
    UserDisabled,
    /// It was switched on again.
    UserEnabled,
    /// All sessions and tokens of an account were ended.
    SessionsEnded,
    /// An authenticator app was set up.
    TotpEnabled,
    /// It was taken away.
    TotpDisabled,
    /// There are new recovery codes.
    RecoveryCodesRenewed,
    /// A passkey was added.
    PasskeyAdded,
    /// One was taken away.
    PasskeyRemoved,
    /// An API key was made.
    ApiKeyCreated,
    /// One was revoked.
    ApiKeyRevoked,
    /// A user agreed to what a client asked for.
    ConsentGiven,
    /// What a user had let a client do was taken back.
    ConsentWithdrawn,
    /// A code or refresh token was used twice, and all that came of it was ended.
    GrantReplayed,
    /// A user let a device act for them.
    DeviceApproved,
    /// A user said no to a device.
    DeviceDenied,
    /// A client was given a token for what another one could do for a user.
    TokenExchanged,
    /// A client was given a token for a user by the word of another issuer.
    AssertionAccepted,
    /// The shell made a token by which clients register themselves.
    ClientInvited,
    /// A client registered itself.
    ClientRegistered,
    /// It changed what it says of itself.
    ClientChanged,
    /// It removed itself.
    ClientRemoved,
    /// One that nobody used was removed.
    ClientExpired,
    /// Failed sign-ins were forgotten.
    UserUnlocked,
    /// All second factors of an account were taken away.
    FactorsRemoved,
    /// Accounts were imported from a file.
    UsersImported,
}

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// An account, and how it is called.
    User(Uuid, String),
    /// Whoever runs the program on the server.
    Shell,
    /// Somebody who has not signed in.
    Anonymous,
}

/// To whom it is done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// The account, where there is one.
    pub id: Option<Uuid>,
    /// How it is called: an address.
    pub name: Option<String>,
}

/// An act.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What.
    pub act: Act,
    /// Who.
    pub actor: Actor,
    /// To whom.
    pub target: Target,
    /// From which network address.
    pub address: Option<String>,
    /// By which request.
    pub request_id: Option<String>,
    /// What else is to be known, JSON; never a secret.
    pub details: Option<String>,
}

/// An act of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its id; ids grow.
    pub id: Uuid,
    /// When.
    pub at: Timestamp,
    /// What: [`Act::name`].
    pub act: String,
    /// Who, where it is an account.
    pub actor_id: Option<Uuid>,
    /// How who acts was called then.
    pub actor: String,
    /// To whom, where it is an account.
    pub target_id: Option<Uuid>,
    /// How it was called then.
    pub target: Option<String>,
    /// From which network address.
    pub address: Option<String>,
    /// By which request.
    pub request_id: Option<String>,
    /// What else is to be known, JSON.
    pub details: Option<String>,
}

/// Which acts are wanted; `None` for any.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// By that account or to it, or to somebody who was called so.
    pub user: Option<Uuid>,
    /// To somebody who was called so: an address.
    pub name: Option<String>,
    /// What.
    pub act: Option<Act>,
    /// From then on.
    pub since: Option<Timestamp>,
    /// Written down before this one, for the next page.
    pub before: Option<Uuid>,
}

impl Act {
    /// All of them.
    pub const ALL: [Self; 42] = [
        Self::UserRegistered,
        Self::ConfirmationRequested,
        Self::UserConfirmed,
        Self::ResetRequested,
        Self::PasswordChanged,
        Self::EmailChangeRequested,
        Self::EmailChanged,
        Self::DeletionRequested,
        Self::UserDeleted,
        Self::ApplicationReceived,
        Self::ApplicationConfirmed,
        Self::InvitationSent,
        Self::InvitationWithdrawn,
        Self::RoleGranted,
        Self::RoleRevoked,
        Self::AdministratorLinkMade,
        Self::UserUpdated,
        Self::UserDisabled,
        Self::UserEnabled,
        Self::SessionsEnded,
        Self::TotpEnabled,
        Self::TotpDisabled,
        Self::RecoveryCodesRenewed,
        Self::PasskeyAdded,
        Self::PasskeyRemoved,
        Self::ApiKeyCreated,
        Self::ApiKeyRevoked,
        Self::ConsentGiven,
        Self::ConsentWithdrawn,
        Self::GrantReplayed,
        Self::DeviceApproved,
        Self::DeviceDenied,
        Self::TokenExchanged,
        Self::AssertionAccepted,
        Self::ClientInvited,
        Self::ClientRegistered,
        Self::ClientChanged,
        Self::ClientRemoved,
        Self::ClientExpired,
        Self::UserUnlocked,
        Self::FactorsRemoved,
        Self::UsersImported,
    ];

    /// The name in the table; never to be changed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::UserRegistered => "user_registered",
            Self::ConfirmationRequested => "confirmation_requested",
            Self::UserConfirmed => "user_confirmed",
            Self::ResetRequested => "reset_requested",
            Self::PasswordChanged => "password_changed",
            Self::EmailChangeRequested => "email_change_requested",
            Self::EmailChanged => "email_changed",
            Self::DeletionRequested => "deletion_requested",
            Self::UserDeleted => "user_deleted",
            Self::ApplicationReceived => "application_received",
            Self::ApplicationConfirmed => "application_confirmed",
            Self::InvitationSent => "invitation_sent",
            Self::InvitationWithdrawn => "invitation_withdrawn",
            Self::RoleGranted => "role_granted",
            Self::RoleRevoked => "role_revoked",
            Self::AdministratorLinkMade => "administrator_link_made",
            Self::UserUpdated => "user_updated",
            Self::UserDisabled => "user_disabled",
            Self::UserEnabled => "user_enabled",
            Self::SessionsEnded => "sessions_ended",
            Self::TotpEnabled => "totp_enabled",
            Self::TotpDisabled => "totp_disabled",
            Self::RecoveryCodesRenewed => "recovery_codes_renewed",
            Self::PasskeyAdded => "passkey_added",
            Self::PasskeyRemoved => "passkey_removed",
            Self::ApiKeyCreated => "api_key_created",
            Self::ApiKeyRevoked => "api_key_revoked",
            Self::ConsentGiven => "consent_given",
            Self::ConsentWithdrawn => "consent_withdrawn",
            Self::GrantReplayed => "grant_replayed",
            Self::DeviceApproved => "device_approved",
            Self::DeviceDenied => "device_denied",
            Self::TokenExchanged => "token_exchanged",
            Self::AssertionAccepted => "assertion_accepted",
            Self::ClientInvited => "client_invited",
            Self::ClientRegistered => "client_registered",
            Self::ClientChanged => "client_changed",
            Self::ClientRemoved => "client_removed",
            Self::ClientExpired => "client_expired",
            Self::UserUnlocked => "user_unlocked",
            Self::FactorsRemoved => "factors_removed",
            Self::UsersImported => "users_imported",
        }
    }

    /// Reads [`Act::name`].
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.name() == name)
    }
}

/// The step that writes an act down; part of the act's own unit.
#[must_use]
pub fn insert_step(store: &Store, entry: &Entry) -> Step {
    let (actor_id, actor) = match &entry.actor {
        Actor::User(id, name) => (Some(*id), name.as_str()),
        Actor::Shell => (None, "shell"),
        Actor::Anonymous => (None, "anonymous"),
    };
    let mut sql = store.sql();
    sql.push(
        "insert into auth_audit (id, at, act, actor_id, actor, target_id, target, address, \
         request_id, details) values (",
    );
    sql.arg(stdx::new_id(&store.clock, &store.rng));
    sql.push(", ").arg(store.clock.now());
    sql.push(", ").arg(entry.act.name());
    sql.push(", ").arg(actor_id).push(", ").arg(actor);
    sql.push(", ").arg(entry.target.id);
    sql.push(", ").arg(entry.target.name.clone());
    sql.push(", ").arg(entry.address.clone());
    sql.push(", ").arg(entry.request_id.clone());
    sql.push(", ").arg(entry.details.clone()).push(")");
    Step::new(sql).expecting(Expect::Rows(1))
}

/// The newest acts, the newest last, at most `limit`.
pub async fn list(store: &Store, filter: &Filter, limit: u64) -> StoreResult<Vec<Line>> {
    let mut sql = store.sql();
    sql.push(
        "select id, at, act, actor_id, actor, target_id, target, address, request_id, details \
         from auth_audit where 1 = 1",
    );
    match (filter.user, &filter.name) {
        (Some(user), name) => {
            sql.push(" and (target_id = ").arg(user);
            sql.push(" or actor_id = ").arg(user);
            if let Some(name) = name {
                sql.push(" or target = ").arg(name.as_str());
            }
            sql.push(")");
        }
        (None, Some(name)) => {
            sql.push(" and target = ").arg(name.as_str());
        }
        (None, None) => {}
    }
    if let Some(act) = filter.act {
        sql.push(" and act = ").arg(act.name());
    }
    if let Some(since) = filter.since {
        sql.push(" and at >= ").arg(since);
    }
    if let Some(before) = filter.before {
        sql.push(" and id < ").arg(before);
    }
    sql.push(" order by id desc limit ").number(limit);
    let kinds = vec![
        Kind::Uuid,
        Kind::Timestamp,
        Kind::Text,
        Kind::Uuid,
        Kind::Text,
        Kind::Uuid,
        Kind::Text,
        Kind::Text,
        Kind::Text,
        Kind::Text,
    ];
    let rows = store.db.rows(&Query::long(sql, kinds)).await?;
    let mut lines: Vec<Line> = rows.into_iter().map(line).collect::<StoreResult<_>>()?;
    // Ids of one millisecond have no order.
    lines.sort_by_key(|line| (line.at, line.id));
    Ok(lines)
}

fn line(row: Row) -> StoreResult<Line> {
    let mut columns = Columns::of("auth_audit", row);
    Ok(Line {
        id: columns.uuid()?,
        at: columns.moment()?,
        act: columns.text()?,
        actor_id: columns.optional_uuid()?,
        actor: columns.text()?,
        target_id: columns.optional_uuid()?,
        target: columns.optional_text()?,
        address: columns.optional_text()?,
        request_id: columns.optional_text()?,
        details: columns.optional_text()?,
    })
}
