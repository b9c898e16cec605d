//! The parser's statements to ours.

use sql::Ident;
use sqlparser::ast;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::words::words;
use super::{alter, create, function, name, place_of, role, table_name, view};
use crate::{
    CommentOn, CommentTarget, CreateEnum, CreateIndex, CreatePolicy, Diagnostic, DropIndex,
    DropTable, DropView, Grant, GrantRole, IndexKeyDef, PolicyCommand, Privilege, RawExpr,
    RawQuery, Source, Span, Statement,
};

type Parsed<T> = Result<T, Diagnostic>;

/// One parsed statement is one of ours, or several (`DROP TABLE a, b`).
pub(super) fn translate(
    source: &Source,
    statement: ast::Statement,
    span: Span,
) -> Parsed<Vec<Statement>> {
    let one = |statement| Ok(vec![statement]);
    match &statement {
        ast::Statement::Insert(_) | ast::Statement::Update(_) | ast::Statement::Delete(_) => {
            one(Statement::Data(RawQuery { statement, span }))
        }
        ast::Statement::CreateTable(table) => {
            one(Statement::CreateTable(create::table(source, table, span)?))
        }
        ast::Statement::CreateFunction(create) => one(Statement::CreateFunction(
            function::function(source, create, span)?,
        )),
        ast::Statement::CreateType {
            name: object,
            representation: Some(ast::UserDefinedTypeRepresentation::Enum { labels }),
        } => one(Statement::CreateEnum(CreateEnum {
            name: table_name(&source.path, object, span)?,
            values: labels.iter().map(|label| label.value.clone()).collect(),
            span,
        })),
        ast::Statement::CreateIndex(index) => {
            one(Statement::CreateIndex(create_index(source, index, span)?))
        }
        ast::Statement::CreateView(create) => {
            one(Statement::CreateView(view::view(source, create, span)?))
        }
        ast::Statement::CreateRole(create) => role::create_roles(source, &create.names, span),
        ast::Statement::AlterRole { name, operation } => one(Statement::AlterRole(
            role::alter_role(source, name, operation, span)?,
        )),
        ast::Statement::Grant(granted) => grant(source, granted, span),
        ast::Statement::CreatePolicy(policy) => one(Statement::CreatePolicy(create_policy(
            source, policy, span,
        )?)),
        ast::Statement::Comment {
            object_type,
            object_name,
            comment,
            ..
        } => {
            let target = comment_target(source, *object_type, object_name, span)?;
            one(Statement::Comment(CommentOn {
                target,
                text: comment.clone(),
                span,
            }))
        }
        ast::Statement::Drop {
            object_type, names, ..
        } => drop_objects(source, *object_type, names, span),
        ast::Statement::AlterTable(alter) => alter::alter_table(source, alter, span),
        other => {
            let text = other.to_string();
            let words: Vec<&str> = text.split_whitespace().take(2).collect();
            Err(Diagnostic::new(
                &source.path,
                span,
                format!("{} is not offered here", words.join(" ")),
            )
            .hint(
                "a schema holds CREATE TABLE, VIEW, INDEX, TYPE … AS ENUM, FUNCTION, ROLE and POLICY, ALTER ROLE, GRANT and COMMENT ON; \
                     queries belong in api/, rows in seed/",
            ))
        }
    }
}

fn create_index(source: &Source, index: &ast::CreateIndex, span: Span) -> Parsed<CreateIndex> {
    let refuse =
        |message: &str, hint: &str| Err(Diagnostic::new(&source.path, span, message).hint(hint));
    let Some(object) = &index.name else {
        return refuse(
            "an index needs a name",
            "write CREATE INDEX table_column_idx ON …",
        );
    };
    let raw = |expr: &ast::Expr| RawExpr {
        expr: expr.clone(),
        span: place_of(expr, span),
    };
    let mut keys = Vec::new();
    let is_words = index.using == Some(ast::IndexType::GIN);
    if is_words {
        let (config, columns) = words(source, index, span)?;
        keys.push((IndexKeyDef::Words { config, columns }, false));
    } else if !matches!(index.using, None | Some(ast::IndexType::BTree)) {
        return refuse(
            "an index is one of values (BTREE) or of words (GIN)",
            "leave USING out, or write it behind -- @engine postgres",
        );
    }
    for column in index.columns.iter().filter(|_| !is_words) {
        let key = match &column.column.expr {
            ast::Expr::Identifier(ident) => IndexKeyDef::Column(name(&source.path, ident, span)?),
            ast::Expr::Nested(expr) => IndexKeyDef::Expression(raw(expr)),
            expr => IndexKeyDef::Expression(raw(expr)),
        };
        let descending = column.column.options.sort == Some(ast::OrderBySort::Desc);
        keys.push((key, descending));
    }
    Ok(CreateIndex {
        name: table_name(&source.path, object, span)?,
        table: table_name(&source.path, &index.table_name, span)?,
        span,
        keys,
        unique: index.unique,
        predicate: index.predicate.as_ref().map(raw),
    })
}

fn grantees(source: &Source, grantees: &[ast::Grantee], span: Span) -> Parsed<Vec<Ident>> {
    grantees
        .iter()
        .map(|grantee| match &grantee.name {
            Some(ast::GranteeName::ObjectName(object)) => table_name(&source.path, object, span),
            _ => Err(
                Diagnostic::new(&source.path, span, "GRANT names roles").hint(
                    "write TO anon, authenticated or a role of your own; PUBLIC is both of them",
                ),
            ),
        })
        .collect()
}

fn grant(source: &Source, granted: &ast::Grant, span: Span) -> Parsed<Vec<Statement>> {
    let roles = grantees(source, &granted.grantees, span)?;
    let actions = match &granted.privileges {
        ast::Privileges::All { .. } => None,
        ast::Privileges::Actions(actions) => Some(actions),
    };
    let tables = match &granted.objects {
        Some(ast::GrantObjects::Tables(tables)) => tables,
        // `GRANT editor TO authenticated`: the parser takes the role for a privilege.
        None => return grant_roles(source, actions, &roles, span),
        Some(_) => {
            return Err(Diagnostic::new(&source.path, span, "GRANT is on tables")
                .hint("write GRANT select ON table TO role"));
        }
    };
    let privileges = match actions {
        None => [
            Privilege::Select,
            Privilege::Insert,
            Privilege::Update,
            Privilege::Delete,
        ]
        .map(|privilege| (privilege, None))
        .to_vec(),
        Some(actions) => actions
            .iter()
            .map(|action| privilege(source, action, span))
            .collect::<Parsed<_>>()?,
    };
    let tables = tables
        .iter()
        .map(|table| table_name(&source.path, table, span))
        .collect::<Parsed<_>>()?;
    Ok(vec![Statement::Grant(Grant {
        privileges,
        tables,
        roles,
        span,
    })])
}

/// `GRANT editor TO authenticated`, which the parser knows as `GRANT ROLE editor TO …` alone: a
/// grant without `ON` gets that word before each of its names.
pub(super) fn mark_granted_roles(tokens: &mut Vec<TokenWithSpan>) {
    let is = |token: &TokenWithSpan, keyword: Keyword| match &token.token {
        Token::Word(word) => word.quote_style.is_none() && word.keyword == keyword,
        _ => false,
    };
    let is_space = |token: &TokenWithSpan| matches!(token.token, Token::Whitespace(_));
    let mut places = (0..tokens.len()).filter(|place| !is_space(&tokens[*place]));
    let (Some(first), Some(second)) = (places.next(), places.next()) else {
        return;
    };
    let is_role_already = is(&tokens[second], Keyword::ROLE);
    if !is(&tokens[first], Keyword::GRANT)
        || is_role_already
        || tokens.iter().any(|token| is(token, Keyword::ON))
    {
        return;
    }
    let mut marked = Vec::with_capacity(tokens.len() + 2);
    let mut is_name_next = false;
    let mut is_over = false;
    for token in tokens.drain(..) {
        is_over |= is(&token, Keyword::TO);
        if is_name_next && !is_over && matches!(token.token, Token::Word(_)) {
            let word = Token::make_keyword("ROLE");
            marked.push(TokenWithSpan::new(word, token.span));
        }
        if !is_space(&token) {
            is_name_next = is(&token, Keyword::GRANT) || token.token == Token::Comma;
        }
        marked.push(token);
    }
    *tokens = marked;
}

fn grant_roles(
    source: &Source,
    actions: Option<&Vec<ast::Action>>,
    roles: &[Ident],
    span: Span,
) -> Parsed<Vec<Statement>> {
    let mut statements = Vec::new();
    for action in actions.into_iter().flatten() {
        let ast::Action::Role { role } = action else {
            let message = format!("GRANT {action} says nothing to be granted on");
            return Err(Diagnostic::new(&source.path, span, message)
                .hint("write GRANT select ON table TO role, or GRANT role TO role"));
        };
        let role = table_name(&source.path, role, span)?;
        for to in roles {
            statements.push(Statement::GrantRole(GrantRole {
                role: role.clone(),
                to: to.clone(),
                span,
            }));
        }
    }
    Ok(statements)
}

fn privilege(
    source: &Source,
    action: &ast::Action,
    span: Span,
) -> Parsed<(Privilege, Option<Vec<Ident>>)> {
    let (privilege, columns) = match action {
        ast::Action::Select { columns } => (Privilege::Select, columns),
        ast::Action::Insert { columns } => (Privilege::Insert, columns),
        ast::Action::Update { columns } => (Privilege::Update, columns),
        ast::Action::Delete => (Privilege::Delete, &None),
        other => {
            return Err(Diagnostic::new(
                &source.path,
                span,
                format!("{other} is not a privilege here"),
            )
            .hint("write select, insert, update or delete"));
        }
    };
    let columns = columns
        .as_ref()
        .map(|columns| create::names(source, columns, span))
        .transpose()?;
    Ok((privilege, columns))
}

fn create_policy(source: &Source, policy: &ast::CreatePolicy, span: Span) -> Parsed<CreatePolicy> {
    let command = match policy.command {
        None | Some(ast::CreatePolicyCommand::All) => PolicyCommand::All,
        Some(ast::CreatePolicyCommand::Select) => PolicyCommand::One(Privilege::Select),
        Some(ast::CreatePolicyCommand::Insert) => PolicyCommand::One(Privilege::Insert),
        Some(ast::CreatePolicyCommand::Update) => PolicyCommand::One(Privilege::Update),
        Some(ast::CreatePolicyCommand::Delete) => PolicyCommand::One(Privilege::Delete),
    };
    let mut roles = Vec::new();
    for owner in policy.to.iter().flatten() {
        match owner {
            ast::Owner::Ident(ident) if ident.value.eq_ignore_ascii_case("public") => {}
            ast::Owner::Ident(ident) => roles.push(name(&source.path, ident, span)?),
            other => {
                return Err(Diagnostic::new(
                    &source.path,
                    span,
                    format!("{other} is not a role here"),
                ));
            }
        }
    }
    let raw = |expr: &Option<ast::Expr>| expr.clone().map(|expr| RawExpr { expr, span });
    Ok(CreatePolicy {
        name: name(&source.path, &policy.name, span)?,
        table: table_name(&source.path, &policy.table_name, span)?,
        command,
        permissive: policy.policy_type != Some(ast::CreatePolicyType::Restrictive),
        roles,
        using: raw(&policy.using),
        check: raw(&policy.with_check),
        span,
    })
}

fn comment_target(
    source: &Source,
    kind: ast::CommentObject,
    object: &ast::ObjectName,
    span: Span,
) -> Parsed<CommentTarget> {
    match (kind, object.0.as_slice()) {
        (ast::CommentObject::Table, _) => Ok(CommentTarget::Table(table_name(
            &source.path,
            object,
            span,
        )?)),
        (ast::CommentObject::View, _) => {
            Ok(CommentTarget::View(table_name(&source.path, object, span)?))
        }
        (
            ast::CommentObject::Column,
            [
                ast::ObjectNamePart::Identifier(table),
                ast::ObjectNamePart::Identifier(column),
            ],
        ) => Ok(CommentTarget::Column(
            name(&source.path, table, span)?,
            name(&source.path, column, span)?,
        )),
        _ => Err(Diagnostic::new(
            &source.path,
            span,
            "a comment is on a table, a view or a column",
        )
        .hint("write COMMENT ON TABLE t IS '…' or COMMENT ON COLUMN t.c IS '…'")),
    }
}

fn drop_objects(
    source: &Source,
    kind: ast::ObjectType,
    names: &[ast::ObjectName],
    span: Span,
) -> Parsed<Vec<Statement>> {
    names
        .iter()
        .map(|object| {
            let name = table_name(&source.path, object, span)?;
            match kind {
                ast::ObjectType::Table => Ok(Statement::DropTable(DropTable { name, span })),
                ast::ObjectType::View => Ok(Statement::DropView(DropView { name, span })),
                ast::ObjectType::Index => Ok(Statement::DropIndex(DropIndex { name, span })),
                other => Err(Diagnostic::new(
                    &source.path,
                    span,
                    format!("DROP {other} is not offered"),
                )),
            }
        })
        .collect()
}
