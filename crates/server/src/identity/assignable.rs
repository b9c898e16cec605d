//! Which roles can be given to somebody, and by whom.

use rest::RoleSet;
use schema::Catalog;
use sql::Ident;
use store::administrators::ADMIN;

/// Roles that everybody has by how they come, not by being given them.
const BASE_ROLES: [&str; 3] = ["anon", "authenticated", "service"];

/// Why a role cannot be given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoleError {
    /// There is none of that name, or it is one that nobody is given; the nearest one that there is.
    #[error("{name} is no role that can be given")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What may have been meant.
        near: Option<String>,
    },
    /// It is the shell's to give and to take.
    #[error("the role {0} is given and taken at the shell alone")]
    Protected(String),
}

/// The roles of `schema/` that can be given to somebody, and the one that administers, in
/// alphabetical order.
#[must_use]
pub fn assignable(catalog: &Catalog) -> Vec<Ident> {
    let known = catalog.roles.iter().map(|role| role.name.clone());
    let mut own: Vec<Ident> = known
        .filter(|role| !BASE_ROLES.contains(&role.as_str()))
        .chain([Ident::of(ADMIN)])
        .collect();
    own.sort();
    own.dedup();
    own
}

/// The role of that name; spaces around it do not count, and within it there are none.
pub fn find_role(catalog: &Catalog, name: &str) -> Result<Ident, RoleError> {
    let name = name.trim();
    let all = assignable(catalog);
    if let Some(role) = all.iter().find(|role| role.as_str() == name) {
        return Ok(role.clone());
    }
    let near = stdx::nearest(name, all.iter().map(Ident::as_str));
    Err(RoleError::Unknown {
        name: name.to_owned(),
        near: near.map(str::to_owned),
    })
}

/// Refuses a role that is protected, or through which one has a protected one.
pub(super) fn require_unprotected(
    catalog: &Catalog,
    role: &Ident,
    protected: &[String],
) -> Result<(), RoleError> {
    let is_protected = |name: &str| protected.iter().any(|one| one == name);
    let through = RoleSet::of_role(catalog, role);
    match is_protected(role.as_str()) || through.names().any(|name| is_protected(name.as_str())) {
        true => Err(RoleError::Protected(role.to_string())),
        false => Ok(()),
    }
}
