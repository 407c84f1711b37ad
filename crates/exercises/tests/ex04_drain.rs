//! `cargo test -p exercises --test ex04_drain`

exercises::graded!();
