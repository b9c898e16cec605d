//! The data API without HTTP or IO: URL to plan to SQL to JSON; SQL endpoints; OpenAPI.
//!
//! A request goes through pure steps: parse ([`Request`] → what is asked), plan (names resolved
//! against the catalog, rules of the caller's roles put in), render (one or a few statements),
//! and, when the database has answered, JSON. Nothing here waits.

mod access;
mod api;
mod budget;
mod endpoint;
mod error;
mod json;
mod openapi;
mod plan;
mod prefixes;
mod request;
mod routes;
mod rules;
mod types;
mod typescript;
mod value;

pub use api::{Api, KEY_MEMBER, purge_steps};
pub use endpoint::{
    ClaimsError, ClaimsQuery, Event, Happened, Hook, Hooks, MessageError, Mode, Occurrence, Person,
    seed_steps,
};
pub use error::{ErrorKind, RestError};
pub use json::value_as_json;
pub use openapi::{OpenApiInfo, breaking_changes};
pub(crate) use plan::Answer;
pub use plan::{AppliedPolicy, NeededGrant, Nested, NestedRows, Probe, RequestRules};
pub use plan::{Explained, Plan, ReadPart, ReadPlan, WritePlan};
pub use prefixes::{ApiOptions, PrefixError, Prefixes};
pub use routes::RouteInfo;
pub use rules::{RuleLine, RuleSubject};
pub use types::{
    BaseRole, Caller, ContentType, Limits, Method, Moment, Request, RoleSet, Success, SuccessKind,
};
pub use value::value_from_json;
