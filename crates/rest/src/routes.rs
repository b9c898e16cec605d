//! Every route of tables, views and files with the roles that may use it.

use lang::Privilege;
use schema::Table;

use crate::Api;
use crate::endpoint::{Endpoint, calls};

/// A route and who may use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteInfo {
    /// The method.
    pub method: &'static str,
    /// The path below the mount, parameters in braces.
    pub path: String,
    /// The roles.
    pub roles: Vec<String>,
    /// Where it comes from: a table or a file.
    pub source: String,
}

/// What a privilege lets somebody do with many rows, and with the row of a key.
const OF_PRIVILEGES: [(&str, Privilege, bool, bool); 5] = [
    ("GET", Privilege::Select, true, true),
    ("POST", Privilege::Insert, true, false),
    ("PATCH", Privilege::Update, true, true),
    ("PUT", Privilege::Update, false, true),
    ("DELETE", Privilege::Delete, true, true),
];

/// The files first, as they answer first.
pub(crate) fn all(api: &Api) -> Vec<RouteInfo> {
    let mut routes: Vec<RouteInfo> = api.endpoints.iter().map(Endpoint::route).collect();
    routes.extend(
        calls(&api.endpoints)
            .into_iter()
            .map(|(method, name, file)| RouteInfo {
                method: method.name(),
                path: format!("/rpc/{name}"),
                ..file.route()
            }),
    );
    for table in api.catalog().relations() {
        let is_view = api.catalog().view(table.name.as_str()).is_some();
        let source = match is_view {
            false => format!("table {}", table.name),
            true => format!("view {}", table.name),
        };
        let has_key = table.primary_key.is_some();
        for (method, privilege, of_many, of_one) in OF_PRIVILEGES {
            let roles = granted(table, privilege);
            if roles.is_empty() || (is_view && privilege != Privilege::Select) {
                continue;
            }
            let mut add = |path: String| {
                routes.push(RouteInfo {
                    method,
                    path,
                    roles: roles.clone(),
                    source: source.clone(),
                });
            };
            // A replacement of many names its one row by filters.
            if of_many || (of_one && has_key) {
                add(format!("/{}", table.name));
            }
            if of_one && has_key {
                add(format!("/{}/{{key}}", table.name));
            }
        }
    }
    routes
}

fn granted(table: &Table, privilege: Privilege) -> Vec<String> {
    let grants = table.grants.iter();
    let grants = grants.filter(|grant| grant.privilege == privilege);
    grants.map(|grant| grant.role.to_string()).collect()
}
