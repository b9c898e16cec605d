//! Pilaster's own tables, one file per aggregate.
