//! `cargo test -p exercises --test ex07_everyone_else`

exercises::graded!();
