//! The real binary, through its two doors: the command line and HTTP.

mod access;
mod admin;
mod adoption;
mod cli;
mod clients;
mod databases;
mod description;
mod galera;
mod hooks;
mod http;
mod killed;
mod language;
mod mail;
mod migrations;
mod native_rls;
mod oauth2;
mod operations;
mod pages;
mod questions;
mod read_only;
mod rights;
mod rules;
mod shell;
mod space;
mod traces;
