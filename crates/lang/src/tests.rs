//! Facts about the language.
