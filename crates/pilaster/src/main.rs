//! pilaster
fn main() {}
