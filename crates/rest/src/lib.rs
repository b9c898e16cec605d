//! The data API without HTTP or IO: URL to plan to SQL to JSON; SQL endpoints; OpenAPI.
