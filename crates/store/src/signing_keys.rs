//! The keys that sign tokens: made once, sealed, shared by all processes, replaced with overlap.

use credentials::KeyEncryptionKey;
use jiff::Timestamp;
use oauth::{AccessTokenClaims, Algorithm, SigningKey, VerifyingKeys};
use sql::{DbError, Expect, Kind, Query, Row, Step};

use crate::decode::Columns;
use crate::{Store, StoreError, StoreResult};

/// The keys that sign now, and all whose tokens can still be alive.
#[derive(Debug)]
pub struct SigningKeys {
    /// Signs access tokens.
    pub current: SigningKey,
    /// Sign what clients ask to be signed with another algorithm, at most one for each.
    pub others: Vec<SigningKey>,
    /// Verify: those that sign first, then those that they replaced.
    pub verifying: VerifyingKeys,
}

impl SigningKeys {
    /// The key that signs with that algorithm now, where there is one.
    #[must_use]
    pub fn signing(&self, algorithm: Algorithm) -> Option<&SigningKey> {
        std::iter::once(&self.current)
            .chain(&self.others)
            .find(|key| key.algorithm() == algorithm)
    }
}

/// What access tokens are signed with.
const ALGORITHM: Algorithm = Algorithm::EdDsa;

/// What a key is in use for. The column is unique, so one key at a time signs with an algorithm.
fn use_of(algorithm: Algorithm) -> &'static str {
    match algorithm {
        ALGORITHM => "access_token",
        other => other.name(),
    }
}

/// How long a replaced key still verifies: the longest life of a token and the largest leeway.
const OVERLAP_SECONDS: i64 = AccessTokenClaims::MAX_LIFE + 60;

/// Loads the keys, and makes the first one if there is none.
///
/// Any number of processes may start at the same moment: the constraint lets one insert win and
/// the others read what it wrote.
pub async fn load_or_create(store: &Store, seal: &KeyEncryptionKey) -> StoreResult<SigningKeys> {
    if let Some(keys) = load(store, seal).await? {
        return Ok(keys);
    }
    create(store, seal, ALGORITHM).await?;
    load(store, seal).await?.ok_or(StoreError::Corrupt {
        table: "auth_signing_keys",
        what: "no key signs access tokens",
    })
}

/// Makes the first key of an algorithm; where there is one, it stays.
pub async fn create(
    store: &Store,
    seal: &KeyEncryptionKey,
    algorithm: Algorithm,
) -> StoreResult<()> {
    let key = SigningKey::generate(algorithm, &store.rng)?;
    match store.db.write(vec![insert_step(store, seal, &key)?]).await {
        Ok(_) | Err(DbError::Unique { .. }) => Ok(()),
        Err(error) => Err(StoreError::Db(error)),
    }
}

/// Loads the keys where nothing can be written; before the first one was made, one that only this
/// process has: its tokens are good here, and until it ends.
pub async fn load_or_lend(store: &Store, seal: &KeyEncryptionKey) -> StoreResult<SigningKeys> {
    if let Some(keys) = load(store, seal).await? {
        return Ok(keys);
    }
    let current = SigningKey::generate(ALGORITHM, &store.rng)?;
    let verifying = VerifyingKeys::new(vec![current.verifying_key().clone()]);
    Ok(SigningKeys {
        current,
        others: Vec::new(),
        verifying,
    })
}

/// Loads the keys; `None` before the first one was made.
pub async fn load(store: &Store, seal: &KeyEncryptionKey) -> StoreResult<Option<SigningKeys>> {
    let cutoff = store
        .clock
        .now()
        .checked_sub(jiff::SignedDuration::from_secs(OVERLAP_SECONDS))
        .unwrap_or(Timestamp::MIN);
    let mut sql = store.sql();
    sql.push(
        "select kid, alg, sealed, signs_for from auth_signing_keys \
         where retired_at is null or retired_at > ",
    );
    sql.arg(cutoff).push(" order by created_at desc, kid");
    let kinds = vec![Kind::Text, Kind::Text, Kind::Bytes, Kind::Text];
    let (mut current, mut others, mut older) = (None, Vec::new(), Vec::new());
    for row in store.db.rows(&Query::short(sql, kinds)).await? {
        let (key, signs) = read_key(row, seal)?;
        match (signs, key.algorithm()) {
            (true, ALGORITHM) => current = Some(key),
            (true, _) => others.push(key),
            (false, _) => older.push(key.verifying_key().clone()),
        }
    }
    let Some(current) = current else {
        return Ok(None);
    };
    let mut verifying = vec![current.verifying_key().clone()];
    verifying.extend(others.iter().map(|key| key.verifying_key().clone()));
    verifying.append(&mut older);
    Ok(Some(SigningKeys {
        current,
        others,
        verifying: VerifyingKeys::new(verifying),
    }))
}

/// Puts a new key of the same algorithm in the place of `replaced`, which goes on verifying until its tokens are dead.
///
/// Of two rotations of the same key one wins; the other finds the winner's key. Gives the keys
/// as they then are.
pub async fn rotate(
    store: &Store,
    seal: &KeyEncryptionKey,
    algorithm: Algorithm,
    replaced: &str,
) -> StoreResult<SigningKeys> {
    let key = SigningKey::generate(algorithm, &store.rng)?;
    let mut retire = store.sql();
    retire
        .push("update auth_signing_keys set signs_for = null, retired_at = ")
        .arg(store.clock.now());
    retire.push(" where kid = ").arg(replaced);
    retire.push(" and signs_for = ").arg(use_of(algorithm));
    let unit = vec![
        Step::new(retire).expecting(Expect::Rows(1)),
        insert_step(store, seal, &key)?,
    ];
    match store.db.write(unit).await {
        Ok(_) | Err(DbError::Unexpected { .. } | DbError::Unique { .. }) => {}
        Err(error) => return Err(StoreError::Db(error)),
    }
    load_or_create(store, seal).await
}

fn insert_step(store: &Store, seal: &KeyEncryptionKey, key: &SigningKey) -> StoreResult<Step> {
    let document = key.to_pkcs8()?;
    let sealed = seal.seal(
        &seal_name(key.algorithm(), key.kid()),
        document.expose(),
        &store.rng,
    );
    let mut sql = store.sql();
    sql.push("insert into auth_signing_keys (kid, alg, sealed, signs_for, created_at) values (");
    sql.arg(key.kid()).push(", ").arg(key.algorithm().name());
    sql.push(", ").arg(sql::Value::Bytes(sealed));
    sql.push(", ").arg(use_of(key.algorithm()));
    sql.push(", ").arg(store.clock.now()).push(")");
    Ok(Step::new(sql).expecting(Expect::Rows(1)))
}

/// Opens one key. The public half is derived from what was sealed and never read from a column:
/// who can write to the database can therefore not add a key of their own.
fn read_key(row: Row, seal: &KeyEncryptionKey) -> StoreResult<(SigningKey, bool)> {
    let mut columns = Columns::of("auth_signing_keys", row);
    let kid = columns.text()?;
    let alg = columns.text()?;
    let sealed = columns.bytes()?;
    let signs = columns.optional_text()?.is_some();
    let algorithm = Algorithm::from_name(&alg)
        .ok_or_else(|| columns.corrupt("a key is of an unknown algorithm"))?;
    let Ok(document) = seal.open(&seal_name(algorithm, &kid), &sealed) else {
        return Err(StoreError::SecretKeyMismatch { kid });
    };
    let key = SigningKey::from_pkcs8(algorithm, document.expose())
        .map_err(|_| columns.corrupt("a key is not PKCS#8"))?;
    if key.kid() != kid {
        return Err(columns.corrupt("a key has another key's name"));
    }
    Ok((key, signs))
}

/// What the seal is bound to: a sealed key moved to another row does not open.
fn seal_name(algorithm: Algorithm, kid: &str) -> String {
    format!("auth_signing_keys/{}/{kid}", algorithm.name())
}
