//! `database.native_rls`: the rules as PostgreSQL's own, put into force and taken away.

use schema::{
    Catalog, NativeError, NativeNames, NativePlan, NativeRules, Servers, apply_native, native_plan,
};
use server::NativeRls;
use sql::{DatabaseUrl, Db, Dialect, Ident};
use stdx::{Clock, Rng};
use store::Store;

use crate::config::{Configuration, is_native, logins};
use crate::failure::{Failure, Outcome};
use crate::project::Files;

/// Whether the database is to apply the rules, too, and for whom it does not.
pub(crate) struct Native {
    is_wanted: bool,
    servers: Servers,
}

impl Native {
    /// As the configuration says.
    pub(crate) fn of(configuration: &Configuration) -> Outcome<Self> {
        let logins = logins(configuration)?;
        let name = |url: &DatabaseUrl| url.login().and_then(|(user, _)| Ident::new(user).ok());
        let others = logins.migrator.iter().chain(&logins.readonly);
        Ok(Self {
            is_wanted: is_native(configuration)?,
            servers: Servers {
                app: name(&logins.app),
                all: others.chain([&logins.app]).filter_map(name).collect(),
            },
        })
    }

    fn is_in_force(&self, db: &Db) -> bool {
        self.is_wanted && db.dialect() == Dialect::Postgres
    }

    /// What [`Native::put`] would do.
    pub(crate) async fn plan(&self, db: &Db, files: &Files) -> Outcome<NativePlan> {
        let rules = self.rules(db, files).await?;
        let plan = native_plan(db, self.wanted(rules.as_ref())).await;
        plan.map_err(|error| failure(db, &error))
    }

    /// Puts the rules of `schema/` into force, or takes away what is left of them; gives what was
    /// done.
    pub(crate) async fn put(&self, db: &Db, files: &Files) -> Outcome<NativePlan> {
        let (clock, rng) = (Clock::System, Rng::System);
        let rules = self.rules(db, files).await?;
        let put = apply_native(db, self.wanted(rules.as_ref()), &clock, &rng).await;
        put.map_err(|error| failure(db, &error))
    }

    /// What is declared, and which roles accounts hold together.
    async fn rules(&self, db: &Db, files: &Files) -> Outcome<Option<Rules>> {
        if !self.is_in_force(db) {
            return Ok(None);
        }
        let store = Store::new(db.clone(), Clock::System, Rng::System);
        let used = store::roles::held_together(&store).await;
        let used = used.map_err(|error| Failure::failed(error.to_string()))?;
        Ok(Some((files.catalog()?, used)))
    }

    fn wanted<'r>(&'r self, rules: Option<&'r Rules>) -> NativeRules<'r> {
        match rules {
            None => NativeRules::Nothing,
            Some((catalog, used)) => NativeRules::Of {
                catalog,
                servers: &self.servers,
                used,
            },
        }
    }

    /// As whom a server runs what it is asked.
    pub(crate) async fn settings(&self, db: &Db) -> Outcome<Option<NativeRls>> {
        if !self.is_in_force(db) {
            return Ok(None);
        }
        let names = NativeNames::of(db).await;
        let names = names.map_err(|error| Failure::database(&db.description(), &error))?;
        Ok(names.map(|names| NativeRls {
            names,
            servers: self.servers.clone(),
        }))
    }
}

/// The declared rules, and the sets of roles that accounts hold.
type Rules = (Catalog, Vec<Vec<String>>);

/// Takes away what a change of the tables would stumble over; the next `migrate up` puts it back.
pub(crate) async fn loosen(db: &Db) -> Outcome {
    let (clock, rng) = (Clock::System, Rng::System);
    let loosened = apply_native(db, NativeRules::Loose, &clock, &rng).await;
    loosened.map(drop).map_err(|error| failure(db, &error))
}

/// Says what others made and what therefore stays.
pub(crate) fn name_foreign(plan: &NativePlan) {
    for thing in &plan.foreign {
        tracing::warn!("native_rls: {thing} is not Pilaster's and stays as it is");
    }
}

/// Rules that the database did not take.
pub(crate) fn failure(db: &Db, error: &NativeError) -> Failure {
    match error {
        NativeError::InTheWay { what, fix } => Failure::failed(what.clone()).fix(fix.clone()),
        NativeError::Lacks { what, login, fix } => {
            Failure::not_allowed(format!("the login {login} may not {what}")).fix(format!(
                "pilaster db create with ADMIN_DATABASE_URL lets it, or the server's administrator \
                 with: {fix}; or leave database.native_rls off"
            ))
        }
        NativeError::Lock(error) => Failure::migration(db, error),
        NativeError::Db(error) => Failure::database(&db.description(), error),
    }
}
