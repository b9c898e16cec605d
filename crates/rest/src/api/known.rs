//! Reads that were asked for before: the statement is written once, and bound again with what the
//! caller, the moment and the path say now.
//!
//! Nothing is taken for granted of what a statement depends on. Before a read is kept it is planned a
//! second time for somebody else, at another time and with another key; it is kept only if the two
//! differ in nothing but the values that are known to be theirs.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use jiff::SignedDuration;
use serde_json::Value as Json;
use sql::Value;
use uuid::Uuid;

use crate::access::RequestEnvironment;
use crate::plan::Context;
use crate::plan::facts::{Fact, Facts};
use crate::{Caller, Moment, ReadPlan, Request, RestError};

/// The most reads that are kept for a set of roles.
const MOST: usize = 512;

/// The longest description of a request that is kept, bytes.
const LONGEST: usize = 2_048;

/// Requests that were seen once are remembered by their hash, in so many places.
const PLACES: usize = 1_024;

/// The reads of one set of roles.
pub(crate) struct KnownReads {
    hasher: RandomState,
    /// Hashes of requests that came once; most never come again.
    seen: Box<[AtomicU64]>,
    reads: RwLock<HashMap<Box<[u8]>, Kept>>,
}

/// `None`: it cannot be used again.
type Kept = Option<Arc<KnownRead>>;

/// A read that was planned, and which of its values belong to whoever asks.
struct KnownRead {
    plan: ReadPlan,
    facts: Vec<(usize, Fact)>,
}

/// What makes two requests of a set of roles the same, but for the caller, the moment and the key.
pub(super) struct Sameness(Vec<u8>);

impl Sameness {
    /// Of a request for rows of `relation`; `None` for one that is too long to keep.
    pub(super) fn of(
        relation: &str,
        has_key: bool,
        is_anonymous: bool,
        request: &Request<'_>,
    ) -> Option<Self> {
        let Request {
            method: _,
            path: _,
            query,
            prefer,
            accept,
            range,
            profile,
            content_type: _,
            body: _,
        } = request;
        let said = [Some(relation), Some(*query), *accept, *range, *profile];
        let all = said.into_iter().chain(prefer.iter().map(|one| Some(*one)));
        let mut text = Vec::with_capacity(query.len() + 64);
        text.push(u8::from(has_key) | u8::from(is_anonymous) << 1);
        for one in all {
            // Their lengths keep them apart; none is longer than any text.
            let length = one.map_or(u64::MAX, |one| one.len() as u64);
            text.extend_from_slice(&length.to_le_bytes());
            text.extend_from_slice(one.unwrap_or_default().as_bytes());
        }
        (text.len() <= LONGEST).then_some(Self(text))
    }
}

impl KnownReads {
    pub(crate) fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            seen: (0..PLACES).map(|_| AtomicU64::new(0)).collect(),
            reads: RwLock::default(),
        }
    }

    /// Plans a read by `plan`, unless the same was planned before.
    pub(super) fn plan(
        &self,
        same: Option<Sameness>,
        context: Context<'_>,
        key: Option<&[Value]>,
        plan: impl Fn(Context<'_>, Option<&[Value]>) -> Result<ReadPlan, RestError>,
    ) -> Result<ReadPlan, RestError> {
        let Some(Sameness(same)) = same else {
            return plan(context, key);
        };
        let reads = self.reads.read().unwrap_or_else(PoisonError::into_inner);
        let known = reads.get(same.as_slice()).cloned();
        drop(reads);
        match known {
            Some(Some(known)) => match known.again(context, key) {
                Some(again) => Ok(again),
                None => plan(context, key),
            },
            Some(None) => plan(context, key),
            None if !self.was_seen(&same) => plan(context, key),
            None => {
                let planned = KnownRead::learn(context, key, plan)?;
                let (planned, known) = planned;
                let mut reads = self.reads.write().unwrap_or_else(PoisonError::into_inner);
                if reads.len() >= MOST {
                    reads.clear();
                }
                reads.insert(same.into(), known.map(Arc::new));
                Ok(planned)
            }
        }
    }

    /// Whether a request came before; it has from now on.
    fn was_seen(&self, same: &[u8]) -> bool {
        let hash = self.hasher.hash_one(same);
        let place = usize::try_from(hash % PLACES as u64).unwrap_or_default();
        self.seen[place].swap(hash, Ordering::Relaxed) == hash
    }
}

impl KnownRead {
    /// Plans a read, and finds out whether the plan can be used again.
    fn learn(
        context: Context<'_>,
        key: Option<&[Value]>,
        plan: impl Fn(Context<'_>, Option<&[Value]>) -> Result<ReadPlan, RestError>,
    ) -> Result<(ReadPlan, Option<Self>), RestError> {
        let facts = Facts::default();
        let telling = Context {
            facts: Some(&facts),
            ..context
        };
        let planned = plan(telling, key)?;
        let known = planned.afresh(std::iter::empty()).map(|plan| Self {
            plan,
            facts: facts.into_inner(),
        });
        let caller = somebody_else(context.caller);
        let other = Context {
            caller: &caller,
            moment: Moment {
                now: later(context.moment.now),
                ..context.moment
            },
            ..context
        };
        let key: Option<Vec<Value>> = key.map(|key| key.iter().map(another).collect());
        let holds = |known: &Self| {
            let again = known.again(other, key.as_deref());
            let anew = plan(other, key.as_deref());
            // Everything of them: texts, values, kinds, members and limits.
            matches!((again, anew), (Some(again), Ok(anew)) if format!("{again:?}") == format!("{anew:?}"))
        };
        Ok((planned, known.filter(holds)))
    }

    /// The plan for this caller, this moment and this key.
    fn again(&self, context: Context<'_>, key: Option<&[Value]>) -> Option<ReadPlan> {
        let Context {
            caller,
            moment,
            access,
            ..
        } = context;
        let environment = RequestEnvironment::new(Some(caller), moment, Some(access), &[]);
        let bound = self.plan.args()?.len();
        let value = |(place, fact): &(usize, Fact)| {
            let value = fact.value(&environment, key)?;
            (*place < bound).then_some((*place, value))
        };
        let values: Vec<(usize, Value)> = self.facts.iter().map(value).collect::<Option<_>>()?;
        self.plan.afresh(values.into_iter())
    }
}

/// A caller with the same roles of whom everything else is different.
fn somebody_else(caller: &Caller) -> Caller {
    let differently = |value: &Json| match value {
        Json::String(text) => Json::String(format!("{text}'")),
        Json::Null => Json::Bool(true),
        _ => Json::Null,
    };
    let claims = caller.claims.iter();
    Caller {
        user: caller.user.map(|id| Uuid::from_u128(!id.as_u128())),
        scopes: Vec::new(),
        acr: match caller.acr {
            Some(_) => None,
            None => Some(String::from("another")),
        },
        claims: claims
            .map(|(name, value)| (name.clone(), differently(value)))
            .collect(),
        base_role: caller.base_role,
        roles: caller.roles.clone(),
    }
}

fn later(now: jiff::Timestamp) -> jiff::Timestamp {
    let later = now.checked_add(SignedDuration::from_micros(3_600_000_001));
    later.unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}

/// Another value of the same type.
fn another(value: &Value) -> Value {
    match value {
        Value::Text(text) => Value::Text(format!("{text}'")),
        Value::Int(number) => Value::Int(!number),
        Value::Uuid(id) => Value::Uuid(Uuid::from_u128(!id.as_u128())),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::sync::Arc;

    use lang::Source;
    use schema::{Catalog, CatalogKind};
    use sql::Dialect;
    use stdx::{Clock, Rng};

    use crate::{Api, Caller, Limits, Method, Moment, Request};

    fn ask(api: &Api, path: &str, query: &str) {
        let path: Vec<Cow<'_, str>> = path.split('/').map(Cow::Borrowed).collect();
        let request = Request {
            method: Method::Get,
            path: &path,
            query,
            prefer: &[],
            accept: None,
            range: None,
            profile: None,
            content_type: None,
            body: &[],
        };
        let (clock, rng) = (Clock::manual(jiff::Timestamp::UNIX_EPOCH), Rng::seeded(1));
        let moment = Moment {
            now: clock.now(),
            clock: &clock,
            rng: &rng,
        };
        let caller = Caller::anonymous(api.catalog());
        assert!(api.plan(&request, &caller, moment).is_ok(), "{query}");
    }

    /// How many reads are kept, and how many of them to be used again.
    fn kept(api: &Api) -> (usize, usize) {
        let rights = api.rights(&Caller::anonymous(api.catalog()).roles);
        let reads = rights.known.reads.read().expect("nobody panicked");
        let usable = reads.values().filter(|read| read.is_some());
        (reads.len(), usable.count())
    }

    #[test]
    fn what_comes_twice_is_kept_and_no_more_than_that() {
        let text = "create table notes (id bigint primary key, body text, due timestamptz);
            create policy open on notes for select using (due > now());
            grant select on notes to anon;";
        let source = Source {
            path: String::from("schema/notes.sql"),
            text: text.to_owned(),
        };
        let catalog = Catalog::from_sources(&[source], CatalogKind::User).expect("valid");
        let limits = Limits::default();
        let api = Api::new(Arc::new(catalog), &[], Dialect::Sqlite, limits).expect("valid");
        ask(&api, "notes", "limit=1");
        assert_eq!(kept(&api), (0, 0));
        ask(&api, "notes", "limit=1");
        assert_eq!(kept(&api), (1, 1));
        // A row of a table is one read, whichever row it is.
        (1..20).for_each(|key| ask(&api, &format!("notes/{key}"), ""));
        assert_eq!(kept(&api), (2, 2));
        for number in 0..2_000 {
            (0..2).for_each(|_| ask(&api, "notes", &format!("id=gt.{number}")));
            assert!(kept(&api).0 <= super::MOST);
        }
        let long = format!("body=eq.{}", "x".repeat(super::LONGEST));
        let before = kept(&api);
        (0..3).for_each(|_| ask(&api, "notes", &long));
        assert_eq!(kept(&api), before);
    }
}
