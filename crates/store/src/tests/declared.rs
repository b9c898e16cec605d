//! Facts about the declared tables and the migrations that make them.
