//! Facts about HTTP.
