//! `ALTER TABLE` of a migration, applied to the catalog that the files before it lead to.

use lang::{AlterAction, AlterTable, ColumnChange, ColumnDef, Diagnostic, Span, TableConstraint};
use sql::Ident;

use crate::{Catalog, Constraint, IndexTarget, Operation, Table};

type Changed = Result<Operation, Diagnostic>;

/// Changes the catalog; gives the operation.
pub(crate) fn change(catalog: &mut Catalog, path: &str, alter: &AlterTable) -> Changed {
    let name = &alter.name;
    if catalog.table(name.as_str()).is_none() {
        let message = format!("there is no table {name}");
        return Err(Diagnostic::new(path, alter.span, message));
    }
    let mut altering = Altering {
        catalog,
        path,
        name,
        span: alter.span,
    };
    match &alter.action {
        AlterAction::AddColumn(definition, constraints) => {
            altering.add_column(definition, constraints)
        }
        AlterAction::DropColumn(column) => altering.drop_column(column),
        AlterAction::RenameColumn(from, to) => altering.rename_column(from, to),
        AlterAction::AlterColumn(column, change) => altering.alter_column(column, change),
        AlterAction::AddConstraint(constraint) => altering.add_constraint(constraint),
        AlterAction::DropConstraint(constraint) => altering.drop_constraint(constraint),
        AlterAction::RenameTable(to) => altering.rename_table(to),
    }
}

struct Altering<'a> {
    catalog: &'a mut Catalog,
    path: &'a str,
    name: &'a Ident,
    span: Span,
}

impl Altering<'_> {
    fn refuse(&self, message: String) -> Diagnostic {
        Diagnostic::new(self.path, self.span, message)
    }

    fn table(&mut self) -> Result<&mut Table, Diagnostic> {
        let missing = self.refuse(format!("there is no table {}", self.name));
        self.catalog.table_mut(self.name).ok_or(missing)
    }

    fn no_column(&self, column: &Ident) -> Diagnostic {
        self.refuse(format!("{} has no column {column}", self.name))
    }

    fn add_column(&mut self, definition: &ColumnDef, constraints: &[TableConstraint]) -> Changed {
        let mut errors = Vec::new();
        let column = self.catalog.new_column(self.path, definition, &mut errors);
        self.table()?.columns.push(column);
        self.catalog
            .declare_generated(self.path, self.name, definition, &mut errors);
        let key = constraints.iter().find_map(|constraint| match constraint {
            TableConstraint::ForeignKey(key) => Some(key),
            _ => None,
        });
        if let Some(key) = key {
            self.catalog
                .declare_foreign_key(self.path, self.name, key, &mut errors);
        }
        if let Some(error) = errors.into_iter().next() {
            return Err(error);
        }
        let missing = self.no_column(&definition.name);
        let table = self.table()?;
        let foreign_key = key.and_then(|_| table.foreign_keys.last().cloned());
        let column = table.column(definition.name.as_str()).ok_or(missing)?;
        Ok(Operation::AddColumn {
            column: Box::new(column.clone()),
            table: self.name.clone(),
            foreign_key,
        })
    }

    fn drop_column(&mut self, column: &Ident) -> Changed {
        let missing = self.no_column(column);
        let table = self.table()?;
        let place = table.columns.iter().position(|known| known.name == *column);
        let gone = table.columns.remove(place.ok_or(missing)?);
        table
            .foreign_keys
            .retain(|key| !key.columns.contains(column));
        Ok(Operation::DropColumn {
            table: self.name.clone(),
            column: Box::new(gone),
        })
    }

    fn rename_column(&mut self, from: &Ident, to: &Ident) -> Changed {
        let missing = self.no_column(from);
        let table = self.table()?;
        let column = table.columns.iter_mut().find(|column| column.name == *from);
        column.ok_or(missing)?.name = to.clone();
        let rename = |columns: &mut Vec<Ident>| {
            for column in columns.iter_mut().filter(|column| *column == from) {
                *column = to.clone();
            }
        };
        if let Some(key) = &mut table.primary_key {
            rename(&mut key.columns);
        }
        for unique in &mut table.uniques {
            rename(&mut unique.columns);
        }
        for key in &mut table.foreign_keys {
            rename(&mut key.columns);
        }
        for index in &mut table.indexes {
            for key in &mut index.keys {
                match &mut key.target {
                    IndexTarget::Column(column) if column == from => *column = to.clone(),
                    IndexTarget::Column(_) => {}
                    IndexTarget::Expression(expr) => expr.rename_row_column(from, to),
                    IndexTarget::Words(words) => rename(&mut words.columns),
                }
            }
            if let Some(predicate) = &mut index.predicate {
                predicate.rename_row_column(from, to);
            }
        }
        // The engines rename inside of these by themselves.
        for check in &mut table.checks {
            check.expr.rename_row_column(from, to);
            if check.column.as_ref() == Some(from) {
                check.column = Some(to.clone());
            }
        }
        let generated = table
            .columns
            .iter_mut()
            .filter_map(|column| column.generated.as_mut());
        generated.for_each(|expr| expr.rename_row_column(from, to));
        let of_others = self.catalog.tables.iter_mut();
        for key in of_others.flat_map(|table| &mut table.foreign_keys) {
            if key.target == *self.name {
                rename(&mut key.target_columns);
            }
        }
        Ok(Operation::RenameColumn {
            table: self.name.clone(),
            from: from.clone(),
            to: to.clone(),
        })
    }

    fn alter_column(&mut self, column: &Ident, change: &ColumnChange) -> Changed {
        let missing = self.no_column(column);
        let known = self.table()?.column(column.as_str());
        let before = known.ok_or(missing)?.clone();
        let mut after = before.clone();
        match change {
            ColumnChange::Type(ty) => after.ty = ty.clone(),
            ColumnChange::SetNotNull => after.nullable = false,
            ColumnChange::DropNotNull => after.nullable = true,
            ColumnChange::DropDefault => after.default = None,
            ColumnChange::AddIdentity => after.identity = true,
            ColumnChange::DropIdentity => after.identity = false,
            ColumnChange::SetDefault(default) => {
                let definition = ColumnDef {
                    name: column.clone(),
                    span: self.span,
                    ty: after.ty.clone(),
                    of: None,
                    nullable: after.nullable,
                    default: Some(default.clone()),
                    identity: false,
                    generated: None,
                    was: None,
                };
                let mut errors = Vec::new();
                let defined = self.catalog.new_column(self.path, &definition, &mut errors);
                if let Some(error) = errors.into_iter().next() {
                    return Err(error);
                }
                after.default = defined.default;
            }
        }
        let columns = self.table()?.columns.iter_mut();
        for known in columns.filter(|known| known.name == *column) {
            *known = after.clone();
        }
        Ok(Operation::AlterColumn {
            table: self.name.clone(),
            before: Box::new(before),
            after: Box::new(after),
        })
    }

    fn add_constraint(&mut self, constraint: &TableConstraint) -> Changed {
        let known = self.table()?.constraints();
        let mut errors = Vec::new();
        self.catalog
            .declare_constraint(self.path, self.name, constraint, &mut errors);
        if let Some(error) = errors.into_iter().next() {
            return Err(error);
        }
        let now = self.table()?.constraints();
        let added = now
            .into_iter()
            .find(|constraint| !known.contains(constraint));
        let added = added.ok_or_else(|| self.refuse(String::from("this constraint is there")))?;
        Ok(Operation::AddConstraint {
            table: self.name.clone(),
            constraint: added,
        })
    }

    fn drop_constraint(&mut self, constraint: &Ident) -> Changed {
        let missing = self.refuse(format!("{} has no constraint {constraint}", self.name));
        let table = self.table()?;
        let all = table.constraints();
        let gone = all.into_iter().find(|known| known.name() == constraint);
        let gone = gone.ok_or(missing)?;
        match &gone {
            Constraint::PrimaryKey(_) => table.primary_key = None,
            Constraint::Unique(_) => table.uniques.retain(|known| known.name != *constraint),
            Constraint::Check(_) => table.checks.retain(|known| known.name != *constraint),
            Constraint::ForeignKey(_) => {
                table.foreign_keys.retain(|known| known.name != *constraint);
            }
        }
        Ok(Operation::DropConstraint {
            table: self.name.clone(),
            constraint: gone,
        })
    }

    fn rename_table(&mut self, to: &Ident) -> Changed {
        if self.catalog.table(to.as_str()).is_some() {
            return Err(self.refuse(format!("there is a table {to} already")));
        }
        let missing = self.refuse(format!("there is no table {}", self.name));
        let mut table = self.catalog.remove(self.name).ok_or(missing)?;
        table.name = to.clone();
        self.catalog.push(table);
        for key in self
            .catalog
            .tables
            .iter_mut()
            .flat_map(|table| &mut table.foreign_keys)
        {
            if key.target == *self.name {
                key.target = to.clone();
            }
        }
        Ok(Operation::RenameTable {
            from: self.name.clone(),
            to: to.clone(),
        })
    }
}
