//! Roles and their limits, grants and policies.

use lang::{
    Diagnostic, PolicyCommand, Privilege, RawExpr, Span, Statement, Type, check_expression,
    expression_reads,
};
use sql::Ident;

use super::tables::missing_table;
use super::{Placed, near};
use crate::{Catalog, Grant, Policy, Role, Table};

impl Catalog {
    pub(super) fn declare_roles(&mut self, placed: &[Placed<'_>], errors: &mut Vec<Diagnostic>) {
        for (path, statement) in placed {
            let Statement::CreateRole(create) = statement else {
                continue;
            };
            if self.has_role(&create.name) {
                let message = format!("the role {} exists already", create.name);
                errors.push(Diagnostic::new(*path, create.span, message));
                continue;
            }
            self.roles.push(Role {
                name: create.name.clone(),
                inherits: Vec::new(),
                settings: Vec::new(),
            });
        }
        for (path, statement) in placed {
            let Statement::GrantRole(grant) = statement else {
                continue;
            };
            for role in [&grant.role, &grant.to] {
                if !self.has_role(role) {
                    errors.push(self.missing_role(path, grant.span, role));
                }
            }
            if grant.role == grant.to || self.inherited(&grant.role).contains(&grant.to) {
                let message = format!(
                    "{} and {} would inherit from each other",
                    grant.role, grant.to
                );
                errors.push(Diagnostic::new(*path, grant.span, message));
                continue;
            }
            if let Some(to) = self.roles.iter_mut().find(|role| role.name == grant.to) {
                to.inherits.push(grant.role.clone());
            }
        }
    }

    /// What `ALTER ROLE … SET` says, in force with the files, as grants are.
    pub(super) fn declare_settings(&mut self, placed: &[Placed<'_>], errors: &mut Vec<Diagnostic>) {
        for (path, statement) in placed {
            let Statement::AlterRole(alter) = statement else {
                continue;
            };
            let role = self.roles.iter_mut().find(|role| role.name == alter.name);
            let Some(role) = role else {
                errors.push(self.missing_role(path, alter.span, &alter.name));
                continue;
            };
            let (name, limit) = (&alter.name, alter.setting.limit);
            if role.settings.iter().any(|known| known.limit == limit) {
                let message = format!("{} of {name} is set twice", limit.name());
                errors.push(Diagnostic::new(*path, alter.span, message));
                continue;
            }
            role.settings.push(alter.setting);
        }
    }

    fn missing_role(&self, path: &str, span: Span, role: &Ident) -> Diagnostic {
        let names: Vec<Ident> = self.roles.iter().map(|role| role.name.clone()).collect();
        let error = Diagnostic::new(path, span, format!("there is no role {role}"));
        let error = near(error, role, &names);
        match error.hint {
            Some(_) => error,
            None => error.hint(format!("write create role {role};")),
        }
    }

    /// The role itself and everything that was granted to it, however far.
    #[must_use]
    pub fn inherited(&self, role: &Ident) -> Vec<Ident> {
        let mut found = vec![role.clone()];
        let mut next = 0;
        while let Some(role) = found.get(next).cloned() {
            next += 1;
            let own = self.roles.iter().find(|known| known.name == role);
            for more in own.iter().flat_map(|role| &role.inherits) {
                if !found.contains(more) {
                    found.push(more.clone());
                }
            }
        }
        found
    }

    pub(super) fn declare_grants(&mut self, placed: &[Placed<'_>], errors: &mut Vec<Diagnostic>) {
        for (path, statement) in placed {
            let Statement::Grant(grant) = statement else {
                continue;
            };
            let unknown = grant.roles.iter().find(|role| !self.has_role(role));
            if let Some(role) = unknown {
                errors.push(self.missing_role(path, grant.span, role));
                continue;
            }
            let names = lang::Relations::names(self);
            for name in &grant.tables {
                let is_view = self.view(name.as_str()).is_some();
                let Some(table) = self.relation_mut(name) else {
                    errors.push(missing_table(path, grant.span, name, &names));
                    continue;
                };
                let reads = |(privilege, _): &(Privilege, _)| *privilege == Privilege::Select;
                if is_view && !grant.privileges.iter().all(reads) {
                    let message = format!("{name} is a view, of which rows are only read");
                    errors.push(
                        Diagnostic::new(*path, grant.span, message)
                            .hint("write GRANT select, and grant changes on the tables beneath"),
                    );
                    continue;
                }
                for (privilege, columns) in &grant.privileges {
                    if let Err(message) = table.grant(*privilege, columns.as_deref(), &grant.roles)
                    {
                        errors.push(Diagnostic::new(*path, grant.span, message));
                    }
                }
            }
        }
    }

    pub(super) fn declare_policies(&mut self, placed: &[Placed<'_>], errors: &mut Vec<Diagnostic>) {
        for (path, statement) in placed {
            let Statement::CreatePolicy(create) = statement else {
                continue;
            };
            let error = |message: &str| Diagnostic::new(*path, create.span, message);
            let names = lang::Relations::names(self);
            if self.view(create.table.as_str()).is_some() {
                errors.push(
                    error("a view has no policies of its own")
                        .hint("those of the tables beneath apply to what it shows"),
                );
                continue;
            }
            let Some(table) = self.table(create.table.as_str()) else {
                errors.push(missing_table(path, create.span, &create.table, &names));
                continue;
            };
            if table
                .policies
                .iter()
                .any(|policy| policy.name == create.name)
            {
                errors.push(error("the table has a policy of this name already"));
                continue;
            }
            if let Some(role) = create.roles.iter().find(|role| !self.has_role(role)) {
                errors.push(self.missing_role(path, create.span, role));
                continue;
            }
            match (create.command, &create.using, &create.check) {
                (PolicyCommand::One(Privilege::Insert), Some(_), _) => {
                    errors.push(error("an insert has no row before it; write WITH CHECK"));
                    continue;
                }
                (PolicyCommand::One(Privilege::Select | Privilege::Delete), _, Some(_)) => {
                    errors.push(error("this command writes no row; write USING alone"));
                    continue;
                }
                _ => {}
            }
            let mut rule = |raw: &Option<RawExpr>| match raw {
                None => None,
                Some(raw) => match self.rule(path, table, raw) {
                    Ok(expr) => Some(expr),
                    Err(more) => {
                        errors.extend(more);
                        None
                    }
                },
            };
            let policy = Policy {
                name: create.name.clone(),
                command: create.command,
                permissive: create.permissive,
                roles: create.roles.clone(),
                using: rule(&create.using),
                check: rule(&create.check),
            };
            if let Some(table) = self.table_mut(&create.table) {
                table.policies.push(policy);
            }
        }
    }

    /// Refuses policies that ask themselves: a table that is read inside a policy is read by its
    /// own policies, which may not come back to where they started (PostgreSQL: "infinite
    /// recursion detected in policy").
    pub(super) fn refuse_circles(&self, errors: &mut Vec<Diagnostic>) {
        for table in &self.tables {
            for policy in table.policies.iter().filter(|policy| reads(policy)) {
                let Some(using) = &policy.using else { continue };
                let mut reached = expression_reads(using).0;
                let mut next: Vec<Ident> = reached.iter().cloned().collect();
                while let Some(name) = next.pop() {
                    let further = self.table(name.as_str()).into_iter();
                    let policies = further.flat_map(|table| &table.policies);
                    for using in policies
                        .filter(|p| reads(p))
                        .filter_map(|p| p.using.as_ref())
                    {
                        let tables = expression_reads(using).0.into_iter();
                        next.extend(tables.filter(|table| reached.insert(table.clone())));
                    }
                }
                if reached.contains(&table.name) {
                    let message = format!(
                        "the policy {} of {} reads {} again through the policies of what it asks",
                        policy.name, table.name, table.name
                    );
                    errors.push(Diagnostic::new(&table.path, using.span, message).hint(
                        "ask a view WITH (security_invoker = false), whose rows no policy narrows",
                    ));
                }
            }
        }
    }

    fn rule(
        &self,
        path: &str,
        table: &Table,
        raw: &RawExpr,
    ) -> Result<lang::Expr, Vec<Diagnostic>> {
        let shape = table.shape();
        let expr = check_expression(raw, path, Some(&Type::Boolean), Some(&shape), self)?;
        match expr.ty {
            Some(Type::Boolean) => Ok(expr),
            _ => Err(vec![Diagnostic::new(
                path,
                expr.span,
                "a rule is true or false",
            )]),
        }
    }
}

/// Whether a policy narrows what is read.
fn reads(policy: &Policy) -> bool {
    matches!(
        policy.command,
        PolicyCommand::All | PolicyCommand::One(Privilege::Select)
    )
}

impl Table {
    /// Adds a privilege, merging columns with what a role has already.
    fn grant(
        &mut self,
        privilege: Privilege,
        columns: Option<&[Ident]>,
        roles: &[Ident],
    ) -> Result<(), String> {
        let unknown = columns
            .into_iter()
            .flatten()
            .find(|c| self.column(c.as_str()).is_none());
        if let Some(column) = unknown {
            return Err(format!("{} has no column {column}", self.name));
        }
        for role in roles {
            let known = self
                .grants
                .iter_mut()
                .find(|g| g.role == *role && g.privilege == privilege);
            match (known, columns) {
                (Some(grant), None) => grant.columns = None,
                (Some(grant), Some(more)) => {
                    if let Some(own) = &mut grant.columns {
                        let fresh: Vec<Ident> = more
                            .iter()
                            .filter(|column| !own.contains(column))
                            .cloned()
                            .collect();
                        own.extend(fresh);
                    }
                }
                (None, columns) => self.grants.push(Grant {
                    role: role.clone(),
                    privilege,
                    columns: columns.map(<[Ident]>::to_vec),
                }),
            }
        }
        Ok(())
    }
}
