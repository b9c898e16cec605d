//! Accounts: who they are and how they log in.

use credentials::{EmailAddress, PasswordHash, Username};
use jiff::Timestamp;
use sql::{DbError, Expect, Kind, Query, Row, Sql, Step};
use uuid::Uuid;

use crate::accounts::Taken;
use crate::decode::Columns;
use crate::{Store, StoreResult};

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Never changes, never given to another.
    pub id: Uuid,
    /// Unique.
    pub email: EmailAddress,
    /// Unique without regard to case, as its owner writes it.
    pub username: Option<String>,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// The name to show.
    pub display_name: Option<String>,
    /// Whether it may be used at all.
    pub active: bool,
    /// When the address was proved.
    pub email_verified_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Tokens of an older epoch are dead.
    pub epoch: i64,
}

/// An account to be made.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Its id, so that steps of the same unit can point to it.
    pub id: Uuid,
    /// Its address.
    pub email: EmailAddress,
    /// Its name, if it has one.
    pub username: Option<Username>,
    /// Given name, at most 200 characters.
    pub first_name: Option<String>,
    /// Family name, at most 200 characters.
    pub last_name: Option<String>,
    /// The name to show, at most 200 characters.
    pub display_name: Option<String>,
    /// When it is made.
    pub created_at: Timestamp,
}

/// What somebody types to say who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoginName {
    /// With an `@`.
    Email(EmailAddress),
    /// Without.
    Username(Username),
}

/// An account and its password's hash, if it has one.
#[derive(Clone, Debug)]
pub struct LoginCandidate {
    /// The account; look at `active` only after the password was right.
    pub user: User,
    /// The hash to compare with.
    pub hash: Option<PasswordHash>,
}

/// What is to be different about an account; `None` leaves a thing as it is.
#[derive(Clone, Debug, Default)]
pub struct UserChange {
    /// Another address, which is not proved yet.
    pub email: Option<EmailAddress>,
    /// Another name.
    pub username: Option<Username>,
    /// Other names of the person; `None` for a name takes it away.
    pub names: Vec<(PersonName, Option<String>)>,
}

/// How a person is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PersonName {
    /// Given name.
    First,
    /// Family name.
    Last,
    /// The name to show.
    Display,
}

/// What every request of a user must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whether the account may be used at all.
    pub active: bool,
    /// Tokens of an older epoch are dead.
    pub epoch: i64,
}

impl NewUser {
    /// An account with a fresh id and that address, all else empty.
    #[must_use]
    pub fn new(store: &Store, email: EmailAddress) -> Self {
        Self {
            id: stdx::new_id(&store.clock, &store.rng),
            email,
            username: None,
            first_name: None,
            last_name: None,
            display_name: None,
            created_at: store.clock.now(),
        }
    }

    /// The account as it is right after it was made, before its address is proved.
    #[must_use]
    pub fn made(&self) -> User {
        User {
            id: self.id,
            email: self.email.clone(),
            username: self.username.as_ref().map(ToString::to_string),
            first_name: self.first_name.clone(),
            last_name: self.last_name.clone(),
            display_name: self.display_name.clone(),
            active: true,
            email_verified_at: None,
            created_at: self.created_at,
            updated_at: self.created_at,
            epoch: 0,
        }
    }
}

impl LoginName {
    /// Reads what was typed; `None` means that no account can be called so.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.contains('@') {
            return EmailAddress::parse(text).ok().map(Self::Email);
        }
        Username::parse(text).ok().map(Self::Username)
    }
}

/// The steps that make an account with a password; part of a larger unit.
#[must_use]
pub fn insert_steps(store: &Store, user: &NewUser, hash: &PasswordHash) -> Vec<Step> {
    vec![
        insert_step(store, user),
        password_step(store, user.id, hash),
    ]
}

/// The step that makes an account, without a password.
#[must_use]
pub fn insert_step(store: &Store, user: &NewUser) -> Step {
    let now = user.created_at;
    let username = user.username.as_ref();
    let mut sql = store.sql();
    sql.push(
        "insert into auth_users (id, email, username, username_key, first_name, last_name, \
         display_name, active, created_at, updated_at, epoch) values (",
    );
    sql.arg(user.id).push(", ").arg(user.email.as_str());
    sql.push(", ").arg(username.map(Username::as_str));
    sql.push(", ").arg(username.map(Username::username_key));
    sql.push(", ").arg(user.first_name.clone());
    sql.push(", ").arg(user.last_name.clone());
    sql.push(", ").arg(user.display_name.clone());
    sql.push(", ").arg(true);
    sql.push(", ").arg(now).push(", ").arg(now).push(", 0)");
    Step::new(sql).expecting(Expect::Rows(1))
}

/// The step that gives an account its first password.
#[must_use]
pub fn password_step(store: &Store, user: Uuid, hash: &PasswordHash) -> Step {
    let mut sql = store.sql();
    sql.push("insert into auth_passwords (user_id, hash, updated_at) values (");
    sql.arg(user).push(", ").arg(hash.to_phc());
    sql.push(", ").arg(store.clock.now()).push(")");
    Step::new(sql).expecting(Expect::Rows(1))
}

/// The account of that id.
pub async fn by_id(store: &Store, id: Uuid) -> StoreResult<Option<User>> {
    let mut sql = select_user(store);
    sql.push(" where u.id = ").arg(id);
    first_user(store, sql).await
}

/// The account of that address.
pub async fn by_email(store: &Store, email: &EmailAddress) -> StoreResult<Option<User>> {
    let mut sql = select_user(store);
    sql.push(" where u.email = ").arg(email.as_str());
    first_user(store, sql).await
}

/// The account of that name, whatever its case.
pub async fn by_username(store: &Store, username: &Username) -> StoreResult<Option<User>> {
    let mut sql = select_user(store);
    sql.push(" where u.username_key = ")
        .arg(username.username_key());
    first_user(store, sql).await
}

/// Changes an account, and runs `more` after it, all or nothing; gives what somebody else has, if
/// that is why it could not.
pub async fn update(
    store: &Store,
    id: Uuid,
    change: &UserChange,
    more: Vec<Step>,
) -> StoreResult<Option<Taken>> {
    let mut unit = vec![update_step(store, id, change)];
    unit.extend(more);
    let Err(error) = store.db.write(unit).await else {
        return Ok(None);
    };
    match taken_by_other(store, id, change, &error).await? {
        Some(taken) => Ok(Some(taken)),
        None => Err(error.into()),
    }
}

/// The step that changes an account; none there fails with [`DbError::Unexpected`].
#[must_use]
pub fn update_step(store: &Store, id: Uuid, change: &UserChange) -> Step {
    let mut sql = store.sql();
    sql.push("update auth_users set updated_at = ")
        .arg(store.clock.now());
    if let Some(email) = &change.email {
        sql.push(", email = ").arg(email.as_str());
        sql.push(", email_verified_at = null");
    }
    if let Some(username) = &change.username {
        sql.push(", username = ").arg(username.as_str());
        sql.push(", username_key = ").arg(username.username_key());
    }
    for (which, name) in &change.names {
        sql.push(match which {
            PersonName::First => ", first_name = ",
            PersonName::Last => ", last_name = ",
            PersonName::Display => ", display_name = ",
        });
        sql.arg(name.clone());
    }
    sql.push(" where id = ").arg(id);
    Step::new(sql).expecting(Expect::Rows(1))
}

/// What somebody else has of a change that failed with `error`, if that is why.
pub async fn taken_by_other(
    store: &Store,
    id: Uuid,
    change: &UserChange,
    error: &DbError,
) -> StoreResult<Option<Taken>> {
    if !matches!(error, DbError::Unique { .. }) {
        return Ok(None);
    }
    let is_other = |found: Option<User>| found.is_some_and(|user| user.id != id);
    if let Some(email) = &change.email
        && is_other(by_email(store, email).await?)
    {
        return Ok(Some(Taken::Email));
    }
    if let Some(username) = &change.username
        && is_other(by_username(store, username).await?)
    {
        return Ok(Some(Taken::Username));
    }
    Ok(None)
}

/// The account that logs in by that name, with its password's hash.
pub async fn find_for_login(
    store: &Store,
    name: &LoginName,
) -> StoreResult<Option<LoginCandidate>> {
    let mut sql = store.sql();
    sql.push(USER_COLUMNS)
        .push(", p.hash from auth_users u left join auth_passwords p on p.user_id = u.id where ");
    match name {
        LoginName::Email(email) => sql.push("u.email = ").arg(email.as_str()),
        LoginName::Username(name) => sql.push("u.username_key = ").arg(name.username_key()),
    };
    let mut kinds = USER_KINDS.to_vec();
    kinds.push(Kind::Text);
    let Some(row) = store.db.optional(&Query::short(sql, kinds)).await? else {
        return Ok(None);
    };
    let mut columns = Columns::of("auth_users", row);
    let user = read_user(&mut columns)?;
    let hash = match columns.optional_text()? {
        Some(text) => Some(PasswordHash::from_stored(&text)?),
        None => None,
    };
    Ok(Some(LoginCandidate { user, hash }))
}

/// Whether the account may be used, and from which epoch its tokens must be.
pub async fn standing(store: &Store, id: Uuid) -> StoreResult<Option<Standing>> {
    let mut sql = store.sql();
    sql.push("select active, epoch from auth_users where id = ")
        .arg(id);
    let query = Query::short(sql, vec![Kind::Boolean, Kind::Integer]);
    let Some(row) = store.db.optional(&query).await? else {
        return Ok(None);
    };
    let mut columns = Columns::of("auth_users", row);
    Ok(Some(Standing {
        active: columns.bool()?,
        epoch: columns.int()?,
    }))
}

/// Replaces a hash by a newer one of the same password; gives whether it did.
///
/// The old hash is part of the condition, so a password that was changed meanwhile stays changed.
pub async fn upgrade_password(
    store: &Store,
    user: Uuid,
    old: &PasswordHash,
    new: &PasswordHash,
) -> StoreResult<bool> {
    let mut sql = store.sql();
    sql.push("update auth_passwords set hash = ")
        .arg(new.to_phc());
    sql.push(", updated_at = ").arg(store.clock.now());
    sql.push(" where user_id = ").arg(user);
    sql.push(" and hash = ").arg(old.to_phc());
    let outcomes = store
        .db
        .write(vec![Step::new(sql).expecting(Expect::AtMost(1))])
        .await?;
    Ok(outcomes.iter().any(|outcome| outcome.affected == 1))
}

/// The steps that set another password; the epoch grows, so all tokens of the user die.
#[must_use]
pub fn change_password_steps(store: &Store, user: Uuid, hash: &PasswordHash) -> Vec<Step> {
    vec![
        delete_password_step(store, user),
        crate::opaque::delete_record_step(store, user),
        password_step(store, user, hash),
        bump_epoch_step(store, user),
    ]
}

/// Whether any account has a password's hash.
pub async fn has_passwords(store: &Store) -> StoreResult<bool> {
    let mut sql = store.sql();
    sql.push("select user_id from auth_passwords limit 1");
    let query = Query::short(sql, vec![Kind::Uuid]);
    Ok(store.db.optional(&query).await?.is_some())
}

/// Whether this account has a password's hash.
pub async fn has_password(store: &Store, user: Uuid) -> StoreResult<bool> {
    let mut sql = store.sql();
    sql.push("select user_id from auth_passwords where user_id = ")
        .arg(user);
    let query = Query::short(sql, vec![Kind::Uuid]);
    Ok(store.db.optional(&query).await?.is_some())
}

/// The step that forgets a password's hash; none there is fine.
#[must_use]
pub fn delete_password_step(store: &Store, user: Uuid) -> Step {
    let mut sql = store.sql();
    sql.push("delete from auth_passwords where user_id = ")
        .arg(user);
    Step::new(sql).expecting(Expect::AtMost(1))
}

/// The step after which every token that the user holds is dead.
#[must_use]
pub fn bump_epoch_step(store: &Store, user: Uuid) -> Step {
    let mut sql = store.sql();
    sql.push("update auth_users set epoch = epoch + 1, updated_at = ")
        .arg(store.clock.now());
    sql.push(" where id = ").arg(user);
    Step::new(sql).expecting(Expect::Rows(1))
}

/// The steps that let an account be used or not; either way its tokens die.
#[must_use]
pub fn set_active_steps(store: &Store, user: Uuid, active: bool) -> Vec<Step> {
    let mut sql = store.sql();
    sql.push("update auth_users set epoch = epoch + 1, active = ")
        .arg(active);
    sql.push(", updated_at = ").arg(store.clock.now());
    sql.push(" where id = ").arg(user);
    vec![Step::new(sql).expecting(Expect::Rows(1))]
}

/// The step that says that an address was proved; none where it was, or where the address has
/// changed meanwhile.
#[must_use]
pub fn confirm_step(store: &Store, user: &User) -> Step {
    let now = store.clock.now();
    let mut sql = store.sql();
    sql.push("update auth_users set email_verified_at = ")
        .arg(now);
    sql.push(", updated_at = ").arg(now);
    sql.push(" where id = ").arg(user.id);
    sql.push(" and email = ").arg(user.email.as_str());
    sql.push(" and email_verified_at is null");
    Step::new(sql).expecting(Expect::Rows(1))
}

/// The step that says when the address of an account was proved, or that it was not.
#[must_use]
pub fn verified_step(store: &Store, id: Uuid, at: Option<Timestamp>) -> Step {
    let mut sql = store.sql();
    sql.push("update auth_users set email_verified_at = ")
        .arg(at);
    sql.push(", updated_at = ").arg(store.clock.now());
    sql.push(" where id = ").arg(id);
    Step::new(sql).expecting(Expect::Rows(1))
}

/// The step that says of an account that is being made in the same unit that its address was proved,
/// which language its owner reads, and how who imports accounts calls it.
#[must_use]
pub fn proved_step(store: &Store, id: Uuid, language: &str, external_id: Option<&str>) -> Step {
    let mut sql = store.sql();
    sql.push("update auth_users set email_verified_at = ")
        .arg(store.clock.now());
    sql.push(", language = ").arg(language);
    sql.push(", external_id = ")
        .arg(external_id.map(str::to_owned));
    sql.push(" where id = ").arg(id);
    Step::new(sql).expecting(Expect::Rows(1))
}

/// The step that moves an account to another address, which is proved; its tokens die. None where
/// the address has changed meanwhile.
#[must_use]
pub fn move_step(store: &Store, user: &User, email: &EmailAddress) -> Step {
    let now = store.clock.now();
    let mut sql = store.sql();
    sql.push("update auth_users set email = ")
        .arg(email.as_str());
    sql.push(", email_verified_at = ").arg(now);
    sql.push(", updated_at = ").arg(now);
    sql.push(", epoch = epoch + 1 where id = ").arg(user.id);
    sql.push(" and email = ").arg(user.email.as_str());
    Step::new(sql).expecting(Expect::Rows(1))
}

/// The language that the owner of an account reads, BCP 47.
pub async fn language_of(store: &Store, id: Uuid) -> StoreResult<Option<String>> {
    let mut sql = store.sql();
    sql.push("select language from auth_users where id = ")
        .arg(id);
    let query = Query::short(sql, vec![Kind::Text]);
    match store.db.optional(&query).await? {
        Some(row) => Columns::of("auth_users", row).optional_text(),
        None => Ok(None),
    }
}

/// The step that deletes an account; its password, roles and marks go with it.
#[must_use]
pub fn delete_step(store: &Store, user: Uuid) -> Step {
    let mut sql = store.sql();
    sql.push("delete from auth_users where id = ").arg(user);
    Step::new(sql).expecting(Expect::Rows(1))
}

const USER_COLUMNS: &str = "select u.id, u.email, u.username, u.first_name, u.last_name, \
     u.display_name, u.active, u.email_verified_at, u.created_at, u.updated_at, u.epoch";

pub(crate) const USER_KINDS: [Kind; 11] = [
    Kind::Uuid,
    Kind::Text,
    Kind::Text,
    Kind::Text,
    Kind::Text,
    Kind::Text,
    Kind::Boolean,
    Kind::Timestamp,
    Kind::Timestamp,
    Kind::Timestamp,
    Kind::Integer,
];

/// The accounts that a statement begun with [`select_user`] finds.
pub(crate) async fn read_users(store: &Store, sql: Sql) -> StoreResult<Vec<User>> {
    let query = Query::long(sql, USER_KINDS.to_vec());
    let rows = store.db.rows(&query).await?;
    let read = |row| read_user(&mut Columns::of("auth_users", row));
    rows.into_iter().map(read).collect()
}

/// All columns of accounts, which are `u` in what follows.
pub(crate) fn select_user(store: &Store) -> Sql {
    select_user_with(store, "")
}

/// The same with more columns behind them.
pub(crate) fn select_user_with(store: &Store, more: &'static str) -> Sql {
    let mut sql = store.sql();
    sql.push(USER_COLUMNS).push(more).push(" from auth_users u");
    sql
}

async fn first_user(store: &Store, sql: Sql) -> StoreResult<Option<User>> {
    let query = Query::short(sql, USER_KINDS.to_vec());
    let row: Option<Row> = store.db.optional(&query).await?;
    row.map(|row| read_user(&mut Columns::of("auth_users", row)))
        .transpose()
}

pub(crate) fn read_user(columns: &mut Columns) -> StoreResult<User> {
    Ok(User {
        id: columns.uuid()?,
        email: EmailAddress::parse(&columns.text()?)
            .map_err(|_| columns.corrupt("an e-mail address is not in normal form"))?,
        username: columns.optional_text()?,
        first_name: columns.optional_text()?,
        last_name: columns.optional_text()?,
        display_name: columns.optional_text()?,
        active: columns.bool()?,
        email_verified_at: columns.optional_moment()?,
        created_at: columns.moment()?,
        updated_at: columns.moment()?,
        epoch: columns.int()?,
    })
}
