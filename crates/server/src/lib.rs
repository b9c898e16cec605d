//! HTTP: router, handlers, extractors, middleware, errors, pages.
