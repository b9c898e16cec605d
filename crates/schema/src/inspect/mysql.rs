//! MySQL's and MariaDB's information schema.

use sql::{DbResult, Dialect, Sql, Tx};

use super::{InspectedColumn, InspectedConstraint, InspectedIndex, InspectedTable, Rule};
use super::{some, texts, with};

fn query(text: &'static str) -> Sql {
    // The two spell these alike.
    let mut sql = Sql::new(Dialect::MySql);
    sql.push(text);
    sql
}

pub(super) async fn tables(tx: &mut Tx, dialect: Dialect) -> DbResult<Vec<InspectedTable>> {
    let mut tables = Vec::new();
    let all = query(
        "select table_name, table_comment from information_schema.tables \
         where table_schema = database() and table_type = 'BASE TABLE' order by 1",
    );
    for [name, comment] in texts(tx, all).await? {
        tables.push(InspectedTable {
            name,
            comment,
            ..InspectedTable::default()
        });
    }
    let columns = query(
        "select table_name, column_name, lower(column_type), lower(is_nullable), \
         coalesce(column_default, ''), coalesce(generation_expression, ''), lower(extra), \
         column_comment, case when column_default is null then '' else 'yes' end \
         from information_schema.columns where table_schema = database() \
         order by table_name, ordinal_position",
    );
    for [
        table,
        name,
        ty,
        null,
        default,
        generated,
        extra,
        comment,
        has_default,
    ] in texts(tx, columns).await?
    {
        // MariaDB writes that there is none; MySQL leaves the quotes of a constant away.
        let has_default =
            has_default == "yes" && !(dialect == Dialect::MariaDb && default == "NULL");
        let is_expression = dialect == Dialect::MariaDb || extra.contains("default_generated");
        let default = match is_expression {
            true => default,
            false => format!("'{}'", default.replace('\'', "''")),
        };
        let column = InspectedColumn {
            name,
            ty,
            nullable: null == "yes",
            default: has_default.then_some(default),
            generated: some(generated),
            identity: extra.contains("auto_increment"),
            comment,
        };
        with(&mut tables, &table, |table| table.columns.push(column));
    }
    keys(tx, &mut tables).await?;
    checks(tx, dialect, &mut tables).await?;
    indexes(tx, &mut tables).await?;
    Ok(tables)
}

async fn keys(tx: &mut Tx, tables: &mut [InspectedTable]) -> DbResult<()> {
    let all = query(
        "select t.table_name, t.constraint_name, t.constraint_type, k.column_name, \
         coalesce(k.referenced_table_name, ''), coalesce(k.referenced_column_name, ''), \
         coalesce(lower(r.delete_rule), ''), coalesce(lower(r.update_rule), '') \
         from information_schema.table_constraints t \
         join information_schema.key_column_usage k on k.table_schema = t.table_schema \
           and k.table_name = t.table_name and k.constraint_name = t.constraint_name \
         left join information_schema.referential_constraints r \
           on r.constraint_schema = t.table_schema and r.table_name = t.table_name \
           and r.constraint_name = t.constraint_name \
         where t.table_schema = database() order by 1, 2, k.ordinal_position",
    );
    for [
        table,
        name,
        kind,
        column,
        target,
        target_column,
        on_delete,
        on_update,
    ] in texts(tx, all).await?
    {
        with(tables, &table, |table| {
            let known = table.constraints.iter_mut().find(|one| one.name == name);
            if let Some(known) = known {
                more(&mut known.rule, column, target_column);
                return;
            }
            let columns = vec![column];
            let rule = match kind.as_str() {
                "PRIMARY KEY" => Rule::PrimaryKey(columns),
                "UNIQUE" => Rule::Unique(columns),
                _ => Rule::ForeignKey {
                    columns,
                    target,
                    target_columns: vec![target_column],
                    on_delete: action(on_delete),
                    on_update: action(on_update),
                },
            };
            table.constraints.push(InspectedConstraint { name, rule });
        });
    }
    Ok(())
}

/// `InnoDB` makes no difference between the two, and MariaDB shows one for the other.
fn action(name: String) -> String {
    match name.as_str() {
        "restrict" => String::from("no action"),
        _ => name,
    }
}

fn more(rule: &mut Rule, column: String, target_column: String) {
    match rule {
        Rule::PrimaryKey(columns) | Rule::Unique(columns) => columns.push(column),
        Rule::ForeignKey {
            columns,
            target_columns,
            ..
        } => {
            columns.push(column);
            target_columns.push(target_column);
        }
        Rule::Check(_) => {}
    }
}

async fn checks(tx: &mut Tx, dialect: Dialect, tables: &mut [InspectedTable]) -> DbResult<()> {
    let all = match dialect {
        Dialect::MariaDb => query(
            "select table_name, constraint_name, check_clause \
             from information_schema.check_constraints where constraint_schema = database()",
        ),
        _ => query(
            "select t.table_name, c.constraint_name, c.check_clause \
             from information_schema.check_constraints c \
             join information_schema.table_constraints t \
               on t.constraint_schema = c.constraint_schema \
               and t.constraint_name = c.constraint_name and t.constraint_type = 'CHECK' \
             where c.constraint_schema = database()",
        ),
    };
    for [table, name, check] in texts(tx, all).await? {
        let rule = Rule::Check(check);
        with(tables, &table, |table| {
            table.constraints.push(InspectedConstraint { name, rule });
        });
    }
    Ok(())
}

async fn indexes(tx: &mut Tx, tables: &mut [InspectedTable]) -> DbResult<()> {
    let all = query(
        "select table_name, index_name, case when non_unique = 0 then 'yes' else '' end, \
         concat(case index_type when 'BTREE' then '' else concat(lower(index_type), ' ') end, \
           coalesce(column_name, 'expression'), \
           case when collation = 'D' then ' desc' else '' end, \
           case when sub_part is null or index_type <> 'BTREE' then '' else concat('(', sub_part, ')') end) \
         from information_schema.statistics where table_schema = database() \
         order by table_name, index_name, seq_in_index",
    );
    for [table, name, unique, key] in texts(tx, all).await? {
        with(tables, &table, |table| {
            // A constraint's own index, or the one that the engine makes for a foreign key.
            if table.constraints.iter().any(|one| one.name == name) {
                return;
            }
            if let Some(known) = table.indexes.iter_mut().find(|index| index.name == name) {
                known.keys.push(key);
                return;
            }
            table.indexes.push(InspectedIndex {
                name,
                keys: vec![key],
                unique: unique == "yes",
                predicate: None,
            });
        });
    }
    Ok(())
}
