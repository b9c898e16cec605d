//! Moments in Redis: plain commands and scripts of its own language, no modules. Its own clock ends
//! them.

use std::time::Duration;

use jiff::SignedDuration;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, Cmd, FromRedisValue, RedisError, cmd, pipe};
use stdx::Clock;

use super::{Count, Key, RedisUrlError};
use crate::{StoreError, StoreResult};

/// The longest wait for a connection, and for an answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// One less, where there is something; a key that has ended does not begin again.
const COUNT_DOWN: &str = "local n = redis.call('get', KEYS[1]) \
     if n and tonumber(n) > 0 then return redis.call('decr', KEYS[1]) end return 0";

#[derive(Clone)]
pub(super) struct Redis {
    clock: Clock,
    prefix: String,
    connection: ConnectionManager,
}

impl Redis {
    pub(super) fn new(clock: Clock, url: &str, prefix: &str) -> Result<Self, RedisUrlError> {
        let client = Client::open(url).map_err(|_| RedisUrlError)?;
        // It connects again by itself; one more try covers a connection that broke unseen.
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(1)
            .set_min_delay(Duration::from_millis(50))
            .set_max_delay(Duration::from_millis(500))
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE));
        let connection = ConnectionManager::new_lazy_with_config(client, config);
        Ok(Self {
            clock,
            prefix: prefix.to_owned(),
            connection: connection.map_err(|_| RedisUrlError)?,
        })
    }

    pub(super) async fn put(&self, key: &Key, content: &str, life: Duration) -> StoreResult<()> {
        let mut set = cmd("SET");
        set.arg(self.name(key)).arg(content);
        self.ask(set.arg("PX").arg(millis(life))).await
    }

    pub(super) async fn take(&self, key: &Key) -> StoreResult<Option<String>> {
        let name = self.name(key);
        // One transaction: of many takers one sees it.
        let mut unit = pipe();
        unit.atomic().get(&name).del(&name).ignore();
        let (taken,): (Option<String>,) = unit
            .query_async(&mut self.connection.clone())
            .await
            .map_err(|error| failed(&error))?;
        Ok(taken)
    }

    pub(super) async fn peek(&self, key: &Key) -> StoreResult<Option<String>> {
        self.ask(cmd("GET").arg(self.name(key))).await
    }

    pub(super) async fn forget(&self, key: &Key) -> StoreResult<()> {
        self.ask(cmd("DEL").arg(self.name(key))).await
    }

    pub(super) async fn count_up(&self, key: &Key, life: Duration) -> StoreResult<Count> {
        let name = self.name(key);
        let mut unit = pipe();
        unit.atomic().incr(&name, 1);
        unit.cmd("PEXPIRE").arg(&name).arg(millis(life)).ignore();
        let (number,): (i64,) = unit
            .query_async(&mut self.connection.clone())
            .await
            .map_err(|error| failed(&error))?;
        Ok(self.counted(number, millis(life)))
    }

    pub(super) async fn count_down(&self, key: &Key) -> StoreResult<()> {
        let mut script = cmd("EVAL");
        script.arg(COUNT_DOWN).arg(1).arg(self.name(key));
        let _: i64 = self.ask(&script).await?;
        Ok(())
    }

    pub(super) async fn count(&self, key: &Key) -> StoreResult<Option<Count>> {
        let name = self.name(key);
        let mut unit = pipe();
        unit.atomic().get(&name).cmd("PTTL").arg(&name);
        let (number, left): (Option<i64>, i64) = unit
            .query_async(&mut self.connection.clone())
            .await
            .map_err(|error| failed(&error))?;
        Ok(number.map(|number| self.counted(number, left.max(0))))
    }

    fn counted(&self, number: i64, left: i64) -> Count {
        let now = self.clock.now();
        let ends_at = now.checked_add(SignedDuration::from_millis(left));
        Count {
            number: u32::try_from(number).unwrap_or(0),
            ends_at: ends_at.unwrap_or(now),
        }
    }

    fn name(&self, key: &Key) -> String {
        format!("{}{}:{}", self.prefix, key.purpose.name(), key.id)
    }

    async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> StoreResult<T> {
        let mut connection = self.connection.clone();
        command
            .query_async(&mut connection)
            .await
            .map_err(|error| failed(&error))
    }
}

fn millis(life: Duration) -> i64 {
    i64::try_from(life.as_millis()).unwrap_or(i64::MAX).max(1)
}

/// What went wrong is told without what was asked, which may hold a state.
fn failed(error: &RedisError) -> StoreError {
    let what = error.category().to_owned();
    StoreError::Moments(match error.code() {
        Some(code) => format!("{what} ({code})"),
        None => what,
    })
}
