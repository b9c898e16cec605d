//! The protocol without HTTP or SQL: tokens, JOSE, claims, metadata. Pure.
