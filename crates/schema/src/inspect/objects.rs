//! Views, triggers and routines.

use sql::{DbResult, Dialect, Sql, Tx};

use super::{InspectedObject, texts};

pub(super) async fn all(tx: &mut Tx, dialect: Dialect) -> DbResult<Vec<InspectedObject>> {
    let queries: &[&'static str] = match dialect {
        Dialect::Sqlite => &[SQLITE],
        Dialect::Postgres => &[
            POSTGRES_ROUTINES,
            POSTGRES_VIEWS,
            POSTGRES_RULES,
            POSTGRES_TRIGGERS,
        ],
        Dialect::MySql | Dialect::MariaDb => &[MYSQL_VIEWS, MYSQL_TRIGGERS, MYSQL_ROUTINES],
    };
    let mut objects = Vec::new();
    for text in queries {
        let mut sql = Sql::new(dialect);
        sql.push(text);
        for [kind, name, definition] in texts(tx, sql).await? {
            objects.push(InspectedObject {
                kind,
                name,
                definition: definition.trim().trim_end_matches(';').to_owned(),
                comments: Vec::new(),
            });
        }
    }
    match dialect {
        Dialect::Postgres => comments(tx, &mut objects).await?,
        // These keep none on views.
        Dialect::Sqlite | Dialect::MySql | Dialect::MariaDb => {}
    }
    Ok(objects)
}

async fn comments(tx: &mut Tx, objects: &mut [InspectedObject]) -> DbResult<()> {
    let mut sql = Sql::new(Dialect::Postgres);
    sql.push(POSTGRES_COMMENTS);
    for [view, column, text] in texts(tx, sql).await? {
        let is_it = |one: &&mut InspectedObject| one.kind.ends_with("view") && one.name == view;
        if let Some(view) = objects.iter_mut().find(is_it) {
            view.comments.push((column, text));
        }
    }
    Ok(())
}

const SQLITE: &str = "select type, name, sql from sqlite_schema \
    where type in ('view', 'trigger') and name not like 'auth\\_%' escape '\\'";

/// What belongs to an extension is the extension's.
const POSTGRES_VIEWS: &str = "select case c.relkind when 'm' then 'materialized view' else 'view' \
    end, c.relname::text, coalesce('with (' || array_to_string(c.reloptions, ', ') || ') ', '') \
    || 'as ' || pg_get_viewdef(c.oid, true) from pg_class c where c.relkind in ('v', 'm') \
    and c.relnamespace = current_schema()::regnamespace \
    and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e') \
    order by c.oid";

/// On views and their columns.
const POSTGRES_COMMENTS: &str = "select c.relname::text, coalesce(a.attname::text, ''), \
    d.description from pg_description d join pg_class c on c.oid = d.objoid \
    left join pg_attribute a on a.attrelid = c.oid and a.attnum = d.objsubid and a.attnum > 0 \
    where d.classoid = 'pg_class'::regclass and c.relkind in ('v', 'm') \
    and c.relnamespace = current_schema()::regnamespace order by c.oid, d.objsubid";

/// Those of tables; a view's own rule is its definition.
const POSTGRES_RULES: &str = "select 'rule', r.rulename::text || ' on ' || c.relname, \
    replace(pg_get_ruledef(r.oid, true), quote_ident(current_schema()) || '.', '') \
    from pg_rewrite r join pg_class c on c.oid = r.ev_class \
    where r.rulename <> '_RETURN' and c.relnamespace = current_schema()::regnamespace";

const POSTGRES_TRIGGERS: &str = "select 'trigger', t.tgname::text || ' on ' || c.relname, \
    replace(pg_get_triggerdef(t.oid, true), quote_ident(current_schema()) || '.', '') \
    from pg_trigger t join pg_class c on c.oid = t.tgrelid \
    where not t.tgisinternal and c.relnamespace = current_schema()::regnamespace";

const POSTGRES_ROUTINES: &str = "select case p.prokind when 'p' then 'procedure' \
    when 'a' then 'aggregate' else 'function' end, \
    p.proname::text || '(' || pg_get_function_identity_arguments(p.oid) || ')', \
    replace(case p.prokind when 'a' then '(sfunc = ' || a.aggtransfn::text || ', stype = ' \
        || format_type(a.aggtranstype, null) \
        || coalesce(', initcond = ' || quote_literal(a.agginitval), '') || ')' \
      else pg_get_functiondef(p.oid) end, quote_ident(current_schema()) || '.', '') \
    from pg_proc p left join pg_aggregate a on a.aggfnoid = p.oid where p.pronamespace = current_schema()::regnamespace \
    and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e') \
    order by p.oid";

const MYSQL_VIEWS: &str = "select 'view', table_name, concat('sql security ', \
    lower(security_type), ' ', \
    'as ', replace(view_definition, concat('`', database(), '`.'), '')) \
    from information_schema.views where table_schema = database()";

const MYSQL_TRIGGERS: &str = "select 'trigger', trigger_name, \
    concat(lower(action_timing), ' ', lower(event_manipulation), ' on `', event_object_table, \
    '` for each row ', action_statement) from information_schema.triggers where trigger_schema = database()";

const MYSQL_ROUTINES: &str = "select lower(r.routine_type), r.routine_name, \
    concat('(', coalesce((select group_concat(concat_ws(' ', \
      case when p.routine_type = 'PROCEDURE' then p.parameter_mode end, \
      concat('`', p.parameter_name, '`'), p.dtd_identifier) order by p.ordinal_position \
      separator ', ') from information_schema.parameters p \
      where p.specific_schema = r.routine_schema and p.ordinal_position > 0 \
      and p.specific_name = r.specific_name and p.routine_type = r.routine_type), ''), ') ', \
    case when r.routine_type = 'FUNCTION' then concat('returns ', r.dtd_identifier, ' ') else '' \
    end, case when r.is_deterministic = 'YES' then 'deterministic ' else '' end, \
    lower(r.sql_data_access), ' ', coalesce(r.routine_definition, '')) \
    from information_schema.routines r where r.routine_schema = database()";

impl InspectedObject {
    /// The statement that makes it.
    pub(crate) fn statement(&self, dialect: Dialect) -> String {
        let (kind, definition) = (&self.kind, &self.definition);
        match (dialect, kind.as_str()) {
            (Dialect::Sqlite, _)
            | (Dialect::Postgres, "trigger" | "rule" | "function" | "procedure") => {
                definition.clone()
            }
            (Dialect::Postgres, "aggregate") => {
                format!("create aggregate {} {definition}", self.name)
            }
            (Dialect::Postgres, _) => format!("create {kind} \"{}\" {definition}", self.name),
            (Dialect::MySql | Dialect::MariaDb, "view") => {
                let (options, query) = definition.split_once("as ").unwrap_or(("", definition));
                format!("create {options}view `{}` as {query}", self.name)
            }
            (Dialect::MySql | Dialect::MariaDb, _) => {
                format!("create {kind} `{}` {definition}", self.name)
            }
        }
    }
}
