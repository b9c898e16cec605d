//! The real binary, through its two doors: the command line and HTTP.

mod cli;
mod http;
mod migrations;
mod operations;
