//! Random values as text that a person reads, types and dictates.

/// Crockford's base 32: no `i`, `l`, `o` (they look like `1` and `0`) and no `u` (so that fewer
/// words come about by chance).
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Five bits of each byte as one character; random bytes give each character alike often.
pub(crate) fn spell(random: &[u8]) -> String {
    random
        .iter()
        .map(|byte| char::from(LETTERS[usize::from(byte % 32)]))
        .collect()
}

/// A character as [`spell`] writes it, whatever was read for it: capitals, `O` for zero, `I` and
/// `L` for one.
pub(crate) fn normal(character: char) -> Option<char> {
    let lower = match character.to_ascii_lowercase() {
        'o' => '0',
        'i' | 'l' => '1',
        other => other,
    };
    let known = u8::try_from(lower).is_ok_and(|byte| LETTERS.contains(&byte));
    known.then_some(lower)
}
