//! The engine suite: the same facts on every engine that was asked for.

mod durability;
mod errors;
mod marks;
mod suite;
mod units;
mod urls;
mod values;
