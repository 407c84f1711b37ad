//! `cargo test -p exercises --test ex10_any_count`

exercises::graded!();
