//! Proving who you are, without HTTP or SQL: password hashes, e-mail addresses, assurance.
