//! Facts about the data API.
