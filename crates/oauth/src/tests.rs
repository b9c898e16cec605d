//! Facts about tokens and keys.
