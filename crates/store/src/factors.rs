//! Second factors: authenticator apps, recovery codes, passkeys.

pub mod passkeys;
pub mod recovery_codes;
pub mod totp;

use sql::{Kind, Query, Step};
use uuid::Uuid;

use crate::decode::Columns;
use crate::{Store, StoreResult};

/// Which factors somebody has beside the password.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Factors {
    /// An authenticator app whose first code was right.
    pub totp: bool,
    /// Passkeys.
    pub passkeys: u32,
    /// Recovery codes that are not used up.
    pub recovery_codes: u32,
}

impl Factors {
    /// Whether a password alone is not enough. Recovery codes stand for a factor that was lost and
    /// are none by themselves.
    #[must_use]
    pub fn are_demanded(self) -> bool {
        self.totp || self.passkeys > 0
    }
}

/// What the user has.
pub async fn of_user(store: &Store, user: Uuid) -> StoreResult<Factors> {
    let mut sql = store.sql();
    sql.push("select (select count(*) from auth_totp where user_id = ")
        .arg(user);
    sql.push(
        " and confirmed_at is not null), (select count(*) from auth_passkeys where user_id = ",
    )
    .arg(user);
    sql.push("), (select count(*) from auth_recovery_codes where user_id = ")
        .arg(user);
    sql.push(" and used_at is null)");
    let query = Query::short(sql, vec![Kind::BigInt; 3]);
    let Some(row) = store.db.settled_rows(&query).await?.into_iter().next() else {
        return Ok(Factors::default());
    };
    let mut columns = Columns::of("auth_totp", row);
    let mut count =
        || -> StoreResult<u32> { Ok(u32::try_from(columns.int()?).unwrap_or(u32::MAX)) };
    Ok(Factors {
        totp: count()? > 0,
        passkeys: count()?,
        recovery_codes: count()?,
    })
}

/// The steps that take all factors of a user away; none there is fine.
#[must_use]
pub fn remove_all_steps(store: &Store, user: Uuid) -> Vec<Step> {
    let deletes = [
        "delete from auth_totp where user_id = ",
        "delete from auth_passkeys where user_id = ",
        "delete from auth_recovery_codes where user_id = ",
    ];
    let step = |text| {
        let mut sql = store.sql();
        sql.push(text).arg(user);
        Step::new(sql)
    };
    deletes.into_iter().map(step).collect()
}
