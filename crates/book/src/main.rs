//! book
fn main() {}
