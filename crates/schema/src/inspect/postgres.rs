//! PostgreSQL's catalogue.

use sql::{DbResult, Dialect, Sql, Tx};

use super::{InspectedColumn, InspectedConstraint, InspectedIndex, InspectedTable, Rule};
use super::{some, texts, with};

fn query(text: &'static str) -> Sql {
    let mut sql = Sql::new(Dialect::Postgres);
    sql.push(text);
    sql
}

/// The tables; what inherits from another one, or is a part of it, belongs there.
pub(super) async fn tables(tx: &mut Tx) -> DbResult<Vec<InspectedTable>> {
    let mut tables = Vec::new();
    let all = query(
        "select c.relname::text, coalesce(obj_description(c.oid, 'pg_class'), '') \
         from pg_class c where c.relkind = 'r' \
         and c.relnamespace = current_schema()::regnamespace \
         and not exists (select from pg_inherits i where i.inhrelid = c.oid) order by 1",
    );
    for [name, comment] in texts(tx, all).await? {
        tables.push(InspectedTable {
            name,
            comment,
            ..InspectedTable::default()
        });
    }
    let columns = query(
        "select c.relname::text, a.attname::text, case t.typtype \
           when 'd' then format_type(t.typbasetype, t.typtypmod) \
           when 'e' then 'enum(' || (select string_agg(quote_literal(e.enumlabel), ',' \
             order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid) || ')' \
           else format_type(a.atttypid, a.atttypmod) end, \
         case when a.attnotnull then '' else 'yes' end, \
         coalesce(case when a.attgenerated = '' then pg_get_expr(d.adbin, d.adrelid) end, ''), \
         coalesce(case when a.attgenerated <> '' then pg_get_expr(d.adbin, d.adrelid) end, ''), \
         a.attidentity::text, coalesce(col_description(c.oid, a.attnum), '') \
         from pg_attribute a join pg_class c on c.oid = a.attrelid \
         join pg_type t on t.oid = a.atttypid left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum \
         where c.relkind in ('r', 'p') and c.relnamespace = current_schema()::regnamespace \
         and a.attnum > 0 and not a.attisdropped order by 1, a.attnum",
    );
    for [table, name, ty, null, default, generated, identity, comment] in texts(tx, columns).await?
    {
        let serial = default.starts_with("nextval(");
        let column = InspectedColumn {
            name,
            ty,
            nullable: null == "yes",
            default: some(default).filter(|_| !serial),
            generated: some(generated),
            identity: serial || !identity.is_empty(),
            comment,
        };
        with(&mut tables, &table, |table| table.columns.push(column));
    }
    constraints(tx, &mut tables).await?;
    indexes(tx, &mut tables).await?;
    Ok(tables)
}

async fn constraints(tx: &mut Tx, tables: &mut [InspectedTable]) -> DbResult<()> {
    let all = query(
        "select c.relname::text, k.conname::text, k.contype::text, \
         coalesce((select string_agg(a.attname, ',' order by u.place) \
           from unnest(k.conkey) with ordinality u(number, place) \
           join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.number), ''), \
         coalesce((select f.relname::text from pg_class f where f.oid = k.confrelid), ''), \
         coalesce((select string_agg(a.attname, ',' order by u.place) \
           from unnest(k.confkey) with ordinality u(number, place) \
           join pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.number), ''), \
         k.confdeltype::text, k.confupdtype::text, \
         coalesce(pg_get_expr(k.conbin, k.conrelid), '') \
         from pg_constraint k join pg_class c on c.oid = k.conrelid \
         where c.relnamespace = current_schema()::regnamespace and k.contype in ('p','u','c','f') \
         order by 1, 2",
    );
    for [
        table,
        name,
        kind,
        columns,
        target,
        target_columns,
        on_delete,
        on_update,
        check,
    ] in texts(tx, all).await?
    {
        let list = |text: &str| text.split(',').map(str::to_owned).collect::<Vec<_>>();
        let rule = match kind.as_str() {
            "p" => Rule::PrimaryKey(list(&columns)),
            "u" => Rule::Unique(list(&columns)),
            "c" => Rule::Check(check),
            _ => Rule::ForeignKey {
                columns: list(&columns),
                target,
                target_columns: list(&target_columns),
                on_delete: action(&on_delete),
                on_update: action(&on_update),
            },
        };
        with(tables, &table, |table| {
            table.constraints.push(InspectedConstraint { name, rule });
        });
    }
    Ok(())
}

fn action(letter: &str) -> String {
    String::from(match letter {
        "c" => "cascade",
        "n" => "set null",
        "d" => "set default",
        "r" => "restrict",
        _ => "no action",
    })
}

async fn indexes(tx: &mut Tx, tables: &mut [InspectedTable]) -> DbResult<()> {
    let all = query(
        "select c.relname::text, i.relname::text, \
         case when x.indisunique then 'yes' else '' end, \
         coalesce(pg_get_expr(x.indpred, x.indrelid), ''), \
         pg_get_indexdef(i.oid, k.place::integer, true) || \
           case when (x.indoption[k.place - 1] & 1) = 1 then ' desc' else '' end, am.amname::text \
         from pg_index x join pg_class i on i.oid = x.indexrelid \
         join pg_class c on c.oid = x.indrelid join pg_am am on am.oid = i.relam \
         cross join lateral generate_series(1, x.indnkeyatts) k(place) \
         where c.relnamespace = current_schema()::regnamespace \
         and not exists (select from pg_constraint p where p.conindid = i.oid \
           and p.contype in ('p', 'u', 'x')) order by 1, 2, k.place",
    );
    for [table, name, unique, predicate, key, method] in texts(tx, all).await? {
        let key = match method.as_str() {
            "btree" => key,
            other => format!("{other} {key}"),
        };
        with(tables, &table, |table| {
            if let Some(known) = table.indexes.iter_mut().find(|index| index.name == name) {
                known.keys.push(key);
                return;
            }
            table.indexes.push(InspectedIndex {
                name,
                keys: vec![key],
                unique: unique == "yes",
                predicate: some(predicate),
            });
        });
    }
    Ok(())
}
