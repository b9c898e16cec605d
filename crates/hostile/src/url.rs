//! Requests to the data API.

use std::borrow::Cow;
use std::sync::LazyLock;

use rest::{Api, BaseRole, Caller, Limits, Method, Moment, Plan, Request, RoleSet};
use sql::Dialect;
use stdx::{Clock, Rng};

const DIALECTS: [Dialect; 4] = [
    Dialect::Sqlite,
    Dialect::Postgres,
    Dialect::MySql,
    Dialect::MariaDb,
];

const METHODS: [Method; 6] = [
    Method::Get,
    Method::Head,
    Method::Post,
    Method::Patch,
    Method::Put,
    Method::Delete,
];

static APIS: LazyLock<[Api; 4]> = LazyLock::new(|| {
    let feed = include_str!("../../../examples/cruddur/api/feed.get.sql");
    let files = [crate::source("api/feed.get.sql", feed)];
    DIALECTS.map(
        |dialect| match Api::new(crate::cruddur(), &files, dialect, Limits::default()) {
            Ok(api) => api,
            Err(errors) => panic!("the example is valid: {errors:?}"),
        },
    )
});

/// A request out of lines: method (its first byte), path, query, `Prefer`, `Accept`, body.
///
/// # Panics
/// When a statement holds anything but our own text and placeholders.
pub fn url(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.splitn(6, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let method = METHODS[usize::from(line().bytes().next().unwrap_or(0)) % METHODS.len()];
    let path: Vec<Cow<'_, str>> = line().split('/').take(4).map(Cow::Borrowed).collect();
    let (query, prefer, accept, body) = (line(), line(), line(), line());
    let prefer: Vec<&str> = prefer.split('|').collect();
    let request = Request {
        method,
        path: &path,
        query,
        prefer: &prefer,
        accept: (!accept.is_empty()).then_some(accept),
        range: None,
        profile: None,
        content_type: None,
        body: body.as_bytes(),
    };
    let (clock, rng) = (Clock::manual(jiff::Timestamp::UNIX_EPOCH), Rng::seeded(0));
    let moment = Moment {
        now: clock.now(),
        clock: &clock,
        rng: &rng,
    };
    for api in &*APIS {
        let caller = Caller {
            user: Some(stdx::new_id(&clock, &rng)),
            base_role: BaseRole::Authenticated,
            roles: RoleSet::effective(api.catalog(), BaseRole::Authenticated, &[]),
            ..Caller::anonymous(api.catalog())
        };
        for caller in [&caller, &Caller::anonymous(api.catalog())] {
            let Ok(plan) = api.plan(&request, caller, moment) else {
                continue;
            };
            match plan {
                Plan::Read(mut plan) => {
                    for (query, _) in plan.parts() {
                        assert_bound(&query.sql);
                    }
                }
                Plan::Write(mut plan) => {
                    for step in plan.take_unit() {
                        assert_bound(&step.sql);
                    }
                }
            }
        }
    }
}

/// Every value has its placeholder and nothing else does: data has not become SQL.
fn assert_bound(sql: &sql::Sql) {
    let text = sql.text();
    let placeholders = match sql.dialect() {
        Dialect::Postgres => text.matches('$').count(),
        Dialect::Sqlite | Dialect::MySql | Dialect::MariaDb => text.matches('?').count(),
    };
    assert_eq!(placeholders, sql.args().len(), "{text}");
    assert!(!text.contains('\0') && !text.contains(';'), "{text}");
}
