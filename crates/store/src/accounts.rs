//! Registering: account, password and the application's own rows in one unit.

use credentials::PasswordHash;
use credentials::opaque::OpaqueRecord;
use sql::{DbError, Outcome, Step};

use crate::users::{self, NewUser};
use crate::{Store, StoreError, StoreResult, opaque};

/// What became of a registration.
#[derive(Clone, Debug)]
pub enum Registration {
    /// The account stands, and so does everything that the application's steps did.
    Created {
        /// What the application's steps did, in their order.
        hook_outcomes: Vec<Outcome>,
    },
    /// Nothing was written: somebody else has it.
    AlreadyExists(Taken),
}

/// What somebody else has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The e-mail address.
    Email,
    /// The user name.
    Username,
}

/// Makes an account with its password, and runs the application's `hook_steps` after them, all
/// or nothing.
///
/// There is no look before the leap: the constraints decide, so of any number of registrations
/// of one address at the same moment exactly one wins. A violation inside the hook's own tables
/// comes back as the error it is.
pub async fn register(
    store: &Store,
    user: &NewUser,
    hash: &PasswordHash,
    hook_steps: Vec<Step>,
) -> StoreResult<Registration> {
    let unit = users::insert_steps(store, user, hash);
    register_by(store, user, unit, hook_steps).await
}

/// The same with a record of OPAQUE.
pub async fn register_with_record(
    store: &Store,
    user: &NewUser,
    record: &OpaqueRecord,
    hook_steps: Vec<Step>,
) -> StoreResult<Registration> {
    let unit = vec![
        users::insert_step(store, user),
        opaque::insert_record_step(store, user.id, record),
    ];
    register_by(store, user, unit, hook_steps).await
}

async fn register_by(
    store: &Store,
    user: &NewUser,
    mut unit: Vec<Step>,
    hook_steps: Vec<Step>,
) -> StoreResult<Registration> {
    let ours = unit.len();
    unit.extend(hook_steps);
    match store.db.write(unit).await {
        Ok(mut outcomes) => Ok(Registration::Created {
            hook_outcomes: outcomes.split_off(ours.min(outcomes.len())),
        }),
        Err(error @ DbError::Unique { .. }) => match taken(store, user).await? {
            Some(taken) => Ok(Registration::AlreadyExists(taken)),
            None => Err(StoreError::Db(error)),
        },
        Err(error) => Err(StoreError::Db(error)),
    }
}

/// What somebody else has of a new account. Asks the tables rather than the error: engines name the constraint, the columns or neither.
pub async fn taken(store: &Store, user: &NewUser) -> StoreResult<Option<Taken>> {
    if users::by_email(store, &user.email).await?.is_some() {
        return Ok(Some(Taken::Email));
    }
    if let Some(username) = &user.username
        && users::by_username(store, username).await?.is_some()
    {
        return Ok(Some(Taken::Username));
    }
    Ok(None)
}
