//! Databases and logins of a server, with no more rights than each needs.

use stdx::Secret;

use crate::{
    DatabaseUrl, Db, DbError, DbOptions, DbResult, Dialect, Ident, Kind, Query, Sql, Step,
};

/// The logins of one database.
#[derive(Clone, Debug)]
pub struct Logins {
    /// Who serves: reads and changes rows. Owns the database where there is no `migrator`.
    pub app: DatabaseUrl,
    /// Who changes the structure.
    pub migrator: Option<DatabaseUrl>,
    /// Who only reads.
    pub readonly: Option<DatabaseUrl>,
    /// Whether who changes the structure makes roles for policies of PostgreSQL's own, too.
    pub makes_roles: bool,
}

/// What a login may do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum May {
    ChangeStructure,
    ChangeRows,
    Read,
}

impl Logins {
    fn all(&self) -> Vec<(&DatabaseUrl, May)> {
        let app = match self.migrator {
            None => May::ChangeStructure,
            Some(_) => May::ChangeRows,
        };
        let migrator = self.migrator.iter().map(|url| (url, May::ChangeStructure));
        let readonly = self.readonly.iter().map(|url| (url, May::Read));
        migrator.chain([(&self.app, app)]).chain(readonly).collect()
    }

    fn owner(&self) -> &DatabaseUrl {
        self.migrator.as_ref().unwrap_or(&self.app)
    }

    /// Makes the logins and the database where they are missing, and gives each its rights;
    /// gives a line for each that is new. `admin` is the server's administrator.
    pub async fn create(&self, admin: &DatabaseUrl, options: &DbOptions) -> DbResult<Vec<String>> {
        let server = Db::connect(&admin.maintenance(), options).await?;
        let name = ident(&self.app.database_name())?;
        let mut made = Vec::new();
        for (url, _) in self.all() {
            if let Some((user, password)) = url.login()
                && admin.login().is_none_or(|(own, _)| own != user)
                && !has_login(&server, user).await?
            {
                create_login(&server, user, password).await?;
                made.push(format!("login {user}"));
            }
        }
        if !has_database(&server, &name).await? {
            create_database(&server, &name, self.owner()).await?;
            made.push(format!("database {name}"));
        }
        match server.dialect() {
            Dialect::Postgres => {
                if self.makes_roles && login(self.owner())?.as_str() != own_name(admin) {
                    let mut sql = Sql::new(Dialect::Postgres);
                    sql.push("alter role ").ident(&login(self.owner())?);
                    sql.push(" createrole");
                    run(&server, sql).await?;
                }
                let inside = Db::connect(&admin.with_database(name.as_str()), options).await?;
                self.grant_on_postgres(&inside, &name, admin).await?;
                inside.close().await?;
            }
            Dialect::MySql | Dialect::MariaDb => self.grant_on_mysql(&server, &name, admin).await?,
            Dialect::Sqlite => {}
        }
        server.close().await?;
        Ok(made)
    }

    /// Drops the database; gives whether there was one. The logins stay.
    pub async fn drop_database(&self, admin: &DatabaseUrl, options: &DbOptions) -> DbResult<bool> {
        let server = Db::connect(&admin.maintenance(), options).await?;
        let name = ident(&self.app.database_name())?;
        let there = has_database(&server, &name).await?;
        if there {
            let mut sql = Sql::new(server.dialect());
            sql.push("drop database ").ident(&name);
            if server.dialect() == Dialect::Postgres {
                sql.push(" with (force)");
            }
            run(&server, sql).await?;
        }
        server.close().await?;
        Ok(there)
    }

    async fn grant_on_postgres(
        &self,
        inside: &Db,
        name: &Ident,
        admin: &DatabaseUrl,
    ) -> DbResult<()> {
        let dialect = Dialect::Postgres;
        let mut closed = Sql::new(dialect);
        closed
            .push("revoke all on database ")
            .ident(name)
            .push(" from public");
        run(inside, closed).await?;
        let mut closed = Sql::new(dialect);
        closed.push("revoke create on schema public from public");
        run(inside, closed).await?;
        let owner = login(self.owner())?;
        for (url, may) in self.all() {
            let user = login(url)?;
            if admin.login().is_some_and(|(own, _)| own == user.as_str()) {
                continue;
            }
            let mut connect = Sql::new(dialect);
            connect.push("grant connect on database ").ident(name);
            connect.push(" to ").ident(&user);
            run(inside, connect).await?;
            let mut usage = Sql::new(dialect);
            usage.push(match may {
                May::ChangeStructure => "grant usage, create on schema public to ",
                May::ChangeRows | May::Read => "grant usage on schema public to ",
            });
            usage.ident(&user);
            run(inside, usage).await?;
            let rights: &[&'static str] = match may {
                May::ChangeStructure => {
                    let mut create = Sql::new(dialect);
                    // Drift is looked for in a schema of its own, which is rolled back.
                    create.push("grant create on database ").ident(name);
                    create.push(" to ").ident(&user);
                    run(inside, create).await?;
                    &[]
                }
                May::ChangeRows => &[
                    "select, insert, update, delete on tables to ",
                    "usage, select on sequences to ",
                ],
                May::Read => &["select on tables to "],
            };
            for right in rights {
                let mut future = Sql::new(dialect);
                future
                    .push("alter default privileges for role ")
                    .ident(&owner);
                future
                    .push(" in schema public grant ")
                    .push(right)
                    .ident(&user);
                run(inside, future).await?;
            }
            self.grant_what_is_there(inside, &user, may).await?;
        }
        Ok(())
    }

    async fn grant_what_is_there(&self, inside: &Db, user: &Ident, may: May) -> DbResult<()> {
        let rights: &[&'static str] = match may {
            May::ChangeStructure => &[],
            May::ChangeRows => &[
                "grant select, insert, update, delete on all tables in schema public to ",
                "grant usage, select on all sequences in schema public to ",
            ],
            May::Read => &["grant select on all tables in schema public to "],
        };
        for right in rights {
            let mut sql = Sql::new(Dialect::Postgres);
            sql.push(right).ident(user);
            run(inside, sql).await?;
        }
        Ok(())
    }

    async fn grant_on_mysql(&self, server: &Db, name: &Ident, admin: &DatabaseUrl) -> DbResult<()> {
        // In GRANT the name is a pattern.
        let pattern = ident(&name.as_str().replace('_', "\\_"))?;
        let scratch = ident("pilaster\\_scratch\\_%")?;
        for (url, may) in self.all() {
            let user = login(url)?;
            if admin.login().is_some_and(|(own, _)| own == user.as_str()) {
                continue;
            }
            let places: &[(&Ident, &'static str)] = match may {
                May::ChangeStructure => &[
                    (&pattern, "grant all privileges on "),
                    (&scratch, "grant all privileges on "),
                ],
                May::ChangeRows => &[(&pattern, "grant select, insert, update, delete on ")],
                May::Read => &[(&pattern, "grant select on ")],
            };
            for (place, right) in places {
                let mut sql = Sql::new(server.dialect());
                sql.push(right).ident(place).push(".* to ");
                sql.quoted(user.as_str()).push("@'%'");
                run(server, sql).await?;
            }
        }
        Ok(())
    }
}

async fn run(db: &Db, sql: Sql) -> DbResult<()> {
    db.write(vec![Step::new(sql)]).await.map(drop)
}

fn ident(text: &str) -> DbResult<Ident> {
    Ident::new(text).map_err(|error| DbError::Other(format!("{text}: {error}")))
}

fn own_name(admin: &DatabaseUrl) -> &str {
    admin.login().map_or("", |(name, _)| name)
}

fn login(url: &DatabaseUrl) -> DbResult<Ident> {
    ident(url.login().map_or("", |(user, _)| user))
}

async fn is_there(db: &Db, text: &'static str, name: &str) -> DbResult<bool> {
    let mut sql = Sql::new(db.dialect());
    sql.push(text).typed_arg(name, Kind::Text);
    let found = db.rows(&Query::short(sql, vec![Kind::BigInt])).await?;
    Ok(!found.is_empty())
}

async fn has_login(server: &Db, user: &str) -> DbResult<bool> {
    let text = match server.dialect() {
        Dialect::Postgres => "select 1::bigint from pg_roles where rolname::text = ",
        _ => "select 1 from mysql.user where user = ",
    };
    is_there(server, text, user).await
}

async fn has_database(server: &Db, name: &Ident) -> DbResult<bool> {
    let text = match server.dialect() {
        Dialect::Postgres => "select 1::bigint from pg_database where datname::text = ",
        _ => "select 1 from information_schema.schemata where schema_name = ",
    };
    is_there(server, text, name.as_str()).await
}

async fn create_login(server: &Db, user: &str, password: &Secret<String>) -> DbResult<()> {
    let mut sql = Sql::new(server.dialect());
    match server.dialect() {
        Dialect::Postgres => {
            sql.push("create role ").ident(&ident(user)?);
            sql.push(" login nosuperuser nocreatedb nocreaterole noreplication password ");
            sql.quoted(password.expose());
        }
        _ => {
            sql.push("create user ")
                .quoted(user)
                .push("@'%' identified by ");
            sql.quoted(password.expose());
        }
    }
    run(server, sql).await
}

async fn create_database(server: &Db, name: &Ident, owner: &DatabaseUrl) -> DbResult<()> {
    let mut sql = Sql::new(server.dialect());
    sql.push("create database ").ident(name);
    match server.dialect() {
        Dialect::Postgres => sql.push(" owner ").ident(&login(owner)?),
        _ => sql.push(" character set utf8mb4"),
    };
    run(server, sql).await
}
