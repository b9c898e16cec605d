//! Facts about passwords, addresses and keys.
