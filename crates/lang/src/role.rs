//! The data API's limits, as a role may have them of its own.

use sql::Ident;

use crate::Span;

/// `ALTER ROLE name SET limit = value`
#[derive(Clone, Debug)]
pub struct AlterRole {
    /// The role.
    pub name: Ident,
    /// What it has of its own.
    pub setting: RoleSetting,
    /// Where it stands.
    pub span: Span,
}

/// A role's own value of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoleSetting {
    /// Which limit.
    pub limit: RoleLimit,
    /// How much; 1 and 0 where it is on or off. The greater, the more generous, but for
    /// [`RoleLimit::Acr`].
    pub value: u32,
}

/// A limit that may differ from role to role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleLimit {
    /// Rows of an answer that asks for no number.
    DefaultRows,
    /// Rows of an answer at most.
    MaxRows,
    /// Conditions and selected items of a request.
    MaxNodes,
    /// Brackets inside brackets.
    MaxDepth,
    /// Rows of one insert.
    MaxInsertRows,
    /// Related rows of one relation, of all parents together.
    MaxRelatedRows,
    /// How far `count=planned` and `count=estimated` count.
    MaxCount,
    /// Bytes of an answer.
    MaxResponseBytes,
    /// Whether aggregates may be asked for.
    Aggregates,
    /// Whether the engine's plans are shown.
    Plans,
    /// Milliseconds that a reading statement may take.
    StatementTimeout,
    /// How well somebody has to have proved who they are for the role to count: the place of a word
    /// among [`RoleLimit::ACR`], from 1.
    Acr,
}

impl RoleLimit {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::DefaultRows,
        Self::MaxRows,
        Self::MaxNodes,
        Self::MaxDepth,
        Self::MaxInsertRows,
        Self::MaxRelatedRows,
        Self::MaxCount,
        Self::MaxResponseBytes,
        Self::Aggregates,
        Self::Plans,
        Self::StatementTimeout,
        Self::Acr,
    ];

    /// What `auth.acr` may be, each more than those before it.
    pub const ACR: [&str; 3] = ["single", "mfa", "phr"];

    /// As it is written: in `schema/*.sql` and `pilaster.toml` alike, but for PostgreSQL's own word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DefaultRows => "api.default_rows",
            Self::MaxRows => "api.max_rows",
            Self::MaxNodes => "api.max_nodes",
            Self::MaxDepth => "api.max_depth",
            Self::MaxInsertRows => "api.max_insert_rows",
            Self::MaxRelatedRows => "api.max_related_rows",
            Self::MaxCount => "api.max_count",
            Self::MaxResponseBytes => "api.max_response_bytes",
            Self::Aggregates => "api.aggregates",
            Self::Plans => "api.plans",
            Self::StatementTimeout => "statement_timeout",
            Self::Acr => "auth.acr",
        }
    }

    /// Whether it is on or off, instead of a number.
    #[must_use]
    pub fn is_switch(self) -> bool {
        matches!(self, Self::Aggregates | Self::Plans)
    }
}
