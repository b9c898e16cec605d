//! Facts about our own tables, on every engine.
