//! SQL files as operations: typed parameters, and what the last statement shows.

use lang::{CheckedStatement, Expr, ExprKind, Type};
use serde_json::{Value, json};

use super::responses::Responses;
use super::{Object, View, column, parameters, places, security, segment, shape};
use crate::endpoint::{Endpoint, Parameter, Place, Segment, calls};
use crate::{Answer, Method};

/// Adds the files that the roles may call, by their paths and by their names.
pub(super) fn paths(view: View<'_>, paths: &mut Object) {
    let may = |endpoint: &&Endpoint| endpoint.roles.iter().any(|role| view.roles.has(role));
    for endpoint in view.api.endpoints.iter().filter(may) {
        let own = path(view, endpoint);
        // A path of the same shape is the same path: its parameters keep their first names.
        let known = paths
            .keys()
            .find(|known| shape(known) == shape(&own))
            .cloned();
        let path = known.unwrap_or_else(|| own.clone());
        let names: Vec<(String, String)> = places(&own).into_iter().zip(places(&path)).collect();
        let entry = paths.entry(path).or_insert_with(|| json!({}));
        let is_shared = entry.get("parameters").is_some();
        let operation = operation(view, endpoint, &names, is_shared);
        entry[endpoint.method.name().to_lowercase()] = operation;
    }
    for (method, name, endpoint) in calls(&view.api.endpoints) {
        let path = view
            .api
            .prefixes()
            .path(&format!("/rpc/{}", segment(&name)));
        let entry = paths.entry(path).or_insert_with(|| json!({}));
        let method_name = method.name().to_lowercase();
        // A file below `api/rpc/` has this path of its own.
        if may(&endpoint) && entry.get(&method_name).is_none() {
            entry[method_name] = by_name(view, endpoint, &name, method);
        }
    }
    paths.retain(|_, item| item.as_object().is_none_or(|item| !item.is_empty()));
}

/// A call by the file's name: all that it takes comes from the query string, or from the body.
fn by_name(view: View<'_>, endpoint: &Endpoint, name: &str, method: Method) -> Value {
    let is_post = method == Method::Post;
    let id = format!("call_{}_{name}", method.name().to_lowercase());
    let id: String = id
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    let summary = format!("{}, by its name", endpoint.path);
    let mut operation = operation_of(view, endpoint, &id, &summary);
    let all: Vec<&Parameter> = endpoint.parameters.iter().collect();
    if is_post {
        operation["requestBody"] = body(&all);
    } else {
        let described = all.into_iter().map(|own| in_url(own, "query", &own.name));
        parameters::put(&mut operation, described.collect());
    }
    let refusals: &[u16] = if is_post { &[404, 413, 415] } else { &[404] };
    operation["responses"] = responses(endpoint, refusals);
    operation
}

/// What the parameters are in a body.
fn body(parameters: &[&Parameter]) -> Value {
    let is_required = parameters.iter().any(|own| own.default.is_none());
    json!({"required": is_required,
           "content": {"application/json": {"schema": object(parameters)}}})
}

/// The operation without what it takes and answers.
fn operation_of(view: View<'_>, endpoint: &Endpoint, id: &str, summary: &str) -> Value {
    let mut operation = parameters::operation(id, "endpoints", summary);
    let anonymous = crate::RoleSet::anonymous(view.api.catalog());
    let is_open = endpoint.roles.iter().any(|role| anonymous.has(role));
    operation.insert(String::from("security"), security(is_open));
    if !endpoint.description.is_empty() {
        operation.insert(String::from("description"), json!(endpoint.description));
    }
    Value::Object(operation)
}

fn path(view: View<'_>, endpoint: &Endpoint) -> String {
    let part = |part: &Segment| match part {
        Segment::Fixed(text) => format!("/{}", segment(text)),
        Segment::Parameter(name) => format!("/{{{name}}}"),
    };
    let path: String = endpoint.segments.iter().map(part).collect();
    view.api.prefixes().path(&path)
}

/// `names` are the parameters of its path, as the file and as the document calls them; `is_shared`
/// where the path describes them itself.
fn operation(
    view: View<'_>,
    endpoint: &Endpoint,
    names: &[(String, String)],
    is_shared: bool,
) -> Value {
    let id: String = endpoint
        .route_path()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    let method = endpoint.method.name().to_lowercase();
    let summary = match endpoint.summary.as_str() {
        "" => endpoint.path.as_str(),
        summary => summary,
    };
    let mut operation = operation_of(view, endpoint, &format!("{method}{id}"), summary);
    let elsewhere = endpoint
        .parameters
        .iter()
        .filter(|own| own.place != Place::Body);
    let described = elsewhere.filter(|own| !(is_shared && own.place == Place::Path));
    let described = described.map(|own| parameter(own, names));
    parameters::put(&mut operation, described.collect());
    let in_body: Vec<&Parameter> = endpoint
        .parameters
        .iter()
        .filter(|own| own.place == Place::Body)
        .collect();
    if !in_body.is_empty() {
        operation["requestBody"] = body(&in_body);
    }
    operation["responses"] = responses(endpoint, &[]);
    operation
}

fn parameter(parameter: &Parameter, names: &[(String, String)]) -> Value {
    let renamed = names.iter().find(|(own, _)| *own == parameter.name);
    let (place, name) = match (parameter.place, renamed) {
        (Place::Path, Some((_, name))) => ("path", name),
        (Place::Path, None) => ("path", &parameter.name),
        (Place::Query | Place::Body, _) => ("query", &parameter.name),
    };
    in_url(parameter, place, name)
}

fn in_url(parameter: &Parameter, place: &str, name: &str) -> Value {
    let mut schema = column::in_url(&parameter.ty);
    bound(parameter, &mut schema);
    let mut described = json!({"name": name, "in": place, "required": parameter.default.is_none(),
                               "schema": schema});
    if !parameter.description.is_empty() {
        described["description"] = json!(parameter.description);
    }
    described
}

fn object(parameters: &[&Parameter]) -> Value {
    let mut properties = Object::new();
    for parameter in parameters {
        let mut schema = column::sent(&parameter.ty);
        bound(parameter, &mut schema);
        if parameter.default == Some(sql::Value::Null) {
            schema = column::nullable(schema);
        }
        if !parameter.description.is_empty() {
            schema["description"] = json!(parameter.description);
        }
        properties.insert(parameter.name.clone(), schema);
    }
    let required = parameters.iter().filter(|own| own.default.is_none());
    let required: Vec<&str> = required.map(|own| own.name.as_str()).collect();
    let mut schema = json!({"type": "object", "properties": properties});
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema["additionalProperties"] = json!(false);
    schema
}

/// `min`, `max` and the default of a parameter.
fn bound(parameter: &Parameter, schema: &mut Value) {
    let keys = match parameter.ty {
        Type::Text | Type::Varchar(_) => Some(("minLength", "maxLength")),
        Type::SmallInt | Type::Integer | Type::BigInt => Some(("minimum", "maximum")),
        _ => None,
    };
    if let Some((least, most)) = keys {
        for (key, bound) in [(least, parameter.min), (most, parameter.max)] {
            if let Some(bound) = bound {
                schema[key] = json!(bound);
            }
        }
    }
    if let Some(default) = parameter.default.as_ref().filter(|value| !value.is_null()) {
        let text = crate::value_as_json(default, parameter.ty.kind());
        if let Ok(default) = serde_json::from_str::<Value>(&text) {
            schema["default"] = default;
        }
    }
}

/// `more` are refusals of this way to call it.
fn responses(endpoint: &Endpoint, more: &[u16]) -> Value {
    let cached: &[(&str, &str)] = match endpoint.cache {
        Some(_) => &[("Cache-Control", "CacheControl")],
        None => &[],
    };
    let all = Responses::new();
    let all = match &endpoint.answer {
        None => all.success(endpoint.status.unwrap_or(204), "Done", cached, None),
        Some(answer) => {
            let status = endpoint.status.unwrap_or(200);
            let kind = match answer {
                Answer::Many => "application/json",
                Answer::One | Answer::Single | Answer::OneOr(_) | Answer::Value => {
                    "application/vnd.pgrst.object+json"
                }
            };
            let content = json!({kind: {"schema": answer_schema(endpoint, answer)}});
            all.success(status, "The answer", cached, Some(content))
        }
    };
    let all = all
        .refusals(&[400, 401, 403, 422, 500, 503, 504])
        .refusals(more);
    let all = match &endpoint.answer {
        Some(Answer::One | Answer::Single) => all.refusals(&[404, 406]),
        Some(Answer::OneOr(_) | Answer::Value) => all.refusals(&[406]),
        Some(Answer::Many) | None => all,
    };
    let writes = endpoint
        .statements
        .iter()
        .any(|statement| matches!(statement, CheckedStatement::Write(_)));
    match writes {
        true => all.refusals(&[409, 413, 507]).into_value(),
        false => all.into_value(),
    }
}

fn answer_schema(endpoint: &Endpoint, answer: &Answer) -> Value {
    let projection = endpoint.projection();
    let members = projection
        .iter()
        .map(|column| (column.name.to_string(), of_expression(&column.expr)));
    let row = closed(&members.collect());
    match answer {
        Answer::Many => json!({"type": "array", "items": row}),
        Answer::One | Answer::Single => row,
        Answer::OneOr(empty) => match serde_json::from_str::<Value>(empty) {
            Ok(empty) => json!({"anyOf": [row, {"const": empty}]}),
            Err(_) => row,
        },
        Answer::Value => {
            let first = projection.first();
            let schema = first.map_or(json!({}), |column| of_expression(&column.expr));
            column::nullable(schema)
        }
    }
}

/// An object with all of these members.
fn closed(members: &Object) -> Value {
    let required: Vec<String> = members.keys().cloned().collect();
    json!({"type": "object", "properties": members, "required": required})
}

fn of_expression(expr: &Expr) -> Value {
    match &expr.kind {
        ExprKind::JsonObject(members) => {
            let members = members
                .iter()
                .map(|(key, value)| (key.clone(), of_expression(value)));
            closed(&members.collect())
        }
        ExprKind::JsonAgg { element, .. } => {
            json!({"type": "array", "items": of_expression(element)})
        }
        ExprKind::Scalar(query) => {
            let Some(column) = query.projection.first() else {
                return json!({});
            };
            let is_always = matches!(
                column.expr.kind,
                ExprKind::JsonAgg { .. } | ExprKind::Aggregate(lang::AggregateFunction::Count, _)
            ) && query.group.is_empty();
            match is_always {
                true => of_expression(&column.expr),
                false => column::nullable(of_expression(&column.expr)),
            }
        }
        _ => {
            let schema = expr.ty.as_ref().map_or(json!({}), column::answered);
            match expr.nullable {
                true => column::nullable(schema),
                false => schema,
            }
        }
    }
}
