//! Test harness: throw-away databases on every engine, a running Pilaster, builders.
