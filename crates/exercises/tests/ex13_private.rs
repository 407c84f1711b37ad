//! `cargo test -p exercises --test ex13_private`

exercises::graded!();
