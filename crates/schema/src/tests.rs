//! Facts about catalogs and migrations.
