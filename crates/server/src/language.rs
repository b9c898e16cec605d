//! Which of the languages that are there a reader wants most.

/// The best language of an `Accept-Language` header (RFC 9110 §12.5.4); `known` gives the name under
/// which a language is there. `None` where none of them is.
pub(crate) fn best(header: &str, known: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut best: Option<(u16, String)> = None;
    for entry in header.split(',').take(20) {
        let (tag, parameters) = entry.split_once(';').unwrap_or((entry, ""));
        let quality = parameters.trim().strip_prefix("q=").unwrap_or("1");
        let quality: f32 = quality.trim().parse().unwrap_or(0.0);
        // Thousandths, the finest that the header can say.
        let quality = match quality.is_finite() {
            true => (quality.clamp(0.0, 1.0) * 1000.0).round(),
            false => 0.0,
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is between 0 and 1000"
        )]
        let quality = quality as u16;
        let is_better = best.as_ref().is_none_or(|(before, _)| quality > *before);
        if let (Some(known), true, true) = (known(tag), quality > 0, is_better) {
            best = Some((quality, known));
        }
    }
    best.map(|(_, language)| language)
}

/// A tag as it is known among `languages`: itself, or what stands before its first hyphen.
pub(crate) fn known<'l>(tag: &str, mut languages: impl Iterator<Item = &'l str>) -> Option<String> {
    let tag = tag.trim().to_ascii_lowercase();
    let base = tag.split_once('-').map(|(base, _)| base);
    let mut coarse = None;
    let exact = languages.find(|one| {
        if Some(*one) == base {
            coarse = base.map(str::to_owned);
        }
        *one == tag
    });
    exact.map(str::to_owned).or(coarse)
}

/// Whether it can name a language (BCP 47).
pub(crate) fn is_tag(text: &str) -> bool {
    let is_tag = |c: char| c.is_ascii_alphanumeric() || c == '-';
    !text.is_empty() && text.len() <= 35 && text.chars().all(is_tag)
}
