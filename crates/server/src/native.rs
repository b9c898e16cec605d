//! As whom requests of the data API run, where the database applies the rules by policies of its
//! own, too (docs/adr/0012).

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use axum::http::StatusCode;
use rest::{Caller, RoleSet};
use schema::{Catalog, NativeNames, Servers, make_native_role, native_roles};
use serde_json::{Map, Value};
use sql::{Actor, Db, Ident, write_timestamp};
use tokio::sync::Mutex;

use crate::app::{Compiled, State};
use crate::error::Refusal;

/// A database with roles and policies of its own.
#[derive(Clone, Debug)]
pub struct NativeRls {
    /// What its roles are called.
    pub names: NativeNames,
    /// Its logins.
    pub servers: Servers,
}

/// The roles of callers that are known to be there.
pub(crate) struct Roles {
    rls: NativeRls,
    known: RwLock<HashMap<RoleSet, Ident>>,
    /// One at a time looks, and makes what is missing.
    looking: Mutex<()>,
}

impl Roles {
    pub(crate) fn new(rls: NativeRls) -> Self {
        Self {
            rls,
            known: RwLock::new(HashMap::new()),
            looking: Mutex::new(()),
        }
    }

    /// Other files may mean other roles.
    pub(crate) fn forget(&self) {
        self.known
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    fn known(&self, roles: &RoleSet) -> Option<Ident> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.get(roles).cloned()
    }

    /// The role that has exactly these ones; made now where nobody has had them together before.
    async fn role(&self, db: &Db, catalog: &Catalog, roles: &RoleSet) -> Result<Ident, Refusal> {
        if let Some(known) = self.known(roles) {
            return Ok(known);
        }
        // It is large and rarely needed; every waiting request would hold its size.
        Box::pin(self.look(db, catalog, roles)).await
    }

    async fn look(&self, db: &Db, catalog: &Catalog, roles: &RoleSet) -> Result<Ident, Refusal> {
        let _alone = self.looking.lock().await;
        let (name, _) = self.rls.names.caller(catalog, roles.names());
        let there = native_roles(db).await;
        let is_there = there
            .map_err(|error| missing(&name, &error))?
            .contains(&name);
        if !is_there {
            let own: Vec<Ident> = roles.names().cloned().collect();
            make_native_role(db, catalog, &self.rls.servers, &own)
                .await
                .map_err(|error| missing(&name, &error))?;
        }
        self.known
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(roles.clone(), name.clone());
        Ok(name)
    }
}

fn missing(name: &Ident, error: &schema::NativeError) -> Refusal {
    tracing::error!(role = name.as_str(), %error, "the database has no role for a caller; pilaster migrate up makes it");
    let message = "the database does not know these roles yet";
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "0P000", message).hint("try again later")
}

impl State {
    /// As whom a request's statements run, as of now; `None` where that is the server itself.
    pub(crate) async fn actor(
        &self,
        compiled: &Compiled,
        caller: &Caller,
    ) -> Result<Option<Actor>, Refusal> {
        let Some(roles) = &self.native else {
            return Ok(None);
        };
        let catalog = compiled.api.catalog();
        let role = roles.role(&self.db, catalog, &caller.roles).await?;
        Ok(Some(Actor::new(role, &self.facts(caller))))
    }

    /// What policies may ask of a caller, by the names of the settings that tell it.
    fn facts(&self, caller: &Caller) -> [(&'static str, String); 6] {
        let uid = caller.user.map(|user| user.to_string());
        let scopes = caller.scopes.iter().cloned().map(Value::String);
        let claims = caller.claims.iter().map(|(name, value)| {
            let value = match value {
                Value::Null | Value::String(_) => value.clone(),
                other => Value::String(other.to_string()),
            };
            (name.clone(), value)
        });
        let claims = Value::Object(claims.collect::<Map<_, _>>());
        let mut now = Vec::new();
        write_timestamp(&mut now, self.clock.now());
        [
            ("pilaster.uid", uid.unwrap_or_default()),
            ("pilaster.role", caller.base_role.name().to_owned()),
            ("pilaster.acr", caller.acr.clone().unwrap_or_default()),
            (
                "pilaster.scopes",
                Value::Array(scopes.collect()).to_string(),
            ),
            ("pilaster.claims", claims.to_string()),
            ("pilaster.now", String::from_utf8_lossy(&now).into_owned()),
        ]
    }
}
