//! What comes in and what goes out, in words of the API and not of HTTP.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use lang::RoleLimit;
use schema::Catalog;
use sql::Ident;
use stdx::{Clock, Rng};
use uuid::Uuid;

/// Which of the three base roles a request has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BaseRole {
    /// No credentials.
    Anon,
    /// A user's token.
    Authenticated,
    /// A server's own key.
    Service,
}

impl BaseRole {
    /// The role's name in the catalog.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Anon => "anon",
            Self::Authenticated => "authenticated",
            Self::Service => "service",
        }
    }
}

/// All roles that a caller has, those that are inherited included; sorted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RoleSet(Arc<[Ident]>);

impl RoleSet {
    /// The base role, the caller's own roles as far as they exist, and what they inherit.
    #[must_use]
    pub fn effective(catalog: &Catalog, base: BaseRole, own: &[String]) -> Self {
        let base = Ident::of(base.name());
        let known = own.iter().filter_map(|name| Ident::new(name).ok());
        let mut roles: Vec<Ident> = std::iter::once(base)
            .chain(known.filter(|name| catalog.roles.iter().any(|role| role.name == *name)))
            .flat_map(|role| catalog.inherited(&role))
            .collect();
        roles.sort();
        roles.dedup();
        Self(roles.into())
    }

    /// The same for somebody who proved as much as `acr` says: roles that ask for more (`alter role
    /// … set auth.acr = mfa`) do not count, nor what is inherited through them.
    #[must_use]
    pub fn proved(catalog: &Catalog, base: BaseRole, own: &[String], acr: Option<&str>) -> Self {
        let held: Vec<String> = own
            .iter()
            .filter(|name| demanded(catalog, name) <= level(acr))
            .cloned()
            .collect();
        let all = Self::effective(catalog, base, &held);
        let kept = all.0.iter();
        let kept = kept.filter(|role| demanded(catalog, role.as_str()) <= level(acr));
        Self(kept.cloned().collect::<Vec<_>>().into())
    }

    /// The `acr` that the most demanding of these own roles asks for, beyond what was proved.
    #[must_use]
    pub fn missing_acr(
        catalog: &Catalog,
        own: &[String],
        acr: Option<&str>,
    ) -> Option<&'static str> {
        let demands = own.iter().map(|name| demanded(catalog, name));
        let most = demands.filter(|demand| *demand > level(acr)).max()?;
        RoleLimit::ACR
            .get(usize::try_from(most).ok()?.checked_sub(1)?)
            .copied()
    }

    /// What somebody has who was given this one role.
    #[must_use]
    pub fn of_role(catalog: &Catalog, role: &Ident) -> Self {
        let base = match role.as_str() {
            "anon" => BaseRole::Anon,
            "service" => BaseRole::Service,
            _ => BaseRole::Authenticated,
        };
        Self::effective(catalog, base, &[role.to_string()])
    }

    /// These roles and no others, for looking at rules as if somebody had them all.
    pub(crate) fn of_names(names: &[&Ident]) -> Self {
        let mut roles: Vec<Ident> = names.iter().map(|name| (*name).clone()).collect();
        roles.sort();
        Self(roles.into())
    }

    /// Nobody's.
    pub(crate) fn none() -> Self {
        Self(Arc::from([]))
    }

    /// What somebody without credentials has.
    #[must_use]
    pub fn anonymous(catalog: &Catalog) -> Self {
        Self::effective(catalog, BaseRole::Anon, &[])
    }

    /// Whether the role is among them.
    #[must_use]
    pub fn has(&self, role: &Ident) -> bool {
        self.0.contains(role)
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &Ident> {
        self.0.iter()
    }
}

/// The least level of a role, 0 where it asks for none.
fn demanded(catalog: &Catalog, role: &str) -> u32 {
    let role = catalog
        .roles
        .iter()
        .find(|known| known.name.as_str() == role);
    let settings = role.into_iter().flat_map(|role| &role.settings);
    let mut demands = settings.filter(|setting| setting.limit == RoleLimit::Acr);
    demands.next().map_or(0, |setting| setting.value)
}

/// The place of an `acr` of ours; what is none is nothing.
fn level(acr: Option<&str>) -> u32 {
    let known = RoleLimit::ACR.into_iter().zip(1..);
    let mut found = known.filter(|(name, _)| acr == Some(*name));
    found.next().map_or(0, |(_, place)| place)
}

/// Who asks. Made by the verifier of credentials alone, so that no handler can invent one.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The user's id, `None` for anonymous callers.
    pub user: Option<Uuid>,
    /// The base role.
    pub base_role: BaseRole,
    /// All roles.
    pub roles: RoleSet,
    /// The token's scopes.
    pub scopes: Vec<String>,
    /// How well they proved who they are.
    pub acr: Option<String>,
    /// The token's claims.
    pub claims: serde_json::Map<String, serde_json::Value>,
}

impl Caller {
    /// Somebody without credentials.
    #[must_use]
    pub fn anonymous(catalog: &Catalog) -> Self {
        Self {
            user: None,
            base_role: BaseRole::Anon,
            roles: RoleSet::anonymous(catalog),
            scopes: Vec::new(),
            acr: None,
            claims: serde_json::Map::new(),
        }
    }
}

/// The moment of a request, and where further ids come from.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// `now()` of every statement.
    pub now: Timestamp,
    /// The clock, for ids.
    pub clock: &'a Clock,
    /// The generator, for ids.
    pub rng: &'a Rng,
}

/// An HTTP method, as far as the API knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Read.
    Get,
    /// Read, headers alone.
    Head,
    /// Insert, or run a file.
    Post,
    /// Change.
    Patch,
    /// Replace.
    Put,
    /// Delete.
    Delete,
}

impl Method {
    /// The method's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// A request below the API's mount.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The method.
    pub method: Method,
    /// Decoded segments: `["activities"]`, `["activities", "<key>"]`.
    pub path: &'a [Cow<'a, str>],
    /// The query string as it came.
    pub query: &'a str,
    /// The values of all `Prefer` headers.
    pub prefer: &'a [&'a str],
    /// The `Accept` header.
    pub accept: Option<&'a str>,
    /// The `Range` header, where its unit is rows.
    pub range: Option<&'a str>,
    /// `Accept-Profile` of a read, `Content-Profile` of a write: the schema.
    pub profile: Option<&'a str>,
    /// The `Content-Type` header.
    pub content_type: Option<&'a str>,
    /// The body.
    pub body: &'a [u8],
}

/// What an API takes at most; each refusal names its limit.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Rows of an answer that asks for no number.
    pub default_rows: u64,
    /// Rows of an answer at most.
    pub max_rows: u64,
    /// Conditions and selected items of a request.
    pub max_nodes: usize,
    /// Brackets inside brackets.
    pub max_depth: usize,
    /// Rows of one insert.
    pub max_insert_rows: usize,
    /// Related rows of one relation, of all parents together.
    pub max_related_rows: u64,
    /// How far `count=planned` and `count=estimated` count.
    pub max_count: u64,
    /// Bytes of an answer.
    pub max_response_bytes: usize,
    /// Whether `sum()`, `avg()`, `min()`, `max()` and `count()` may be asked for.
    pub aggregates: bool,
    /// Whether the engine's plans are shown (`Accept: application/vnd.pgrst.plan`).
    pub plans: bool,
    /// How long a reading statement may take; `None` for as long as any of the database.
    pub statement_timeout: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            default_rows: 100,
            max_rows: 1_000,
            max_nodes: 200,
            max_depth: 10,
            max_insert_rows: 10_000,
            max_related_rows: 10_000,
            max_count: 10_000,
            max_response_bytes: 10 * 1024 * 1024,
            aggregates: false,
            plans: false,
            statement_timeout: None,
        }
    }
}

/// What an answer's body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentType {
    /// Nothing.
    None,
    /// JSON.
    Json,
    /// One object, asked for as `application/vnd.pgrst.object+json`.
    Object,
    /// Lines of values.
    Csv,
    /// An engine's plan as JSON.
    JsonPlan,
    /// An engine's plan as text.
    TextPlan,
}

impl ContentType {
    /// The media type.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::None => return None,
            Self::Json => "application/json",
            Self::Object => "application/vnd.pgrst.object+json",
            Self::Csv => "text/csv; charset=utf-8",
            Self::JsonPlan => "application/vnd.pgrst.plan+json; charset=utf-8",
            Self::TextPlan => "application/vnd.pgrst.plan+text; charset=utf-8",
        })
    }

    /// The one with this media type.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        let all = [
            Self::Json,
            Self::Object,
            Self::Csv,
            Self::JsonPlan,
            Self::TextPlan,
        ];
        all.into_iter().find(|kind| kind.name() == Some(name))
    }
}

/// How a request succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SuccessKind {
    /// There is a body with what was asked for.
    Rows,
    /// The same, and there is more than the page holds.
    PartialRows,
    /// A row was made.
    Created,
    /// Done, nothing to show.
    NoContent,
    /// A status that an SQL file declares, between 200 and 299.
    Declared(u16),
}

/// The answer to a request that succeeded.
#[derive(Clone, Debug)]
pub struct Success {
    /// How.
    pub kind: SuccessKind,
    /// The body.
    pub body: Vec<u8>,
    /// What it is.
    pub content_type: ContentType,
    /// `Content-Range`: `0-19/*`.
    pub content_range: Option<String>,
    /// Where the new row is, below the mount: `/activities/<key>`.
    pub location: Option<String>,
    /// The cursor of the next page, where a cursor was asked for and there may be more.
    pub next: Option<String>,
    /// Whether it was given before, to the same request (`Idempotency-Key`).
    pub is_repeated: bool,
    /// The preferences that were followed.
    pub preference_applied: Vec<String>,
    /// `Cache-Control`, where an SQL file declares one.
    pub cache_control: Option<String>,
}

impl Success {
    /// An answer with a body.
    #[must_use]
    pub fn rows(body: Vec<u8>) -> Self {
        Self {
            kind: SuccessKind::Rows,
            body,
            content_type: ContentType::Json,
            content_range: None,
            location: None,
            next: None,
            is_repeated: false,
            preference_applied: Vec::new(),
            cache_control: None,
        }
    }

    /// An answer without one.
    #[must_use]
    pub fn empty(kind: SuccessKind) -> Self {
        Self {
            kind,
            content_type: ContentType::None,
            ..Self::rows(Vec::new())
        }
    }
}
