//! The `Accept` header: what the answer shall be.

use crate::{ErrorKind, RestError};

/// What an answer is to look like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Media {
    pub(crate) format: Format,
    /// Members that are null are left away.
    pub(crate) strips_nulls: bool,
}

/// A representation of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Format {
    /// An array.
    #[default]
    Array,
    /// The only row, as an object.
    Object,
    /// A line for each row, behind one of names (RFC 4180).
    Csv,
    /// The engine's plan of the statement, as JSON or text.
    Plan(Explanation),
}

/// What `options=` may name; the first one runs the statement.
pub(crate) const EXPLAIN_OPTIONS: [&str; 5] = ["analyze", "verbose", "settings", "buffers", "wal"];

/// How the engine is to explain its plan (PostgreSQL's EXPLAIN).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Explanation {
    /// As JSON; SQLite's is a list of its lines.
    pub(crate) json: bool,
    /// Which of [`EXPLAIN_OPTIONS`] are asked for.
    pub(crate) options: [bool; EXPLAIN_OPTIONS.len()],
}

/// The best of what is asked for that can be served (RFC 9110 §12.5.1).
pub(crate) fn negotiate(accept: Option<&str>) -> Result<Media, RestError> {
    let Some(accept) = accept else {
        return Ok(Media::default());
    };
    let mut best: Option<(Media, u16)> = None;
    for entry in accept.split(',') {
        let (media, quality) = (media(entry), quality(entry));
        let better = best.is_none_or(|(_, known)| quality > known);
        if let Some(media) = media.filter(|_| quality > 0 && better) {
            best = Some((media, quality));
        }
    }
    best.map(|(media, _)| media).ok_or_else(|| {
        let message = format!("none of these media types can be served: {accept}");
        if accept.to_ascii_lowercase().contains("application/geo+json") {
            // PostgREST asks PostGIS for it, of a column of its types.
            let hint = "no table has a geometry: the schema's types are the same on every engine, \
                        and PostGIS's are not among them; keep GeoJSON in a jsonb column";
            return RestError::new(ErrorKind::NotAcceptable, "PGRST107", message).hint(hint);
        }
        RestError::new(ErrorKind::NotAcceptable, "PGRST107", message)
            .hint("ask for application/json, application/vnd.pgrst.object+json or text/csv")
    })
}

fn media(entry: &str) -> Option<Media> {
    let mut words = entry.split(';').map(str::trim);
    let format = match words.next()?.to_ascii_lowercase().as_str() {
        "application/vnd.pgrst.object+json" | "application/vnd.pgrst.object" => Format::Object,
        "application/json"
        | "application/*"
        | "*/*"
        | ""
        | "text/html"
        | "application/vnd.pgrst.array+json"
        | "application/vnd.pgrst.array" => Format::Array,
        "text/csv" => Format::Csv,
        "application/vnd.pgrst.plan" | "application/vnd.pgrst.plan+text" => {
            Format::Plan(explanation(entry, false))
        }
        "application/vnd.pgrst.plan+json" => Format::Plan(explanation(entry, true)),
        _ => return None,
    };
    let strips_nulls = words.any(|word| word.eq_ignore_ascii_case("nulls=stripped"));
    Some(Media {
        format,
        strips_nulls,
    })
}

/// `options=analyze|buffers`
fn explanation(entry: &str, json: bool) -> Explanation {
    let mut words = entry.split(';').map(str::trim);
    let options = words.find_map(|word| word.strip_prefix("options="));
    let has = |name: &str| options.is_some_and(|options| options.split('|').any(|one| one == name));
    Explanation {
        json,
        options: EXPLAIN_OPTIONS.map(has),
    }
}

/// `q=0.5`, in thousandths.
fn quality(entry: &str) -> u16 {
    let mut words = entry.split(';').skip(1).map(str::trim);
    let weight = words.find_map(|word| word.strip_prefix("q="));
    let weight = weight.and_then(|text| text.parse::<f32>().ok());
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 1000"
    )]
    let thousandths = (weight.unwrap_or(1.0).clamp(0.0, 1.0) * 1000.0) as u16;
    thousandths
}
